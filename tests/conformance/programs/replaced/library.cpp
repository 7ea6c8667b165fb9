// Built as two libraries of one name: BUILD is 1 or 2.
#include "library.hpp"

int library_build() { return BUILD; }
