// expect: use of deleted function
// expect-clang: call to implicitly-deleted copy constructor
#include <procpool/process.hpp>

void nothing();

int main() {
  const procpool::Process process(nothing);
  const procpool::Process copy = process;
}
