// What is exported, and when; and what `procpool-worker` does by hand.
#include <sys/wait.h>

#include <string>
#include <utility>

#include "conformance/conformance.hpp"
#include "conformance/named_tasks.hpp"
#include "conformance/programs.hpp"

namespace procpool::test {
namespace {

std::string module_file(const std::string& name) { return PROCPOOL_TEST_MODULES "/" + name + ".so"; }

// What it prints, both streams, and its exit code.
std::pair<std::string, int> by_hand(const std::string& arguments) {
  const auto [text, status] = run("timeout -k 1 20 " PROCPOOL_WORKER_PROGRAM " " + arguments);
  return {text, WIFEXITED(status) ? WEXITSTATUS(status) : -1};
}

TEST(WorkerByHand, lists_names_and_signatures) {
  const auto [text, code] = by_hand("--module " + module_file("named_module") + " --list");
  EXPECT_EQ(code, 0);
  EXPECT_EQ(text,
            "module.add int(int, int)\n"
            "module.die void()\n"
            "module.first_word std::string(std::string)\n"
            "module.join std::string(std::string, std::vector<std::string>)\n"
            "module.length unsigned long(std::string)\n"
            "module.negate long(long)\n"
            "module.own_process int()\n"
            "module.reject void(std::string, int)\n"
            "module.scaled_sum double(std::span<double>, double)\n"
            "module.shift procpool::test::Point{int, int}(procpool::test::Point{int, int}, "
            "procpool::test::Point{int, int})\n"
            "module.sum double(std::span<double>)\n"
            "module.take int(std::unique_ptr<int>)\n"
            "module.turn procpool::test::Colour:unsigned char("
            "procpool::test::Colour:unsigned char)\n");
}

TEST(WorkerByHand, says_what_is_wrong_with_a_module) {
  const auto [text, code] = by_hand("--list --module missing.so");
  EXPECT_EQ(code, 1);
  EXPECT_TRUE(text.starts_with("procpool-worker: the task module ")) << text;
  EXPECT_TRUE(contains(text, "missing.so cannot be loaded: ")) << text;
  EXPECT_EQ(by_hand("--list").second, 0);
}

TEST(WorkerByHand, refuses_modules_that_cannot_be_used) {
  const auto refusal = [](const std::string& module) {
    const auto [text, code] = by_hand("--list --module " + module_file(module));
    EXPECT_EQ(code, 1) << text;
    return text;
  };
  EXPECT_TRUE(contains(refusal("no_tasks"), "no_tasks.so exports no task"));
  EXPECT_TRUE(contains(refusal("bad_name"), "\"two words\" cannot be the name of a task"));
  EXPECT_TRUE(contains(refusal("missing_symbol"), "nobody_has_this"));
  const auto [text, code] = by_hand("--list --module " + module_file("taken_name") + " --module " +
                                    module_file("taken_twice"));
  EXPECT_EQ(code, 1);
  EXPECT_TRUE(contains(text, "taken_twice.so cannot be used")) << text;
  EXPECT_TRUE(contains(text, "two tasks are named \"add\"")) << text;
}

TEST(WorkerByHand, says_how_it_is_used) {
  EXPECT_EQ(by_hand("--help").second, 0);
  EXPECT_TRUE(contains(by_hand("--help").first, "--module FILE"));
  EXPECT_EQ(by_hand("").second, 2);
  const auto [text, code] = by_hand("--lsit");
  EXPECT_EQ(code, 2);
  EXPECT_TRUE(text.starts_with("procpool-worker: unknown argument: --lsit\n")) << text;
  EXPECT_TRUE(contains(by_hand("--module").first, "--module wants a FILE"));
}

TEST(Exporting, after_init_is_misuse) {
  const auto text = error_of<Misuse>([] { export_task("late", [](int x) { return x; }); });
  EXPECT_TRUE(contains(text, "export_task(\"late\") was called after init")) << text;
}

TEST(Exporting, remote_wants_a_name) {
  EXPECT_TRUE(contains(error_of<Misuse>([] { (void)remote<void()>(""); }), "without blanks"));
  EXPECT_THROW((void)remote<void()>("a b"), Misuse);
  EXPECT_THROW(remote<int(int)>("elsewhere")(1), Misuse);
}

// Both at namespace scope, where nobody can catch: the program ends, with the reason.
TEST(Exporting, one_name_for_two_tasks_ends_the_program_at_its_start) {
  const auto [text, status] = run("timeout -k 1 20 " + program("twice_exported"));
  EXPECT_NE(status, 0);
  EXPECT_TRUE(contains(text, "two tasks are named \"half\": int(int) and double(double)")) << text;
  EXPECT_FALSE(contains(text, "main is reached")) << text;
}

class ForeignWorker : public Census {};

TEST_F(ForeignWorker, without_tasks_says_how_to_export_them) {
  const Pool pool({.processes = 1,
                   .start_method = StartMethod::spawn,
                   .worker_executable = PROCPOOL_WORKER_PROGRAM});
  const auto text = error_of<UnknownTask>([&] { pool.apply(remote<int(int)>("resize"), 1); });
  EXPECT_TRUE(contains(text, "no task named \"resize\"")) << text;
  EXPECT_TRUE(contains(text, "It exports none")) << text;
  EXPECT_TRUE(contains(text, "export_task")) << text;
}

TEST_F(ForeignWorker, is_asked_for_a_task_by_name_only) {
  const Pool pool({.processes = 1,
                   .start_method = StartMethod::spawn,
                   .worker_executable = PROCPOOL_WORKER_PROGRAM});
  const auto text = error_of<UnknownTask>([&] { pool.apply([](int x) { return x; }, 1); });
  EXPECT_TRUE(contains(text, "export_task")) << text;
  EXPECT_TRUE(contains(text, "remote")) << text;
}

}  // namespace
}  // namespace procpool::test
