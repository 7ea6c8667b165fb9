// expect: an exported task must have one signature
#include <procpool/named.hpp>

struct Point {
  int x = 0;
  int length() const { return x; }
};
const bool exported = procpool::export_task("length", &Point::length);
