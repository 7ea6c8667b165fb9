// Makes pools with ever more descriptors allowed. Each is made, or refused by PoolBroken with the
// reason, and then nothing is left behind.
#include <procpool/procpool.hpp>

#include <cstdio>
#include <string>

#include "method.hpp"
#include "refusal.hpp"
#include "resources.hpp"

int main(int argc, char** argv) {
  procpool::init(argc, argv);
  const auto method = method_of(argc > 1 ? argv[1] : "");
  refusal(method);
  const auto before = open_descriptors();
  int refused = 0;
  for (rlim_t most = 4; most != 48; ++most) {
    allow_descriptors(most);
    const std::string text = refusal(method);
    allow_descriptors(1024);
    if (!text.empty()) ++refused;
    if (text.empty() && most < 6) return std::puts("a pool of four descriptors?"), 1;
    for (const char* part : {"Too many open files", "raise the limit on open files (ulimit -n)"}) {
      if (!text.empty() && text.find(part) == std::string::npos)
        return std::printf("%d: says nothing of the limit: %s\n", int(most), text.c_str()), 2;
    }
    if (open_descriptors() != before || has_child())
      return std::printf("%d: left behind after: %s\n", int(most), text.c_str()), 3;
  }
  if (const auto text = refusal(method); !text.empty()) return std::puts(text.c_str()), 4;
  std::printf("refused %d times, clean\n", refused);
}
