#include "crash/room.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace procpool::test {
namespace {

constexpr const char* reports_name = "/reports";
constexpr const char* gate_name = "/gate";
constexpr const char* notes_name = "/notes";

// Open at both ends here: nobody's open blocks, and no reader sees an end.
int make_pipe(const std::string& path) {
  const int fd = mkfifo(path.c_str(), 0600) == 0 ? open(path.c_str(), O_RDWR | O_CLOEXEC) : -1;
  if (fd < 0) throw std::runtime_error("no named pipe at " + path);
  return fd;
}

bool read_whole(int fd, void* to, std::size_t bytes) {
  ssize_t got = 0;
  do {
    got = read(fd, to, bytes);
  } while (got < 0 && errno == EINTR);
  return got == static_cast<ssize_t>(bytes);
}

}  // namespace

Room::Room() {
  std::string pattern = std::filesystem::temp_directory_path() / "procpool-room-XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no room at " + pattern);
  path_ = pattern;
  reports_ = make_pipe(path_ + reports_name);
  gate_ = make_pipe(path_ + gate_name);
}

Room::~Room() {
  close(reports_);
  close(gate_);
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::int64_t Room::next_report() {
  std::int64_t number = 0;
  if (!read_whole(reports_, &number, sizeof number)) throw std::runtime_error("torn report");
  return number;
}

void Room::open_gate(int count) {
  const std::string leave(static_cast<std::size_t>(count), 'x');
  if (write(gate_, leave.data(), leave.size()) != count) throw std::runtime_error("the gate");
}

std::vector<std::int64_t> Room::notes() const { return notes_of(path_); }

std::vector<std::int64_t> notes_of(const std::string& room) {
  std::ifstream file(room + notes_name, std::ios::binary);
  std::vector<std::int64_t> all;
  std::int64_t number = 0;
  while (file.read(reinterpret_cast<char*>(&number), sizeof number)) all.push_back(number);
  return all;
}

void report(const std::string& room, std::int64_t number) {
  const int fd = open((room + reports_name).c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return;
  [[maybe_unused]] const auto written = write(fd, &number, sizeof number);
  close(fd);
}

void await_gate(const std::string& room) {
  const int fd = open((room + gate_name).c_str(), O_RDONLY | O_CLOEXEC);
  char leave = 0;
  if (!read_whole(fd, &leave, 1)) throw std::runtime_error("the room is gone");
  close(fd);
}

void note(const std::string& room, std::int64_t number) {
  const int fd = open((room + notes_name).c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 || write(fd, &number, sizeof number) != sizeof number) {
    throw std::runtime_error("a note could not be written");
  }
  close(fd);
}

}  // namespace procpool::test
