#include <cstdio>
#include <optional>
#include <procpool/procpool.hpp>
#include <stdexcept>

int divide(int a, int b) {
  if (b == 0) throw std::domain_error("division by zero");
  return a / b;
}

std::optional<int> try_divide(int a, int b) {
  try {
    return divide(a, b);
  } catch (const std::domain_error&) {
    return std::nullopt;
  }
}

int main(int argc, char** argv) {
  procpool::init(argc, argv);
  procpool::Pool pool(2);

  const auto future = pool.submit(divide, 1, 0);
  try {
    std::printf("%d\n", future.get());
  } catch (const std::domain_error& error) {
    std::printf("at the result: %s\n", error.what());
  }

  const std::optional<int> quotient = pool.apply(try_divide, 1, 0);
  std::printf("handled inside the task: %s\n", quotient ? "a number" : "no number");
}
