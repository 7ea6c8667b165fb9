// Chosen interleavings. Two or three short threads run one at a time; each access to a ChosenWord
// is a point at which another may go on. Plain and released stores wait in the thread's store
// buffer, in order, and reach memory at a moment that is chosen too, as on x86 (TSO); ordered
// stores and compare-and-swap empty the buffer first. explore() tries all choices, sample() random
// ones.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

namespace procpool::test {

enum class End {
  finished,
  stuck,   // nobody can go on: a wake-up was lost
  endless  // too many steps
};

// One run of some threads under one series of choices.
class Schedule {
 public:
  using Chooser = std::function<std::size_t(std::size_t count)>;
  using Body = std::function<void()>;

  Schedule(std::vector<Body> bodies, Chooser choose)
      : threads_(bodies.size()), choose_(std::move(choose)) {
    for (std::size_t i = 0; i != bodies.size(); ++i) threads_[i].body = std::move(bodies[i]);
  }

  End run() {
    std::vector<std::thread> running;
    for (std::size_t i = 0; i != threads_.size(); ++i) running.emplace_back([this, i] { live(i); });
    {
      const std::lock_guard lock(mutex_);
      pass_on();
    }
    for (auto& thread : running) thread.join();
    return end_;
  }

  // The schedule that runs the calling thread, or null.
  static Schedule*& here() {
    thread_local Schedule* schedule = nullptr;
    return schedule;
  }

  // Another thread may go on here; this one not before `ready` holds.
  void point(std::function<bool()> ready = {}) {
    std::unique_lock lock(mutex_);
    threads_[me()].ready = std::move(ready);
    pass_on();
    await_turn(lock, me());
  }

  void buffer(std::uint64_t& where, std::uint64_t value) {
    threads_[me()].stores.push_back({&where, value});
  }
  void drain_all() {
    while (!threads_[me()].stores.empty()) drain(me());
  }
  // What this thread sees: its own newest store that is on the way, or memory.
  std::uint64_t look(const std::uint64_t& where) const {
    const auto& stores = threads_[me()].stores;
    for (auto store = stores.rbegin(); store != stores.rend(); ++store) {
      if (store->where == &where) return store->value;
    }
    return where;
  }

 private:
  struct Stopped {};
  struct Store {
    std::uint64_t* where;
    std::uint64_t value;
  };
  struct Thread {
    Body body;
    std::function<bool()> ready;
    bool done = false;
    std::deque<Store> stores;
    std::condition_variable turn;
  };
  static constexpr std::size_t nobody = ~std::size_t{0};
  static constexpr int most_steps = 2000;

  static std::size_t& me() {
    thread_local std::size_t index = 0;
    return index;
  }
  void live(std::size_t index) {
    here() = this;
    me() = index;
    try {
      std::unique_lock lock(mutex_);
      await_turn(lock, index);
      lock.unlock();
      threads_[index].body();
    } catch (const Stopped&) {
    }
    const std::lock_guard lock(mutex_);
    threads_[index].done = true;
    if (!stopping_) pass_on();
  }
  void await_turn(std::unique_lock<std::mutex>& lock, std::size_t index) {
    threads_[index].turn.wait(lock, [&] { return stopping_ || current_ == index; });
    if (stopping_) throw Stopped();
  }
  void drain(std::size_t index) {
    auto& stores = threads_[index].stores;
    *stores.front().where = stores.front().value;
    stores.pop_front();
  }

