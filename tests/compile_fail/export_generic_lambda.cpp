// expect: an exported task must have one signature
#include <procpool/named.hpp>

const bool exported = procpool::export_task("twice", [](auto x) { return x + x; });
