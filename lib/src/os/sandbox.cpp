#include "os/sandbox.hpp"

#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "os/call_filter.hpp"
#include "os/error.hpp"
#include "os/landlock.hpp"
#include "os/process.hpp"

namespace procpool::inline v0::os {
namespace {

std::atomic<std::uint32_t> pretended{0};

// What the C library and its friends open when they are first used, and what no secret lies in.
const std::vector<const char*> needed_by_libraries{"/lib",
                                                   "/lib64",
                                                   "/usr/lib",
                                                   "/usr/lib64",
                                                   "/etc/ld.so.cache",
                                                   "/etc/localtime",
                                                   "/usr/share/zoneinfo",
                                                   "/usr/share/locale",
                                                   "/dev/null",
                                                   "/dev/zero",
                                                   "/dev/random",
                                                   "/dev/urandom",
                                                   "/sys/devices/system/cpu"};

bool drop_privileges() {
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const std::array<__user_cap_data_struct, 2> none{};
  return ::syscall(SYS_capset, &header, none.data()) == 0;
}

// Each has its own privileges and its own Landlock; only the filter reaches all.
bool has_other_threads() {
  std::error_code unknown;
  const std::filesystem::directory_iterator threads("/proc/self/task", unknown);
  return unknown || std::distance(begin(threads), end(threads)) != 1;
}

bool install(std::span<const std::byte> made) {
  std::vector<std::byte> filter(made.begin(), made.end());
  if (!set_own_pid(filter, this_pid())) return false;
  sock_fprog program{};
  program.len = static_cast<unsigned short>(filter.size() / sizeof(sock_filter));
  program.filter = reinterpret_cast<sock_filter*>(filter.data());
  return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) == 0;
}

}  // namespace

std::vector<std::string> gap_lines(std::uint32_t gaps) {
  constexpr std::array<std::pair<SandboxGap, std::string_view>, 6> lines{
      {{no_filter,
        "no filter of system calls (libseccomp.so.2 is not installed, or this program was built "
        "without it): network, programs, signals and new processes are not prevented"},
       {filter_refused,
        "no filter of system calls (the kernel refuses it): network, programs, signals and new "
        "processes are not prevented"},
       {no_landlock, "no Landlock in this kernel: tasks can read what this user can read"},
       {landlock_refused, "Landlock refuses its rules: tasks can read what this user can read"},
       {privileges_kept, "capabilities could not be given up"},
       {threads_before,
        "threads that the initializer started keep their privileges and read what this user can "
        "read"}}};
  std::vector<std::string> texts;
  for (const auto& [gap, text] : lines) {
    if ((gaps & gap) != 0) texts.emplace_back(text);
  }
  return texts;
}

std::uint32_t close_sandbox(std::span<const std::byte> filter,
                            const std::vector<std::string>& readable) {
  std::uint32_t gaps = pretended_gaps();
  if (has_other_threads()) gaps |= threads_before;
  check(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl(PR_SET_NO_NEW_PRIVS)");
  const int version = (gaps & no_landlock) != 0 ? 0 : landlock_version();
  if (version == 0) {
    gaps |= no_landlock;
  } else if (!restrict_files(version, readable, needed_by_libraries)) {
    gaps |= landlock_refused;
  }
  if (!drop_privileges()) gaps |= privileges_kept;
  if (filter.empty()) {
    gaps |= no_filter;
  } else if ((gaps & (no_filter | filter_refused)) == 0 && !install(filter)) {
    gaps |= filter_refused;
  }
  return gaps;
}

void pretend_gaps(std::uint32_t gaps) noexcept { pretended = gaps; }
std::uint32_t pretended_gaps() noexcept { return pretended; }

}  // namespace procpool::inline v0::os
