// process_modes METHOD MODE: what of Process concerns a whole program. Each mode prints what came of it.
#include <procpool/process.hpp>
#include <procpool/procpool.hpp>

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>

#include "method.hpp"

namespace {

using procpool::Process;

void fail_deeply(int number) {
  try {
    throw std::out_of_range("index " + std::to_string(number));
  } catch (...) {
    std::throw_with_nested(std::runtime_error("no such row"));
  }
}
void throw_a_number() { throw 42; }
void say(const std::string& text) { std::printf("%s\n", text.c_str()); }
void wait_for_ever() {
  for (;;) pause();
}
int doubled(int number) { std::exit(2 * number); }

Process made_before_main(say, "from a static Process");

int run(Process process) {
  process.start();
  process.join();
  return process.exit_code().value();
}

void errors(procpool::StartMethod method) {
  const procpool::ProcessOptions options{.name = "reader", .start_method = method};
  std::printf("%d\n", run(Process(options, fail_deeply, 7)));
  std::printf("%d\n", run(Process(options, throw_a_number)));
}

// Without init a copy of the program cannot execute it again either: main would run once more.
void nest() {
  try {
    const procpool::Pool pool(1);
    std::printf("a pool\n");
  } catch (const procpool::Misuse&) {
    std::printf("Misuse\n");
  }
}

pid_t template_pid() {
  std::ifstream children("/proc/self/task/" + std::to_string(getpid()) + "/children");
  for (pid_t pid = 0; children >> pid;) {
    std::string name;
    std::ifstream("/proc/" + std::to_string(pid) + "/comm") >> name;
    if (name == "procpool-templ") return pid;
  }
  return 0;
}

// The template is killed while it has nothing to do, and while a child of it runs.
void lose_template(procpool::StartMethod method) {
  const procpool::ProcessOptions options{.start_method = method};
  std::printf("%d\n", run(Process(options, doubled, 1)));
  const pid_t first = template_pid();
  kill(first, SIGKILL);
  std::printf("%d\n", run(Process(options, doubled, 2)));
  const pid_t second = template_pid();
  Process running(options, wait_for_ever);
  running.start();
  kill(second, SIGKILL);
  std::printf("%d\n", run(Process(options, doubled, 3)));
  std::printf("%s\n", running.is_alive() ? "alive" : "ended");
  running.kill();
  running.join();
  const int code = running.exit_code().value();
  std::printf("%s\n", code == -SIGKILL || code == 255 ? "killed" : "other");
  std::printf("%s\n", first != second && template_pid() != second ? "made anew" : "the same");
}

// The template can open nothing more: that start fails, what runs goes on, and it can be mended.
void fill_template(procpool::StartMethod method) {
  const procpool::ProcessOptions options{.start_method = method};
  Process running(options, wait_for_ever);
  running.start();
  const pid_t only = template_pid();
  rlimit before{};
  prlimit(only, RLIMIT_NOFILE, nullptr, &before);
  const rlimit low{3, before.rlim_max};
  prlimit(only, RLIMIT_NOFILE, &low, nullptr);
  try {
    Process(options, doubled, 1).start();
  } catch (const procpool::PoolBroken& error) {
    std::printf("%s\n", error.what());
  }
  prlimit(only, RLIMIT_NOFILE, &before, nullptr);
  std::printf("%d\n", run(Process(options, doubled, 2)));
  std::printf("%s\n", template_pid() == only ? "the same" : "made anew");
  running.terminate();
  running.join();
  std::printf("%d\n", running.exit_code().value());
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 2 ? argv[2] : "";
  if (!mode.starts_with("no_init")) procpool::init(argc, argv);
  const auto method = method_of(argc > 1 ? argv[1] : "");
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  if (mode == "errors") errors(method);
  if (mode == "lose_template") lose_template(method);
  if (mode == "fill_template") fill_template(method);
  if (mode == "static") made_before_main.start();
  if (mode == "no_init_nested") std::printf("%d\n", run(Process({.start_method = method}, nest)));
  if (mode == "no_init") {
    try {
      std::printf("%d\n", run(Process({.start_method = method}, doubled, 21)));
    } catch (const procpool::Misuse& error) {
      std::printf("Misuse: %s\n", error.what());
    }
  }
}
