// The child runs on this process's memory (vfork) until it has executed the program: what it runs
// is system calls on data prepared here, and the only thing it writes is `Child::error`.

#include "os/spawn.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "os/boost_process.hpp"
#include "os/error.hpp"
#include "os/host.hpp"
#include "os/process.hpp"
#include "os/signals.hpp"

namespace procpool::inline v0::os {
namespace {

constexpr const char* own_program = "/proc/self/exe";

// As the kernel takes it (handler, flags, restorer, mask), without the interceptors of a sanitizer,
// whose tables would be the parent's.
using KernelAction = std::array<unsigned long, 4>;

struct Child {
  const char* program = nullptr;
  char* const* arguments = nullptr;
  char** environment = nullptr;
  int inherit = -1;
  int inherit_as = -1;
  int limit = 0;
  Outlives outlives = Outlives::everybody;
  sigset_t mask{};
  int error = 0;  // errno of what failed in the child
  pid_t pid = -1;

  // Kernels before 5.11 and sandboxes that refuse close_range.
  void mark_one_by_one() const {
    for (int fd = 3; fd < limit; ++fd) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  }

  void hide_descriptors() {
    if (::syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) != 0) mark_one_by_one();
    if (inherit < 0) return;
    // dup2 onto the same number would do nothing and leave it close-on-exec.
    const int result =
        inherit == inherit_as ? ::fcntl(inherit, F_SETFD, 0) : ::dup2(inherit, inherit_as);
    if (result < 0) error = errno;
  }

  // A handler of the host must not run in the child between unblocking and exec. What the host ignores
  // stays ignored, but for the signal by which children are ended: it counts from the first moment.
  void restore_signals() const {
    for (int signal = 1; signal < _NSIG; ++signal) {
      KernelAction action{};
      if (::syscall(SYS_rt_sigaction, signal, nullptr, action.data(), 8) != 0) continue;
      if (action[0] == reinterpret_cast<unsigned long>(SIG_IGN) && signal != SIGTERM) continue;
      action = {};
      ::syscall(SYS_rt_sigaction, signal, action.data(), nullptr, 8);
    }
    ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, nullptr, 8);
  }
};

// Boost's hooks around vfork and exec.
struct Initialiser : bp::extend::handler {
  explicit Initialiser(Child& child) : child_(&child) {}

  template <class Executor>
  void on_setup(Executor& executor) const {
    executor.exe = child_->program;
    executor.cmd_line = child_->arguments;
    executor.env = child_->environment;
  }
  template <class Executor>
  void on_exec_setup(Executor&) const {
    child_->hide_descriptors();
    if (child_->error != 0) ::_exit(127);
    // If the program is gone already, so is what the child looks for first.
    if (child_->outlives == Outlives::nobody) ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    child_->restore_signals();
  }
  template <class Executor>
  void on_exec_error(Executor&, const std::error_code& code) const {
    child_->error = code.value();
    ::_exit(127);
  }
  template <class Executor>
  void on_fork_error(Executor&, const std::error_code& code) const {
    child_->error = code.value();
  }
  template <class Executor>
  void on_success(Executor& executor) const {
    child_->pid = executor.pid;
  }

 private:
  Child* child_;
};

void launch(Child& child) {
  const SignalsBlocked blocked(child.mask);
  // Errors are ours to note: Boost's own way of reporting them can leave a zombie.
  bp::child handle(child.program, Initialiser(child), bp::ignore_error, bp::posix::use_vfork);
  handle.detach();
}

void wait_for(pid_t pid) {
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) continue;
}

// argv[0] of this program, as it was started, so that ps shows the same name.
std::string own_name() {
  const std::vector<std::string> words = command_line();
  return words.empty() ? std::string(own_program) : words.front();
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> result;
  for (std::string& word : words) result.push_back(word.data());
  result.push_back(nullptr);
  return result;
}

// Named early and without a process; exec itself reports what this cannot see.
void check_executable(const std::string& path) {
  check(::access(path.c_str(), X_OK), "execve", path);
}

}  // namespace

Spawned spawn(const std::filesystem::path& program, const std::vector<std::string>& arguments,
              const Fd& inherit, int inherit_as, const std::vector<std::string>& variables,
              Outlives outlives) {
  const std::string path = program.empty() ? own_program : program.string();
  check_executable(path);
  std::vector<std::string> words{program.empty() ? own_name() : path};
  words.insert(words.end(), arguments.begin(), arguments.end());
  const std::vector<char*> argv = pointers(words);
  std::vector<std::string> added = variables;
  std::vector<char*> environment = pointers(added);
  for (char** each = ::environ; each != nullptr && *each != nullptr; ++each) {
    environment.insert(environment.end() - 1, *each);
  }
  Child child{path.c_str(),       argv.data(), environment.data(), inherit.get(), inherit_as,
              descriptor_limit(), outlives};
  launch(child);
  if (child.error != 0) {
    if (child.pid > 0) wait_for(child.pid);
    fail_with(child.error, child.pid > 0 ? "execve" : "vfork", path);
  }
  return {child.pid, open_child_pidfd(child.pid)};
}

}  // namespace procpool::inline v0::os
