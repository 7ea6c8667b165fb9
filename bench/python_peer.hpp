#pragma once

// One of Python's pools as a peer (peers/pool_peer.py): a process of its own that is asked for one
// sample after another, so that its rounds and ours take turns.

#include <sys/types.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "bench/contest.hpp"

namespace bench {

class PythonPeer {
 public:
  /// Null where there is no python3, or it has no such package.
  static std::shared_ptr<PythonPeer> start(const std::string& kind, int workers);
  PythonPeer(const PythonPeer&) = delete;
  PythonPeer& operator=(const PythonPeer&) = delete;
  ~PythonPeer();

  /// Seconds that one request takes. Throws std::runtime_error when the process has ended.
  double seconds(const std::string& request);

 private:
  PythonPeer(pid_t pid, std::FILE* to, std::FILE* from) : pid_(pid), to_(to), from_(from) {}
  std::string line();

  pid_t pid_;
  std::FILE* to_;
  std::FILE* from_;
};

/// A pool of Python's that a row is compared with.
struct PythonKind {
  const char* kind;
  const char* name;
};
inline constexpr PythonKind python_pool{"pool", "multiprocessing.Pool"};
inline constexpr PythonKind python_executor{"executor", "ProcessPoolExecutor"};
inline constexpr PythonKind python_kinds[] = {
    python_pool,          python_executor,           {"joblib", "joblib"},
    {"pebble", "pebble"}, {"mpi", "mpi4py.futures"}, {"dask", "Dask distributed"}};

/// Adds the peer to the sides if it is there. `figure` makes the row's unit of seconds.
void add_python(Sides& sides, const PythonKind& kind, int workers, const std::string& request,
                std::optional<double> goal, std::function<double(double)> figure);

}  // namespace bench
