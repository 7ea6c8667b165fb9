// expect: no matching function for call to
// expect-clang: no matching constructor for initialization of
#include <procpool/procpool.hpp>

int main() { procpool::Pool pool(true); }
