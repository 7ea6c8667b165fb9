// A pool whose program may open no more descriptors: what then needs one gets an error that says
// so, and once it may open some again all goes on.
#include <signal.h>
#include <procpool/procpool.hpp>

#include <cstdio>
#include <string>
#include <string_view>

#include "method.hpp"
#include "resources.hpp"

namespace {

int square(int x) { return x * x; }
std::size_t length(std::string_view text) { return text.size(); }
void crash() { raise(SIGKILL); }

template <class Call>
void report(const char* what, Call call) {
  try {
    call();
    std::printf("%s: went through\n", what);
  } catch (const procpool::PoolBroken& error) {
    std::printf("%s: PoolBroken: %s\n", what, error.what());
  } catch (const procpool::WorkerCrashed&) {
    std::printf("%s: WorkerCrashed\n", what);
  } catch (const procpool::EncodingError& error) {
    std::printf("%s: EncodingError: %s\n", what, error.what());
  } catch (const std::exception& error) {
    std::printf("%s: %s\n", what, error.what());
  }
}

void submit_much(procpool::StartMethod method) {
  const procpool::Pool pool({.processes = 1, .start_method = method});
  pool.apply(square, 1);
  const std::string large(20U << 20U, 'x');
  const auto before = open_descriptors();
  allow_no_new_descriptors();
  report("large", [&] { pool.apply(length, large); });
  report("small", [&] { pool.apply(square, 7); });
  allow_descriptors(1024);
  std::printf("%td descriptors more\n", open_descriptors() - before);
  report("large again", [&] { pool.apply(length, large); });
}

void replace(procpool::StartMethod method) {
  const procpool::Pool pool({.processes = 1, .start_method = method, .max_start_failures = 3});
  allow_descriptors(0);
  report("crash", [&] { pool.apply(crash); });
  report("next", [&] { pool.apply(square, 7); });
  report("last", [&] { pool.apply(square, 7); });
  allow_descriptors(1024);
}

}  // namespace

int main(int argc, char** argv) {
  procpool::init(argc, argv);
  const auto method = method_of(argc > 1 ? argv[1] : "");
  procpool::Pool({.processes = 1, .start_method = method}).apply(square, 1);
  const auto before = open_descriptors();
  (argc > 2 ? replace : submit_much)(method);
  std::printf("%td descriptors left%s\n", open_descriptors() - before,
              has_child() ? ", a child" : "");
}
