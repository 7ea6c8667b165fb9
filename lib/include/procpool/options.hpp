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
#include <stop_token>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <procpool/hook.hpp>

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

/// What runs the tasks. The calls are the same, and so is what can be sent: arguments and results cross
/// as bytes everywhere, and errors come home with a RemoteTraceback, so that code moves between
/// backends unchanged. Only processes protect: elsewhere a task that crashes or exits takes the program
/// with it. What concerns processes only is ignored elsewhere: start_method, worker_executable,
/// max_tasks_per_child, max_memory_growth_bytes, idle_timeout, max_start_failures, inner_threads,
/// capsule_dir.
enum class Backend {
  /// Worker processes: what this library is for.
  process,
  /// Threads of this program (Python: multiprocessing.dummy, ThreadPoolExecutor). A task that is to
  /// stop is asked to (this_task::stop_requested); after CancelOptions::stop_grace one whose time is
  /// over ends with TaskTimeout, and its thread stays busy until it returns. A task that waits,
  /// without a limit, for another one of its own pool runs it itself if nobody else does.
  thread,
  /// Every task runs inside the call that submits it, on the caller's thread, for debuggers and
  /// profilers (joblib: SequentialBackend). `processes` is 1. A call with another pool's futures among
  /// its arguments runs when they are there: on the thread that waits for it, or on the callback
  /// thread.
  sequential,
};

/// What a worker may use, all its tasks together; the kernel's resource limits of its process, see
/// setrlimit(2), set before its initializer runs. A replacement starts from zero. Empty, or more than
/// the program itself may use: as the program has it. Only processes are limited: other backends take no
/// notice.
struct Limits {
  /// Private memory (RLIMIT_DATA; shared memory does not count), in bytes, with what a worker has
  /// before its first task: under `fork` that is what the program has. A task that wants more gets
  /// std::bad_alloc, and its worker lives. Too low: workers cannot start (PoolBroken says how much they
  /// have then); too high: a task that leaks or is tricked takes the machine's memory. 0: Misuse.
  std::optional<std::size_t> memory_bytes = {};
  /// Processor time (RLIMIT_CPU, whole seconds, rounded up). A worker that has used it gets SIGXCPU,
  /// and a second later SIGKILL: WorkerCrashed that says so. Too low: good workers are replaced all
  /// the time; too high: a loop runs for long. Zero or less: Misuse.
  std::optional<Duration> cpu_time = {};
  /// Descriptors that tasks can have open (RLIMIT_NOFILE), beyond those that the worker has when its
  /// initializer runs; a task's handle of shared state is one. Opening more fails with EMFILE. Too low:
  /// libraries fail in odd places; too high: leaks go unnoticed.
  std::optional<unsigned> open_files = {};
  /// Size of a file that a task writes (RLIMIT_FSIZE), in bytes; stdout and stderr count where they
  /// are files. Writing more fails with EFBIG. 0: tasks write no files. Too low: half-written files; too
  /// high: a full disk.
  std::optional<std::size_t> file_bytes = {};
  /// Size of a core dump (RLIMIT_CORE), in bytes. 0: none, not even one that a program takes
  /// (core_pattern). Too high: a crash takes as long as writing the dump does, though its report does
  /// not wait for that.
  std::optional<std::size_t> core_bytes = {};
};

/// What a sandboxed worker may still reach: see PoolOptions::sandbox.
struct Sandbox {
  /// Files and folders that tasks may open for reading, besides what is open already and what the C
  /// library reads late (shared libraries, locales, time zones). Anything else: EACCES. One that is
  /// not there when a worker starts: PoolBroken. Too few: libraries that read their data late fail; too
  /// many: hostile input reads them.
  std::vector<std::filesystem::path> readable = {};
  /// True: a pool whose kernel cannot enforce all of it is PoolBroken. False: it runs with what can be
  /// enforced, and PoolStats::sandbox_gaps names the rest.
  bool strict = false;
};

