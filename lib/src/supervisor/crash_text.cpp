#include "supervisor/crash_text.hpp"

#include <csignal>
#include <cstdio>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <procpool/detail/lazy_text.hpp>

#include "channel/worker_end.hpp"
#include "os/call_filter.hpp"
#include "os/limits.hpp"
#include "os/stack.hpp"
#include "os/stack_text.hpp"
#include "os/symbols.hpp"
#include "supervisor/foreign_text.hpp"

namespace procpool::inline v0::supervisor {

namespace {

using shm::LastWords;

struct Meaning {
  int signal;
  int code;
  const char* text;
};

constexpr Meaning meanings[] = {
    {SIGSEGV, SEGV_MAPERR, "no memory is mapped there"},
    {SIGSEGV, SEGV_ACCERR, "that memory must not be accessed so"},
    {SIGSEGV, 128, "an address that no process can have, which one is not told"},  // SI_KERNEL
    {SIGBUS, BUS_ADRALN, "the address is not aligned"},
    {SIGBUS, BUS_ADRERR,
     "nothing is behind that memory: the file is shorter than its mapping, or "
     "there is no memory left"},
    {SIGBUS, BUS_OBJERR, "the hardware reports an error"},
    {SIGILL, ILL_ILLOPC, "no such instruction"},
    {SIGILL, ILL_ILLOPN, "an instruction with an operand that it cannot have"},
    {SIGILL, ILL_PRVOPC, "an instruction that only the kernel may execute"},
    {SIGFPE, FPE_INTDIV, "an integer was divided by zero, or the quotient does not fit"},
    {SIGFPE, FPE_INTOVF, "an integer overflowed"},
    {SIGFPE, FPE_FLTDIV, "a floating-point number was divided by zero"},
    {SIGFPE, FPE_FLTINV, "an invalid floating-point operation"},
    {SIGTRAP, TRAP_BRKPT, "a breakpoint"},
    {SIGSYS, 1, "a system call that is not allowed"},  // SYS_SECCOMP
};

std::string hexadecimal(std::uint64_t number) {
  char text[2 + 16 + 1];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(number));
  return text;
}

bool is_about_memory(int signal) { return signal == SIGSEGV || signal == SIGBUS; }

std::string signal_text(const LastWords& words, pid_t worker) {
  std::string text = os::signal_name(words.signal) + " (" + std::to_string(words.signal) + ")";
  if (words.code <= 0) {
    if (words.sender == worker) return text + ", raised by the process itself";
    return text + ", sent by process " + std::to_string(words.sender);
  }
  for (const Meaning& row : meanings) {
    if (row.signal == words.signal && row.code == words.code) text += std::string(": ") + row.text;
  }
  if (words.signal == SIGSYS) {
    text += "; its number is " + std::to_string(words.call_number);
  } else if (is_about_memory(words.signal) && words.code != 128) {
    text += "; address " + hexadecimal(words.address);
    if (words.address < 4096)
      text += words.address == 0 ? " (the null pointer)" : " (near the null pointer)";
  }
  return text + "; instruction at " + hexadecimal(words.instruction);
}

std::string own_words(const LastWords& words) {
  const std::string said = printable({words.text, words.text_bytes});
  switch (words.ending) {
    case LastWords::called_exit:
      return "exit(" + std::to_string(words.exit_code) + ") was called";
    case LastWords::called_quick_exit:
      return "quick_exit was called";
    case LastWords::thread_ended:
      return "the task ended the thread that runs tasks (pthread_exit)";
    case LastWords::terminated: {
      if (words.type_bytes == 0)
        return "std::terminate was called, and no exception was handled then";
      const std::string name(words.type, words.type_bytes);
      return "std::terminate was called for an exception of type " +
             printable(os::demangle(name.c_str())) + (said.empty() ? "" : ": " + said);
    }
    default:
      return said.empty() ? "" : "the C library said: " + said;
  }
}

std::string use_text(const CrashReport& report) {
  char text[96];
  const double mebibytes = static_cast<double>(report.peak_memory_bytes) / (1 << 20);
  const double seconds = std::chrono::duration<double>(report.cpu_time).count();
  if (report.peak_memory_bytes == 0) {
    std::snprintf(text, sizeof text, "%.3f s of processor time", seconds);
  } else {
    std::snprintf(text, sizeof text, "%.1f MiB of memory at most, %.3f s of processor time",
                  mebibytes, seconds);
  }
  return text;
}

/// Who ended it, where its signal alone does not say.
std::string killer_text(const Worker& worker, const CrashReport& report) {
  if (report.signal == SIGKILL && !worker.killed) {
    return worker.oom ? "the kernel's out-of-memory killer ended it: its count of such kills grew"
                      : "not by this pool, and the kernel counts no kill for want of memory";
  }
  if (report.exit_code == channel::exit_unreachable) {
    return "so a worker ends that cannot reach its pool: descriptors that were not the task's own "
           "were closed";
  }
  const bool said = worker.last_words && worker.last_words->ending != LastWords::unsaid;
  if (report.exit_code && !said && report.exit_code != channel::exit_not_started) {
    return "without exit(): _exit was called, or another program was executed";
  }
  return {};
}

std::span<const std::byte> stack_of(const LastWords& words) {
  return std::span(words.stack).first(words.stack_bytes);
}

/// "module+0x12ab", innermost first, a line each.
std::string places(std::span<const std::byte> bytes) {
  std::string text;
  const auto stack = os::read_stack(bytes);
  if (!stack) return text;
  for (const os::Stack::Frame& frame : stack->frames) {
    if (!text.empty()) text += '\n';
    if (frame.module < stack->modules.size()) {
      const std::string& path = stack->modules[frame.module].path;
      text += printable(path.substr(path.rfind('/') + 1)) + "+";
    }
    text += hexadecimal(frame.offset);
  }
  return text;
}

void add_line(std::string& text, const char* title, const std::string& line) {
  if (!line.empty()) text += std::string("\n  ") + title + line;
}

void take_words(CrashReport& report, const LastWords& words) {
  report.peak_memory_bytes = words.peak_memory;
  report.cpu_time = std::chrono::nanoseconds(static_cast<std::int64_t>(words.cpu_time));
  if (words.signal == 0 || report.signal != words.signal) return;
  report.signal_code = words.code;
  report.address = words.address;
}

}  // namespace

