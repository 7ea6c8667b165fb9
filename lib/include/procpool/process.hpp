#pragma once

/// \file
/// One callable in one process of its own. Python: multiprocessing.Process (3.12).
///
///     procpool::Process child(render, "frame.png");
///     child.start();
///     child.join();
///     return child.exit_code() == 0 ? 0 : 1;
///
/// For many calls a Pool is cheaper: its processes are used again, and results and exceptions come
/// home.

#include <sys/types.h>

#include <chrono>
#include <concepts>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <procpool/detail/process_call.hpp>
#include <procpool/detail/refusal.hpp>
#include <procpool/detail/time.hpp>
#include <procpool/options.hpp>
#include <procpool/task.hpp>

namespace procpool::inline v0 {

/// How a Process is made. Every field has a default, and fields are only ever added at the end.
struct ProcessOptions {
  /// For messages, and for ps and top (whose names end after 15 bytes). Empty: "Process-1", "Process-2"
  /// and so on, as they are made.
  std::string name = {};
  /// `forkserver`: a fork of one single-threaded template process, which the first such Process of the
  /// program starts and all later ones share; it is made anew when it was lost. `fork`: a fork of this
  /// program as it is at `start`, with the caller's thread only. `spawn`: a fresh execution.
  StartMethod start_method = StartMethod::forkserver;
  /// Not worth waiting for: the destructor ends it (as if an exception were unwinding) instead of
  /// waiting. Python's daemons, but these may have children of their own.
  bool daemon = false;
};

/// A process that runs `f(args...)` and ends.
///
/// **What travels** is what travels to a pool's worker (task.hpp): copies, taken when the Process is
/// made; the same is refused at compile time. Handles of shared.hpp are among it, as in Python; what
/// they refer to lives until the child has them. What `f` returns is dropped and may be anything.
///
/// **In the child.** It leads a process group of its own, reads /dev/null as stdin, ignores SIGINT and
/// SIGPIPE; other signals do what they do by default. So Ctrl-C reaches the program only, while in
/// Python it reaches the children as well; stop them by `terminate`. in_worker() is true there. It may
/// make pools and Processes of its own. When `f` returns, stdio is flushed and the process ends; static
/// destructors and other threads do not run on. What it started and left behind in its group ends with
/// it (under `fork` and `spawn` when this object notices the end).
///
/// **Nobody survives the program.** However this process ends, SIGKILL included, the kernel kills the
/// child and its group.
///
/// **Threads.** Every member may be called from any thread; moving and destroying need care as with any
/// object. In a process that a fork copied, the object is inert: every member but `name` throws Misuse,
/// and the destructor does nothing. So do the members of a moved-from Process.
class Process {
 public:
  ///@{

  /// Encodes the call; starts nothing. Throws EncodingError when an argument cannot be encoded, Misuse
  /// for a null function pointer.
  template <class F, class... Args>
    requires(!std::same_as<std::remove_cvref_t<F>, ProcessOptions> &&
             !std::same_as<std::remove_cvref_t<F>, Process>)
  explicit Process(F&& f, Args&&... args)
      : Process(ProcessOptions{}, call_of<F, Args...>(f, args...)) {}
  template <class F, class... Args>
  explicit Process(ProcessOptions options, F&& f, Args&&... args)
      : Process(std::move(options), call_of<F, Args...>(f, args...)) {}
  ///@}
  ///@{

  /// Moving takes the child along. Assigning swaps the two: the one that was assigned over lives on in
  /// `other` until that is destroyed.
  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;
  ///@}
  /// Waits for the child's end, as std::jthread does and Python at its exit. While an exception
  /// unwinds, and for a daemon: SIGTERM, and SIGKILL if it is still there after 3 seconds.
  ~Process();

  /// Starts the child; once. Misuse: it was started before; `init` was not called in main, where the
  /// start method needs it. PoolBroken: the process cannot be started, and why; then it may be tried
  /// again.
  void start();

  /// Waits until the child has ended. May be repeated. Misuse before `start`.
  void join();
  /// The same for at most `d` (zero or negative: looks once); false: it was still running.
  template <class Rep, class Period>
  [[nodiscard]] bool join_for(std::chrono::duration<Rep, Period> d) {
    return join_until(detail::time_after(d));
  }
  /// Whether it runs. False before `start` and once the child has ended.
  [[nodiscard]] bool is_alive() const;
  /// Empty before `start` and while it runs. 0: `f` returned. 1: it threw, and stderr got the text.
  /// n: it called exit(n). −n: signal n ended it. 115: it could not begin; stderr says why. 255: nobody
  /// knows any more, because this program ignores SIGCHLD or waits for any child, or because the template
  /// process was killed, on a kernel before Linux 6.15.
  [[nodiscard]] std::optional<int> exit_code() const;
  /// Sends SIGTERM. Nothing happens to a child that has ended. Misuse before `start`.
  void terminate();
  /// The same with SIGKILL.
  void kill();
  /// A descriptor (a pidfd) that poll, epoll and Asio find readable once the child has ended. Belongs
  /// to this object; not to be read or closed. Misuse before `start`.
  [[nodiscard]] int sentinel() const;
  /// ProcessOptions::name, or "Process-1" and so on. Valid while this object lives.
  [[nodiscard]] const std::string& name() const;
  /// The child's process. Misuse before `start`.
  [[nodiscard]] pid_t pid() const;

 private:
  class State;

  Process(ProcessOptions options, detail::ProcessCall&& call);

  template <class F, class... Args>
  static detail::ProcessCall call_of(const std::remove_reference_t<F>& f,
                                     const std::remove_reference_t<Args>&... args) {
    if constexpr (!detail::check_no_future<Args...>()) {
      return {};
    } else if constexpr (detail::check_sending<F, Args...>()) {
      return detail::make_process_call<std::decay_t<F>, Args...>(f, args...);
    } else {
      return {};
    }
  }
  bool join_until(detail::Time until);
  State& usable() const;

  std::unique_ptr<State> state_;
  int unwinding_ = std::uncaught_exceptions();
};

}  // namespace procpool::inline v0
