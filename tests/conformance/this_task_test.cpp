// What a task can ask and say.
#include <algorithm>
#include <future>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include "conformance/conformance.hpp"

namespace procpool::test {
namespace {

std::uint64_t own_seed(int) { return this_task::seed(); }
std::uint64_t seed_of_call() { return this_task::seed(); }

TEST_P(Conformance, P_START_07_the_seed_is_the_elements) {
  std::vector<std::uint64_t> seeds;
  for (const int processes : {1, 3}) {
    const Pool pool = make_pool(processes);
    for (const int chunk : {0, 1, 9}) {
      const auto got = pool.map(own_seed, first_numbers(50), {.chunksize = chunk});
      if (seeds.empty()) seeds = got;
      EXPECT_EQ(got, seeds);
    }
    std::vector<std::uint64_t> lazy;
    for (const auto seed : pool.imap(own_seed, first_numbers(50), {.chunksize = 3})) {
      lazy.push_back(seed);
    }
    EXPECT_EQ(lazy, seeds);
  }
  EXPECT_EQ(std::set(seeds.begin(), seeds.end()).size(), 50U);
}

TEST_P(Conformance, P_START_07_the_seed_of_a_call_is_its_place_among_the_pools_tasks) {
  const auto run = [&](int processes) {
    const Pool pool = make_pool(processes);
    std::vector<Future<std::uint64_t>> futures;
    for (int i = 0; i != 30; ++i) futures.push_back(pool.submit(seed_of_call));
    std::vector<std::uint64_t> seeds;
    for (const auto& future : futures) seeds.push_back(future.get());
    return seeds;
  };
  const auto seeds = run(1);
  EXPECT_EQ(run(3), seeds);
  EXPECT_EQ(std::set(seeds.begin(), seeds.end()).size(), 30U);
  if (!protects()) return;
  const Pool pool = make_pool(1);
  const auto again = pool.with(TaskOptions{.retries = 1}).submit([] {
    if (this_task::attempt() == 1) crash();
    return this_task::seed();
  });
  EXPECT_EQ(again.get(), seeds.front());
}

TEST_P(Conformance, P_START_07_random_device_differs_in_each_worker) {
  const Pool pool = make_pool({.processes = 2, .max_tasks_per_child = 1});
  std::set<std::uint64_t> seen;
  for (int i = 0; i != 6; ++i) {
    seen.insert(pool.apply([] {
      std::random_device device;
      return std::uint64_t{device()} << 32 | device();
    }));
  }
  EXPECT_EQ(seen.size(), 6U);
}

std::string all_neutral() {
  if (this_task::stop_requested()) return "stop_requested";
  if (this_task::token().stop_possible()) return "token";
  this_task::progress(1, 2);
  this_task::log("text");
  if (this_task::attempt() != 0) return "attempt";
  if (!this_task::name().empty()) return "name";
  if (this_task::index() != 0) return "index";
  return this_task::seed() == 0 ? "neutral" : "seed";
}

TEST_P(Conformance, P_START_07_outside_a_task_all_is_neutral) {
  EXPECT_EQ(all_neutral(), "neutral");
}

std::size_t own_index(int) { return this_task::index(); }

TEST_P(Conformance, P_MAP_each_element_knows_its_index) {
  const Pool pool = make_pool(2);
  for (const int chunk : {0, 1, 7}) {
    const auto got = pool.map(own_index, first_numbers(40), {.chunksize = chunk});
    for (std::size_t i = 0; i != 40; ++i) EXPECT_EQ(got[i], i);
    std::size_t expected = 0;
    for (const auto index : pool.imap(own_index, first_numbers(40), {.chunksize = 3})) {
      EXPECT_EQ(index, expected++);
    }
  }
  EXPECT_EQ(pool.apply(own_index, 5), 0U);
}

// ---- what a task says ----------------------------------------------------------------------------

// Everything that was heard, on the callback thread.
class Ear {
 public:
  std::function<void(const TaskUpdate&)> listener() {
    return [this](const TaskUpdate& update) {
      const std::lock_guard lock(mutex_);
      heard_.push_back(update);
    };
  }
  std::vector<TaskUpdate> heard() {
    const std::lock_guard lock(mutex_);
    return heard_;
  }
  bool has(const std::function<bool(const TaskUpdate&)>& wanted) {
    const std::lock_guard lock(mutex_);
    return std::ranges::any_of(heard_, wanted);
  }

