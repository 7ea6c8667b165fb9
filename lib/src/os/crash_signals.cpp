// What    The handlers of the signals that a process dies of by its own doing.
// Who     `owner` is the thread that crashes, by number: the first to come. Others that crash
//         meanwhile wait until that one has ended the process, or has been mended.
// Ends    By the signal's usual effect, so that the wait status is true and a core dump can be
// made.
//         A fault is run into again, on return; what a process sent, and traps that go on after the
//         instruction, are sent again.

#include "os/crash_signals.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>

#include "os/error.hpp"
#include "os/event.hpp"

namespace procpool::inline v0::os {
namespace {

constexpr std::array crash_signals{SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGTRAP};
/// Of the alternate stack, at least. Too small: telling crashes itself; large costs nothing until
/// used.
constexpr std::size_t least_stack = 64 * 1024;
/// How far from the stack's end a fault is taken for its overflow. Too near: frames with large
/// arrays are missed; too far: wild pointers into the stack's neighbourhood are called overflows.
constexpr std::uintptr_t below_stack = 1 << 20;
constexpr std::uintptr_t above_stack = 64 * 1024;

struct State {
  CrashTeller teller;
  pid_t pid = 0;
  std::atomic<std::uint32_t> owner{0};
  std::array<struct sigaction, crash_signals.size()> before{};
};
State state;

struct AbortMessage {  // as glibc keeps it for core dumps
  unsigned size;
  char text[1];
};
AbortMessage* const* abort_message_at = nullptr;

std::uint32_t this_thread_number() noexcept {
  return static_cast<std::uint32_t>(::syscall(SYS_gettid));
}

struct Registers {
  std::uintptr_t instruction = 0;
  std::uintptr_t stack = 0;
};

Registers registers_of(const void* context) noexcept {
  const auto& machine = static_cast<const ucontext_t*>(context)->uc_mcontext;
#if defined(__x86_64__)
  return {static_cast<std::uintptr_t>(machine.gregs[REG_RIP]),
          static_cast<std::uintptr_t>(machine.gregs[REG_RSP])};
#elif defined(__aarch64__)
  return {machine.pc, machine.sp};
#else
  static_cast<void>(machine);
  return {};
#endif
}

bool is_sent(const siginfo_t& info) noexcept { return info.si_code <= 0; }

bool overflows_stack(const siginfo_t& info, std::uintptr_t stack) noexcept {
  if ((info.si_signo != SIGSEGV && info.si_signo != SIGBUS) || is_sent(info) || stack == 0)
    return false;
  const auto address = reinterpret_cast<std::uintptr_t>(info.si_addr);
  return address + below_stack >= stack && address < stack + above_stack;
}

Crash crash_of(const siginfo_t& info, void* context) noexcept {
  const Registers registers = registers_of(context);
  Crash crash;
  crash.signal = info.si_signo;
  crash.code = info.si_code;
  crash.instruction = registers.instruction;
  crash.context = context;
  if (is_sent(info)) {
    crash.sender = info.si_pid;
  } else if (info.si_signo == SIGSYS) {
    crash.call_number = info.si_syscall;
  } else {
    crash.address = reinterpret_cast<std::uintptr_t>(info.si_addr);
    crash.stack_overflow = overflows_stack(info, registers.stack);
  }
  return crash;
}

std::size_t index_of(int signal) noexcept {
  return static_cast<std::size_t>(std::find(crash_signals.begin(), crash_signals.end(), signal) -
                                  crash_signals.begin());
}

bool is_a_handler(const struct sigaction& action) noexcept {
  return (action.sa_flags & SA_SIGINFO) != 0 ||
         (action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN);
}

void die_of(int signal) noexcept {
  struct sigaction usual {};
  usual.sa_handler = SIG_DFL;
  ::sigaction(signal, &usual, nullptr);
  sigset_t it;
  ::sigemptyset(&it);
  ::sigaddset(&it, signal);
  ::pthread_sigmask(SIG_UNBLOCK, &it, nullptr);
  ::syscall(SYS_tgkill, ::getpid(), ::syscall(SYS_gettid), signal);
}

/// Comes again by itself when the handler returns.
bool comes_again(const siginfo_t& info) noexcept {
  return !is_sent(info) && info.si_signo != SIGSYS && info.si_signo != SIGTRAP;
}

void have_usual_effect(const siginfo_t& info) noexcept {
  if (!comes_again(info)) return die_of(info.si_signo);
  struct sigaction usual {};
  usual.sa_handler = SIG_DFL;
  ::sigaction(info.si_signo, &usual, nullptr);
}

/// False: the telling crashed, in this thread.
bool become_owner(std::uint32_t self) noexcept {
  for (;;) {
    std::uint32_t owner = 0;
    if (state.owner.compare_exchange_strong(owner, self)) return true;
    if (owner == self) return false;
    futex_wait(state.owner, owner, Scope::process);
  }
}

void call_users_handler(const struct sigaction& users, siginfo_t* info, void* context) noexcept {
  if ((users.sa_flags & SA_SIGINFO) != 0) {
    users.sa_sigaction(info->si_signo, info, context);
  } else {
    users.sa_handler(info->si_signo);
  }
}

void on_crash(int signal, siginfo_t* info, void* context) noexcept {
  const int saved = errno;
  if (::getpid() != state.pid) return have_usual_effect(*info);  // a copy, made by the task
  Crash crash = crash_of(*info, context);
  if (!become_owner(this_thread_number())) {
    crash.again = true;
    state.teller.tell(crash, false);
    return die_of(signal);
  }
  const struct sigaction& users = state.before[index_of(signal)];
  const bool users_turn = is_a_handler(users);
  state.teller.tell(crash, users_turn);
  if (!users_turn) return have_usual_effect(*info);
  call_users_handler(users, info, context);
  state.teller.withdraw();
  state.owner = 0;
  futex_wake(state.owner, 1 << 30, Scope::process);
  errno = saved;
}

}  // namespace

/// Below it lies a page that nobody may touch.
void take_own_stack() {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const auto wanted = static_cast<std::size_t>(std::max(0L, ::sysconf(_SC_SIGSTKSZ)));
  const std::size_t size = (std::max(least_stack, wanted) + page - 1) / page * page;
  void* const memory = ::mmap(nullptr, size + page, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (memory == MAP_FAILED) fail("mmap");
  ::mprotect(memory, page, PROT_NONE);
  stack_t stack{};
  stack.ss_sp = static_cast<char*>(memory) + page;
  stack.ss_size = size;
  check(::sigaltstack(&stack, nullptr), "sigaltstack");
}

bool sanitizer_reports() noexcept {
  static const bool there = [] {
    constexpr std::array names{"__asan_init", "__tsan_init", "__msan_init", "__hwasan_init"};
    return std::ranges::any_of(
        names, [](const char* name) { return ::dlsym(RTLD_DEFAULT, name) != nullptr; });
  }();
  return there;
}

void tell_crashes(const CrashTeller& teller) {
  if (sanitizer_reports()) return;
  take_own_stack();
  state.teller = teller;
  state.pid = ::getpid();
  state.owner = 0;
  for (std::size_t i = 0; i != crash_signals.size(); ++i) {
    struct sigaction action {};
    action.sa_sigaction = on_crash;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    check(::sigaction(crash_signals[i], &action, &state.before[i]), "sigaction");
  }
}

std::uint64_t own_cpu_time() noexcept {
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<std::uint64_t>(used.tv_sec) * 1'000'000'000U +
         static_cast<std::uint64_t>(used.tv_nsec);
}

/// Not by getrusage: after an exec that counts the program before it too.
std::uint64_t own_peak_memory() noexcept {
  const int fd = ::open("/proc/self/status", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  char text[2048];
  std::size_t size = 0;
  while (size < sizeof text - 1) {
    const ssize_t got = ::read(fd, text + size, sizeof text - 1 - size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    size += static_cast<std::size_t>(got);
  }
  ::close(fd);
  text[size] = 0;
  const char* at = std::strstr(text, "VmHWM:");
  if (at == nullptr) return 0;
  at += 6;
  while (*at == ' ' || *at == '\t') ++at;
  std::uint64_t kilobytes = 0;
  for (; *at >= '0' && *at <= '9'; ++at) {
    kilobytes = kilobytes * 10 + static_cast<std::uint64_t>(*at - '0');
  }
  return kilobytes * 1024;
}

void find_abort_message() noexcept {
  static void* const found = ::dlvsym(RTLD_DEFAULT, "__abort_msg", "GLIBC_PRIVATE");
  abort_message_at = static_cast<AbortMessage* const*>(found);
}

const char* abort_message() noexcept {
  if (abort_message_at == nullptr || *abort_message_at == nullptr) return nullptr;
  return (*abort_message_at)->text;
}

}  // namespace procpool::inline v0::os
