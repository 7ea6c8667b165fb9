#include "os/signals.hpp"

#include <pthread.h>

#include "os/error.hpp"

namespace procpool::inline v0::os {

SignalsBlocked::SignalsBlocked(sigset_t& before) : before_(before) {
  sigset_t all;
  ::sigfillset(&all);
  const int result = ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  if (result != 0) fail_with(result, "pthread_sigmask");
}

SignalsBlocked::~SignalsBlocked() {
  if (!stays_) ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

}  // namespace procpool::inline v0::os
