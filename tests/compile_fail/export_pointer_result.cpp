// expect: a task cannot return a pointer
#include <procpool/named.hpp>

int* find(int) { return nullptr; }
const bool exported = procpool::export_task("find", find);
