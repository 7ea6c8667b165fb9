// A module whose task's name is none.
#include <procpool/named.hpp>

const bool exported = procpool::export_task("two words", [](int a) { return a; });
