// The two ends of a channel that check every byte, over one mapping.
#pragma once

#include <sys/mman.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <new>
#include <random>
#include <vector>

#include "shm/arena.hpp"
#include "shm/claim.hpp"
#include "shm/doorbell.hpp"
#include "shm/layout.hpp"
#include "shm/ring.hpp"
#include "shm/slots.hpp"

namespace procpool::shm {

/// What two processes share, and a second word to sleep on (an eventfd in the library).
struct Shared {
  PoolPage pool;
  TaskMemory tasks;
  ResultMemory results;
  Word32 home_wake;
};

struct Mapping {
  Mapping() {
    void* at =
        mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) throw std::bad_alloc();
    shared = new (at) Shared();
  }
  ~Mapping() { munmap(shared, sizeof(Shared)); }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  Shared* shared;
};

struct Call {
  std::uint64_t id;
  std::uint32_t count;  // elements; 0 ends the worker
  std::uint32_t size;   // bytes in the arena
  std::uint32_t offset;
};
struct Outcome {
  std::uint64_t id;
  std::uint32_t element;
  std::uint32_t size;  // bytes that follow
};

inline std::byte pattern(std::uint64_t id, std::size_t i) { return std::byte((id * 131 + i * 7) & 0xff); }
inline void fill(std::span<std::byte> bytes, std::uint64_t id) {
  for (std::size_t i = 0; i != bytes.size(); ++i) bytes[i] = pattern(id, i);
}
inline bool intact(std::span<const std::byte> bytes, std::uint64_t id) {
  for (std::size_t i = 0; i != bytes.size(); ++i) {
    if (bytes[i] != pattern(id, i)) return false;
  }
  return true;
}

class WorkerEnd {
 public:
  WorkerEnd(Shared& shared, std::uint32_t seed)
      : shared_(shared),
        random_(seed),
        slots_(shared.tasks.slots, shared.tasks.header.tail),
        ring_(shared.results.ring, shared.results.header.tail, shared.tasks.header.head),
        home_(shared.pool.target),
        sleep_(shared.results.header.asleep) {}

  /// One element at most. Whether anything moved.
  bool step() {
    if (range_.empty() && !next_range()) return false;
    return answer();
  }
  bool visible() { return range_.empty() ? slots_.visible() : !ring_.reserve(worst).empty(); }
  bool over() const { return over_; }
  bool good() const { return good_; }

  /// Until a call or room is there.
  void sleep() {
    const std::uint32_t before = load_acquire(shared_.tasks.header.wake);
    sleep_.announce();
    if (!visible()) {
      while (load_acquire(shared_.tasks.header.wake) == before) sched_yield();
    }
    sleep_.awake();
  }

 private:
  static constexpr std::uint32_t worst = 2000;

  bool next_range() {
    if (!slots_.visible()) return false;
    if (!taken_) std::memcpy(&call_, slots_.current().bytes, sizeof call_);
    const std::uint64_t sequence = slots_.sequence();
    Word64& word = shared_.results.claims[sequence % slot_count];
    range_ = claim::take(word, lap_of(sequence, slot_count), call_.count, taken_,
                         1 + static_cast<std::uint32_t>(random_() % 3));
    over_ = over_ || call_.count == 0;
    taken_ = !range_.empty();
    if (!taken_) {
      slots_.pass();
      store_ordered(shared_.results.header.consumed, slots_.sequence());
      ring_home();
    }
    return true;
  }
  bool answer() {
    if (range_.empty()) return true;
    good_ =
        good_ && intact(std::span(shared_.tasks.arena).subspan(call_.offset, call_.size), call_.id);
    const auto room = ring_.reserve(worst);
    if (room.empty()) return false;
    const auto size = static_cast<std::uint32_t>(random_() % (worst - sizeof(Outcome)));
    const Outcome outcome{call_.id, range_.first, size};
    std::memcpy(room.data(), &outcome, sizeof outcome);
    fill(room.subspan(sizeof outcome, size), call_.id + range_.first);
    ring_.commit(1, static_cast<std::uint32_t>(sizeof outcome) + size);
    ++range_.first;
    ring_home();
    return true;
  }
  void ring_home() {
    if (home_.due() != Sleeper::nobody) shared_.home_wake.fetch_add(1);
  }

  Shared& shared_;
  std::mt19937 random_;
  SlotReader<Slot, Word64> slots_;
  RingWriter<Word64> ring_;
  HomeRinger<Word64> home_;
  WorkerSleep<Word32> sleep_;
  Call call_{};
  Range range_;
  bool taken_ = false;
  bool over_ = false;
  bool good_ = true;
};

class HomeEnd {
 public:
  HomeEnd(Shared& shared, std::uint32_t seed, std::uint64_t calls)
      : shared_(shared),
        random_(seed),
        calls_(calls),
        slots_(shared.tasks.slots, shared.tasks.header.tail),
        ring_(shared.results.ring, shared.results.header.tail, shared.tasks.header.head),
        bell_(shared.pool.target),
        worker_(shared.results.header.asleep) {}

