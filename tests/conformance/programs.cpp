#include "conformance/programs.hpp"

#include <array>
#include <cstdio>

namespace procpool::test {

std::string program(const std::string& name) { return PROCPOOL_TEST_PROGRAMS "/" + name; }

std::string name_of(StartMethod method) {
  return method == StartMethod::fork    ? "fork"
         : method == StartMethod::spawn ? "spawn"
                                        : "forkserver";
}

std::pair<std::string, int> run(const std::string& command) {
  std::FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return {"popen failed", -1};
  std::string text;
  for (std::array<char, 4096> part; std::fgets(part.data(), part.size(), pipe) != nullptr;)
    text += part.data();
  return {text, pclose(pipe)};
}

}  // namespace procpool::test
