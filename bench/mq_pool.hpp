#pragma once

// The pool one writes by hand with boost::interprocess::message_queue: one worker, a queue there
// and a queue back, a number per task that says what to run. It has no futures, no healing, and a
// named object on disk; what it shows is what the queue alone costs.

#include <sys/types.h>
#include <unistd.h>

#include <boost/interprocess/ipc/message_queue.hpp>
#include <cstdint>
#include <string>

#include "bench/child.hpp"
#include "bench/tasks.hpp"

namespace bench {

class MqPool {
 public:
  static constexpr const char* name = "message_queue by hand";

  MqPool()
      : calls_(boost::interprocess::create_only, title("calls").c_str(), 64, sizeof(std::uint32_t)),
        results_(boost::interprocess::create_only, title("results").c_str(), 64,
                 sizeof(std::uint32_t)),
        worker_(fork_child([this] { serve(); })) {
    remove();  // both are mapped
  }
  MqPool(const MqPool&) = delete;
  MqPool& operator=(const MqPool&) = delete;
  ~MqPool() { kill_and_wait(worker_); }

  void call() {
    const std::uint32_t task = 0;
    calls_.send(&task, sizeof task, 0);
    take(results_);
  }

 private:
  using Queue = boost::interprocess::message_queue;

  static std::string title(const char* which) {
    return "procpool-bench-" + std::string(which) + std::to_string(getpid());
  }
  static void remove() {
    Queue::remove(title("calls").c_str());
    Queue::remove(title("results").c_str());
  }
  static std::uint32_t take(Queue& queue) {
    std::uint32_t word = 0;
    Queue::size_type size = 0;
    unsigned priority = 0;
    queue.receive(&word, sizeof word, size, priority);
    return word;
  }
  void serve() {
    for (;;) {
      const std::uint32_t task = take(calls_);
      no_op();
      results_.send(&task, sizeof task, 0);
    }
  }

  Queue calls_;
  Queue results_;
  pid_t worker_;
};

}  // namespace bench
