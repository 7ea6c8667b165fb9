// Where a test and its tasks meet without sleeping: a directory with two named pipes. Tasks report
// numbers through one; through the other they wait for the test's leave. Tasks know the room by its
// path, which crosses to any worker, whatever its start method.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace procpool::test {

class Room {
 public:
  Room();
  ~Room();
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;

  const std::string& path() const { return path_; }
  /// The next report; waits for it.
  std::int64_t next_report();
  /// Lets `count` waiting tasks go on, now or when they come.
  void open_gate(int count = 1);
  /// What tasks have noted, in the order in which it was written.
  std::vector<std::int64_t> notes() const;

 private:
  std::string path_;
  int reports_ = -1;
  int gate_ = -1;
};

// In a task (or a thread or child of one).

/// Does nothing when nobody listens any more.
void report(const std::string& room, std::int64_t number);
/// Until the test opens the gate for one.
void await_gate(const std::string& room);
/// Appended to a file: survives the writer, and needs no reader.
void note(const std::string& room, std::int64_t number);
std::vector<std::int64_t> notes_of(const std::string& room);

}  // namespace procpool::test
