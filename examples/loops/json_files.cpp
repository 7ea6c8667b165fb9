#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <procpool/procpool.hpp>
#include <stdexcept>
#include <vector>

#include "sample_files.hpp"

long sum_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  if (!in) throw std::runtime_error("cannot be opened");
  long sum = 0;
  for (const auto& record : nlohmann::json::parse(in)) sum += record.at("value").get<long>();
  return sum;
}

int main(int argc, char** argv) {
  procpool::init(argc, argv);
  std::optional<loops::SampleFiles> samples;
  std::vector<std::filesystem::path> files(argv + 1, argv + argc);
  if (files.empty()) files = samples.emplace(8).paths();

  procpool::Pool pool;
  long total = 0;
  int failures = 0;
  for (const auto& sum : pool.map_settled(sum_of, files)) {  // a bad file is one line, not the end
    const auto name = files[sum.index()].filename().string();
    try {
      std::printf("%s: %ld\n", name.c_str(), sum.value());
      total += sum.value();
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s: %s\n", name.c_str(), error.what());
      ++failures;
    }
  }
  std::printf("total: %ld\n", total);
  return failures == 0 ? 0 : 1;
}
