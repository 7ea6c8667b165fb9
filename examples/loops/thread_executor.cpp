#include <cstdio>
#include <procpool/procpool.hpp>
#include <ranges>
#include <vector>

int square(int x) { return x * x; }

int main() {
  const auto numbers = std::views::iota(0, 50);
  procpool::ThreadPool pool(8);
  std::vector<procpool::Future<int>> futures;
  for (int x : numbers) futures.push_back(pool.submit(square, x));
  for (auto& future : procpool::as_completed(futures)) std::printf("done: %d\n", future.get());
  for (int y : pool.imap(square, numbers)) std::printf("in order: %d\n", y);
}
