#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace examples {

// Whole files. Both throw std::system_error that names the file.
std::vector<std::uint8_t> read_file(const std::filesystem::path& file);
void write_file(const std::filesystem::path& file, const std::vector<std::uint8_t>& bytes);

// A fresh directory under the system's temporary directory; gone, with all that is in it, when this
// object is.
class TempDir {
 public:
  explicit TempDir(const std::string& prefix);
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir();

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace examples
