// Processes that share state with the test, and deaths in the middle.
#pragma once

#include <gtest/gtest.h>
#include <procpool/errors.hpp>
#include <procpool/shared.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <utility>

#include "support/census.hpp"
#include "support/die_at.hpp"
#include "support/processes.hpp"

namespace procpool::test {

using namespace std::chrono_literals;

/// What nobody should ever have to wait for: a wait that takes so long is a hang.
inline constexpr auto patience = 10s;

/// A forked copy of this program that runs `body` and exits with 0, or 1 if it throws. Killed and
/// reaped at the end.
class Process {
 public:
  explicit Process(const std::function<void()>& body) : pid_(::fork()) {
    if (pid_ != 0) return;
    try {
      body();
    } catch (...) {
      ::_exit(1);
    }
    ::_exit(0);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() {
    if (pid_ != 0) kill();
  }
  void kill() {
    ::kill(pid_, SIGKILL);
    join();
  }
  /// True when it ended by itself and threw nothing.
  bool join() {
    int status = 0;
    ::waitpid(std::exchange(pid_, 0), &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }
  /// Until it sleeps in the kernel.
  void await_sleep() const {
    const std::string path = "/proc/" + std::to_string(pid_) + "/stat";
    while (text_of(path).find(") S ") == std::string::npos) std::this_thread::yield();
  }
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
};

/// A thread of this process that sleeps in `body` when the constructor is done.
class Sleeper {
 public:
  explicit Sleeper(std::function<void()> body)
      : thread_([this, body = std::move(body)] {
          id_ = ::gettid();
          body();
        }) {
    while (id_ == 0) std::this_thread::yield();
    const std::string path = "/proc/self/task/" + std::to_string(id_) + "/stat";
    while (text_of(path).find(") S ") == std::string::npos && !text_of(path).empty()) {
      std::this_thread::yield();
    }
  }
  ~Sleeper() { thread_.join(); }

 private:
  std::atomic<pid_t> id_ = 0;
  std::thread thread_;
};

/// Tries until it is told of nothing; how often it was told.
template <class Acquire>
int told_before(Acquire acquire) {
  for (int told = 0;; ++told) {
    try {
      acquire();
      return told;
    } catch (const OwnerDied&) {
      continue;
    }
  }
}

}  // namespace procpool::test
