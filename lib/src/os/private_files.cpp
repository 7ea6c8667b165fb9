#include "os/private_files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string_view>
#include <system_error>

#include "os/error.hpp"

namespace procpool::inline v0::os {
namespace {

constexpr mode_t only_owner = 0600;

int open_again(int folder, const char* name, int flags, mode_t mode = 0) noexcept {
  int fd = -1;
  do {
    fd = ::openat(folder, name, flags | O_CLOEXEC, mode);
  } while (fd < 0 && errno == EINTR);
  return fd;
}

int open_folder(const std::filesystem::path& folder) noexcept {
  return open_again(AT_FDCWD, folder.c_str(), O_RDONLY | O_DIRECTORY);
}

void make_folder(const std::filesystem::path& folder) {
  if (folder.has_parent_path()) std::filesystem::create_directories(folder.parent_path());
  if (::mkdir(folder.c_str(), 0700) == 0) {
    check(::chmod(folder.c_str(), 0700), "chmod", folder.string());  // whatever the umask
  } else if (errno != EEXIST) {
    fail("mkdir", folder.string());
  }
}

/// A write beyond the limit would be a signal to the whole program.
void check_file_limit(std::size_t bytes, const std::string& name) {
  rlimit limit{};
  check(::getrlimit(RLIMIT_FSIZE, &limit), "getrlimit(RLIMIT_FSIZE)");
  if (limit.rlim_cur != RLIM_INFINITY && bytes > limit.rlim_cur) fail_with(EFBIG, "write", name);
}

void fill(const Fd& file, std::span<const std::byte> bytes, const std::string& name) {
  check(::fchmod(file.get(), only_owner), "fchmod", name);  // whatever the umask
  while (!bytes.empty()) {
    const ssize_t put = ::write(file.get(), bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put == 0) errno = ENOSPC;
    if (put <= 0) fail("write", name);
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
}

/// Whether the file system has no nameless files, or there is no /proc to name one by.
bool has_no_nameless_files(int error) noexcept {
  return error == EOPNOTSUPP || error == EISDIR || error == ENOENT || error == EINVAL;
}

}  // namespace

Fd open_private_folder(const std::filesystem::path& folder) {
  Fd fd(open_folder(folder));
  if (!fd && errno == ENOENT) {
    make_folder(folder);
    fd = Fd(open_folder(folder));
  }
  if (!fd) fail("open", folder.string());
  return fd;
}

bool write_private_file(const Fd& folder, const std::string& name,
                        std::span<const std::byte> bytes) {
  check_file_limit(bytes.size(), name);
  const Fd file(open_again(folder.get(), ".", O_WRONLY | O_TMPFILE, only_owner));
  if (!file) {
    if (has_no_nameless_files(errno)) return write_private_file_by_rename(folder, name, bytes);
    fail("open", name);
  }
  fill(file, bytes, name);
  const std::string nameless = "/proc/self/fd/" + std::to_string(file.get());
  if (::linkat(AT_FDCWD, nameless.c_str(), folder.get(), name.c_str(), AT_SYMLINK_FOLLOW) == 0) {
    return true;
  }
  if (errno == EEXIST) return false;
  if (has_no_nameless_files(errno)) return write_private_file_by_rename(folder, name, bytes);
  fail("link", name);
}

bool write_private_file_by_rename(const Fd& folder, const std::string& name,
                                  std::span<const std::byte> bytes) {
  const std::string temporary = name + ".tmp";
  const Fd file(open_again(folder.get(), temporary.c_str(),
                           O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, only_owner));
  if (!file && errno == EEXIST) return false;
  if (!file) fail("open", temporary);
  try {
    fill(file, bytes, name);
    if (::faccessat(folder.get(), name.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
      remove_file(folder, temporary);
      return false;
    }
    check(::renameat(folder.get(), temporary.c_str(), folder.get(), name.c_str()), "rename", name);
    return true;
  } catch (...) {
    remove_file(folder, temporary);
    throw;
  }
}

std::vector<std::string> names_in(const Fd& folder) {
  // Of its own: a directory stream takes its descriptor over, and the place in it is shared.
  Fd own(check(open_again(folder.get(), ".", O_RDONLY | O_DIRECTORY), "open"));
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(own.get()), &::closedir);
  if (!stream) fail("fdopendir");
  static_cast<void>(own.release());
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* const entry = ::readdir(stream.get());
    if (entry == nullptr && errno != 0) fail("readdir");
    if (entry == nullptr) return names;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
}

bool remove_file(const Fd& folder, const std::string& name) noexcept {
  return ::unlinkat(folder.get(), name.c_str(), 0) == 0;
}

std::vector<std::byte> read_whole(const std::filesystem::path& path, std::size_t most) {
  const Fd file(check(open_again(AT_FDCWD, path.c_str(), O_RDONLY), "open", path.string()));
  std::vector<std::byte> bytes;
  std::size_t used = 0;
  for (;;) {
    bytes.resize(std::max<std::size_t>(2 * used, 64 * 1024));
    const ssize_t got = ::read(file.get(), bytes.data() + used, bytes.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("read", path.string());
    if (got == 0) break;
    used += static_cast<std::size_t>(got);
    if (used > most) fail_with(EFBIG, "read", path.string());
  }
  bytes.resize(used);
  return bytes;
}

std::string own_program_file() {
  std::error_code none;
  return std::filesystem::read_symlink("/proc/self/exe", none).string();
}

}  // namespace procpool::inline v0::os
