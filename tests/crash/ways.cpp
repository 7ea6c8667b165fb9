#include "crash/ways.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <exception>
#include <iterator>
#include <stdexcept>

#include "crash/room.hpp"

// A signal is what these tests are about: a sanitizer that turns it into an exit would hide it.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define PROCPOOL_LEAVE_SIGNALS                                                             \
  "handle_segv=0:handle_sigbus=0:handle_sigill=0:handle_sigfpe=0:handle_abort=0:"          \
  "abort_on_error=1:die_after_fork=0"
extern "C" const char* __asan_default_options() { return PROCPOOL_LEAVE_SIGNALS; }
extern "C" const char* __tsan_default_options() { return PROCPOOL_LEAVE_SIGNALS; }
#endif

namespace procpool::test {
namespace {

constexpr int exit_thread_ended = 114;  // channel/worker_end.hpp

void limit(__rlimit_resource what, rlim_t most) {
  rlimit now{};
  getrlimit(what, &now);
  now.rlim_cur = std::min(now.rlim_max, most);
  setrlimit(what, &now);
}

// Ends only if the stack does not.
[[gnu::noinline]] int recurse(volatile char* above, int levels) {
  volatile char here[1024];
  here[0] = above[0];
  const int below = levels == 0 ? 0 : recurse(here, levels - 1);
  return below + here[0];
}

void overflow_stack() {
  limit(RLIMIT_STACK, 1 << 20);  // of the first thread, which grows until then
  volatile char first = 1;
  recurse(&first, 1 << 20);
}

void touch_forbidden() {
  void* const page = mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  *static_cast<volatile char*>(page) = 1;
}

void touch_beyond_end() {
  const int empty = memfd_create("empty", MFD_CLOEXEC);
  void* const page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, empty, 0);
  *static_cast<volatile char*>(page) = 1;
}

void free_wildly() {
  alignas(64) static char bytes[256];
  void* volatile nobodys = bytes + 72;
  std::free(nobodys);
}

// Twice, as daemons do; the last one returns into the task.
void daemonise() {
  if (fork() != 0) _exit(0);
  setsid();
  if (fork() != 0) _exit(0);
}

void wait_to_be_killed(const std::string& room) {
  report(room, getpid());
  for (;;) pause();
}

}  // namespace

void die(Way way, const std::string& room) {
  limit(RLIMIT_CORE, 0);
  switch (way) {
    case Way::throw_error: throw std::out_of_range("thrown on purpose");
    case Way::exit_3: std::exit(3);
    case Way::exit_at_once_3: _exit(3);
    case Way::abort: std::abort();
    case Way::quick_exit_3: std::quick_exit(3);
    case Way::exit_thread: pthread_exit(nullptr);
    case Way::fork_and_return: static_cast<void>(fork()); return;
    case Way::daemonise: return daemonise();
    case Way::close_descriptors: syscall(SYS_close_range, 3U, ~0U, 0U); return;
    case Way::bad_access: return touch_forbidden();
    case Way::bus_error: return touch_beyond_end();
    case Way::bad_instruction: __builtin_trap();
    case Way::bad_arithmetic: raise(SIGFPE); return;
    case Way::stack_overflow: return overflow_stack();
    case Way::terminate: std::terminate();
    case Way::wild_free: return free_wildly();
    case Way::killed_from_outside: return wait_to_be_killed(room);
    case Way::count: return;
  }
}

namespace {

struct Row {
  Way way;
  const char* name;
  Ending in_task;
  bool survives_in_thread = false;
};

using enum Ending::Kind;

constexpr Row rows[] = {
    {Way::throw_error, "throw", {error}},
    {Way::exit_3, "exit", {exit_code, 3}},
    {Way::exit_at_once_3, "exit_at_once", {exit_code, 3}},
    {Way::abort, "abort", {signal, SIGABRT}},
    {Way::quick_exit_3, "quick_exit", {exit_code, 3}},
    // Another thread may end: the one that runs tasks goes on.
    {Way::exit_thread, "pthread_exit", {exit_code, exit_thread_ended}, true},
    // The copy dies when it wants to answer; the original's answer stands.
    {Way::fork_and_return, "fork_and_return", {value}, true},
    {Way::daemonise, "daemonise", {exit_code, 0}},
    // The answer lies in memory before a descriptor is needed to ring.
    {Way::close_descriptors, "close_descriptors", {value}, true},
    {Way::bad_access, "SIGSEGV", {signal, SIGSEGV}},
    {Way::bus_error, "SIGBUS", {signal, SIGBUS}},
    {Way::bad_instruction, "SIGILL", {signal, SIGILL}},
    {Way::bad_arithmetic, "SIGFPE", {signal, SIGFPE}},
    {Way::stack_overflow, "stack_overflow", {signal, SIGSEGV}},
    {Way::terminate, "terminate", {signal, SIGABRT}},
    {Way::wild_free, "wild_free", {signal, SIGABRT}},
    {Way::killed_from_outside, "SIGKILL", {signal, SIGKILL}},
};
static_assert(std::size(rows) == static_cast<std::size_t>(Way::count));

const Row& row(Way way) { return rows[static_cast<std::size_t>(way)]; }

std::string crash_text(const char* what, std::optional<int> number, const WorkerCrashed& crash) {
  std::string text = std::string(what) + " " + std::to_string(number.value_or(-1));
  text += " of worker " + std::to_string(crash.pid());
  if (crash.attempt() != 1) text += ", attempt " + std::to_string(crash.attempt());
  if (!crash.started()) text += ", not started";
  return text;
}

}  // namespace

const char* name_of(Way way) { return row(way).name; }
Ending ending_in_task(Way way) { return row(way).in_task; }
bool survives_in_thread(Way way) { return row(way).survives_in_thread; }

std::string describe(const Ending& ending, pid_t worker) {
  const std::string of = " " + std::to_string(ending.number) + " of worker " +
                         std::to_string(worker);
  switch (ending.kind) {
    case Ending::Kind::error: return "std::out_of_range: thrown on purpose";
    case Ending::Kind::encoding_error: return "EncodingError around: thrown on purpose";
    case Ending::Kind::signal: return "signal" + of;
    case Ending::Kind::exit_code: return "exit code" + of;
    default: return "value " + std::to_string(ending.number);
  }
}

std::string ending_of(const Future<int>& future) {
  try {
    return "value " + std::to_string(future.get());
  } catch (...) {
    return ending_of_current_exception();
  }
}

std::string ending_of_current_exception() {
  try {
    throw;
  } catch (const WorkerCrashed& crash) {
    if (crash.signal()) return crash_text("signal", crash.signal(), crash);
    if (crash.exit_code()) return crash_text("exit code", crash.exit_code(), crash);
    return crash_text("unknown end", {}, crash);
  } catch (const EncodingError& error) {
    const bool ours = std::string_view(error.what()).ends_with("thrown on purpose");
    return std::string("EncodingError around: ") + (ours ? "thrown on purpose" : error.what());
  } catch (const std::out_of_range& thrown) {
    return std::string("std::out_of_range: ") + thrown.what();
  } catch (const std::exception& other) {
    return std::string("another error: ") + other.what();
  }
}

const char* name_of(StartMethod method) {
  switch (method) {
    case StartMethod::fork: return "fork";
    case StartMethod::spawn: return "spawn";
    default: return "forkserver";
  }
}

}  // namespace procpool::test
