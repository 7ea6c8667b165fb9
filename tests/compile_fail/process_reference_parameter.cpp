// expect: the callable has a T& parameter, and what a task writes to it would be lost
#include <procpool/process.hpp>

void count(int& number);

int main() {
  int number = 1;
  procpool::Process process(count, number);
}
