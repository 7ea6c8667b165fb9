// How a test and its tasks wait for each other without sleeping, whatever the start method: through
// files of a directory that goes with the test. Each has a `path()`, which is what a task is given.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace procpool::test {

// A directory for one test.
class Scratch {
 public:
  Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch();
  std::string file(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

// Shut until the test opens it; then everybody passes, late comers too.
class Gate {
 public:
  explicit Gate(const std::string& path);
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;
  ~Gate();
  void open();
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  int fd_;
};
void pass_gate(const std::string& path);  // waits; in a task

// Tasks ring; the test waits for so many strokes.
class Bell {
 public:
  explicit Bell(const std::string& path);
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;
  ~Bell();
  void wait(std::size_t strokes = 1);
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  int fd_;
};
void ring_bell(const std::string& path);

// Marks that stay: how many tasks came by.
void add_mark(const std::string& path);
std::size_t count_marks(const std::string& path);

}  // namespace procpool::test
