// A pool that is made before main and cannot be started by init, beside one that can.
#include <procpool/procpool.hpp>

#include <cstdio>
#include <exception>
#include <stdexcept>

#include "method.hpp"

namespace {

int square(int x) { return x * x; }
[[noreturn]] void fail() { throw std::out_of_range("no such table"); }

procpool::Pool broken(
    {.processes = 1, .start_method = method_before_main(), .preload = procpool::Hook(fail)});
const procpool::Future<int> early = broken.submit(square, 7);
procpool::Pool another({.processes = 1, .start_method = method_before_main()});
const procpool::Future<int> fine = another.submit(square, 8);

template <class Call>
void report(const char* what, Call call) {
  try {
    call();
    std::printf("%s: no error\n", what);
  } catch (const procpool::PoolBroken& error) {
    const char* nested = "";
    try {
      std::rethrow_if_nested(error);
    } catch (const std::out_of_range&) {
      nested = ", nested";
    }
    std::printf("%s: %s%s\n", what, error.what(), nested);
  }
}

}  // namespace

int main(int argc, char** argv) {
  report("init", [&] { procpool::init(argc, argv); });
  report("get", [] { early.get(); });
  report("submit", [] { broken.submit(square, 9); });
  std::printf("another pool: %d\n", fine.get());
  std::puts("end of main");
}
