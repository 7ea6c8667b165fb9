#include "os/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <sstream>
#include <system_error>

#include "os/error.hpp"
#include "os/signals.hpp"
#include "os/time.hpp"

#include "os/files.hpp"

// Present only where a coverage build links them in.
extern "C" {
__attribute__((weak)) void __gcov_dump();
__attribute__((weak)) int __llvm_profile_write_file();
}

namespace procpool::inline v0::os {
namespace {

constexpr unsigned signal_process_group = 1U << 2;  // PIDFD_SIGNAL_PROCESS_GROUP, Linux 6.9

// struct pidfd_info, PIDFD_INFO_EXIT and PIDFD_GET_INFO of a newer linux/pidfd.h.
struct PidfdInfo {
  std::uint64_t mask;
  std::uint64_t cgroup;
  std::array<std::uint32_t, 11> ids;
  std::int32_t exit_status;  // as wait(2) gives it
};
static_assert(sizeof(PidfdInfo) == 64);
constexpr std::uint64_t exit_known = std::uint64_t{1} << 3;
constexpr unsigned long get_pidfd_info = _IOWR(0xff, 11, PidfdInfo);

// fflush(nullptr) waits for every stream's lock, and a thread that sits in getline(cin) holds
// stdin's: then only the standard output streams are flushed.
void flush_c_streams() noexcept {
  if (::ftrylockfile(stdin) == 0) {
    ::funlockfile(stdin);
    std::fflush(nullptr);
    return;
  }
  std::fflush(stdout);
  std::fflush(stderr);
}

// A stream may be set to throw: what it could not write is lost either way.
void flush_streams() noexcept {
  for (std::ostream* stream : {&std::cout, &std::clog}) {
    try {
      stream->flush();
    } catch (...) {
      continue;
    }
  }
  flush_c_streams();
}

int signal_by_pidfd(int pidfd, int signal, unsigned flags) noexcept {
  return static_cast<int>(::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, flags));
}

// By pidfd where the kernel can: then it is right even if the pid has been reaped and reused.
void kill_group_of(int pidfd, pid_t leader, bool leader_is_ours) noexcept {
  if (signal_by_pidfd(pidfd, SIGKILL, signal_process_group) == 0) return;
  if (leader_is_ours) kill_group(leader);
}

// False: not our child, or somebody else has reaped it.
bool look(int pidfd, siginfo_t& info, rusage& used, int options) noexcept {
  long result = 0;
  do {
    info = siginfo_t{};
    used = rusage{};
    result = ::syscall(SYS_waitid, P_PIDFD, pidfd, &info, WEXITED | WNOHANG | options, &used);
  } while (result != 0 && errno == EINTR);
  return result == 0;
}

// Where the limit on open files is 0, and poll therefore looks at nothing. A process that is not our
// child has exited here once its parent has seen that.
bool has_exited_without_poll(int pidfd) noexcept {
  siginfo_t info{};
  rusage used{};
  if (look(pidfd, info, used, WNOWAIT)) return info.si_pid != 0;
  return signal_by_pidfd(pidfd, 0, 0) != 0 && errno == ESRCH;
}

std::uint64_t nanoseconds(const timeval& time) noexcept {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U +
         static_cast<std::uint64_t>(time.tv_usec) * 1000U;
}

ExitStatus decode(const siginfo_t& info, const rusage& used) noexcept {
  const bool exited = info.si_code == CLD_EXITED;
  return {exited ? ExitStatus::How::exited : ExitStatus::How::signaled, info.si_status,
          info.si_code == CLD_DUMPED, static_cast<std::uint64_t>(used.ru_maxrss) * 1024,
          nanoseconds(used.ru_utime) + nanoseconds(used.ru_stime)};
}

}  // namespace

pid_t this_pid() noexcept { return ::getpid(); }
pid_t this_thread() noexcept { return static_cast<pid_t>(::syscall(SYS_gettid)); }

std::uint64_t started_at(pid_t pid) {
  const auto text = read_file(("/proc/" + std::to_string(pid) + "/stat").c_str());
  const std::size_t name_end = text ? text->rfind(')') : std::string::npos;
  if (name_end == std::string::npos) return 0;
  std::istringstream fields(text->substr(name_end + 1));
  std::string field;
  for (int number = 3; fields >> field && number != 22; ++number) {  // as in proc(5)
    if (number == 3 && (field == "Z" || field == "X")) return 0;
  }
  return std::strtoull(field.c_str(), nullptr, 10);
}

