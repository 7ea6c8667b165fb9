#pragma once

// Anonymous shared memory: sealed memfds and their mappings. Nothing here has a name on disk, so
// nothing is left when every process that maps it is gone.

#include <sys/types.h>

#include <boost/interprocess/mapped_region.hpp>
#include <cstddef>
#include <utility>

#include "os/fd.hpp"

namespace procpool::inline v0::os {

enum class Access { read_only, read_write };

/// A memfd of `bytes` (rounded up to pages by the caller), every page allocated now (so that a full
/// machine is an exception here and never a SIGBUS later), sealed against resizing. A megabyte or
/// more is refused (ENOMEM) when the machine has less: the kernel would call its OOM killer.
/// Throws std::system_error (memfd_create, fallocate, fcntl).
Fd make_memory(const char* name, std::size_t bytes);

/// From now on nobody can map it writable or write to it; existing writable mappings stay so.
void seal_against_writers(const Fd& memory);
/// No further seals.
void seal_finally(const Fd& memory);

/// One mapping of a whole memory, MADV_DONTFORK (a forked child faults instead of writing into the
/// ring) and MADV_DONTDUMP, populated.
class Mapping {
 public:
  Mapping() noexcept = default;
  Mapping(const Fd& memory, Access access);
  Mapping(Mapping&& other) noexcept { swap(other); }
  Mapping& operator=(Mapping&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Mapping();

  std::byte* data() const noexcept { return static_cast<std::byte*>(region_.get_address()); }
  std::size_t size() const noexcept { return region_.get_size(); }
  explicit operator bool() const noexcept { return region_.get_address() != nullptr; }

 private:
  void swap(Mapping& other) noexcept {
    region_.swap(other.region_);
    std::swap(owner_, other.owner_);
  }

  boost::interprocess::mapped_region region_;
  pid_t owner_ = 0;  // the process that mapped it
};

}  // namespace procpool::inline v0::os