 private:
  std::mutex mutex_;
  std::vector<TaskUpdate> heard_;
};

void speak_at(const std::string& bell, const std::string& gate) {
  this_task::progress(3, 10);
  ring_bell(bell);
  pass_gate(gate);
  this_task::log("half way");
  this_task::progress(10, 10);
}

TEST_P(Conformance, P_FUT_a_task_tells_how_far_it_is_and_repeats_its_last_word) {
  const Pool pool = make_pool(1);
  Gate gate(file("gate"));
  Bell bell(file("bell"));
  const auto future = pool.submit(speak_at, bell.path(), gate.path());
  bell.wait();
  Ear first, second;
  std::promise<void> over;
  future.on_progress(first.listener());
  EXPECT_TRUE(comes_true([&] { return !first.heard().empty(); }));
  EXPECT_EQ(first.heard().front().done, 3U);
  EXPECT_EQ(first.heard().front().total, 10U);
  future.on_progress(second.listener());
  EXPECT_TRUE(comes_true([&] { return !second.heard().empty(); }));
  EXPECT_EQ(first.heard().size(), 1U);  // it has heard that already
  future.on_done([&](Future<void>&) { over.set_value(); });
  gate.open();
  over.get_future().wait();  // what was said comes before the end
  for (Ear* const ear : {&first, &second}) {
    EXPECT_TRUE(ear->has([](const TaskUpdate& u) { return u.log == "half way" && u.done == 3; }));
    EXPECT_TRUE(ear->has([](const TaskUpdate& u) { return u.done == 10 && u.log.empty(); }));
  }
  Ear late;
  future.on_progress(late.listener());
  EXPECT_EQ(pool.apply(square, 2), 4);
  EXPECT_TRUE(late.heard().empty());
}

void flood(const std::string& bell, const std::string& gate) {
  ring_bell(bell);
  pass_gate(gate);
  for (std::size_t i = 0; i != 20'000; ++i) {
    this_task::progress(i, 20'000);
    this_task::log("line " + std::to_string(i));
  }
  this_task::log(std::string(10'000, 'x'));
  this_task::progress(20'000, 20'000);
}

// The listener is slower than the task: it hears of the newest, and home holds no more than a few.
TEST_P(Conformance, P_FUT_a_flood_is_bounded) {
  const Pool pool = make_pool(1);
  Gate gate(file("gate"));
  Bell bell(file("bell"));
  const auto future = pool.submit(flood, bell.path(), gate.path());
  bell.wait();
  std::promise<void> go_on;
  const auto held = go_on.get_future().share();
  Ear ear;
  future.on_progress([&, listener = ear.listener()](const TaskUpdate& update) {
    held.wait();
    listener(update);
  });
  gate.open();
  future.wait();
  std::promise<void> over;
  future.on_progress([](const TaskUpdate&) {});  // done: nothing comes any more
  go_on.set_value();
  // Its callback comes behind what is told now, and not at once: it is not done when it is told of
  // it.
  Gate last(file("last"));
  pool.submit(wait_at, last.path(), 1).on_done([&](Future<int>&) { over.set_value(); });
  last.open();
  over.get_future().wait();
  const auto heard = ear.heard();
  EXPECT_LE(heard.size(), 2100U);
  EXPECT_TRUE(ear.has([](const TaskUpdate& u) { return u.log == std::string(4096, 'x'); }));
  EXPECT_TRUE(ear.has([](const TaskUpdate& u) { return u.log.empty() && u.done == 20'000; }));
}

int say_index(int x) {
  this_task::log("here");
  return x;
}

TEST_P(Conformance, P_FUT_in_a_map_each_element_speaks_for_itself) {
  const Pool pool = make_pool(2);
  Gate gate(file("gate"));
  std::vector<Future<int>> blocking;
  for (int i = 0; i != 2; ++i) blocking.push_back(pool.submit(wait_at, gate.path(), i));
  const auto map = pool.map_async(say_index, first_numbers(30), {.chunksize = 4});
  Ear ear;
  map.on_progress([](const TaskUpdate&) { throw std::runtime_error("a bad listener"); });
  map.on_progress(ear.listener());
  std::promise<void> over;
  map.on_done([&](Future<std::vector<int>>&) { over.set_value(); });
  gate.open();
  over.get_future().wait();
  std::set<std::size_t> indices;
  for (const auto& update : ear.heard()) indices.insert(update.index);
  EXPECT_EQ(indices.size(), 30U);
}

}  // namespace
}  // namespace procpool::test
