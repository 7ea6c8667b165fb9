#pragma once

/// @file
/// What can go wrong. Every class here derives directly from Error, none from another, and none is
/// final. A task's own exception is not among them: it comes home as its own type.
///
/// An exception that came from a task carries a RemoteTraceback as the innermost link of its chain
/// of nested exceptions (see std::rethrow_if_nested); trace() reads it. So `catch (const E&)` works
/// as if the task had run here, while `typeid` shows a type derived from E. Types that cannot be
/// derived from come home without the trace: Future::remote_traceback() has it in every case.

#include <procpool/detail/exception_type.hpp>
#include <procpool/detail/lazy_text.hpp>

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace procpool::inline v0 {

/// The base of this library's errors.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The task threw something whose type is not known here: not a standard exception, and not
/// registered by register_exception. `throw 42` arrives as a RemoteError of type "int".
class RemoteError : public Error {
 public:
  /// \private Made by the library.
  RemoteError(std::string type_name, std::string message);

  /// The demangled name of the type that was thrown.
  const std::string& type_name() const noexcept { return type_name_; }
  /// What its what() said, or the thrown value itself where that can be told.
  const std::string& message() const noexcept { return message_; }

 private:
  std::string type_name_;
  std::string message_;
};

/// Where in a worker an exception was thrown: the functions from the one that threw out to the
/// task's, each with file and line where debug information is there (else module and offset), then
/// the task and the worker. An exception that was caught in the task and thrown again, by `throw;`
/// or by std::rethrow_exception, shows where it was thrown again. Nested in what came from a task;
/// never thrown alone.
class RemoteTraceback : public Error {
 public:
  using Error::Error;
  /// \private Made by the library.
  explicit RemoteTraceback(detail::LazyText text) : Error(""), text_(std::move(text)) {}

  /// Composed by the first call, which reads debug information. Any thread may ask.
  const char* what() const noexcept override {
    return text_ ? text_.text().c_str() : Error::what();
  }

 private:
  detail::LazyText text_;
};

/// What is known about a worker's death: what WorkerCrashed tells.
struct CrashReport {
  std::optional<int> signal = {};          ///< the signal that killed it
  std::optional<int> exit_code = {};       ///< the status it exited with
  pid_t pid = 0;                           ///< the worker's process
  unsigned attempt = 0;                    ///< the attempt that ended so, from 1
  bool started = true;                     ///< had the task begun to run?
  std::string text = {};                   ///< all but the stack in words: how what() begins
  int signal_code = 0;                     ///< siginfo's si_code of the signal; 0: not known
  std::uintptr_t address = 0;              ///< what a fault was about (si_addr); 0: none, or null
  std::string backtrace = {};              ///< the worker's stack: "module+offset", a frame a line
  std::string last_stderr = {};            ///< the end of what the worker wrote to stderr
  std::size_t peak_memory_bytes = 0;       ///< the most memory it had resident; 0: not known
  std::chrono::nanoseconds cpu_time = {};  ///< what it used, user and system
  std::filesystem::path capsule = {};      ///< to run the task again; empty: none was written
};

/// The worker process died while it had the task: a signal, an exit, a broken protocol. Only this
/// task hears of it. Neither signal() nor exit_code() is set when the status could not be learnt.
class WorkerCrashed : public Error {
 public:
  /// \private Made by the library.
  explicit WorkerCrashed(CrashReport report) : Error(report.text), report_(std::move(report)) {}
  /// \private The same, with what takes long to say: what(), and the stack with its names.
  WorkerCrashed(CrashReport report, detail::LazyText text, detail::LazyText stack)
      : Error(report.text),
        report_(std::move(report)),
        text_(std::move(text)),
        stack_(std::move(stack)) {}

  /// All of it, as a report on a bug would say it, the stack included: composed by the first call,
  /// which reads debug information. Any thread may ask.
  const char* what() const noexcept override {
    return text_ ? text_.text().c_str() : Error::what();
  }

  /// The signal that killed the worker, if one did.
  std::optional<int> signal() const noexcept { return report_.signal; }
  /// The status that the worker exited with, if it did.
  std::optional<int> exit_code() const noexcept { return report_.exit_code; }
  /// The worker's process, which is gone: the number may be another's by now.
  pid_t pid() const noexcept { return report_.pid; }
  /// The attempt that ended so, from 1; see TaskOptions::retries.
  unsigned attempt() const noexcept { return report_.attempt; }
  /// False: the task had not begun, so that running it again repeats nothing.
  bool started() const noexcept { return report_.started; }
  /// What a fault was about: the address that could not be read, written or executed. 0: none, or
  /// the null pointer; what() says which.
  std::uintptr_t address() const noexcept { return report_.address; }
  /// The worker's stack when it died, innermost first, a frame a line: function, file and line
  /// where debug information is there, else module and offset. Empty where there was no time to
  /// take it (SIGKILL) or nothing to take (an exit).
  const std::string& backtrace() const noexcept {
    return stack_ ? stack_.text() : report_.backtrace;
  }
  /// The last lines that the worker wrote to stderr through std::cerr and std::clog, of this task and of
  /// those before it: up to 4 KiB.
  const std::string& last_stderr() const noexcept { return report_.last_stderr; }
  /// The most memory that the worker had resident, in bytes; 0: not known.
  std::size_t peak_memory_bytes() const noexcept { return report_.peak_memory_bytes; }
  /// The file to run the task again with; empty without PoolOptions::capsule_dir.
  const std::filesystem::path& capsule() const noexcept { return report_.capsule; }
  /// All of it.
  const CrashReport& report() const noexcept { return report_; }

 private:
  CrashReport report_;
  detail::LazyText text_;   // none: the base has it
  detail::LazyText stack_;  // none: the report has it
};

/// The task ran longer than TaskOptions::timeout and was stopped.
class TaskTimeout : public Error {
 public:
  using Error::Error;
};

/// The wait ended; the task goes on.
class TimeoutError : public Error {
 public:
  using Error::Error;
};

/// The task was cancelled.
class Cancelled : public Error {
 public:
  using Error::Error;
};

/// The pool takes no more tasks.
class PoolClosed : public Error {
 public:
  using Error::Error;
};

/// The pool was terminated before the task was done.
class PoolTerminated : public Error {
 public:
  using Error::Error;
};

/// Workers cannot be started; the text says why.
class PoolBroken : public Error {
 public:
  using Error::Error;
};

/// A value could not be turned into bytes.
class EncodingError : public Error {
 public:
  using Error::Error;
};

/// Bytes could not be turned into a value.
class DecodingError : public Error {
 public:
  using Error::Error;
};

/// The worker has no such task.
class UnknownTask : public Error {
 public:
  using Error::Error;
};

/// Whoever held this lock, permit or the like died with it. Thrown to one who wants it: that one
/// does not hold it now, what it protects may be half changed, and the next attempt may succeed.
class OwnerDied : public Error {
 public:
  using Error::Error;
};

/// The queue was closed, or the pipe's other end is gone.
class QueueClosed : public Error {
 public:
  using Error::Error;
};

/// The barrier was aborted, reset while somebody waited, or one who waited timed out or died.
class BrokenBarrier : public Error {
 public:
  using Error::Error;
};

/// The library was used in a way it does not allow; the text says what to write instead.
class Misuse : public Error {
 public:
  using Error::Error;
};

/// The remote traceback nested in `error`; empty if there is none. Valid while `error` lives.
std::string_view trace(const std::exception& error);

/// Lets exceptions of type E come home as themselves, with all their fields. To be called before
/// init, normally at namespace scope:
///
///     static const bool my_error = procpool::register_exception<MyError>();
///
/// E is copyable, has cereal's `serialize` (or is a plain struct, or a number), and is
/// default-constructible or has cereal's `load_and_construct`. The text of a class derived from
/// std::runtime_error or std::logic_error travels by itself. A class derived from E is another type
/// and wants its own registration. Throws Misuse after init.
template <class E>
bool register_exception() {
  static_assert(std::is_same_v<E, std::remove_cvref_t<E>>,
                "register_exception<E>: E is written without const and &");
  static_assert(detail::built_by_construct<E> || detail::archive_can_carry<E>,
                "register_exception<E>: give E a default constructor and "
                "`template <class A> void serialize(A& ar) { ar(member, ...); }`");
  static_assert(std::copy_constructible<E>, "register_exception<E>: E must be copyable");
  detail::add_exception_type(detail::Registered<E>::node, detail::Registered<E>::added);
  return true;
}

}  // namespace procpool::inline v0
