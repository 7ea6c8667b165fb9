// expect: the task has a T& parameter
#include <procpool/named.hpp>

void twice(int& x) { x *= 2; }
const bool exported = procpool::export_task("twice", twice);
