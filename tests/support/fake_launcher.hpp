// Workers without processes. Each is a thread of the test that runs the real worker's end of the
// channel over the real memory, and does what the test's script says: when to say hello, what to
// do with each element, how to die and what becomes known of that. Its pidfd is an eventfd that is
// rung when the thread is over.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "channel/worker_end.hpp"
#include "os/event.hpp"
#include "os/fd.hpp"
#include "os/modules.hpp"
#include "supervisor/launcher.hpp"

namespace procpool::test {

// Closed until it is opened; a worker that waits for one is let go when it is killed.
class Gate {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  // False: `killed` was set first.
  bool pass(const std::atomic<bool>* killed = nullptr) {
    std::unique_lock lock(mutex_);
    while (!open_ && !(killed != nullptr && *killed)) {
      changed_.wait_for(lock, std::chrono::milliseconds(1));  // nobody notifies of a kill
    }
    return open_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

// What a worker does with an element that it has claimed.
enum class Act {
  value,           // publishes the element's own bytes
  large,           // publishes its number again and again, in a room of `large_bytes`
  die,             // ends while it runs it
  publish_and_die,  // ends between the outcome and anything else
  misplace,         // publishes it as the next element's
  announce          // says that it dies of SIGSEGV, and stays until it is killed
};

inline constexpr std::size_t large_bytes = 100'000;

struct Element {
  std::uint64_t id;  // what the test put into the call
  std::uint16_t attempt;
  std::uint32_t index;  // in the call
  int worker;           // how many were launched before
  const std::atomic<bool>* killed;
  shm::ResultMemory* results;  // to forge evidence
  std::uint64_t sequence;      // of the slot
};

struct Script {
  // On the worker's thread.
  std::function<Act(const Element&)> run = [](const Element&) { return Act::value; };
  std::function<bool(int worker)> says_hello = [](int) { return true; };  // else it exits with 115
  std::uint64_t identity = os::program_identity();                      // in its hello
  std::function<void(int worker, const std::atomic<bool>& killed)> before_call =
      [](int, const std::atomic<bool>&) {};  // it sees the call and has not begun it
  // On the launching thread.
  std::function<void(int worker)> before_launch = [](int) {};  // may throw
  enum class Status { at_once, later, never } status = Status::at_once;
  bool has_socket = false;  // as a template's: events come by a socket that can be lost
};

// The machine on which the workers run. Outlives every launcher and worker.
class FakeMachine {
 public:
  explicit FakeMachine(Script script = {});
  ~FakeMachine();

  std::unique_ptr<supervisor::Launcher> make_launcher();

  int launched() const;
  int launchers_made() const;
  // Workers whose thread is not over.
  int alive() const;
  // From outside, as `kill -9` does.
  void kill(int worker);
  // The present launcher's socket reports its end; launches through it fail.
  void lose_launcher();

 private:
  struct Body;
  struct Line;
  class Link;

  void live(Body& body, os::Fd control);
  void serve(Body& body, channel::WorkerEnd& end, shm::ResultMemory* results);
  bool serve_slot(Body& body, channel::WorkerEnd& end, const wire::CallHeader& header,
                  shm::ResultMemory* results);
  void ended(Body& body);
  void kill(Body& body);
  void wake_the_killed();

  Script script_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::unique_ptr<Body>> bodies_;
  std::shared_ptr<Line> line_;  // to the present launcher
  int launchers_ = 0;
  bool over_ = false;
  std::thread undertaker_;
};

}  // namespace procpool::test
