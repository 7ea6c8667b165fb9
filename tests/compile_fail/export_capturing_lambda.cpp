// expect: a capturing lambda cannot be sent to another process
#include <procpool/named.hpp>

int main() {
  const int offset = 1;
  return procpool::export_task("add", [offset](int x) { return x + offset; });
}
