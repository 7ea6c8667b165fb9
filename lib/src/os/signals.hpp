#pragma once

#include <signal.h>

namespace procpool::inline v0::os {

/// While it lives no signal is handled by this thread, nor by threads and processes that it starts
/// and that do not unblock them. `before` gets the mask that was. Throws std::system_error.
class SignalsBlocked {
 public:
  explicit SignalsBlocked(sigset_t& before);
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;
  ~SignalsBlocked();
  /// They stay blocked.
  void leave_blocked() noexcept { stays_ = true; }

 private:
  sigset_t& before_;
  bool stays_ = false;
};

}  // namespace procpool::inline v0::os