  bool step() {
    const bool collected = collect();
    const bool retired = retire();
    const bool sent = send();
    if (random_() % 8 == 0) take_back();
    return collected || retired || sent;
  }
  bool over() const { return ended_ && oldest_ == slots_.published(); }
  bool good() const { return good_ && arena_.empty() && done_ + back_ == elements_; }
  std::uint64_t taken_back() const { return back_; }
  std::uint64_t done() const { return done_; }

  /// Until an outcome is there, or the worker has passed a slot.
  void sleep() {
    const std::uint32_t before = load_acquire(shared_.home_wake);
    bell_.announce(Sleeper::leader);
    if (!ring_.visible() && load_ordered(shared_.results.header.consumed) == consumed_) {
      while (load_acquire(shared_.home_wake) == before) sched_yield();
    }
    bell_.awake(Sleeper::leader);
  }

 private:
  struct Entry {
    Call call;
    std::uint32_t limit;
    std::uint32_t done;
    bool settled;
  };
  Entry& entry(std::uint64_t sequence) { return entries_[sequence % slot_count]; }
  Word64& word(std::uint64_t sequence) { return shared_.results.claims[sequence % slot_count]; }
  void check(bool holds) { good_ = good_ && holds; }

  bool send() {
    if (ended_ || slots_.published() - oldest_ == slot_count) return false;
    Call call{slots_.published(), 0, 0, 0};
    if (call.id != calls_) {
      call.count = 1 + static_cast<std::uint32_t>(random_() % 5);
      call.size = static_cast<std::uint32_t>(random_() % 700);
      const auto offset = arena_.allocate(call.size);
      if (!offset) return false;
      call.offset = *offset;
      fill(std::span(shared_.tasks.arena).subspan(call.offset, call.size), call.id);
    }
    ended_ = call.count == 0;
    elements_ += call.count;
    std::memcpy(slots_.next().bytes, &call, sizeof call);
    entry(call.id) = {call, call.count, 0, ended_};
    slots_.publish();
    ring_worker();
    return true;
  }
  bool collect() {
    RingReader<Word64>::Record record;
    bool any = false;
    for (Look look; (look = ring_.peek(record)) != Look::empty; ring_.pop()) {
      check(look == Look::record);
      if (look != Look::record) return false;
      any = true;
      settle(record.payload);
    }
    if (ring_.publish()) ring_worker();
    return any;
  }
  void settle(std::span<const std::byte> payload) {
    Outcome outcome;
    std::memcpy(&outcome, payload.data(), sizeof outcome);
    check(outcome.id >= oldest_ && outcome.id < slots_.published());
    Entry& mine = entry(outcome.id);
    check(mine.call.id == outcome.id && mine.done == outcome.element &&
          outcome.element < mine.limit);
    check(intact(payload.subspan(sizeof outcome, outcome.size), outcome.id + outcome.element));
    ++done_;
    ++mine.done;
    free_if_settled(mine);
  }
  void take_back() {
    if (oldest_ == slots_.published()) return;
    const std::uint64_t sequence = oldest_ + random_() % (slots_.published() - oldest_);
    Entry& mine = entry(sequence);
    if (mine.settled) return;
    const auto lap = lap_of(sequence, slot_count);
    const auto keep = static_cast<std::uint32_t>(random_() % (mine.call.count + 1));
    const std::uint32_t limit =
        claim::lower_limit(word(sequence), lap, mine.call.count, mine.limit, keep);
    back_ += mine.limit - limit;
    mine.limit = limit;
    const auto started = claim::started(word(sequence), lap, mine.call.count, limit);
    check(started && *started >= mine.done);
    free_if_settled(mine);
  }
  void free_if_settled(Entry& mine) {
    if (mine.settled || mine.done != mine.limit) return;
    mine.settled = true;
    arena_.free(mine.call.offset, mine.call.size);
  }
  /// Slots may be written again: an element ran here and all are settled, or the worker has passed.
  bool retire() {
    consumed_ = load_ordered(shared_.results.header.consumed);
    check(consumed_ <= slots_.published());
    const std::uint64_t before = oldest_;
    while (oldest_ != slots_.published() && entry(oldest_).settled &&
           (entry(oldest_).done != 0 || oldest_ < consumed_)) {
      ++oldest_;
    }
    return before != oldest_;
  }
  void ring_worker() {
    if (worker_.due()) shared_.tasks.header.wake.fetch_add(1);
  }

  Shared& shared_;
  std::mt19937 random_;
  std::uint64_t calls_;
  SlotWriter<Slot, Word64> slots_;
  RingReader<Word64> ring_;
  HomeBell<Word64> bell_;
  WorkerRinger<Word32> worker_;
  Arena<arena_bytes> arena_;
  std::array<Entry, slot_count> entries_{};
  std::uint64_t oldest_ = 0;
  std::uint64_t consumed_ = 0;
  std::uint64_t elements_ = 0, done_ = 0, back_ = 0;
  bool ended_ = false;
  bool good_ = true;
};

template <class OneEnd>
void live(OneEnd& end) {
  while (!end.over()) {
    if (!end.step()) end.sleep();
  }
}

}  // namespace procpool::shm
