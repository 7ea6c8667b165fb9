// Deaths of workers: how soon the caller has the exception, beside a bare fork of this program that
// crashes and is waited for, without and with a core dump; how soon the replacement answers, beside
// a bare fork; what is left of the throughput while workers are killed; and what it costs that
// crashes are told of, when there are none.

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <procpool/errors.hpp>
#include <procpool/pool.hpp>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "bench/child.hpp"
#include "bench/contests.hpp"
#include "bench/tasks.hpp"
#include "bench/timing.hpp"

namespace bench {
namespace {

void limit_core(rlim_t bytes) {
  rlimit limit{};
  getrlimit(RLIMIT_CORE, &limit);
  limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
  setrlimit(RLIMIT_CORE, &limit);
}

void crash() {
  limit_core(0);
  int* volatile nowhere = nullptr;
  *nowhere = 1;
}

/// A core file, if the machine is set up for that, is left in `folder`.
void crash_dumping(std::string folder) {
  limit_core(RLIM_INFINITY);
  if (chdir(folder.c_str()) != 0) _exit(1);
  int* volatile nowhere = nullptr;
  *nowhere = 1;
}

class Folder {
 public:
  Folder() {
    std::string pattern = std::filesystem::temp_directory_path() / "procpool-bench-XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no folder at " + pattern);
    path_ = pattern;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

template <class Call>
double crash_microseconds(procpool::Pool& pool, Call call) {
  const double time = seconds([&] {
    try {
      call();
    } catch (const procpool::WorkerCrashed&) {
      return;
    }
    throw std::logic_error("the crash was not reported");
  });
  pool.apply(no_op);
  return time * 1e6;
}

double fork_microseconds(const std::function<void()>& body) {
  return seconds([&] { wait_for(fork_child(body)); }) * 1e6;
}

Contest to_exception(const Scale& scale) {
  const auto set_up = [] {
    return Sides{
        [pool = std::make_shared<procpool::Pool>(1)] {
          return crash_microseconds(*pool, [&] { pool->apply(crash); });
        },
        {{"fork", "fork, SIGSEGV, wait", std::nullopt, [] { return fork_microseconds(crash); }}}};
  };
  return {"crash_to_exception", "us", Better::lower, scale.rounds(31), set_up};
}

Contest to_exception_dumping(const Scale& scale) {
  const auto set_up = [] {
    const auto folder = std::make_shared<Folder>();
    return Sides{
        [pool = std::make_shared<procpool::Pool>(1), folder] {
          return crash_microseconds(*pool, [&] { pool->apply(crash_dumping, folder->path()); });
        },
        {{"fork", "fork, SIGSEGV, core dump, wait", std::nullopt,
          [folder] { return fork_microseconds([&] { crash_dumping(folder->path()); }); }}}};
  };
  return {"crash_to_exception/core_dump", "us", Better::lower, scale.rounds(11), set_up};
}

/// From the exception to the first answer of the worker that took the place.
Contest replacement(const Scale& scale) {
  const auto set_up = [] {
    return Sides{[pool = std::make_shared<procpool::Pool>(1)] {
                   try {
                     pool->apply(crash);
                   } catch (const procpool::WorkerCrashed&) {
                   }
                   return seconds([&] { pool->apply(no_op); }) * 1e6;
                 },
                 {{"fork", "fork, exit, wait", 2.0, [] { return fork_microseconds([] {}); }}}};
  };
  return {"crash_replacement", "us", Better::lower, scale.rounds(31), set_up};
}

void one_millisecond() {
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(1);
  while (std::chrono::steady_clock::now() < until) continue;
}

/// Kills a worker every 100 ms until it goes.
class Killer {
 public:
  explicit Killer(procpool::Pool& pool)
      : thread_([&pool, this](std::stop_token stop) {
          std::unique_lock lock(mutex_);
          while (
              !wake_.wait_for(lock, stop, std::chrono::milliseconds(100), [] { return false; })) {
            if (stop.stop_requested()) return;
            const auto pids = pool.pids();
            if (!pids.empty()) kill(pids[next_++ % pids.size()], SIGKILL);
          }
        }) {}

 private:
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::size_t next_ = 0;
  std::jthread thread_;
};

double tasks_each_second(procpool::Pool& pool, int count) {
  const double time = seconds([&] {
    std::vector<procpool::Future<void>> futures;
    for (int i = 0; i != count; ++i) futures.push_back(pool.submit(one_millisecond));
    for (const auto& future : futures) future.wait();
  });
  return count / time;
}

Contest under_kills(const Scale& scale) {
  const auto set_up = [scale] {
    const int count = scale.amount(2000);
    return Sides{[pool = std::make_shared<procpool::Pool>(2), count] {
                   const Killer killer(*pool);
                   return tasks_each_second(*pool, count);
                 },
                 {{"calm", "the same without kills", 0.9,
                   [pool = std::make_shared<procpool::Pool>(2), count] {
                     return tasks_each_second(*pool, count);
                   }}}};
  };
  return {"throughput_under_kills", "tasks/s", Better::higher, scale.rounds(5), set_up};
}

std::shared_ptr<procpool::Pool> pool_with(bool crash_handlers) {
  procpool::PoolOptions options;
  options.processes = 1;
  options.crash_handlers = crash_handlers;
  return std::make_shared<procpool::Pool>(options);
}

double calls_each_second(procpool::Pool& pool, int count) {
  const double time = seconds([&] {
    std::vector<procpool::Future<void>> futures;
    for (int i = 0; i != count; ++i) futures.push_back(pool.submit(no_op));
    for (const auto& future : futures) future.wait();
  });
  return count / time;
}

Contest cost(const Scale& scale) {
  const auto set_up = [scale] {
    const int count = scale.amount(200'000);
    return Sides{[pool = pool_with(true), count] { return calls_each_second(*pool, count); },
                 {{"without", "PoolOptions::crash_handlers false", 0.98,
                   [pool = pool_with(false), count] { return calls_each_second(*pool, count); }}}};
  };
  return {"crash_handlers", "tasks/s", Better::higher, scale.rounds(15), set_up};
}

}  // namespace

std::vector<Contest> crashes(const Scale& scale) {
  return {to_exception(scale), to_exception_dumping(scale), replacement(scale), under_kills(scale),
          cost(scale)};
}

}  // namespace bench