std::string ending(const os::ExitStatus& status) {
  switch (status.how) {
    case os::ExitStatus::How::signaled:
      return "was killed by " + os::signal_name(status.value);
    case os::ExitStatus::How::exited:
      return "exited with code " + std::to_string(status.value);
    default:
      return "ended; how is unknown (the template process was lost, or the host program reaped it)";
  }
}

std::string ending(const Worker& worker, const os::ResourceLimits& limits) {
  const os::ExitStatus status = worker.status.value_or(os::ExitStatus{});
  const bool said = !worker.status && worker.last_words;
  const bool killed = status.how == os::ExitStatus::How::signaled;
  const int signal = said ? worker.last_words->signal : killed ? status.value : 0;
  std::string text = said ? "was killed by " + os::signal_name(signal) : ending(status);
  if (signal == SIGXCPU && limits.cpu_seconds != os::unlimited) {
    text += ", for it had used the " + std::to_string(limits.cpu_seconds) +
            " s of CPU time that PoolOptions::limits allows,";
  }
  if (signal == SIGKILL && !worker.killed && limits.cpu_seconds != os::unlimited) {
    text += " (as the kernel does a second after the " + std::to_string(limits.cpu_seconds) +
            " s of CPU time that PoolOptions::limits allows, if SIGXCPU is blocked)";
  }
  if (signal == SIGSYS && worker.last_words && worker.last_words->signal == SIGSYS) {
    text += ", for its sandbox does not allow the system call " +
            os::call_name(static_cast<int>(worker.last_words->call_number)) + ",";
  }
  if (status.how == os::ExitStatus::How::exited && limits.memory != os::unlimited &&
      status.value == channel::exit_not_started) {
    text += ", for which " + std::to_string(limits.memory) +
            " bytes of memory (PoolOptions::limits) may be too little,";
  }
  return text;
}

namespace {

CrashReport report_of(const Worker& worker, const os::ResourceLimits& limits,
                      const std::string& what) {
  CrashReport report;
  report.pid = worker.pid;
  const os::ExitStatus status = worker.status.value_or(os::ExitStatus{});
  const auto& words = worker.last_words;
  if (status.how == os::ExitStatus::How::signaled) report.signal = status.value;
  if (status.how == os::ExitStatus::How::exited) report.exit_code = status.value;
  if (!worker.status && words) report.signal = words->signal;
  report.peak_memory_bytes = status.peak_memory;
  report.cpu_time = std::chrono::nanoseconds(static_cast<std::int64_t>(status.cpu_time));
  if (words) take_words(report, *words);
  if (words) report.backtrace = places(stack_of(*words));
  report.last_stderr = printable(worker.end.last_stderr());
  std::string& text = report.text;
  text = "worker " + std::to_string(worker.pid) + " " + ending(worker, limits) + " while it " + what;
  if (!worker.violation.empty()) text += "; protocol violation: " + worker.violation;
  if (words && words->signal != 0 && report.signal == words->signal) {
    add_line(text, "signal: ", signal_text(*words, worker.pid));
    if ((words->flags & LastWords::stack_overflow) != 0) {
      add_line(text, "cause: ", "the stack overflowed");
    }
    if ((words->flags & LastWords::crashed_twice) != 0) {
      add_line(text, "", "it crashed again while it told of that: what is said here is not all");
    }
  }
  if (words) add_line(text, "cause: ", own_words(*words));
  add_line(text, "cause: ", killer_text(worker, report));
  if (!report.last_stderr.empty()) text += "\n  stderr:" + indented(report.last_stderr);
  if (report.cpu_time.count() != 0) add_line(text, "used: ", use_text(report));
  return report;
}

}  // namespace

std::exception_ptr crash_error(const Worker& worker, const os::ResourceLimits& limits,
                               const std::string& what, unsigned attempt) {
  CrashReport report = report_of(worker, limits, what);
  report.attempt = attempt;
  if (report.backtrace.empty()) return std::make_exception_ptr(WorkerCrashed(std::move(report)));
  const auto bytes = stack_of(*worker.last_words);
  detail::LazyText stack(
      [bytes = std::vector(bytes.begin(), bytes.end())] { return os::stack_text(bytes); });
  detail::LazyText text([head = report.text, stack] {
    return stack.text().empty() ? head : head + "\n  stack:" + indented(stack.text());
  });
  return std::make_exception_ptr(
      WorkerCrashed(std::move(report), std::move(text), std::move(stack)));
}

}  // namespace procpool::inline v0::supervisor
