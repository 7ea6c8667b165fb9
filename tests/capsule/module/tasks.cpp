// A module with a task that fails.
#include <stdexcept>
#include <string>

#include <procpool/named.hpp>

namespace {

int halve(int x) {
  if (x % 2 != 0) throw std::invalid_argument(std::to_string(x) + " is odd");
  return x / 2;
}
const bool exported = procpool::export_task("halve", halve);

}  // namespace