/// How a pool is made: `Pool pool({.processes = 4, .max_tasks_per_child = 100});`. A value out of range
/// is Misuse, thrown by Pool's constructor, before anything was started.
struct PoolOptions {
  /// Worker processes. Empty: usable_cpus(). Less than 1 or more than 4096: Misuse. Too few: idle
  /// processors; more than processors: memory, and context switches between busy workers.
  std::optional<int> processes = {};
  /// How workers come to be; what the choice costs and what a task sees, StartMethod says.
  StartMethod start_method = StartMethod::forkserver;
  /// What runs the tasks.
  Backend backend = Backend::process;
  /// Runs once in every worker before its first task, replacements included. If it throws or ends
  /// the worker, that counts as a failed start, see max_start_failures. Empty: nothing. (Python:
  /// initializer)
  Hook initializer = {};
  /// Runs once in the template process, before its first fork: what it loads is shared by all
  /// workers, copy on write. Under `spawn`, which has no template, in every worker before the
  /// initializer. Empty: nothing. With handles of shared state among what it binds: Misuse where there
  /// is a template. (Python: set_forkserver_preload)
  Hook preload = {};
  /// Tasks after which a worker is replaced by a fresh one; a chunk of a map counts as one. The
  /// replacement is ready before the old one leaves. 0: never. Too low: a process start per task; too
  /// high: what tasks leak stays. (Python: maxtasksperchild)
  unsigned max_tasks_per_child = 0;
  /// What each worker may use.
  Limits limits = {};
  /// Bytes of arguments of tasks that are not done, above which `submit` waits and `try_submit`
  /// declines; a callback never waits. A task larger than this is taken when nothing else is
  /// pending. 0: unbounded. Too low: workers run dry; too high: memory.
  std::size_t max_pending_bytes = 0;
  /// `spawn` only: the program to execute; it must call `init` first thing in main and contain the
  /// same code (the library's `procpool-worker`, or a build of this program). Empty: this program.
  /// With another start method: Misuse.
  std::filesystem::path worker_executable = {};
  /// Task modules: shared libraries whose tasks are called by name (named.hpp). Each worker loads them
  /// before its initializer; where there is a template process, that does before `preload`. Relative
  /// paths start at the current directory of the moment when the pool is made. One that cannot be
  /// loaded: PoolBroken with the loader's reason. The program that loads them (this one, or
  /// `worker_executable`) is linked with CMake's ENABLE_EXPORTS, or -rdynamic; `procpool-worker` is.
  std::vector<std::filesystem::path> modules = {};
  /// Where to leave a capsule, a small file to run a task again alone, of each task that crashed, timed
  /// out or threw, when no retry is left (of a map: of each such element). The folder is made if it is
  /// not there, and like the files for this user only; a relative path starts at the current directory
  /// of the moment when the pool is made. The file is there when the failure is heard of:
  /// WorkerCrashed::capsule() names it, and so do the last line of a TaskTimeout's text and of the
  /// remote traceback. `program --procpool-replay FILE` runs it again, `--procpool-describe FILE` says
  /// what is in it. At most 100 stay in a folder, the oldest go, and of 16 MiB each: a larger call
  /// leaves one without its arguments. A capsule holds the arguments as they are: what is secret in
  /// them is secret in it. One that cannot be written changes no outcome: one line on stderr. Empty: no
  /// capsules.
  std::filesystem::path capsule_dir = {};
  /// Called on the callback thread with what a callback threw. It changes no outcome. Empty: one
  /// line on stderr.
  std::function<void(std::exception_ptr)> on_callback_error = {};
  /// Bytes of private memory by which a worker may grow, from after its initializer, before it is
  /// replaced as after max_tasks_per_child. Looked at after a task, at most every 100 ms. 0: never.
  /// Too low: a process start per task; too high: leaks stay.
  std::size_t max_memory_growth_bytes = 0;
  /// How long a worker may have nothing to do before it leaves; it is started again when there is
  /// work for it. Empty: workers stay. Less than 1 ms: Misuse. Too low: process starts after every
  /// pause; too high: idle processes keep memory.
  std::optional<Duration> idle_timeout = {};
  /// Starts in a row that may fail before a pool without any running worker is broken. While the
  /// pool is made the first failure is enough. Less than 1: Misuse. Too low: a moment without
  /// memory breaks the pool; too high: it takes long to say that it is broken.
  unsigned max_start_failures = 5;
  /// Threads that libraries inside a task may use: set for workers as OMP_NUM_THREADS,
  /// OPENBLAS_NUM_THREADS, MKL_NUM_THREADS, BLIS_NUM_THREADS, NUMEXPR_NUM_THREADS,
  /// VECLIB_MAXIMUM_THREADS, unless the environment has them. 0: usable_cpus() / processes, at
  /// least 1 (joblib's rule). Negative: left alone. Too low: a task's libraries leave processors idle
  /// when few workers are busy; too high: more threads than processors. `fork`: libraries that have
  /// read their environment already do not look again.
  int inner_threads = 0;
  /// For tasks on input that nobody trusts. After its initializer a worker closes a door behind
  /// itself: from then on it has no privileges and gains none, opens no network, starts no process or
  /// program, signals nobody, and opens no files but for reading those that Sandbox names. What is open
  /// by then stays usable; under `fork` that is what the program had open. Threads are allowed. Needs
  /// no privileges. A system call beyond it is not made, and ends the worker: WorkerCrashed that names
  /// the call. Calls that this C library asks for only where they exist fail with ENOSYS. Another
  /// backend: Misuse, for only processes protect. Empty: no sandbox. (Process has none.)
  std::optional<Sandbox> sandbox = {};
  /// Whether workers handle SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS and SIGTRAP, to say before they
  /// die what WorkerCrashed tells: address, stack, and that before a core dump is written. A handler that
  /// the program had before (from static initialisation or `preload`) is called after that; one that a
  /// task or the initializer sets takes the place of these. Sanitizers keep theirs. false, for code
  /// that is at home with such signals (a virtual machine, another crash reporter): the signal that
  /// killed a worker is known nevertheless.
  bool crash_handlers = true;
};

