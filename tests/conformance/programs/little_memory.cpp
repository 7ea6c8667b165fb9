// Sends and fetches more than this process may map. The pool must say so and stay usable.
#include <procpool/procpool.hpp>

#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>

#include "method.hpp"
#include "resources.hpp"

namespace {

constexpr std::size_t megabyte = 1U << 20U;

int square(int x) { return x * x; }
std::size_t length(std::string_view text) { return text.size(); }
std::string letters(std::size_t count) { return std::string(count, 'l'); }

template <class Call>
void report(const char* what, Call call) {
  try {
    call();
    std::printf("%s: went through\n", what);
  } catch (const procpool::EncodingError& error) {
    std::printf("%s: EncodingError: %s\n", what, error.what());
  } catch (const procpool::DecodingError& error) {
    std::printf("%s: DecodingError: %s\n", what, error.what());
  } catch (const std::bad_alloc& error) {
    std::printf("%s: bad_alloc: %s\n", what, error.what());
  } catch (const std::exception& error) {
    std::printf("%s: %s\n", what, error.what());
  }
}

}  // namespace

int main(int argc, char** argv) {
  procpool::init(argc, argv);
  const procpool::Pool pool({.processes = 1, .start_method = method_of(argc > 1 ? argv[1] : "")});
  pool.apply(square, 1);
  const std::string large(200 * megabyte, 'x');
  const auto before = open_descriptors();
  allow_more_memory(150 * megabyte);
  report("argument", [&] { pool.apply(length, large); });
  report("result", [&] { (void)pool.apply(letters, 200 * megabyte); });
  std::printf("afterwards: %d\n", pool.apply(square, 7));
  std::printf("%td descriptors more\n", open_descriptors() - before);
}
