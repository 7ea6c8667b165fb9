// A pool that is made before main, and used in a task, in a hook and in a Process: where it has no
// workers. What the program prints is the test.
#include <procpool/process.hpp>
#include <procpool/procpool.hpp>

#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

#include "method.hpp"

namespace {

int square(int x) { return x * x; }

procpool::Pool pool({.processes = 1, .start_method = method_before_main()});
const procpool::Future<int> early = pool.submit(square, 7);

// What each of its members says here; one line a member.
std::string use_it() {
  std::string said;
  const auto ask = [&said](const char* what, auto call) {
    try {
      call();
      said += std::string(what) + ": no error\n";
    } catch (const procpool::Misuse& error) {
      said += std::string(what) + ": " + error.what() + "\n";
    }
  };
  ask("apply", [] { pool.apply(square, 2); });
  ask("submit", [] { pool.submit(square, 2); });
  ask("try_submit", [] { (void)pool.try_submit(square, 2); });
  ask("map", [] { pool.map(square, {1, 2}); });
  ask("map_async", [] { pool.map_async(square, {1, 2}); });
  ask("imap", [] {
    for (const int x : pool.imap(square, std::vector{1, 2})) std::printf("%d\n", x);
  });
  ask("get", [] { early.get(); });
  ask("wait", [] { early.wait(); });
  ask("resize", [] { pool.resize(2); });
  ask("pids", [] { (void)pool.pids(); });
  ask("stats", [] { (void)pool.stats(); });
  ask("terminate", [] { pool.terminate(); });
  pool.close();
  ask("join", [] { pool.join(); });
  return said;
}

void print_it() { std::fputs(use_it().c_str(), stdout); }

void throw_it() { throw std::runtime_error("\n" + use_it()); }

}  // namespace

int main(int argc, char** argv) {
  procpool::init(argc, argv);
  const auto method = method_of(argc > 1 ? argv[1] : "");
  std::printf("in a task\n%s", pool.apply(use_it).c_str());
  std::printf("in a process\n");
  std::fflush(stdout);
  procpool::Process process({.start_method = method}, print_it);
  process.start();
  process.join();
  std::printf("in an initializer\n");
  try {
    procpool::Pool({.processes = 1, .start_method = method, .initializer = procpool::Hook(throw_it)});
  } catch (const procpool::PoolBroken& error) {
    std::printf("%s\n", error.what());
  }
  std::printf("here\n%d\n", early.get() + pool.apply(square, 8));
}
