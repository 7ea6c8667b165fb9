// Bad input gets the error that says what to do, and leaves the pool and the machine clean.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <system_error>
#include <utility>

#include "conformance/conformance.hpp"
#include "conformance/programs.hpp"

namespace procpool::test {
namespace {

int count(const std::string& text, const std::string& part) {
  int found = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++found;
  return found;
}

TEST_P(Conformance, P_START_02_without_init_a_pool_is_misuse_and_never_a_fork_bomb) {
  const auto [text, status] = run(program("no_init") + " " + name_of(method()));
  if (method() == StartMethod::fork) {
    EXPECT_EQ(text, "42\n");
    EXPECT_EQ(status, 0);
  } else {
    EXPECT_TRUE(text.starts_with("Misuse: ")) << text;
    EXPECT_TRUE(contains(text, "init(argc, argv)")) << text;
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 3);
  }
}

TEST_P(Conformance, P_POOL_11_a_pool_of_static_storage) {
  const auto [text, status] =
      run("timeout -k 1 20 " + program("static_pool") + " " + name_of(method()));
  EXPECT_EQ(
      text,
      "made before main\n"
      "this pool was made before main and starts at procpool::init, for which main must begin: a "
      "wait for it before main would last for ever; wait in main\n"
      "49\n64\nend of main\n");
  EXPECT_EQ(status, 0);
}

// In a worker it has no workers: who uses it there hears it, and nobody waits for ever.
TEST_P(Conformance, P_POOL_11_a_pool_of_static_storage_is_misuse_in_workers) {
  const auto [text, status] =
      run("timeout -k 1 30 " + program("static_pool_inside") + " " + name_of(method()));
  EXPECT_EQ(status, 0) << text;
  const std::string why = method() == StartMethod::fork
                              ? ": this pool belongs to the process that made it, not to its forked copy"
                              : ": this pool was made before main and has no workers in a worker process";
  for (const char* call : {"apply", "submit", "try_submit", "map", "map_async", "imap", "resize", "pids",
                           "stats", "terminate", "join", "get", "wait"}) {
    const std::string name(call);
    // A copy of the program has a copy of the future, which may have been done.
    if (method() == StartMethod::fork && (name == "get" || name == "wait")) continue;
    EXPECT_EQ(count(text, "\n" + name + why), 3) << name << " in\n" << text;
    EXPECT_FALSE(contains(text, "\n" + name + ": no error")) << text;
  }
  EXPECT_TRUE(text.ends_with("here\n113\n")) << text;
}

TEST_P(Conformance, P_JOB_01_the_shared_pool_is_healed_and_replaced) {
  const auto [text, status] =
      run("timeout -k 1 30 " + program("shared_pool") + " " + name_of(method()));
  EXPECT_EQ(status, 0);
  EXPECT_EQ(text,
            "first: 285\n"
            "crash: WorkerCrashed\n"
            "healed: 285, the same\n"
            "no replacement: PoolBroken\n"
            "broken: 285, another\n"
            "terminated: 285\n"
            "closed: 285\n");
}

TEST_P(Conformance, P_START_02_a_pool_of_static_storage_without_init_is_misuse) {
  const auto [text, status] =
      run("timeout -k 1 20 " + program("static_pool_no_init") + " " + name_of(method()));
  EXPECT_EQ(status, 0) << text;
  for (const char* call : {"submit", "map", "get", "wait", "join"}) {
    EXPECT_TRUE(contains(text, std::string(call) + ": procpool::init was not called")) << text;
  }
  EXPECT_TRUE(text.ends_with("end of main\n")) << text;
}

TEST_P(Conformance, P_POOL_11_pools_that_end_before_they_start_do_at_init_what_they_had_accepted) {
  const auto [text, status] =
      run("timeout -k 1 20 " + program("static_pool_closed") + " " + name_of(method()));
  EXPECT_EQ(text,
            "idle: no error\n"
            "terminated: no error\n"
            "closed: this pool was made before main and starts at procpool::init, for which main "
            "must begin: a wait for it before main would last for ever; wait in main\n"
            "0 before init\n"
            "36\n49\nPoolTerminated\n"
            "end of main\n");
  EXPECT_EQ(status, 0);
}

TEST_P(Conformance, P_POOL_03_a_pool_of_static_storage_that_cannot_start_ends_what_it_had_accepted) {
  const auto [text, status] =
      run("timeout -k 1 20 " + program("static_pool_broken") + " " + name_of(method()));
  EXPECT_EQ(status, 0) << text;
  for (const char* call : {"init", "get", "submit"}) {
    EXPECT_TRUE(contains(text, std::string(call) + ": the pool's workers cannot be started: ")) << text;
  }
  EXPECT_TRUE(contains(text, "no such table, nested\n")) << text;
  EXPECT_TRUE(text.ends_with("another pool: 64\nend of main\n")) << text;
}

// Few descriptors: the constructor says which call wanted one more, and nothing stays behind.
TEST_P(Conformance, P_POOL_03_out_of_descriptors_at_construction) {
  const auto [text, status] =
      run("timeout -k 1 30 " + program("few_descriptors") + " " + name_of(method()));
  EXPECT_EQ(status, 0) << text;
  EXPECT_TRUE(contains(text, "clean")) << text;
}

TEST_P(Conformance, P_POOL_03_out_of_memory_at_construction) {
  const auto [text, status] =
      run("timeout -k 1 40 " + program("few_bytes") + " " + name_of(method()));
  EXPECT_EQ(status, 0) << text;
  EXPECT_TRUE(contains(text, "clean")) << text;
}

// Home has no descriptor left for what a running pool wants: the error says so and what to do.
TEST_P(Conformance, P_MAP_05_out_of_descriptors_at_a_large_submit) {
  const auto [text, status] =
      run("timeout -k 1 30 " + program("descriptors_run_out") + " " + name_of(method()));
  EXPECT_EQ(status, 0) << text;
  EXPECT_TRUE(text.starts_with("large: EncodingError: ")) << text;
  EXPECT_TRUE(contains(text, "Too many open files; raise the limit on open files (ulimit -n)"))
      << text;
  EXPECT_TRUE(contains(text,
                       "small: went through\n"
                       "0 descriptors more\n"
                       "large again: went through\n"
                       "0 descriptors left\n"))
      << text;
}

TEST_P(Conformance, P_POOL_03_out_of_descriptors_at_a_replacement) {
  const auto [text, status] = run("timeout -k 1 30 " + program("descriptors_run_out") + " " +
                                  name_of(method()) + " replace");
  EXPECT_EQ(status, 0) << text;
  EXPECT_TRUE(text.starts_with("crash: WorkerCrashed\n")) << text;
  for (const char* call : {"next", "last"}) {
    EXPECT_TRUE(
        contains(text, std::string(call) + ": PoolBroken: the pool's workers cannot be started: "))
        << text;
  }
  EXPECT_TRUE(contains(text, "Too many open files; raise the limit on open files (ulimit -n)"))
      << text;
  EXPECT_TRUE(text.ends_with("0 descriptors left\n")) << text;
}

std::string broken_with(const std::filesystem::path& executable) {
  return error_of<PoolBroken>([&] {
    Pool({.processes = 3, .start_method = StartMethod::spawn, .worker_executable = executable});
  });
}

class BadWorker : public Conformance {
 protected:
  // A script as a worker program.
  std::string script(const std::string& name, const std::string& lines) const {
    std::ofstream(file(name)) << "#!/bin/sh\n" << lines;
    std::filesystem::permissions(file(name), std::filesystem::perms::owner_all);
    return file(name);
  }
};

void expect_advice(const std::string& text) {
  EXPECT_TRUE(contains(text,
                       "; set PoolOptions::worker_executable to a program whose main begins with "
                       "procpool::init(argc, argv)"))
      << text;
}

TEST_P(BadWorker, a_missing_worker_program_is_named) {
  const auto text = broken_with(file("missing"));
  EXPECT_TRUE(contains(text, "missing")) << text;
  EXPECT_TRUE(contains(text, "No such file")) << text;
  expect_advice(text);
}

TEST_P(BadWorker, a_worker_program_that_cannot_be_executed_is_named) {
  std::ofstream(file("text")) << "text";
  const auto text = broken_with(file("text"));
  EXPECT_TRUE(contains(text, "text")) << text;
  EXPECT_TRUE(contains(text, "Permission denied")) << text;
  expect_advice(text);
}

TEST_P(BadWorker, a_program_that_ends_at_once_is_no_worker) {
  const auto text = broken_with("/bin/false");
  EXPECT_TRUE(contains(text, "exited with code 1")) << text;
  expect_advice(text);
}

// The fourth does not start: the three that did are stopped.
TEST_P(BadWorker, P_POOL_03_workers_already_started_are_stopped) {
  const std::string bad =
      script("worker", "echo x >> " + file("starts") + "\n[ $(wc -l < " + file("starts") +
                           ") -ge 4 ] && exit 7\nexec " +
                           std::filesystem::read_symlink("/proc/self/exe").string() + " \"$@\"\n");
  const auto text = error_of<PoolBroken>([&] {
    Pool({.processes = 6, .start_method = StartMethod::spawn, .worker_executable = bad});
  });
  EXPECT_TRUE(contains(text, "exited with code 7")) << text;
  expect_advice(text);
  EXPECT_GE(std::filesystem::file_size(file("starts")), 2U * 4U);
}

// Another build has other code at the same places: it must not be used, or only by what it knows.
TEST_P(BadWorker, P_START_06_tasks_of_this_program_are_unknown_to_another) {
  for (const std::string& other : {std::string(PROCPOOL_WORKER_PROGRAM), program("other_build")}) {
    const Pool pool(
        {.processes = 1, .start_method = StartMethod::spawn, .worker_executable = other});
    const auto pids = pool.pids();
    const auto text = error_of<UnknownTask>([&] { pool.apply(square, 3); });
    EXPECT_TRUE(contains(text, "run the same build on both sides")) << text;
    const auto mine = std::filesystem::read_symlink("/proc/self/exe").filename().string();
    const auto its = std::filesystem::path(other).filename().string();
    EXPECT_TRUE(contains(text, its + " (build id ")) << text;
    EXPECT_TRUE(contains(text, mine + " (build id ")) << text;
    EXPECT_THROW(pool.map([](int x) { return x; }, {1, 2, 3}), UnknownTask);
    EXPECT_EQ(pool.pids(), pids);
  }
}

INSTANTIATE_TEST_SUITE_P(spawn, BadWorker, testing::Values(Way(StartMethod::spawn)));

std::string echo(std::string text) { return text; }
std::size_t length(const std::string& text) { return text.size(); }
std::string letters(std::size_t count) { return std::string(count, 'l'); }

TEST_P(Conformance, P_MAP_05_payloads_larger_than_the_ring) {
  const Pool pool = make_pool(2);
  for (const std::size_t size : {64UL << 10U, (64UL << 10U) + 1, 1UL << 20U, 100UL << 20U}) {
    std::string text(size, 'a');
    text.front() = 'b';
    text.back() = 'c';
    EXPECT_EQ(pool.apply(length, text), size);
    EXPECT_EQ(pool.apply(letters, size).size(), size);
    EXPECT_TRUE(pool.apply(echo, text) == text) << size;
  }
  for (const auto& text : pool.map(letters, std::vector<std::size_t>(20, 300'000))) {
    EXPECT_EQ(text.size(), 300'000U);
  }
}

void allow_no_new_descriptors() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = 0;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// The memory of a large chunk comes once: no element waits for it to come again.
TEST_P(Conformance, P_MAP_05_elements_that_a_worker_without_descriptors_cannot_receive) {
  const Pool pool = make_pool(1);
  pool.apply(allow_no_new_descriptors);
  const std::vector<std::string> large(3, std::string(4U << 20U, 'l'));
  const auto outcomes = pool.map_settled(length, large, {.chunksize = 3});
  ASSERT_EQ(outcomes.size(), 3U);
  for (const auto& outcome : outcomes) {
    const auto text = error_of<std::system_error>([&] { outcome.value(); });
    EXPECT_TRUE(contains(text, "Too many open files")) << text;
  }
  EXPECT_EQ(pool.apply(square, 3), 9);
}

TEST_P(Conformance, P_MAP_05_payloads_larger_than_memory) {
  const auto [text, status] =
      run("timeout -k 1 40 " + program("little_memory") + " " + name_of(method()));
  EXPECT_EQ(status, 0) << text;
  EXPECT_TRUE(text.starts_with("argument: EncodingError: ")) << text;
  EXPECT_TRUE(
      contains(text,
               "\nresult: EncodingError: a result of 209715208 bytes cannot be sent: the program "
               "cannot allocate shared memory for it (Cannot allocate memory)\n"))
      << text;
  EXPECT_TRUE(text.ends_with("\nafterwards: 49\n0 descriptors more\n")) << text;
}

}  // namespace
}  // namespace procpool::test
