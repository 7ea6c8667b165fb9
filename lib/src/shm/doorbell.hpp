#pragma once

// What    How a sleeper is woken, and how a wake-up that nobody needs is avoided. The only file that
//         reasons about lost wake-ups. Two bells of one shape:
//           home bell    workers ring the supervisor: `target` in the pool page
//           worker bell  the supervisor rings a worker: `asleep` in the worker's results
// Writers target: supervisor, under its lock. asleep: its worker. A ringer keeps, privately, the
//         announcement it last rang for and rings once per announcement: who wakes and finds
//         nothing announces anew before sleeping again.
// Order   Sleeper:  announce (ordered store)      Ringer:  publish  (ordered store)
//                   look again (ordered load)               look at the announcement (ordered load)
//         In the single total order of the four either the ringer's load comes after the
//         announcement, and it rings, or the sleeper's second look comes after the publication, and
//         it does not sleep. Acquire and release are not enough: both loads could then be early.
//         What the sleeper sleeps on remembers a ring that comes before the sleep: an eventfd counts;
//         the worker's futex word `wake` is read before the announcement and changed by the ringer.
// Death   A dead ringer rings no more: the supervisor also sleeps on pidfds; a worker is killed by
//         its lifeline. A dead sleeper leaves an announcement that costs one useless ring.

#include <cstdint>

#include "shm/atomics.hpp"

namespace procpool::inline v0::shm {

/// Whom workers ring.
enum class Sleeper : std::uint8_t { nobody = 0, leader = 1, background = 2 };

struct Target {
  std::uint64_t epoch = 0;
  Sleeper sleeper = Sleeper::nobody;

  static constexpr Target unpack(std::uint64_t word) {
    return {word >> 2, static_cast<Sleeper>(word & 3)};
  }
  constexpr std::uint64_t pack() const { return epoch << 2 | static_cast<std::uint64_t>(sleeper); }
};

/// The supervisor's side of the home bell. All calls under the supervisor's lock.
template <class Word>
class HomeBell {
 public:
  explicit HomeBell(Word& target) : word_(&target) {}

  /// `sleeper` is about to sleep. It must look at everything once more before it does.
  void announce(Sleeper sleeper) {
    target_ = {target_.epoch + 1, sleeper};
    store_ordered(*word_, target_.pack());
  }

  /// `sleeper` is awake. Clears only its own announcement.
  void awake(Sleeper sleeper) {
    if (target_.sleeper != sleeper) return;
    target_.sleeper = Sleeper::nobody;
    store_ordered(*word_, target_.pack());
  }

  Sleeper announced() const { return target_.sleeper; }

 private:
  Word* word_;
  Target target_;
};

/// A worker's side of the home bell: after publishing (by an ordered store), whom to ring.
template <class Word>
class HomeRinger {
 public:
  explicit HomeRinger(const Word& target) : word_(&target) {}

  Sleeper due() {
    const std::uint64_t now = load_ordered(*word_);
    if (now == rung_) return Sleeper::nobody;
    rung_ = now;
    return Target::unpack(now).sleeper;
  }

 private:
  const Word* word_;
  std::uint64_t rung_ = 0;
};

/// A worker's announcement that it sleeps: odd while it does.
template <class Word>
class WorkerSleep {
 public:
  explicit WorkerSleep(Word& asleep) : word_(&asleep) {}

  void announce() { store_ordered(*word_, ++count_); }
  void awake() { store_ordered(*word_, ++count_); }

 private:
  Word* word_;
  std::uint32_t count_ = 0;
};

/// The supervisor's side of the worker bell: after publishing (by an ordered store), whether to
/// ring. True at most once per announcement.
template <class Word>
class WorkerRinger {
 public:
  explicit WorkerRinger(const Word& asleep) : word_(&asleep) {}

  bool due() {
    const std::uint32_t now = load_ordered(*word_);
    if (now % 2 == 0 || now == rung_) return false;
    rung_ = now;
    return true;
  }

 private:
  const Word* word_;
  std::uint32_t rung_ = 0;
};

}  // namespace procpool::inline v0::shm