  // Chooses until a thread has the turn. Choices below threads_.size() run a thread, others drain
  // one store; the thread that runs comes first, so that the first choice is never a switch.
  void pass_on() {
    for (;;) {
      const std::vector<std::size_t> ways = options();
      if (ways.empty() || ++steps_ > most_steps) return stop(ways.empty());
      const std::size_t way = ways[ways.size() == 1 ? 0 : choose_(ways.size())];
      if (way < threads_.size()) {
        current_ = way;
        threads_[way].turn.notify_one();
        return;
      }
      drain(way - threads_.size());
    }
  }
  std::vector<std::size_t> options() {
    std::vector<std::size_t> ways;
    const std::size_t first = current_ == nobody ? 0 : current_;
    for (std::size_t i = 0; i != threads_.size(); ++i) {
      const std::size_t index = (first + i) % threads_.size();
      const Thread& thread = threads_[index];
      if (!thread.done && (!thread.ready || thread.ready())) ways.push_back(index);
    }
    for (std::size_t i = 0; i != threads_.size(); ++i) {
      if (!threads_[i].stores.empty()) ways.push_back(threads_.size() + i);
    }
    return ways;
  }
  void stop(bool nothing_left) {
    current_ = nobody;
    bool all_done = true;
    for (const Thread& thread : threads_) all_done = all_done && thread.done;
    if (nothing_left && all_done) return;
    end_ = nothing_left ? End::stuck : End::endless;
    stopping_ = true;
    for (Thread& thread : threads_) thread.turn.notify_one();
  }

  std::vector<Thread> threads_;
  Chooser choose_;
  std::mutex mutex_;
  std::size_t current_ = nobody;
  int steps_ = 0;
  bool stopping_ = false;
  End end_ = End::finished;
};

// Stands in for std::atomic<T> in the templates of shm. Outside a schedule: a plain variable.
template <class T>
class ChosenWord {
 public:
  ChosenWord() = default;
  explicit ChosenWord(T value) : memory_(value) {}

  T load(std::memory_order = std::memory_order_seq_cst) const {
    Schedule* schedule = Schedule::here();
    if (schedule == nullptr) return memory();
    schedule->point();
    return static_cast<T>(schedule->look(memory_));
  }
  void store(T value, std::memory_order order = std::memory_order_seq_cst) {
    Schedule* schedule = Schedule::here();
    if (schedule == nullptr) {
      memory_ = value;
      return;
    }
    schedule->point();
    schedule->buffer(memory_, value);
    if (order == std::memory_order_seq_cst) schedule->drain_all();
    schedule->point();
  }
  bool compare_exchange_strong(T& expected, T desired, std::memory_order, std::memory_order) {
    if (Schedule* schedule = Schedule::here()) {
      schedule->point();
      schedule->drain_all();
    }
    if (memory() != expected) {
      expected = memory();
      return false;
    }
    memory_ = desired;
    return true;
  }

  // What has reached memory. For conditions and for after the run.
  T memory() const { return static_cast<T>(memory_); }

 private:
  std::uint64_t memory_ = 0;
};

inline void chosen_point() { Schedule::here()->point(); }
inline void sleep_until(std::function<bool()> ready) { Schedule::here()->point(std::move(ready)); }

struct Explored {
  int runs = 0;
  bool all = false;  // every series of choices was tried
};

// `once(chooser)` makes fresh state, runs one Schedule and checks; it returns whether to go on.
// Depth first over all series of choices, at most `most` runs.
template <class Once>
Explored explore(int most, Once once) {
  struct Choice {
    std::size_t taken;
    std::size_t count;
  };
  std::vector<Choice> path;
  Explored explored;
  while (explored.runs != most) {
    std::size_t depth = 0;
    const auto choose = [&](std::size_t count) {
      if (depth == path.size()) path.push_back({0, count});
      return path[depth++].taken;
    };
    ++explored.runs;
    if (!once(choose)) return explored;
    while (!path.empty() && path.back().taken + 1 == path.back().count) path.pop_back();
    if (path.empty()) {
      explored.all = true;
      return explored;
    }
    ++path.back().taken;
  }
  return explored;
}

template <class Once>
Explored sample(int runs, std::uint32_t seed, Once once) {
  std::mt19937 random(seed);
  Explored explored;
  while (explored.runs != runs) {
    ++explored.runs;
    if (!once([&](std::size_t count) { return static_cast<std::size_t>(random() % count); })) break;
  }
  return explored;
}

// All short runs up to a bound, then random ones; false as soon as one run says so.
template <class Once>
bool explore_then_sample(int most, int random_runs, std::uint32_t seed, Once once) {
  bool good = true;
  const auto checked = [&](Schedule::Chooser choose) { return good = once(std::move(choose)); };
  if (!explore(most, checked).all && good) sample(random_runs, seed, checked);
  return good;
}

}  // namespace procpool::test
