// expect: only code is exported, no data
#include <procpool/named.hpp>

struct Add {
  int offset = 1;
  int operator()(int x) const { return x + offset; }
};
const bool exported = procpool::export_task("add", Add{2});
