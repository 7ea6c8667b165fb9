// expect: a pointer means nothing in another process: pass the object itself
#include <procpool/process.hpp>

void first(const int* numbers);

int main() {
  const int number = 1;
  procpool::Process process({.name = "first"}, first, &number);
}
