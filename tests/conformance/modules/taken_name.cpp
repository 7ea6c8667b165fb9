// A module that wants a name which named_tasks.cpp has, for other code.
#include <procpool/named.hpp>

const bool exported = procpool::export_task("add", [](int a, int b) { return a - b; });
