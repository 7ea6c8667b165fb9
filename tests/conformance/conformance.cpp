#include "conformance/conformance.hpp"

#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <numeric>
#include <ostream>
#include <stdexcept>
#include <thread>
#include <utility>

#include "conformance/programs.hpp"

namespace procpool::test {

// What a program keeps for its whole life once it has had a pool is made before the census.
void Conformance::SetUpTestSuite() {
  for (const auto method : {StartMethod::forkserver, StartMethod::fork, StartMethod::spawn}) {
    Pool({.processes = 1, .start_method = method}).apply(square, 1);
  }
}

void Conformance::expect_hard_failure(const std::function<void()>& call) {
  if (protects()) {
    EXPECT_THROW(call(), WorkerCrashed);
  } else {
    EXPECT_THROW(call(), std::length_error);
  }
}

StartMethod Conformance::method() {
  if (GetParam().backend != Backend::process) ADD_FAILURE() << "no process has a start method here";
  return GetParam().method;
}

std::vector<int> first_numbers(int count) {
  std::vector<int> numbers(static_cast<std::size_t>(count));
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

testing::AssertionResult comes_true(const std::function<bool()>& condition) {
  const auto late = std::chrono::steady_clock::now() + 20s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > late) {
      return testing::AssertionFailure() << "it did not come true";
    }
    std::this_thread::yield();
  }
  return testing::AssertionSuccess();
}

Waiter::Waiter(std::function<void()> run)
    : thread_([this, run = std::move(run)] {
        id_ = gettid();
        run();
        over_ = true;
      }) {}

testing::AssertionResult Waiter::sleeps() const {
  const auto asleep = [this] {
    if (over_) return true;
    std::ifstream file("/proc/self/task/" + std::to_string(id_) + "/stat");
    const std::string stat{std::istreambuf_iterator<char>(file), {}};
    const auto name_ends = stat.rfind(") ");
    return name_ends != std::string::npos && stat[name_ends + 2] == 'S';
  };
  if (const auto late = comes_true(asleep); !late) return late;
  return over_ ? testing::AssertionFailure() << "it did not wait" : testing::AssertionSuccess();
}

int square(int x) { return x * x; }
int own_pid() { return getpid(); }
int wait_at(const std::string& gate, int value) {
  pass_gate(gate);
  return value;
}
int ring_and_wait(const std::string& bell, const std::string& gate, int value) {
  ring_bell(bell);
  return wait_at(gate, value);
}
void mark(const std::string& path) { add_mark(path); }
void fail_with(const std::string& text) { throw std::runtime_error(text); }
void crash() {
  raise(SIGKILL);
  std::abort();
}
void crash_or_throw(bool protects) {
  if (protects) crash();
  throw std::length_error("instead of a crash");
}

namespace {

const Way all_ways[] = {Way(StartMethod::forkserver), Way(StartMethod::fork),
                        Way(StartMethod::spawn), Way(Backend::thread), Way(Backend::sequential)};

std::string name_of_way(Way way) {
  if (way.backend == Backend::thread) return "thread";
  if (way.backend == Backend::sequential) return "sequential";
  return name_of(way.method);
}

}  // namespace

void PrintTo(Way way, std::ostream* out) { *out << name_of_way(way); }

// P_START_01: everything under each start method.
INSTANTIATE_TEST_SUITE_P(P_START_01, Conformance, testing::ValuesIn(all_ways),
                         [](const auto& test) { return name_of_way(test.param); });

}  // namespace procpool::test
