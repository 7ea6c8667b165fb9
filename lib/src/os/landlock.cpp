#include "os/landlock.hpp"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "os/error.hpp"
#include "os/fd.hpp"

namespace procpool::inline v0::os {
namespace {

// Newer than the header of Debian 12 (versions 3 to 6).
constexpr std::uint64_t fs_truncate = 1ULL << 14;
constexpr std::uint64_t fs_ioctl_dev = 1ULL << 15;
constexpr std::uint64_t net_all = 3;    // bind and connect of TCP
constexpr std::uint64_t scope_all = 3;  // abstract sockets, signals
constexpr std::uint64_t fs_refer = 1ULL << 13;
constexpr std::uint64_t fs_first = fs_refer - 1;  // what version 1 has

struct Handled {
  std::uint64_t fs;
  std::uint64_t net;
  std::uint64_t scoped;
};

std::uint64_t files_of(int version) {
  return fs_first | (version >= 2 ? fs_refer : 0) | (version >= 3 ? fs_truncate : 0) |
         (version >= 5 ? fs_ioctl_dev : 0);
}

std::size_t size_of_rules(int version) {
  if (version < 4) return offsetof(Handled, net);
  return version < 6 ? offsetof(Handled, scoped) : sizeof(Handled);
}

Fd open_path(const char* path) {
  int fd = -1;
  do {
    fd = ::open(path, O_PATH | O_CLOEXEC);
  } while (fd < 0 && errno == EINTR);
  return Fd(fd);
}

bool allow(const Fd& rules, const Fd& path) {
  struct stat what {};
  check(::fstat(path.get(), &what), "fstat");
  landlock_path_beneath_attr rule{};
  rule.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE;
  if (S_ISDIR(what.st_mode)) rule.allowed_access |= LANDLOCK_ACCESS_FS_READ_DIR;
  rule.parent_fd = path.get();
  return ::syscall(SYS_landlock_add_rule, rules.get(), LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
}

}  // namespace

int landlock_version() noexcept {
  const long version =
      ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  return version < 0 ? 0 : static_cast<int>(version);
}

bool restrict_files(int version, const std::vector<std::string>& readable,
                    const std::vector<const char*>& needed) {
  const Handled handled{files_of(version), net_all, scope_all};
  const Fd rules(static_cast<int>(
      ::syscall(SYS_landlock_create_ruleset, &handled, size_of_rules(version), 0)));
  if (!rules) return false;
  for (const std::string& path : readable) {
    const Fd file = open_path(path.c_str());
    if (!file) fail("open", path);
    if (!allow(rules, file)) return false;
  }
  for (const char* const path : needed) {
    const Fd file = open_path(path);
    if (file && !allow(rules, file)) return false;
  }
  return ::syscall(SYS_landlock_restrict_self, rules.get(), 0) == 0;
}

}  // namespace procpool::inline v0::os
