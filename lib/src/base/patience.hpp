#pragma once

// How long a sleeper-to-be looks around before it sleeps. Sleeping and waking costs microseconds, on a
// virtual machine tens of them; looking again after yielding costs a fraction of one, and a yield lets
// whoever is awaited run where processors are short. It pays only while things come quickly, so the
// number of looks follows what looking has brought.

namespace procpool::inline v0 {

class Patience {
 public:
  /// True as soon as `ready` is; false: sleep. `pause` lets others run between two looks.
  template <class Ready, class Pause>
  bool wait(Ready ready, Pause pause) {
    for (unsigned look = 0; look != looks_; ++look) {
      if (ready()) {
        looks_ = looks_ < most / 2 ? looks_ * 2 : most;
        return true;
      }
      pause();
    }
    looks_ = looks_ > 2 * least ? looks_ / 2 : least;
    return false;
  }

 private:
  // Too few: never learns that things come quickly. Too many: burns a processor before each sleep.
  static constexpr unsigned least = 4;
  static constexpr unsigned most = 64;

  unsigned looks_ = most / 2;
};

}  // namespace procpool::inline v0
