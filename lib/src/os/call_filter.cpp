#include "os/call_filter.hpp"

#if __has_include(<seccomp.h>)

#include <dlfcn.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/prctl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <stdexcept>

#include "os/error.hpp"
#include "os/memory.hpp"

namespace procpool::inline v0::os {
namespace {

/// What of libseccomp is used.
struct Library {
  decltype(&::seccomp_init) init = nullptr;
  decltype(&::seccomp_release) release = nullptr;
  decltype(&::seccomp_attr_set) set_attribute = nullptr;
  decltype(&::seccomp_rule_add_array) add_rule = nullptr;
  decltype(&::seccomp_export_bpf) export_filter = nullptr;
  decltype(&::seccomp_syscall_resolve_name) number_of = nullptr;
  decltype(&::seccomp_syscall_resolve_num_arch) name_of = nullptr;
  bool whole = false;

  Library() {
    void* const file = ::dlopen("libseccomp.so.2", RTLD_NOW | RTLD_LOCAL);  // stays
    if (file == nullptr) return;
    const auto find = [file](auto& function, const char* name) {
      function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(::dlsym(file, name));
      return function != nullptr;
    };
    whole = find(init, "seccomp_init") && find(release, "seccomp_release") &&
            find(set_attribute, "seccomp_attr_set") && find(add_rule, "seccomp_rule_add_array") &&
            find(export_filter, "seccomp_export_bpf") &&
            find(number_of, "seccomp_syscall_resolve_name") &&
            find(name_of, "seccomp_syscall_resolve_num_arch");
  }
};

const Library& library() {
  static const Library instance;
  return instance;
}

// In the filter's instructions this stands for the pid of the worker that will install it. No
// process has it: the kernel's pids end at 2^22.
constexpr std::uint32_t own_pid = 0x7ee1f00d;

// What a task, the C library and this one's runtime do to their own memory, threads and open
// descriptors. The most frequent first: a kernel without a cache of them goes through the list.
constexpr const char* allowed[] = {
    "futex", "sched_yield", "write", "read", "munmap", "mprotect", "madvise", "brk", "mremap",
    "sendmsg", "recvmsg", "close", "exit_group", "exit", "clock_gettime", "gettimeofday", "getpid",
    "gettid", "rt_sigprocmask", "rt_sigaction", "rt_sigreturn", "sigaltstack",
    // more of memory
    "mincore", "msync", "mlock", "mlock2", "munlock", "membarrier", "get_mempolicy", "pkey_alloc",
    "pkey_free", "pkey_mprotect",
    // threads
    "set_robust_list", "rseq", "set_tid_address", "arch_prctl", "futex_waitv", "sched_getaffinity",
    "sched_getparam", "sched_getscheduler", "sched_get_priority_max", "sched_get_priority_min",
    "sched_rr_get_interval", "getcpu", "restart_syscall",
    // open descriptors
    "readv", "writev", "pread64", "pwrite64", "preadv", "pwritev", "preadv2", "pwritev2", "lseek",
    "_llseek", "fstat", "fstat64", "fstatfs", "fstatfs64", "getdents64", "getdents", "fsync",
    "fdatasync", "sync_file_range", "fadvise64", "readahead", "ftruncate", "ftruncate64",
    "fallocate", "flock", "sendfile", "copy_file_range", "dup", "dup2", "dup3", "close_range",
    "pipe", "pipe2", "eventfd", "eventfd2", "signalfd", "signalfd4", "timerfd_create",
    "timerfd_settime", "timerfd_gettime", "epoll_create", "epoll_create1", "epoll_ctl",
    "epoll_wait", "epoll_pwait", "epoll_pwait2", "poll", "ppoll", "select", "pselect6",
    "getsockopt", "getsockname", "getpeername",
    // names: what there is, not what is in it (Landlock says what can be opened)
    "stat", "lstat", "newfstatat", "fstatat64", "statx", "statfs", "statfs64", "access",
    "faccessat", "faccessat2", "readlink", "readlinkat", "getcwd", "chdir", "fchdir", "umask",
    // time
    "clock_getres", "nanosleep", "clock_nanosleep", "time", "times", "setitimer", "getitimer",
    "alarm", "pause", "timer_create", "timer_settime", "timer_gettime", "timer_getoverrun",
    "timer_delete", "rt_sigtimedwait", "rt_sigsuspend", "rt_sigpending",
    // who and where it is
    "getppid", "getpgrp", "getpgid", "getsid", "getuid", "geteuid", "getgid", "getegid",
    "getgroups", "getresuid", "getresgid", "capget", "uname", "sysinfo", "getrusage", "getrlimit",
    "ugetrlimit", "getpriority", "ioprio_get", "getrandom"};

// Asked for where they exist, done without where not: those whose arguments lie in memory, where a
// filter cannot see them, and what only tunes.
constexpr const char* not_there[] = {
    "clone3",           "openat2",   "set_mempolicy", "mbind",    "set_mempolicy_home_node",
    "map_shadow_stack", "cachestat", "statmount",     "listmount"};

// What changes how processors and disks are shared, also of others.
constexpr const char* not_permitted[] = {"setpriority",   "sched_setscheduler", "sched_setparam",
                                         "sched_setattr", "sched_setaffinity",  "ioprio_set"};

class Filter {
 public:
  Filter() : context_(library().init(SCMP_ACT_TRAP), library().release) {
    if (!context_) throw std::bad_alloc();
    library().set_attribute(context_.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
  }

  void allow(const char* call, std::initializer_list<scmp_arg_cmp> when = {}) {
    rule(SCMP_ACT_ALLOW, call, when);
  }
  void refuse(const char* call, int error, std::initializer_list<scmp_arg_cmp> when = {}) {
    rule(SCMP_ACT_ERRNO(static_cast<std::uint32_t>(error)), call, when);
  }

  std::vector<std::byte> instructions() const {
    const Fd memory(check(::memfd_create("procpool-filter", MFD_CLOEXEC), "memfd_create"));
    if (const int failed = library().export_filter(context_.get(), memory.get()); failed != 0) {
      fail_with(-failed, "seccomp_export_bpf");
    }
    const auto size = check(::lseek(memory.get(), 0, SEEK_END), "lseek");
    return read_memory(memory, static_cast<std::size_t>(size));
  }

 private:
  void rule(std::uint32_t action, const char* call, std::initializer_list<scmp_arg_cmp> when) {
    const int number = library().number_of(call);
    if (number < 0) return;  // not a call of this machine, or newer than the library
    const int failed = library().add_rule(context_.get(), action, number,
                                          static_cast<unsigned>(when.size()), when.begin());
    if (failed != 0) fail_with(-failed, "seccomp_rule_add", call);
  }

  std::unique_ptr<void, void (*)(scmp_filter_ctx)> context_;
};

// The kernel looks at the low half of an int: so does the filter.
constexpr std::uint64_t low_half = 0xffffffff;
scmp_arg_cmp has_bits(unsigned argument, std::uint64_t mask, std::uint64_t bits) {
  return {argument, SCMP_CMP_MASKED_EQ, mask, bits};
}
scmp_arg_cmp is(unsigned argument, std::uint64_t value) {
  return has_bits(argument, low_half, value);
}

void allow_reading(Filter& filter) {
  constexpr std::uint64_t writing = O_ACCMODE | O_CREAT | O_TRUNC;  // O_TMPFILE is for writers, too
  filter.allow("open", {has_bits(1, writing, O_RDONLY)});
  filter.allow("openat", {has_bits(2, writing, O_RDONLY)});
}

// Private, or a memory that came from home. Shared memory without a name is not counted by any
// limit.
void allow_mapping(Filter& filter) {
  for (const char* const call : {"mmap", "mmap2"}) {
    filter.allow(call, {has_bits(3, MAP_TYPE, MAP_PRIVATE)});
    filter.allow(call, {has_bits(3, MAP_ANONYMOUS | 1, 1)});  // shared, of either kind
    filter.refuse(call, ENOMEM, {has_bits(3, MAP_ANONYMOUS | 1, MAP_ANONYMOUS | 1)});
  }
}

void allow_threads(Filter& filter) {
  constexpr std::uint64_t new_namespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |
                                           CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |
                                           CLONE_NEWNET;
  filter.allow("clone", {has_bits(0, CLONE_THREAD | new_namespaces, CLONE_THREAD)});
}

void allow_own_signals(Filter& filter) {
  for (const char* const call : {"kill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo"}) {
    filter.allow(call, {is(0, own_pid)});
  }
}

// Its own limits it can see, and the two that the runtime raises a little for itself (limits.hpp).
void allow_limits(Filter& filter) {
  filter.allow("prlimit64", {is(0, 0), {2, SCMP_CMP_EQ, 0, 0}});
  for (const auto resource : {RLIMIT_DATA, RLIMIT_NOFILE}) {
    filter.allow("prlimit64", {is(0, 0), is(1, resource), {2, SCMP_CMP_NE, 0, 0}});
  }
}

// Not F_SETOWN and F_SETSIG: by them the kernel would send any signal to any process.
void allow_descriptor_control(Filter& filter) {
  for (const char* const call : {"fcntl", "fcntl64"}) {
    for (const int what : {F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GETLK,
                           F_SETLK, F_SETLKW, F_GETPIPE_SZ, F_GET_SEALS, F_ADD_SEALS}) {
      filter.allow(call, {is(1, static_cast<std::uint64_t>(what))});
    }
  }
  for (const unsigned what :
       std::initializer_list<unsigned>{TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIOCLEX, FIONCLEX}) {
    filter.allow("ioctl", {is(1, what)});
  }
}

void allow_naming(Filter& filter) {
  for (const int what : {PR_SET_NAME, PR_GET_NAME, PR_GET_DUMPABLE, PR_GET_NO_NEW_PRIVS,
                         PR_GET_TIMERSLACK, PR_SET_TIMERSLACK, PR_CAPBSET_READ, PR_SET_VMA}) {
    filter.allow("prctl", {is(0, static_cast<std::uint64_t>(what))});
  }
}

}  // namespace

std::vector<std::byte> make_call_filter() {
  if (!library().whole) return {};
  Filter filter;
  for (const char* const call : allowed) filter.allow(call);
  for (const char* const call : not_there) filter.refuse(call, ENOSYS);
  for (const char* const call : not_permitted) filter.refuse(call, EPERM);
  allow_reading(filter);
  allow_mapping(filter);
  allow_threads(filter);
  allow_own_signals(filter);
  allow_limits(filter);
  allow_descriptor_control(filter);
  allow_naming(filter);
  return filter.instructions();
}

bool set_own_pid(std::vector<std::byte>& filter, pid_t pid) {
  bool found = false;
  for (std::size_t at = 0; at + sizeof(sock_filter) <= filter.size(); at += sizeof(sock_filter)) {
    sock_filter instruction{};
    std::memcpy(&instruction, filter.data() + at, sizeof instruction);
    if (BPF_CLASS(instruction.code) != BPF_JMP || instruction.k != own_pid) continue;
    instruction.k = static_cast<std::uint32_t>(pid);
    std::memcpy(filter.data() + at, &instruction, sizeof instruction);
    found = true;
  }
  return found;
}

std::string call_name(int number) {
  if (library().whole) {
    const std::unique_ptr<char, void (*)(void*)> name(library().name_of(SCMP_ARCH_NATIVE, number),
                                                      &std::free);
    if (name) return name.get();
  }
  return "number " + std::to_string(number);
}

}  // namespace procpool::inline v0::os

#else  // built where libseccomp-dev is not installed

namespace procpool::inline v0::os {

std::vector<std::byte> make_call_filter() { return {}; }
bool set_own_pid(std::vector<std::byte>&, pid_t) { return false; }
std::string call_name(int number) { return "number " + std::to_string(number); }

}  // namespace procpool::inline v0::os

#endif