bool on_main_thread() noexcept { return ::gettid() == ::getpid(); }

Fd open_pidfd(pid_t pid) {
  const long fd = ::syscall(SYS_pidfd_open, pid, 0);
  return Fd(static_cast<int>(check(fd, "pidfd_open", std::to_string(pid))));
}

bool has_exited(int pidfd) noexcept {
  pollfd entry{pidfd, POLLIN, 0};
  int ready = 0;
  do {
    ready = ::poll(&entry, 1, 0);
  } while (ready < 0 && errno == EINTR);
  if (ready < 0) return has_exited_without_poll(pidfd);
  return ready > 0 && (entry.revents & POLLIN) != 0;
}

bool wait_for_exit(int pidfd, Deadline until) noexcept {
  pollfd entry{pidfd, POLLIN, 0};
  while (!has_exited(pidfd)) {
    if (until != never && Clock::now() >= until) return false;
    const timespec left = until == never ? timespec{} : remaining(until);
    if (::ppoll(&entry, 1, until == never ? nullptr : &left, nullptr) >= 0 || errno == EINTR) continue;
    constexpr timespec moment{0, 1'000'000};  // see has_exited_without_poll
    ::nanosleep(&moment, nullptr);
  }
  return true;
}

bool send_signal(int pidfd, int signal) noexcept { return signal_by_pidfd(pidfd, signal, 0) == 0; }

void kill_group(pid_t leader) noexcept {
  if (leader > 1) ::kill(-leader, SIGKILL);  // ESRCH: it never became a leader, or all are gone
}

Fd open_child_pidfd(pid_t pid) {
  try {
    return open_pidfd(pid);
  } catch (const std::system_error& error) {
    if (error.code() == std::errc::no_such_process) throw;  // the host reaps: it is gone
    ::kill(pid, SIGKILL);
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) continue;
    throw;
  }
}

std::optional<ExitStatus> reap(int pidfd, pid_t pid) noexcept {
  siginfo_t status{};
  rusage used{};
  if (!look(pidfd, status, used, WNOWAIT)) {
    if (!has_exited(pidfd)) return std::nullopt;
    kill_group_of(pidfd, pid, false);
    return ExitStatus{};
  }
  if (status.si_pid == 0) return std::nullopt;
  kill_group_of(pidfd, pid, true);
  siginfo_t taken{};
  rusage used_meanwhile{};
  look(pidfd, taken, used_meanwhile, 0);  // refused: the host was quicker, but we have seen the status
  return decode(status, used);
}

ExitStatus status_after_reaping(int pidfd) noexcept {
  PidfdInfo info{};
  info.mask = exit_known;
  if (::ioctl(pidfd, get_pidfd_info, &info) != 0 || (info.mask & exit_known) == 0) return {};
  const int status = info.exit_status;
  if (WIFEXITED(status)) return {ExitStatus::How::exited, WEXITSTATUS(status), false};
  return {ExitStatus::How::signaled, WTERMSIG(status), WCOREDUMP(status) != 0};
}

pid_t group_of(pid_t pid) noexcept { return ::getpgid(pid); }

std::string signal_name(int signal) {
  const char* name = ::sigabbrev_np(signal);
  return name != nullptr ? std::string("SIG") + name : "signal " + std::to_string(signal);
}

pid_t fork_process() {
  flush_streams();
  sigset_t before;
  SignalsBlocked blocked(before);
  const pid_t pid = check(::fork(), "fork");
  if (pid == 0) blocked.leave_blocked();
  return pid;
}

void exit_now(int code) noexcept {
  flush_streams();
  if (__gcov_dump != nullptr) __gcov_dump();
  if (__llvm_profile_write_file != nullptr) __llvm_profile_write_file();
  ::_exit(code);
}

Fd open_own_memory() noexcept {
  int fd = -1;
  do {
    fd = ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  } while (fd < 0 && errno == EINTR);
  return Fd(fd);
}

std::uint64_t private_bytes(const Fd& own_memory) noexcept {
  char text[128] = {};
  ssize_t size = 0;
  do {
    size = ::pread(own_memory.get(), text, sizeof text - 1, 0);
  } while (size < 0 && errno == EINTR);
  unsigned long all = 0;
  unsigned long resident = 0;
  unsigned long shared = 0;
  if (size <= 0 || std::sscanf(text, "%lu %lu %lu", &all, &resident, &shared) != 3) return 0;
  return (resident - shared) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace procpool::inline v0::os
