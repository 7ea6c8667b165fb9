// The members of Process, each as documented.
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <type_traits>
#include <vector>

#include "conformance/process.hpp"

namespace procpool::test {
namespace {

static_assert(!std::is_copy_constructible_v<Process> && std::is_nothrow_move_constructible_v<Process>);
static_assert(!std::is_convertible_v<int (*)(int), Process>);

TEST_P(P_PROC_01, runs_once_in_a_process_of_its_own) {
  Gate gate(file("gate"));
  Process process = make(
      [](const std::string& path, const std::string& gate_path) {
        pass_gate(gate_path);
        write_pid(path);
      },
      file("pid"), gate.path());
  EXPECT_FALSE(process.is_alive());
  EXPECT_EQ(process.exit_code(), std::nullopt);
  process.start();
  EXPECT_TRUE(process.is_alive());
  EXPECT_EQ(process.exit_code(), std::nullopt);
  const pid_t pid = process.pid();
  EXPECT_NE(pid, getpid());
  gate.open();
  process.join();
  EXPECT_FALSE(process.is_alive());
  EXPECT_EQ(process.exit_code(), 0);
  EXPECT_EQ(process.pid(), pid);
  EXPECT_EQ(read_number(file("pid")), pid);
  process.join();
  EXPECT_EQ(process.exit_code(), 0);
}

TEST_P(P_PROC_01, starts_once) {
  Gate gate(file("gate"));
  Process process = started(wait_at, gate.path(), 0);
  const std::string text = error_of<Misuse>([&] { process.start(); });
  EXPECT_TRUE(contains(text, "once")) << text;
  gate.open();
  process.join();
  EXPECT_EQ(error_of<Misuse>([&] { process.start(); }), text);
}

TEST_P(P_PROC_01, before_start_there_is_nothing_to_wait_for) {
  Process process = make(square, 1);
  const std::string text = error_of<Misuse>([&] { process.join(); });
  EXPECT_TRUE(contains(text, "start() it first")) << text;
  EXPECT_EQ(error_of<Misuse>([&] { static_cast<void>(process.join_for(1s)); }), text);
  EXPECT_EQ(error_of<Misuse>([&] { process.terminate(); }), text);
  EXPECT_EQ(error_of<Misuse>([&] { process.kill(); }), text);
  EXPECT_EQ(error_of<Misuse>([&] { static_cast<void>(process.sentinel()); }), text);
  EXPECT_EQ(error_of<Misuse>([&] { static_cast<void>(process.pid()); }), text);
}

TEST_P(P_PROC_01, a_moved_from_process_is_misuse) {
  Process process = make(square, 1);
  Process other = std::move(process);
  EXPECT_TRUE(contains(error_of<Misuse>([&] { process.start(); }), "moved from"));
  EXPECT_TRUE(contains(error_of<Misuse>([&] { static_cast<void>(process.is_alive()); }), "moved from"));
  EXPECT_TRUE(contains(error_of<Misuse>([&] { static_cast<void>(process.name()); }), "moved from"));
  other.start();
  process = std::move(other);
  EXPECT_EQ(end_of(process), 0);
}

[[noreturn]] void end_by(int how) {
  if (how == 0) std::exit(7);
  if (how == 1) _exit(300);
  if (how == 2) std::quick_exit(9);
  if (how == 3) pthread_exit(nullptr);
  raise(how);
  std::abort();
}

TEST_P(P_PROC_01, exit_codes_are_those_of_python) {
  const std::vector<std::pair<int, int>> ends = {
      {0, 7}, {1, 300 % 256}, {2, 9}, {3, 0}, {SIGKILL, -SIGKILL}, {SIGSEGV, -SIGSEGV},
      {SIGABRT, -SIGABRT}, {SIGTERM, -SIGTERM}};
  for (const auto& [how, code] : ends) {
    SCOPED_TRACE(how);
    Process process = started(end_by, how);
    EXPECT_EQ(end_of(process), code);
  }
  Process thrower = started(fail_with, "a test's error, printed by its child");
  EXPECT_EQ(end_of(thrower), 1);
}

TEST_P(P_PROC_01, join_for_ends_in_time) {
  Gate gate(file("gate"));
  Process process = started(wait_at, gate.path(), 0);
  EXPECT_FALSE(process.join_for(0s));
  EXPECT_FALSE(process.join_for(-1s));
  EXPECT_FALSE(process.join_for(20ms));
  EXPECT_TRUE(process.is_alive());
  gate.open();
  EXPECT_TRUE(process.join_for(std::chrono::hours::max()));
  EXPECT_TRUE(process.join_for(0s));
  EXPECT_EQ(process.exit_code(), 0);
}

TEST_P(P_PROC_01, the_sentinel_is_readable_once_it_has_ended) {
  Gate gate(file("gate"));
  Process process = started(wait_at, gate.path(), 0);
  pollfd sentinel{process.sentinel(), POLLIN, 0};
  EXPECT_EQ(poll(&sentinel, 1, 0), 0);
  gate.open();
  EXPECT_EQ(poll(&sentinel, 1, -1), 1);
  EXPECT_FALSE(process.is_alive());
  EXPECT_EQ(process.exit_code(), 0);
  EXPECT_EQ(process.sentinel(), sentinel.fd);
  EXPECT_EQ(poll(&sentinel, 1, 0), 1);
}

TEST_P(P_PROC_01, terminate_is_SIGTERM_and_kill_is_SIGKILL) {
  Gate gate(file("gate"));
  Process process = started(wait_at, gate.path(), 0);
  process.terminate();
  EXPECT_EQ(end_of(process), -SIGTERM);
  process.terminate();
  process.kill();
  EXPECT_EQ(end_of(process), -SIGTERM);

  Bell bell(file("bell"));
  Process deaf = started(be_deaf_at, bell.path());
  bell.wait();
  deaf.terminate();
  EXPECT_FALSE(deaf.join_for(10ms));
  deaf.kill();
  EXPECT_EQ(end_of(deaf), -SIGKILL);
}

// A signal that comes before the child has got to its dispositions counts.
TEST_P(P_PROC_01, terminate_right_after_start_is_not_lost) {
  Gate gate(file("gate"));
  const auto before = signal(SIGTERM, SIG_IGN);
  for (int i = 0; i < 20; ++i) {
    Process process = started(wait_at, gate.path(), 0);
    process.terminate();
    EXPECT_EQ(end_of(process), -SIGTERM);
  }
  signal(SIGTERM, before);
}

TEST_P(P_PROC_01, names) {
  const Process first = make(square, 1);
  const Process second = make(square, 1);
  ASSERT_TRUE(first.name().starts_with("Process-"));
  EXPECT_EQ(std::stoi(first.name().substr(8)) + 1, std::stoi(second.name().substr(8)));
  Gate gate(file("gate"));
  Bell bell(file("bell"));
  Process named({.name = "a rather long name", .start_method = method()}, ring_and_wait,
                bell.path(), gate.path(), 0);
  EXPECT_EQ(named.name(), "a rather long name");
  named.start();
  bell.wait();
  EXPECT_EQ(text_of("/proc/" + std::to_string(named.pid()) + "/comm"), "a rather long n\n");
  gate.open();
}

std::size_t checked_size(const std::string& text) {
  std::exit(text.size() == 10'000'000 && text.find_first_not_of('x') == std::string::npos ? 5 : 6);
}
struct Scaled {
  int factor = 1;
  void operator()(int number) const { std::exit(factor * number); }
};
int* pointer_to_nothing() { return nullptr; }
std::unique_ptr<Gate> unshippable() { return nullptr; }

TEST_P(P_PROC_01, callables_and_arguments_are_those_of_a_pool) {
  const std::string large(10'000'000, 'x');
  Process with_large = started(checked_size, large);
  EXPECT_EQ(end_of(with_large), 5);
  Process functor = started(Scaled{4}, 3);
  EXPECT_EQ(end_of(functor), 12);
  Process bound = started(partial([](int a, int b) { std::exit(a - b); }, 30), 4);
  EXPECT_EQ(end_of(bound), 26);
  Process seen_in_place = started(
      [](std::string_view text, std::span<const double> numbers) {
        std::exit(static_cast<int>(text.size() + numbers.size()));
      },
      "four", std::vector<double>(6, 0.5));
  EXPECT_EQ(end_of(seen_in_place), 10);
  Process move_only = started([](std::unique_ptr<int> number) { std::exit(*number); },
                              std::make_unique<int>(11));
  EXPECT_EQ(end_of(move_only), 11);
}

TEST_P(P_PROC_01, what_the_callable_returns_is_dropped_whatever_it_is) {
  Process pointer = started(pointer_to_nothing);
  EXPECT_EQ(end_of(pointer), 0);
  Process object = started(unshippable);
  EXPECT_EQ(end_of(object), 0);
}

TEST_P(P_PROC_01, arguments_are_copied_when_it_is_made) {
  int number = 3;
  Process process = make([](int given) { std::exit(given); }, number);
  number = 4;
  process.start();
  EXPECT_EQ(end_of(process), 3);
  EXPECT_EQ(number, 4);
}

struct Refuses {
  template <class Archive>
  void save(Archive&) const {
    throw std::range_error("not today");
  }
  template <class Archive>
  void load(Archive&) {}
};

TEST_P(P_PROC_01, an_argument_that_cannot_be_encoded_throws_at_once) {
  const std::string text = error_of<EncodingError>([&] { make([](Refuses) {}, Refuses()); });
  EXPECT_TRUE(contains(text, "not today")) << text;
}

TEST(P_PROC_01_Options, the_plain_constructor_uses_forkserver) {
  Process process(square, 3);
  process.start();
  EXPECT_EQ(end_of(process), 0);
  ProcessOptions options{.name = "lvalue options"};
  Process other(options, square, 3);
  EXPECT_EQ(other.name(), "lvalue options");
}

}  // namespace
}  // namespace procpool::test
