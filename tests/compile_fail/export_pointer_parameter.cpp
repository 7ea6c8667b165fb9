// expect: a pointer means nothing in another process
#include <procpool/named.hpp>

int first(int* numbers) { return *numbers; }
const bool exported = procpool::export_task("first", first);
