#include "support/files.hpp"

#include <stdlib.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <string>
#include <system_error>

namespace examples {
namespace {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

[[noreturn]] void fail(const char* what, const std::filesystem::path& file) {
  const int code = errno == 0 ? EIO : errno;
  throw std::system_error(code, std::generic_category(), what + (" " + file.string()));
}

File open_file(const std::filesystem::path& file, const char* mode, const char* what) {
  errno = 0;
  File opened(std::fopen(file.c_str(), mode));
  if (!opened) fail(what, file);
  return opened;
}

}  // namespace

std::vector<std::uint8_t> read_file(const std::filesystem::path& file) {
  const File opened = open_file(file, "rb", "cannot read");
  std::vector<std::uint8_t> bytes;
  std::uint8_t block[16384];
  while (const std::size_t got = std::fread(block, 1, sizeof block, opened.get())) {
    bytes.insert(bytes.end(), block, block + got);
  }
  if (std::ferror(opened.get()) != 0) fail("cannot read", file);
  return bytes;
}

void write_file(const std::filesystem::path& file, const std::vector<std::uint8_t>& bytes) {
  File opened = open_file(file, "wb", "cannot write");
  const std::size_t put = std::fwrite(bytes.data(), 1, bytes.size(), opened.get());
  const bool closed = std::fclose(opened.release()) == 0;
  if (put != bytes.size() || !closed) fail("cannot write", file);
}

TempDir::TempDir(const std::string& prefix) {
  std::string name = std::filesystem::temp_directory_path() / (prefix + "-XXXXXX");
  if (::mkdtemp(name.data()) == nullptr) fail("cannot make the directory", name);
  path_ = name;
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace examples