/// The ladder by which a running task is stopped: its stop token is set; after `stop_grace` its
/// worker gets SIGTERM; after `term_grace` more, SIGKILL. Too short: no time to put things in order;
/// too long: a place is taken by a task that nobody wants. Negative: Misuse.
struct CancelOptions {
  Duration stop_grace = std::chrono::seconds(1);  ///< from the stop token to SIGTERM
  Duration term_grace = std::chrono::seconds(3);  ///< from SIGTERM to SIGKILL
};

/// The exceptions after which a task is tried again: `retry_on<std::system_error, MyError>()`. A
/// class counts for what derives from it.
class RetryOn {
 public:
  /// None.
  RetryOn() = default;
  /// Whether there are none.
  bool empty() const noexcept { return matches_.empty(); }
  /// Whether `error` is of one of the types.
  bool covers(const std::exception_ptr& error) const;

 private:
  template <class... E>
  friend RetryOn retry_on();
  std::vector<bool (*)(const std::exception_ptr&)> matches_;
};

/// What one task may do and cost: `pool.with({.timeout = 5s}).submit(f)`. In a map they hold for each
/// element by itself, whatever the chunks. A value out of range is Misuse, thrown by `with`.
struct TaskOptions {
  /// How long the task may run, from when it really starts; then it is stopped, see CancelOptions,
  /// and ends with TaskTimeout. Per attempt; in a map per element. Empty: no limit. Zero or less:
  /// Misuse. Too low: slow machines lose good tasks; too high: a task that hangs keeps its worker.
  std::optional<Duration> timeout = {};
  /// How often a task that had started is started again after its worker died under it, it timed
  /// out, or threw what `retry_on` names. Per task; in a map per element. 0: the first end stands.
  /// Too high: an input that always kills its worker costs that many workers. A task that had not
  /// started when its worker died is always sent on, and does not count. Only for tasks that may
  /// run twice.
  unsigned retries = 0;
  /// Higher goes first among the tasks that have not started; equal ones in order of submission. 0 is
  /// the middle. Too many urgent ones: the others wait until there are none.
  int priority = 0;
  /// A request cancels the task, as Future::cancel does. Empty: only that does.
  std::stop_token stop = {};
  /// For messages and this_task::name(). At most 65,535 bytes, else Misuse. Empty: messages name its
  /// code.
  std::string name = {};
  /// How long it has, once it is to stop.
  CancelOptions cancel = {};
  /// The exceptions after which it is tried again, as `retries` allows. Empty: none, only crashes and
  /// timeouts.
  RetryOn retry_on = {};
  /// How long the task may run, from when it really starts, before it is reported, and goes on: a log line
  /// and its stack, as if it had said that itself (Future::on_progress); on stderr where nobody listens.
  /// Per attempt; in a map per element. It may come a moment after the task's end: debug information is
  /// read for it. Only worker processes are asked: elsewhere Misuse when the task is submitted. They are
  /// asked by SIGURG, which ends a system call like poll or nanosleep early (EINTR), as signals do; of a
  /// task that blocks or handles it, and where very many are reported at once, there is no stack. Empty: never. Zero or less, or not less than `timeout`:
  /// Misuse. Too low: slow machines report good tasks; too high: a task that hangs is heard of late.
  std::optional<Duration> soft_timeout = {};
};

