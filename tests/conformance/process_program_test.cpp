// What of Process concerns a whole program: main, static objects, stderr, the template that all share.
#include <sstream>
#include <string>
#include <utility>

#include "conformance/process.hpp"
#include "conformance/programs.hpp"

namespace procpool::test {
namespace {

class P_PROC_01_Program : public Conformance {
 protected:
  static std::string run_mode(const std::string& mode) {
    const auto [text, status] =
        run("timeout -k 1 30 " + program("process_modes") + " " + name_of(method()) + " " + mode);
    EXPECT_EQ(status, 0) << text;
    return text;
  }
};
INSTANTIATE_TEST_SUITE_P(forkserver, P_PROC_01_Program,
                         testing::Values(Way(StartMethod::forkserver)));
INSTANTIATE_TEST_SUITE_P(fork, P_PROC_01_Program, testing::Values(Way(StartMethod::fork)));
INSTANTIATE_TEST_SUITE_P(spawn, P_PROC_01_Program, testing::Values(Way(StartMethod::spawn)));

// Pids are the only thing in it that is not known.
std::string without_pids(std::string text) {
  for (std::size_t at = 0; (at = text.find("[process ", at)) != std::string::npos;) {
    at += std::string("[process ").size();
    text.erase(at, text.find(']', at) - at);
  }
  return text;
}

// From "Process …:" to "in …": where it was thrown.
std::string without_stacks(const std::string& text) {
  std::istringstream lines(text);
  std::string rest;
  bool in_stack = false;
  for (std::string line; std::getline(lines, line);) {
    in_stack = in_stack && !line.starts_with("in ");
    if (!in_stack) rest += line + '\n';
    in_stack = in_stack || line.starts_with("Process ");
  }
  return rest;
}

TEST_P(P_PROC_01_Program, an_exception_is_printed_with_its_type_and_place) {
  const std::string text = run_mode("errors");
  EXPECT_TRUE(contains(text, "Process reader:\n(anonymous namespace)::fail_deeply(int) at ")) << text;
  EXPECT_TRUE(contains(text, "process_modes.cpp:25\nin fail_deeply(int) [process ")) << text;
  EXPECT_EQ(without_stacks(without_pids(text)),
            "Process reader:\n"
            "in fail_deeply(int) [process ]\n"
            "std::runtime_error: no such row\n"
            "caused by std::out_of_range: index 7\n"
            "1\n"
            "Process reader:\n"
            "in throw_a_number() [process ]\n"
            "int: 42\n"
            "1\n");
}

TEST_P(P_PROC_01_Program, a_static_process_is_joined_at_the_end_of_the_program) {
  EXPECT_EQ(run_mode("static"), "from a static Process\n");
}

TEST_P(P_PROC_01_Program, without_init_start_is_misuse) {
  const std::string text = run_mode("no_init");
  if (method() == StartMethod::fork) {
    EXPECT_EQ(text, "42\n");
    EXPECT_EQ(run_mode("no_init_nested"), "Misuse\n0\n");
  } else {
    EXPECT_TRUE(text.starts_with("Misuse: ")) << text;
    EXPECT_TRUE(contains(text, "init(argc, argv)")) << text;
  }
}

TEST_P(P_PROC_01_Program, a_lost_template_is_made_anew_and_its_children_live_on) {
  if (method() != StartMethod::forkserver) GTEST_SKIP() << "there is no template process";
  EXPECT_EQ(run_mode("lose_template"), "2\n4\n6\nalive\nkilled\nmade anew\n");
}

TEST_P(P_PROC_01_Program, a_template_without_descriptors_refuses_and_goes_on) {
  if (method() != StartMethod::forkserver) GTEST_SKIP() << "there is no template process";
  EXPECT_EQ(run_mode("fill_template"),
            "fork: Too many open files; raise the limit on open files (ulimit -n), or use fewer "
            "workers\n4\nthe same\n-15\n");
}

}  // namespace
}  // namespace procpool::test
