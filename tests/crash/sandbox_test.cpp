// Workers for input that nobody trusts: what they must not do ends them and is named, what they need
// works, and what this kernel cannot enforce is said.
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <map>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <procpool/shared.hpp>

#include "crash/pool_of.hpp"
#include "os/landlock.hpp"
#include "os/sandbox.hpp"

namespace procpool::test {
namespace {

using namespace std::chrono_literals;

class Sandboxed : public OfEachMethod {
 protected:
  static PoolOptions options(Sandbox sandbox = {}) {
    PoolOptions options = options_of(GetParam(), 1);
    options.sandbox = std::move(sandbox);
    return options;
  }
};
INSTANTIATE_TEST_SUITE_P(Of, Sandboxed, testing::ValuesIn(all_methods), method_name);

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}
bool has_gap(const Pool& pool, std::string_view word) {
  const auto gaps = pool.stats().sandbox_gaps;
  return std::any_of(gaps.begin(), gaps.end(),
                     [word](const std::string& gap) { return contains(gap, word); });
}

int plus_one(int x) { return x + 1; }
pid_t who() { return getpid(); }

// ---- what is denied ------------------------------------------------------------------------------

struct Call {
  std::string name;
  long number = 0;
  std::array<long, 4> arguments = {};
};

long make(const Call& call) {
  const auto& a = call.arguments;
  return syscall(call.number, a[0], a[1], a[2], a[3]);
}

#define CALL(name) {#name, SYS_##name, {}}

const std::vector<Call> denied{
    // network
    CALL(socket), CALL(socketpair), CALL(connect), CALL(bind), CALL(listen), CALL(accept),
    CALL(sendto), CALL(recvfrom), CALL(sendmmsg),
    // programs and processes
    CALL(execve), CALL(execveat), CALL(fork), CALL(vfork),
    {"clone", SYS_clone, {SIGCHLD}},
    {"clone", SYS_clone, {CLONE_THREAD | CLONE_SIGHAND | CLONE_VM | CLONE_NEWUSER}},
    CALL(unshare), CALL(setns), CALL(ptrace), CALL(process_vm_readv), CALL(process_vm_writev),
    CALL(setsid), CALL(setpgid), CALL(pidfd_open), CALL(pidfd_send_signal), CALL(pidfd_getfd),
    {"kill", SYS_kill, {1}}, {"kill", SYS_kill, {-1}}, {"kill", SYS_kill, {0}},
    {"tgkill", SYS_tgkill, {1, 1}}, CALL(tkill), {"rt_sigqueueinfo", SYS_rt_sigqueueinfo, {1}},
    {"fcntl", SYS_fcntl, {1, F_SETOWN, 1}}, {"fcntl", SYS_fcntl, {1, F_SETSIG, SIGKILL}},
    // the kernel
    CALL(mount), CALL(umount2), CALL(pivot_root), CALL(chroot), CALL(bpf), CALL(keyctl),
    CALL(add_key), CALL(request_key), CALL(kexec_load), CALL(init_module), CALL(finit_module),
    CALL(delete_module), CALL(perf_event_open), CALL(userfaultfd), CALL(io_uring_setup),
    CALL(io_uring_enter), CALL(reboot), CALL(swapon), CALL(sethostname), CALL(settimeofday),
    CALL(clock_settime), CALL(iopl), CALL(ioperm), CALL(personality), CALL(seccomp),
    CALL(name_to_handle_at), CALL(open_by_handle_at), CALL(syslog), CALL(acct), CALL(quotactl),
    {"ioctl", SYS_ioctl, {0, TIOCSTI}}, {"prctl", SYS_prctl, {PR_SET_PDEATHSIG}},
    // who it is, and its limits
    CALL(setuid), CALL(setgid), CALL(setreuid), CALL(setresuid), CALL(setresgid), CALL(setgroups),
    CALL(setfsuid), CALL(capset), CALL(setrlimit),
    {"prlimit64", SYS_prlimit64, {1, RLIMIT_DATA}},
    {"prlimit64", SYS_prlimit64, {0, RLIMIT_CPU, 1}},
    // files
    {"open", SYS_open, {0, O_WRONLY}}, {"open", SYS_open, {0, O_RDWR}},
    {"open", SYS_open, {0, O_RDONLY | O_CREAT}}, {"openat", SYS_openat, {AT_FDCWD, 0, O_WRONLY}},
    {"openat", SYS_openat, {AT_FDCWD, 0, O_RDWR | O_TMPFILE}},
    {"openat", SYS_openat, {AT_FDCWD, 0, O_RDONLY | O_TRUNC}}, CALL(creat), CALL(truncate),
    CALL(unlink), CALL(unlinkat), CALL(rename), CALL(renameat2), CALL(mkdir), CALL(mkdirat),
    CALL(rmdir), CALL(link), CALL(linkat), CALL(symlink), CALL(mknod), CALL(chmod), CALL(fchmod),
    CALL(fchmodat), CALL(chown), CALL(fchown), CALL(utimensat), CALL(setxattr), CALL(memfd_create),
    CALL(shmget), CALL(semget), CALL(msgget), CALL(mq_open)};

TEST_P(Sandboxed, P_JOB_05_WhatIsDeniedEndsTheWorkerAndIsNamed) {
  Pool pool(options());
  if (has_gap(pool, "system calls")) GTEST_SKIP() << "no filter here";
  for (const Call& call : denied) {
    try {
      const long result = pool.apply(make, call);
      ADD_FAILURE() << call.name << " was made, and gave " << result;
    } catch (const WorkerCrashed& crash) {
      EXPECT_EQ(crash.signal(), SIGSYS) << crash.what();
      EXPECT_TRUE(contains(crash.what(), "does not allow the system call " + call.name + ","))
          << crash.what();
    }
  }
  EXPECT_EQ(pool.apply(plus_one, 1), 2);
}

int block_all_and_make(const Call& call) {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, nullptr);
  return static_cast<int>(make(call));
}

