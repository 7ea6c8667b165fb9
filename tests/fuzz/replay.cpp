// A target without libFuzzer: its seeds, the inputs that are kept in files, and mutations of both,
// by a seed that is printed.
//
//   fuzz_TARGET_replay [--write-seeds DIRECTORY] [FILE or DIRECTORY ...]
//
// PROCPOOL_SEED repeats a run, PROCPOOL_MUTATIONS says how many (default 3000).
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "fuzz.hpp"

namespace {

using procpool::fuzz::Seed;
namespace fs = std::filesystem;

unsigned number(const char* variable, unsigned otherwise) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? otherwise : static_cast<unsigned>(std::strtoul(text, nullptr, 10));
}

void run(const Seed& input) {
  const std::vector<std::uint8_t> exact(input);  // a sanitizer sees where it ends
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

Seed read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(in), {});
  return {text.begin(), text.end()};
}

void collect(const fs::path& path, std::vector<Seed>& into) {
  if (!fs::is_directory(path)) return into.push_back(read(path));
  for (const auto& entry : fs::directory_iterator(path)) into.push_back(read(entry.path()));
}

void write_seeds(const fs::path& directory) {
  fs::create_directories(directory);
  int count = 0;
  for (const Seed& seed : procpool::fuzz::seeds()) {
    std::ofstream(directory / ("seed-" + std::to_string(count++)), std::ios::binary)
        .write(reinterpret_cast<const char*>(seed.data()),
               static_cast<std::streamsize>(seed.size()));
  }
}

Seed mutated(Seed input, std::mt19937& random) {
  constexpr std::uint8_t telling[] = {0, 1, 2, 7, 8, 0x10, 0x7f, 0x80, 0xfe, 0xff};
  for (unsigned times = 1 + random() % 4; times != 0; --times) {
    if (input.empty()) {
      input.push_back(static_cast<std::uint8_t>(random()));
      continue;
    }
    const std::size_t at = random() % input.size();
    switch (random() % 6) {
      case 0:
        input[at] = static_cast<std::uint8_t>(random());
        break;
      case 1:
        input[at] ^= static_cast<std::uint8_t>(1U << random() % 8);
        break;
      case 2:
        input.resize(at);
        break;
      case 3:
        input.insert(input.begin() + static_cast<std::ptrdiff_t>(at), telling[random() % 10]);
        break;
      case 4: {
        const Seed part(input.begin() + static_cast<std::ptrdiff_t>(at), input.end());
        input.insert(
            input.end(), part.begin(),
            part.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(part.size(), 64)));
        break;
      }
      default:
        for (std::size_t i = at; i != std::min(input.size(), at + 8); ++i)
          input[i] = telling[random() % 10];
    }
  }
  return input;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::string(argv[1]) == "--write-seeds") {
    write_seeds(argv[2]);
    return 0;
  }
  std::vector<Seed> inputs = procpool::fuzz::seeds();
  for (int i = 1; i < argc; ++i) collect(argv[i], inputs);
  for (const Seed& input : inputs) run(input);
  const unsigned seed = number("PROCPOOL_SEED", std::random_device()());
  const unsigned mutations = number("PROCPOOL_MUTATIONS", 3000);
  std::printf("%zu inputs, %u mutations, seed %u (PROCPOOL_SEED repeats it)\n", inputs.size(),
              mutations, seed);
  std::fflush(stdout);
  std::mt19937 random(seed);
  for (unsigned i = 0; i != mutations; ++i) run(mutated(inputs[random() % inputs.size()], random));
}
