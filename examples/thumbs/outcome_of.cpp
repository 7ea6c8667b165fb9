#include "thumbs/outcome_of.hpp"

#include <string.h>

#include <string>

namespace thumbs {

Killed describe(const procpool::WorkerCrashed& crash) {
  std::string how = "status unknown";
  if (crash.exit_code()) how = "exit code " + std::to_string(*crash.exit_code());
  if (crash.signal()) {
    const char* name = ::sigabbrev_np(*crash.signal());
    how = name != nullptr ? std::string("SIG") + name : "signal " + std::to_string(*crash.signal());
  }
  return {how, static_cast<int>(crash.pid()), static_cast<unsigned>(crash.attempt())};
}

}  // namespace thumbs