TEST_P(Sandboxed, P_JOB_05_BlockingTheSignalDoesNotHelp) {
  Pool pool(options());
  if (has_gap(pool, "system calls")) GTEST_SKIP() << "no filter here";
  EXPECT_THROW(pool.apply(block_all_and_make, Call CALL(socket)), WorkerCrashed);
  EXPECT_EQ(pool.apply(plus_one, 1), 2);
}

int error_of(const Call& call) {
  const long result = make(call);
  return result < 0 ? errno : 0;
}

TEST_P(Sandboxed, P_JOB_05_CallsThatNobodyNeedsAreNotThere) {
  Pool pool(options());
  if (has_gap(pool, "system calls")) GTEST_SKIP() << "no filter here";
  EXPECT_EQ(pool.apply(error_of, Call{"clone3", SYS_clone3, {}}), ENOSYS);
  EXPECT_EQ(pool.apply(error_of, Call{"setpriority", SYS_setpriority, {}}), EPERM);
  const auto shared = []() {
    return mmap(nullptr, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? errno
                                                                                         : 0;
  };
  EXPECT_EQ(pool.apply(shared), ENOMEM);
}

// ---- what can be read ----------------------------------------------------------------------------

/// The first line, or why not.
std::string first_line(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return "errno " + std::to_string(errno);
  char text[32] = {};
  const ssize_t size = read(file, text, sizeof text - 1);
  close(file);
  return std::string(text, static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
}

class Folder {
 public:
  Folder() {
    path_ = testing::TempDir() + "procpool_sandbox_XXXXXX";
    if (mkdtemp(path_.data()) == nullptr) throw std::runtime_error("mkdtemp");
    std::ofstream(path_ + "/open") << "open";
    std::ofstream(path_ + "/other") << "other";
  }
  ~Folder() {
    unlink((path_ + "/open").c_str());
    unlink((path_ + "/other").c_str());
    rmdir(path_.c_str());
  }
  std::string file(const char* name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST_P(Sandboxed, P_JOB_05_WhatIsNamedCanBeRead) {
  const Folder folder;
  const std::string refused = "errno " + std::to_string(EACCES);
  Pool one(options({.readable = {folder.file("open")}}));
  if (has_gap(one, "Landlock")) GTEST_SKIP() << "no Landlock here";
  EXPECT_EQ(one.apply(first_line, folder.file("open")), "open");
  EXPECT_EQ(one.apply(first_line, folder.file("other")), refused);
  EXPECT_EQ(one.apply(first_line, "/etc/passwd"), refused);
  EXPECT_EQ(one.apply(first_line, "/proc/self/root/etc/passwd"), refused);
  Pool all(options({.readable = {folder.path()}}));
  EXPECT_EQ(all.apply(first_line, folder.file("other")), "other");
  EXPECT_EQ(all.apply(first_line, folder.path() + "/../../etc/passwd"), refused);
}

TEST_P(Sandboxed, P_JOB_05_APathThatIsNotThereIsSaid) {
  const Folder folder;
  if (os::landlock_version() == 0) GTEST_SKIP() << "no Landlock here";
  try {
    const Pool pool(options({.readable = {folder.file("none")}}));
    FAIL() << "it started";
  } catch (const PoolBroken& error) {
    EXPECT_TRUE(contains(error.what(), folder.file("none"))) << error.what();
  }
}

// ---- what works ----------------------------------------------------------------------------------

std::string turned(std::string text) { return {text.rbegin(), text.rend()}; }
int fails() { throw std::out_of_range("as ever"); }
int tells() {
  this_task::log("a line");
  this_task::progress(1, 2);
  return 1;
}
int with_threads() {
  int sum = 0;
  std::mutex lock;
  std::vector<std::thread> threads;
  for (int i = 1; i <= 4; ++i) {
    threads.emplace_back([&, i] {
      const std::vector<char> some(1 << 20, 'x');
      const std::lock_guard held(lock);
      sum += i * (some.back() == 'x');
    });
  }
  for (auto& thread : threads) thread.join();
  return sum;
}
bool until_stopped() {
  const std::stop_token token = this_task::token();  // a thread of the library's
  while (!token.stop_requested()) std::this_thread::yield();
  return true;
}
int deaf() {
  for (;;) pause();
}
int add_under(Lock lock, SharedArray<int> array) {
  const std::scoped_lock held(lock);
  return ++array[0];
}
int aborts() { std::abort(); }

TEST_P(Sandboxed, P_JOB_05_WhatTasksNeedWorks) {
  Pool pool(options());
  const auto pids = pool.pids();
  EXPECT_EQ(pool.apply(plus_one, 1), 2);
  const std::string large(8 << 20, 'x');
  EXPECT_EQ(pool.apply(turned, large), large);
  std::vector<int> numbers(100'000, 1);
  EXPECT_EQ(pool.map(plus_one, numbers).back(), 2);
  EXPECT_THROW(pool.apply(fails), std::out_of_range);
  EXPECT_EQ(pool.apply(tells), 1);
  EXPECT_EQ(pool.apply(with_threads), 10);
  SharedArray<int> array(1000);
  const Lock lock;
  for (int i = 1; i <= 10; ++i) EXPECT_EQ(pool.apply(add_under, lock, array), i);
  EXPECT_EQ(pool.pids(), pids);
}

TEST_P(Sandboxed, P_JOB_05_StoppingAndDyingAreAsEver) {
  Pool pool(options());
  EXPECT_THROW(pool.with({.timeout = 50ms}).apply(until_stopped), TaskTimeout);
  const CancelOptions at_once{.stop_grace = 0ms, .term_grace = 0ms};
  EXPECT_THROW(pool.with({.timeout = 50ms, .cancel = at_once}).apply(deaf), TaskTimeout);
  try {
    pool.apply(aborts);
    FAIL() << "it came back";
  } catch (const WorkerCrashed& crash) {
    EXPECT_EQ(crash.signal(), SIGABRT) << crash.what();
  }
  EXPECT_EQ(pool.apply(plus_one, 1), 2);
}

void open_what_comes(const std::string& path, SharedValue<int> result) {
  result.store(first_line(path) == "open" ? 1 : -1);
}

TEST_P(Sandboxed, P_JOB_05_TheInitializerComesBeforeAndReplacementsAreHeld) {
  const Folder folder;
  const SharedValue<int> result(0);
  PoolOptions held = options();
  held.max_tasks_per_child = 2;
  held.max_memory_growth_bytes = std::size_t{1} << 40;
  held.initializer = partial(open_what_comes, folder.file("open"), result);
  Pool pool(held);
  EXPECT_EQ(result.load(), 1);
  std::set<pid_t> workers;
  for (int i = 0; i != 6; ++i) workers.insert(pool.apply(who));
  EXPECT_GE(workers.size(), 3U);
  if (has_gap(pool, "system calls")) return;
  EXPECT_THROW(pool.apply(make, Call CALL(socket)), WorkerCrashed);
  EXPECT_THROW(pool.apply(make, Call CALL(socket)), WorkerCrashed);
}

// ---- gaps ----------------------------------------------------------------------------------------

/// The template of `fork` is a copy of this process, and takes the same for missing.
class Pretend {
 public:
  explicit Pretend(std::uint32_t gaps) { os::pretend_gaps(gaps); }
  ~Pretend() { os::pretend_gaps(0); }
};

class SandboxGaps : public Census {
 protected:
  static PoolOptions options(bool strict) {
    PoolOptions options = options_of(StartMethod::fork, 2);
    options.sandbox = Sandbox{.strict = strict};
    return options;
  }
};

TEST_F(SandboxGaps, P_JOB_05_AreSaidAndTheRestIsEnforced) {
  const Pretend without(os::no_landlock);
  Pool pool(options(false));
  EXPECT_TRUE(has_gap(pool, "no Landlock in this kernel"));
  if (!has_gap(pool, "system calls")) {
    EXPECT_THROW(pool.apply(make, Call CALL(socket)), WorkerCrashed);
  }
  const Pretend neither(os::no_landlock | os::no_filter);
  const Pool open(options(false));
  EXPECT_TRUE(has_gap(open, "no filter of system calls"));
  EXPECT_EQ(open.stats().sandbox_gaps.size(), 2U);
}

TEST_F(SandboxGaps, P_JOB_05_BreakAStrictPool) {
  const Pretend without(os::no_landlock);
  try {
    const Pool pool(options(true));
    FAIL() << "it started";
  } catch (const PoolBroken& error) {
    EXPECT_TRUE(contains(error.what(), "strict")) << error.what();
    EXPECT_TRUE(contains(error.what(), "no Landlock in this kernel")) << error.what();
  }
}

TEST_F(SandboxGaps, P_JOB_05_ThreadsOfTheInitializerAreOne) {
  PoolOptions held = options(false);
  held.initializer = [] { std::thread([] { for (;;) pause(); }).detach(); };
  const Pool pool(held);
  EXPECT_TRUE(has_gap(pool, "threads that the initializer started"));
}

TEST_F(SandboxGaps, P_JOB_05_OtherBackendsAreMisuse) {
  for (const Backend backend : {Backend::thread, Backend::sequential}) {
    PoolOptions held = options(false);
    held.backend = backend;
    EXPECT_THROW(Pool{held}, Misuse);
  }
  PoolOptions unnamed = options(false);
  unnamed.sandbox->readable = {""};
  EXPECT_THROW(Pool{unnamed}, Misuse);
}

}  // namespace
}  // namespace procpool::test
