#pragma once

// How long a sleeper-to-be looks around before it sleeps. Sleeping and waking costs microseconds, on a
// virtual machine tens of them; looking again after yielding costs a fraction of one, and a yield lets
// whoever is awaited run where processors are short. It pays only while things come quickly, so the
// number of looks follows what looking has brought; and only while a yield is short: where other
// programs want the processor it lasts for their time slice, and who sleeps is woken before that.

#include <chrono>

#include "base/deadline.hpp"

namespace procpool::inline v0 {

class Patience {
 public:
  /// True as soon as `ready` is; false: sleep. `pause` lets others run between two looks.
  template <class Ready, class Pause>
  bool wait(Ready ready, Pause pause) {
    if (ready()) return found();
    if (crowded_ != 0) {
      --crowded_;
      return false;
    }
    Deadline before = Clock::now();
    for (unsigned look = 0; look != looks_; ++look) {
      pause();
      if (ready()) return found();
      const Deadline now = Clock::now();
      if (now - before > longest_pause) {
        crowded_ = crowded_waits;
        return false;
      }
      before = now;
    }
    looks_ = looks_ > 2 * least ? looks_ / 2 : least;
    return false;
  }

 private:
  bool found() {
    looks_ = looks_ < most / 2 ? looks_ * 2 : most;
    return true;
  }

  // Too few: never learns that things come quickly. Too many: burns a processor before each sleep.
  static constexpr unsigned least = 4;
  static constexpr unsigned most = 64;
  // Too short: a hiccup ends the looking; too long: a time slice of somebody else passes for a look.
  static constexpr auto longest_pause = std::chrono::microseconds(200);
  // Waits until it is tried again. Too few: a time slice lost each time; too many: slow for long.
  static constexpr unsigned crowded_waits = 64;

  unsigned crowded_ = 0;  // waits to come without a look
  unsigned looks_ = most / 2;
};

}  // namespace procpool::inline v0
