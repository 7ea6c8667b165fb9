// A pool that is made before a main that forgets init. Its workers never start: whoever wants
// something of them must hear it, and the program must end.
#include <procpool/procpool.hpp>

#include <cstdio>

#include "method.hpp"

namespace {

int square(int x) { return x * x; }

procpool::Pool pool({.processes = 2, .start_method = method_before_main()});
const procpool::Future<int> early = pool.submit(square, 7);

template <class Call>
void report(const char* what, Call call) {
  try {
    call();
    std::printf("%s: no error\n", what);
  } catch (const procpool::Misuse& error) {
    std::printf("%s: %s\n", what, error.what());
  }
}

}  // namespace

int main() {
  report("submit", [] { pool.submit(square, 8); });
  report("map", [] { pool.map(square, {1, 2}); });
  report("get", [] { early.get(); });
  report("wait", [] { early.wait(); });
  pool.close();
  report("join", [] { pool.join(); });
  std::puts("end of main");
}
