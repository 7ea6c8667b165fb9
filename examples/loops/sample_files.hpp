// JSON files to read, in a temporary directory that goes with them.
#pragma once

#include <stdlib.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

namespace loops {

class SampleFiles {
 public:
  // So many files; the i-th holds [{"value": i}, {"value": 2 i}, … {"value": 100 i}].
  explicit SampleFiles(int count) {
    std::string name = std::filesystem::temp_directory_path() / "json_files-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) {
      throw std::system_error(errno, std::generic_category(), "mkdtemp " + name);
    }
    folder_ = name;
    for (int i = 1; i <= count; ++i) write(i);
  }
  SampleFiles(const SampleFiles&) = delete;
  SampleFiles& operator=(const SampleFiles&) = delete;
  ~SampleFiles() {
    std::error_code left_behind;  // nothing better can be done about it here
    std::filesystem::remove_all(folder_, left_behind);
  }

  const std::vector<std::filesystem::path>& paths() const { return paths_; }

 private:
  void write(int i) {
    paths_.push_back(folder_ / (std::to_string(i) + ".json"));
    std::ofstream out(paths_.back());
    for (int k = 1; k <= 100; ++k) out << (k == 1 ? "[" : ", ") << "{\"value\": " << i * k << "}";
    out << "]\n";
    out.close();
    if (!out) throw std::runtime_error("cannot write " + paths_.back().string());
  }

  std::filesystem::path folder_;
  std::vector<std::filesystem::path> paths_;
};

}  // namespace loops
