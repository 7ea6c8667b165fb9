// Makes pools with ever more memory allowed. Each is made, or refused by PoolBroken with the
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
  for (std::size_t more = 0; more != 64U << 12U; more += 1U << 12U) {
    allow_more_memory(more);
    const std::string text = refusal(method);
    allow_all_memory();
    if (!text.empty()) ++refused;
    // Of memory, or of the thread that there was none for.
    if (!text.empty() && text.find("raise the limit on ") == std::string::npos)
      return std::printf("%zu: says nothing of the limit: %s\n", more, text.c_str()), 2;
    if (open_descriptors() != before || has_child())
      return std::printf("%zu: left behind after: %s\n", more, text.c_str()), 3;
  }
  if (refused == 0) return std::puts("a pool of no memory?"), 1;
  if (const auto text = refusal(method); !text.empty()) return std::puts(text.c_str()), 4;
  std::printf("refused %d times, clean\n", refused);
}
