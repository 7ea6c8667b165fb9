// While its pool runs, the files that it was started from become those of its directory whose names
// begin with "next_". What the workers do that are started afterwards is what it prints.
#include <signal.h>
#include <procpool/procpool.hpp>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "library.hpp"
#include "method.hpp"

namespace {

namespace fs = std::filesystem;

int square(int x) { return x * x; }
[[noreturn]] void crash() {
  raise(SIGKILL);
  std::abort();
}

template <class Call>
void report(Call call) {
  try {
    std::printf("%d\n", call());
  } catch (const procpool::UnknownTask& error) {
    std::printf("UnknownTask: %s\n", error.what());
  }
}

}  // namespace

int main(int argc, char** argv) {
  procpool::init(argc, argv);
  const fs::path directory = fs::read_symlink("/proc/self/exe").parent_path();
  const procpool::Pool pool({.processes = 2, .start_method = method_of(argc > 1 ? argv[1] : "")});
  report([&] { return pool.apply(library_build); });
  for (const char* name : {"replaced", "libreplaced.so"}) {
    fs::rename(directory / ("next_" + std::string(name)), directory / name);
  }
  const auto before = pool.pids();
  for (int i = 0; i != 2; ++i) {
    kill(before[static_cast<std::size_t>(i)], SIGKILL);
    try {
      pool.apply(crash);
    } catch (const procpool::WorkerCrashed&) {
    }
  }
  for (const int x : pool.map(square, {1, 2, 3})) std::printf("%d\n", x);
  report([&] { return pool.apply(library_build); });
}
