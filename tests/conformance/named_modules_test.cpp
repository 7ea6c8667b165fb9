// Pools whose workers load task modules, and those that cannot be used.
#include <filesystem>
#include <string>

#include "conformance/conformance.hpp"

namespace procpool::test {
namespace {

std::string module_file(const std::string& name) { return PROCPOOL_TEST_MODULES "/" + name + ".so"; }

class Modules : public Census, public testing::WithParamInterface<StartMethod> {
 protected:
  static void SetUpTestSuite() {
    for (const auto method : {StartMethod::forkserver, StartMethod::fork, StartMethod::spawn})
      Pool({.processes = 1, .start_method = method}).apply([] {});
  }
  static std::string broken_by(const std::filesystem::path& module,
                               const std::filesystem::path& worker = {}) {
    const auto text = error_of<PoolBroken>([&] {
      Pool({.processes = 2,
            .start_method = GetParam(),
            .worker_executable = worker,
            .modules = {module}});
    });
    EXPECT_TRUE(contains(text, "the pool's task modules cannot be used: the task module " +
                                   module.string() + " "))
        << text;
    return text;
  }
};

TEST_P(Modules, a_missing_one_is_named) {
  const auto text = broken_by("/nowhere/missing.so");
  EXPECT_TRUE(contains(text, "/nowhere/missing.so")) << text;
  EXPECT_TRUE(contains(text, "No such file")) << text;
}

TEST_P(Modules, an_empty_path_is_misuse) {
  const auto text = error_of<Misuse>([] { Pool({.start_method = GetParam(), .modules = {""}}); });
  EXPECT_TRUE(contains(text, "PoolOptions::modules has an empty path")) << text;
}

TEST_P(Modules, one_that_misses_a_function_names_it) {
  const auto text = broken_by(module_file("missing_symbol"));
  EXPECT_TRUE(contains(text, "missing_symbol.so")) << text;
  EXPECT_TRUE(contains(text, "nobody_has_this")) << text;
  EXPECT_FALSE(contains(text, "ENABLE_EXPORTS")) << text;
}

TEST_P(Modules, one_without_tasks_is_none) {
  const auto text = broken_by(module_file("no_tasks"));
  EXPECT_TRUE(contains(text, "no_tasks.so exports no task")) << text;
}

TEST_P(Modules, a_name_that_is_taken_by_other_code_is_refused) {
  const auto text = broken_by(module_file("taken_name"));
  EXPECT_TRUE(contains(text, "taken_name.so cannot be used")) << text;
  EXPECT_TRUE(contains(text, "two tasks are named \"add\"")) << text;
}

TEST_P(Modules, a_name_that_is_none_is_refused) {
  const auto text = broken_by(module_file("bad_name"));
  EXPECT_TRUE(contains(text, "\"two words\" cannot be the name of a task")) << text;
}

TEST_P(Modules, a_module_twice_is_one) {
  const Pool pool({.processes = 1,
                   .start_method = GetParam(),
                   .modules = {module_file("named_module"), module_file("named_module")}});
  EXPECT_EQ(pool.apply(remote<int(int, int)>("module.add"), 1, 2), 3);
}

// A worker that comes later, when the program has gone elsewhere, finds the file.
TEST_P(Modules, a_relative_path_is_that_of_the_pools_making) {
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(PROCPOOL_TEST_MODULES);
  const Pool pool({.processes = 1, .start_method = GetParam(), .modules = {"named_module.so"}});
  std::filesystem::current_path("/");
  EXPECT_THROW(pool.apply(remote<void()>("module.die")), WorkerCrashed);
  EXPECT_EQ(pool.apply(remote<int(int, int)>("module.add"), 1, 2), 3);
  std::filesystem::current_path(before);
}

INSTANTIATE_TEST_SUITE_P(forkserver, Modules, testing::Values(StartMethod::forkserver));
INSTANTIATE_TEST_SUITE_P(fork, Modules, testing::Values(StartMethod::fork));
INSTANTIATE_TEST_SUITE_P(spawn, Modules, testing::Values(StartMethod::spawn));

class ForeignWorker : public Modules {};

TEST_P(ForeignWorker, that_does_not_export_the_library_cannot_load_modules) {
  const auto text = broken_by(module_file("named_module"), PROCPOOL_TEST_PROGRAMS "/other_build");
  EXPECT_TRUE(contains(text, "named_module.so")) << text;
  EXPECT_TRUE(contains(text, "link the program that loads it with ENABLE_EXPORTS")) << text;
}

INSTANTIATE_TEST_SUITE_P(spawn, ForeignWorker, testing::Values(StartMethod::spawn));

}  // namespace
}  // namespace procpool::test
