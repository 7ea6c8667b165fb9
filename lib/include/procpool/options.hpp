#pragma once

/// \file
/// Every knob: its default, its unit, and what goes wrong when it is too low or too high.
///
/// Option structs are aggregates, every field has a default, and fields are only ever added at the
/// end, so designated initialisers keep working: `Pool pool({.processes = 4});`

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <limits>
#include <optional>
#include <type_traits>
#include <utility>

namespace procpool::inline v0 {

/// How worker processes come to be. The names are Python's multiprocessing's.
enum class StartMethod {
  /// The program is executed once more, as a single-threaded template process, and every worker is
  /// forked from that. A task sees static initialisation and nothing of what the program has done
  /// since. Cheap (a fork of a small process) and safe in a threaded program. Needs `init`.
  forkserver,
  /// The template is forked from the program as it is when the pool is made: tasks see a snapshot
  /// of the program's memory at that moment. Locks that other threads held then stay locked in
  /// the snapshot for ever, user descriptors stay open. Does not need `init`.
  fork,
  /// Every worker is a fresh execution of the program (or of `worker_executable`). Needs `init`.
  spawn,
};

/// Structs hold nanoseconds; calls take any std::chrono::duration and saturate.
using Duration = std::chrono::nanoseconds;

struct PoolOptions {
  /// Worker processes. Empty: usable_cpus(). Less than 1 or more than 4096: Misuse. Too few: idle
  /// processors; more than processors: memory, and context switches between busy workers.
  std::optional<int> processes = {};
  StartMethod start_method = StartMethod::forkserver;
  /// `spawn` only: the program to execute; it must call `init` first thing in main and contain the
  /// same code (the library's `procpool-worker`, or a build of this program). Empty: this program.
  std::filesystem::path worker_executable = {};
  /// Called on the callback thread with what a callback threw. It changes no outcome. Empty: one
  /// line on stderr.
  std::function<void(std::exception_ptr)> on_callback_error = {};
};

struct TaskOptions {
  /// How often a task that had started is started again after its worker died under it. Per task;
  /// in a map per element. 0: the death is reported at once (WorkerCrashed). Too high: an input that
  /// always kills its worker costs that many workers. A task that had not started when its worker
  /// died is always sent on, and does not count. Only for tasks that may run twice.
  unsigned retries = 0;
};

/// Elements per chunk of a map: what travels as one call. From any integer; negative: Misuse; 0:
/// automatic.
class ChunkSize {
  static constexpr std::int64_t python_formula = -1;
  static constexpr std::int64_t invalid = -2;

  // Above the constructor: clang++ 14 evaluates the constants below before it would define it.
  template <class I>
  static constexpr std::int64_t clamp(I count) {
    if (std::cmp_less(count, 0)) return invalid;
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    return std::cmp_greater(count, most) ? most : static_cast<std::int64_t>(count);
  }

 public:
  template <std::integral I>
    requires(!std::same_as<I, bool>)
  constexpr ChunkSize(I count) : elements_(clamp(count)) {}

  /// \private
  static constexpr ChunkSize python() {
    ChunkSize size(0);
    size.elements_ = python_formula;
    return size;
  }
  constexpr bool is_automatic() const { return elements_ == 0; }
  constexpr bool is_python() const { return elements_ == python_formula; }
  constexpr bool is_valid() const { return elements_ != invalid; }
  constexpr std::int64_t elements() const { return elements_; }

 private:
  std::int64_t elements_;
};

/// The library chooses: small enough that the tail spreads over all workers.
inline constexpr ChunkSize automatic_chunks{0};
/// ceil(n / (4 × workers)), as multiprocessing.Pool.map.
inline constexpr ChunkSize python_chunks = ChunkSize::python();

struct MapOptions {
  /// Too low: a message per element costs more than tiny elements do; too high: the last chunk keeps
  /// one worker busy while the others wait.
  ChunkSize chunksize = automatic_chunks;
  /// imap, imap_unordered: elements taken from the input ahead of the consumer. 0: 4 × workers
  /// chunks. Too low: workers wait for the consumer; too high: memory. A chunk never exceeds it.
  std::size_t buffersize = 0;
};

}  // namespace procpool::inline v0
