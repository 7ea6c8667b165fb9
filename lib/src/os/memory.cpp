#include "os/memory.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/interprocess/exceptions.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "os/error.hpp"
#include "os/files.hpp"
#include "os/fork.hpp"
#include "os/process.hpp"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

namespace procpool::inline v0::os {
namespace {

namespace bi = boost::interprocess;

// What mapped_region asks of a thing that can be mapped.
class Mappable {
 public:
  Mappable(int fd, bi::mode_t mode) : fd_(fd), mode_(mode) {}
  bi::mapping_handle_t get_mapping_handle() const { return {fd_, false}; }
  bi::mode_t get_mode() const { return mode_; }

 private:
  int fd_;
  bi::mode_t mode_;
};

// Kernels before 6.3 do not know MFD_NOEXEC_SEAL.
Fd create(const char* name) {
  constexpr unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  int fd = ::memfd_create(name, flags | MFD_NOEXEC_SEAL);
  if (fd < 0 && errno == EINVAL) fd = ::memfd_create(name, flags);
  return Fd(check(fd, "memfd_create", name));
}

// "MemAvailable:   12345 kB"; nothing where /proc does not say.
std::optional<std::size_t> available_memory() {
  const std::string text = read_file("/proc/meminfo").value_or("");
  constexpr std::string_view key = "MemAvailable:";
  const std::size_t at = text.find(key);
  if (at == std::string::npos) return std::nullopt;
  return std::size_t{std::strtoull(text.c_str() + at + key.size(), nullptr, 10)} * 1024;
}

// A memfd has no size limit of its own: allocating more than there is does not fail but calls the
// OOM killer, which takes whomever it likes. So what is large is refused before.
void require_room(std::size_t bytes, const char* name) {
  constexpr std::size_t large = std::size_t{1} << 20;
  if (bytes < large) return;
  const auto available = available_memory();
  if (available && bytes > *available) fail_with(ENOMEM, "fallocate", name);
}

// Restarted after a signal; pages allocated so far stay, so it gets further each time.
void allocate(const Fd& memory, std::size_t bytes, const char* name) {
  int result = 0;
  do {
    result = ::posix_fallocate(memory.get(), 0, static_cast<off_t>(bytes));
  } while (result == EINTR);
  if (result != 0) fail_with(result, "fallocate", name);
}

void add_seals(const Fd& memory, int seals) {
  check(::fcntl(memory.get(), F_ADD_SEALS, seals), "fcntl(F_ADD_SEALS)");
}

bi::mapped_region map(const Fd& memory, Access access) {
  const bi::mode_t mode = access == Access::read_only ? bi::read_only : bi::read_write;
  try {
    return bi::mapped_region(Mappable(memory.get(), mode), mode);
  } catch (const bi::interprocess_exception& error) {
    const int code = error.get_native_error();
    fail_with(code != 0 ? code : EINVAL, "mmap");
  }
}

void advise(const bi::mapped_region& region, int advice, const char* call) {
  check(::madvise(region.get_address(), region.get_size(), advice), call);
}

// Kernels before 5.14 refuse: then pages are mapped as they are touched. They exist already.
void populate(const bi::mapped_region& region, Access access) {
  const int advice = access == Access::read_only ? MADV_POPULATE_READ : MADV_POPULATE_WRITE;
  int result = 0;
  do {
    result = ::madvise(region.get_address(), region.get_size(), advice);
  } while (result != 0 && (errno == EINTR || errno == EAGAIN));
  if (result != 0 && errno != EINVAL) fail("madvise(MADV_POPULATE)");
}

}  // namespace

Fd make_memory(const char* name, std::size_t bytes) {
  require_room(bytes, name);
  Fd memory = create(name);
  if (bytes > 0) allocate(memory, bytes, name);
  add_seals(memory, F_SEAL_SHRINK | F_SEAL_GROW);
  return memory;
}

void seal_against_writers(const Fd& memory) { add_seals(memory, F_SEAL_FUTURE_WRITE); }
void seal_finally(const Fd& memory) { add_seals(memory, F_SEAL_SEAL); }

std::vector<std::byte> read_memory(const Fd& memory, std::size_t bytes) {
  struct stat known{};
  check(::fstat(memory.get(), &known), "fstat");
  std::vector<std::byte> content(std::min(bytes, static_cast<std::size_t>(known.st_size)));
  std::size_t done = 0;
  while (done != content.size()) {
    const ssize_t got = ::pread(memory.get(), content.data() + done, content.size() - done,
                                static_cast<off_t>(done));
    if (got < 0 && errno != EINTR) fail("pread");
    if (got == 0) break;
    if (got > 0) done += static_cast<std::size_t>(got);
  }
  content.resize(done);
  return content;
}

Fd open_read_only(const Fd& memory) {
  const std::string path = "/proc/self/fd/" + std::to_string(memory.get());
  return Fd(check(::open(path.c_str(), O_RDONLY | O_CLOEXEC), "open", path));
}

Mapping::Mapping(const Fd& memory, Access access, Inherit inherit)
    : owner_(inherit == Inherit::nothing ? this_pid() : 0) {
  if (inherit == Inherit::memory) {
    region_ = map(memory, access);
    advise(region_, MADV_DONTDUMP, "madvise(MADV_DONTDUMP)");
    return;
  }
  {
    const ForkPause no_fork_sees_it_unmarked;
    region_ = map(memory, access);
    advise(region_, MADV_DONTFORK, "madvise(MADV_DONTFORK)");
  }
  advise(region_, MADV_DONTDUMP, "madvise(MADV_DONTDUMP)");
  populate(region_, access);
}

// A hint, too: if it cannot be now, the pages go with the last mapping.
void Mapping::give_back() const noexcept {
  if (*this) ::madvise(region_.get_address(), region_.get_size(), MADV_REMOVE);
}

// In a forked child the range was never mapped and may be somebody else's by now: the region is
// parked, not unmapped.
Mapping::~Mapping() {
  if (!*this || owner_ == 0 || owner_ == this_pid()) return;
  static std::vector<bi::mapped_region>& parked = *new std::vector<bi::mapped_region>;
  parked.push_back(std::move(region_));
}

}  // namespace procpool::inline v0::os

namespace procpool::inline v0::detail {

/// A hint: kernels without large pages, or with none to spare, ignore it.
void advise_large(void* memory, std::size_t bytes) noexcept {
  constexpr std::uintptr_t large = 2 << 20;
  const auto first = (reinterpret_cast<std::uintptr_t>(memory) + large - 1) / large * large;
  const auto last = (reinterpret_cast<std::uintptr_t>(memory) + bytes) / large * large;
  if (last > first) ::madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);
}

}  // namespace procpool::inline v0::detail
