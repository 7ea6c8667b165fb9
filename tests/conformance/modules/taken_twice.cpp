// A module that wants the name of taken_name.cpp's task, for other code.
#include <procpool/named.hpp>

const bool exported = procpool::export_task("add", [](int a, int b) { return b - a; });
