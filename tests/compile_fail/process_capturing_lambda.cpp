// expect: a capturing lambda cannot be sent to another process: write [] and pass what it
#include <procpool/process.hpp>

int main() {
  int number = 1;
  procpool::Process process([number] { return number; });
}
