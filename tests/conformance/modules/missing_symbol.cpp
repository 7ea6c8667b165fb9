// A module that needs a function that nobody has.
#include <procpool/named.hpp>

int nobody_has_this(int a);

const bool exported = procpool::export_task("unlinked", nobody_has_this);
