// What all conformance tests share. The id in a test's name is the promise that it keeps: a row of
// the table of behaviours that the project reproduces from Python, or improves on.
#pragma once

#include <gtest/gtest.h>
#include <procpool/procpool.hpp>

#include <atomic>
#include <functional>
#include <iosfwd>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "conformance/rendezvous.hpp"
#include "support/census.hpp"
#include "support/processes.hpp"

namespace procpool::test {

using namespace std::chrono_literals;

// What runs a pool's tasks: processes, by one of the start methods; threads; the caller.
struct Way {
  explicit Way(StartMethod by) : method(by) {}  // processes
  explicit Way(Backend on) : backend(on) {}
  Backend backend = Backend::process;
  StartMethod method = StartMethod::forkserver;  // of processes only
};
void PrintTo(Way way, std::ostream* out);

// Every test runs in each of these ways, and leaves nothing behind. What cannot apply in one of them is
// in a table in not_everywhere.cpp, with the reason.
class Conformance : public Census, public testing::WithParamInterface<Way> {
 protected:
  static void SetUpTestSuite();
  void SetUp() override;

  Pool make_pool(int processes) const { return make_pool(PoolOptions{.processes = processes}); }
  Pool make_pool(PoolOptions options) const { return Pool(here(std::move(options))); }
  // The same options, for this way.
  static PoolOptions here(PoolOptions options) {
    options.start_method = GetParam().method;
    options.backend = GetParam().backend;
    return options;
  }
  // Of a test that runs on processes only. Elsewhere it fails: it would show the same thing again.
  static StartMethod method();
  // Whether a task may crash: elsewhere it would take the program with it.
  static bool protects() { return GetParam().backend == Backend::process; }
  // Of what ended so: WorkerCrashed, or std::length_error.
  static void expect_hard_failure(const std::function<void()>& call);
  std::string file(const std::string& name) const { return scratch_.file(name); }

 private:
  Scratch scratch_;
};

// The error that `call` throws, which must be an E; its text, or nothing when it threw none.
template <class E>
std::string error_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const E& error) {
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

inline bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

std::vector<int> first_numbers(int count);  // 0, 1, …

// For what comes about soon and nobody tells of: fails after a time that only a defect needs.
testing::AssertionResult comes_true(const std::function<bool()>& condition);

// A thread of which it can be said that it waits.
class Waiter {
 public:
  explicit Waiter(std::function<void()> run);
  // It sleeps in `run`; false: that has returned.
  testing::AssertionResult sleeps() const;
  void join() { thread_.join(); }

 private:
  std::atomic<pid_t> id_ = 0;
  std::atomic<bool> over_ = false;
  std::jthread thread_;
};

// Tasks.
int square(int x);
int own_pid();
int wait_at(const std::string& gate, int value);  // a gate's path
int ring_and_wait(const std::string& bell, const std::string& gate, int value);
void mark(const std::string& path);
[[noreturn]] void fail_with(const std::string& text);  // std::runtime_error
[[noreturn]] void crash();                             // SIGKILL, to itself
[[noreturn]] void crash_or_throw(bool protects);       // else std::length_error

}  // namespace procpool::test
