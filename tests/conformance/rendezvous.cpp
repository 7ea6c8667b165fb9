#include "conformance/rendezvous.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

namespace procpool::test {
namespace {

int checked(int result, const std::string& what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return result;
}

void add_byte(const std::string& path, int flags) {
  const int fd = checked(open(path.c_str(), O_WRONLY | O_CLOEXEC | flags, 0600), path);
  const auto written = write(fd, "x", 1);
  close(fd);
  checked(static_cast<int>(written), path);
}

}  // namespace

Scratch::Scratch() {
  std::string name = std::filesystem::temp_directory_path() / "procpool_test_XXXXXX";
  if (mkdtemp(name.data()) == nullptr) checked(-1, name);
  path_ = name;
}
Scratch::~Scratch() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

// A lock of the open file: the test's, and it can be given back also when a forked process holds a
// copy of the descriptor.
Gate::Gate(const std::string& path)
    : path_(path), fd_(checked(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600), path)) {
  checked(flock(fd_, LOCK_EX), path);
}
Gate::~Gate() {
  open();
  close(fd_);
}
void Gate::open() { flock(fd_, LOCK_UN); }

void pass_gate(const std::string& path) {
  const int fd = checked(open(path.c_str(), O_RDWR | O_CLOEXEC), path);
  int locked = 0;
  do {
    locked = flock(fd, LOCK_SH);
  } while (locked < 0 && errno == EINTR);
  close(fd);
  checked(locked, path);
}

Bell::Bell(const std::string& path) : path_(path) {
  checked(mkfifo(path.c_str(), 0600), path);
  fd_ = checked(open(path.c_str(), O_RDWR | O_CLOEXEC), path);
}
Bell::~Bell() { close(fd_); }
void Bell::wait(std::size_t strokes) {
  for (char stroke = 0; strokes != 0;) {
    if (read(fd_, &stroke, 1) == 1) --strokes;
  }
}

void ring_bell(const std::string& path) { add_byte(path, 0); }
void add_mark(const std::string& path) { add_byte(path, O_CREAT | O_APPEND); }
std::size_t count_marks(const std::string& path) {
  std::error_code none;
  const auto size = std::filesystem::file_size(path, none);
  return none ? 0 : size;
}

}  // namespace procpool::test