/// How Pool::shutdown goes. The names and defaults are those of Python's Executor.shutdown (3.9).
struct ShutdownOptions {
  bool wait = true;             ///< until the workers have ended
  bool cancel_futures = false;  ///< what has not started ends with Cancelled
};

/// Elements per chunk of a map: what travels as one call. Made of any integer: 0 is automatic, a negative
/// one is Misuse where the map is called.
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
  /// Implicit, so that `.chunksize = 20` says it.
  template <std::integral I>
    requires(!std::same_as<I, bool>)
  constexpr ChunkSize(I count) : elements_(clamp(count)) {}

  /// \private
  static constexpr ChunkSize python() {
    ChunkSize size(0);
    size.elements_ = python_formula;
    return size;
  }
  /// Whether it is automatic_chunks.
  constexpr bool is_automatic() const { return elements_ == 0; }
  /// Whether it is python_chunks.
  constexpr bool is_python() const { return elements_ == python_formula; }
  /// False: it was made of a negative number.
  constexpr bool is_valid() const { return elements_ != invalid; }
  /// The number it was made of, at least 1; of a size that is none of the above.
  constexpr std::int64_t elements() const { return elements_; }

 private:
  std::int64_t elements_;
};

/// The library chooses, guided by the time that elements have taken so far: large first, small at the
/// tail.
inline constexpr ChunkSize automatic_chunks{0};
/// ceil(n / (4 × workers)), as multiprocessing.Pool.map.
inline constexpr ChunkSize python_chunks = ChunkSize::python();

/// How far a map has come.
struct ProgressReport {
  std::size_t done = 0;   ///< elements that have ended
  std::size_t total = 0;  ///< 0: not known (imap)
  Duration elapsed = {};  ///< since the call
};
/// What MapOptions::progress calls.
using Progress = std::function<void(const ProgressReport&)>;

/// How a map goes about its elements: `pool.map(f, xs, {.chunksize = 20})`, or by Pool::with. A value out
/// of range is Misuse, thrown by the map call.
struct MapOptions {
  /// Elements that travel together; see ChunkSize. Too low: a message per element costs more than tiny
  /// elements do; too high: the last chunk keeps one worker busy while the others wait.
  ChunkSize chunksize = automatic_chunks;
  /// imap, imap_unordered: elements taken from the input ahead of the consumer. 0: 4 × workers
  /// chunks. Too low: workers wait for the consumer; too high: memory. A chunk never exceeds it.
  std::size_t buffersize = 0;
  /// Called as callbacks are, on the callback thread, when elements have ended; reports that would
  /// come faster than it returns are merged, and the last one always comes. Empty: nobody is told.
  Progress progress = {};
  /// Once an element fails, those that have not started are cancelled. `map` then throws the failure
  /// of the lowest index among the elements that ran. (imap: no effect, its consumer can stop.)
  bool fail_fast = false;
};

namespace detail {

template <class E>
bool holds(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const E&) {
    return true;
  } catch (...) {
    return false;
  }
}

}  // namespace detail

/// See RetryOn.
template <class... E>
RetryOn retry_on() {
  static_assert(sizeof...(E) != 0, "retry_on<E...>() wants the exception types to be named");
  RetryOn types;
  types.matches_ = {&detail::holds<E>...};
  return types;
}

inline bool RetryOn::covers(const std::exception_ptr& error) const {
  for (const auto matches : matches_) {
    if (matches(error)) return true;
  }
  return false;
}

}  // namespace procpool::inline v0
