#include <cstdio>
#include <future>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio.hpp>
#include <procpool/asio.hpp>
#include <procpool/procpool.hpp>

namespace asio = boost::asio;

bool is_prime(int n) {
  for (int d = 2; d * d <= n; ++d) {
    if (n % d == 0) return false;
  }
  return n > 1;
}

int count_primes(int limit) {
  int count = 0;
  for (int n = 0; n < limit; ++n) count += is_prime(n);
  return count;
}

asio::awaitable<std::string> describe(procpool::Pool& pool, int limit) {
  const auto future = pool.submit(count_primes, limit);
  const int count = co_await procpool::async_get(future, asio::use_awaitable);
  co_return std::to_string(count) + " primes below " + std::to_string(limit);
}

int main(int argc, char** argv) {
  procpool::init(argc, argv);
  procpool::Pool pool;
  asio::io_context loop;
  std::vector<std::future<std::string>> lines;
  for (int limit : {10, 100, 1'000, 10'000, 100'000}) {
    lines.push_back(asio::co_spawn(loop, describe(pool, limit), asio::use_future));
  }
  loop.run();
  for (auto& line : lines) std::printf("%s\n", line.get().c_str());
}
