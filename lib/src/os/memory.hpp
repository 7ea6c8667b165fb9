#pragma once

// Anonymous shared memory: sealed memfds and their mappings. Nothing here has a name on disk, so
// nothing is left when every process that maps it is gone.

#include <sys/types.h>

#include <boost/interprocess/mapped_region.hpp>
#include <cstddef>
#include <utility>
#include <vector>

#include "os/fd.hpp"

namespace procpool::inline v0::os {

enum class Access { read_only, read_write };

/// What a forked child has of a mapping: nothing (it faults), or the same memory.
enum class Inherit { nothing, memory };

/// A memfd of `bytes` (rounded up to pages by the caller), every page allocated now (so that a full
/// machine is an exception here and never a SIGBUS later), sealed against resizing. A megabyte or
/// more is refused (ENOMEM) when the machine has less: the kernel would call its OOM killer.
/// Throws std::system_error (memfd_create, fallocate, fcntl).
Fd make_memory(const char* name, std::size_t bytes);

/// From now on nobody can map it writable or write to it; existing writable mappings stay so.
void seal_against_writers(const Fd& memory);
/// No further seals.
void seal_finally(const Fd& memory);

/// The first `bytes` of a memory that somebody else may change or shrink meanwhile: as many as there are.
std::vector<std::byte> read_memory(const Fd& memory, std::size_t bytes);
/// A description of the same memory that cannot be written through or mapped writable. Throws
/// std::system_error.
Fd open_read_only(const Fd& memory);

/// One mapping of a whole memory, MADV_DONTDUMP. Where forked children get nothing of it
/// (MADV_DONTFORK: one faults instead of writing into the ring) it is populated, too.
class Mapping {
 public:
  Mapping() noexcept = default;
  Mapping(const Fd& memory, Access access, Inherit inherit = Inherit::nothing);
  Mapping(Mapping&& other) noexcept { swap(other); }
  Mapping& operator=(Mapping&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Mapping();

  /// Gives the memory's pages back, whoever else maps it: it is all zeros then, and what is written into
  /// it may find no memory. Of one mapped writable and not sealed against writers.
  void give_back() const noexcept;

  std::byte* data() const noexcept { return static_cast<std::byte*>(region_.get_address()); }
  std::size_t size() const noexcept { return region_.get_size(); }
  explicit operator bool() const noexcept { return region_.get_address() != nullptr; }

 private:
  void swap(Mapping& other) noexcept {
    region_.swap(other.region_);
    std::swap(owner_, other.owner_);
  }

  boost::interprocess::mapped_region region_;
  pid_t owner_ = 0;  // the only process that has it; 0: forked children have it, too
};

}  // namespace procpool::inline v0::os
