#pragma once

// What    The memories of a pool's large calls: those that are free, and how more are made. A call is
//         encoded straight into one, which is lent to its task; when that is settled the next call
//         finds its pages there, and the workers that know it need no descriptor and no mapping.
// Writers Under a lock of its own, which is taken last and held for no system call: leases end on any
//         thread. The bytes: whoever encodes the call, until it is submitted.
// Bounds  What is free and unused for `slab_keep_time` goes. At most `most_free` are free at once, and they
//         have at most as many bytes as one such call for each worker, and one, would need.
// Secrets A worker can read, never write, what a later call puts into a slab that it has mapped. Where
//         workers are to know nothing of each other's calls (a sandbox) nothing is used twice.
// Death   Of a worker: nothing; its leases come back with the tasks that it had. Of the pool: what is
//         lent lives as long as its lease.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "base/deadline.hpp"
#include "channel/slab.hpp"

namespace procpool::inline v0::channel {

class SlabStore : public std::enable_shared_from_this<SlabStore> {
 public:
  /// `reuses`: false, each call gets fresh memory.
  SlabStore(int workers, bool reuses);

  /// One of at least `bytes`, lent until the last copy of what is returned is gone. `growing`: more may
  /// be needed soon (`fits_better`). Throws std::system_error.
  std::shared_ptr<Slab> take(std::uint64_t bytes, bool growing = false);

  /// From now on for so many workers.
  void serve(int workers);
  /// True once after one was taken while none was free or lent: somebody is to call `trim` from now on.
  bool begin_watch();
  /// Takes out what has been free for long, to be freed without any lock (`free_slabs`). `next`: becomes
  /// earlier, if there can be more.
  void trim(Deadline now, Deadline& next, std::vector<std::shared_ptr<Slab>>& old);
  /// Workers are killed, and until they are gone they read what they had: nothing is used again.
  void stop_reuse() noexcept;
  bool reuse_stopped() const;
  /// The pool is over: nothing is kept any more.
  void close() noexcept;

  std::size_t free_count() const;
  std::uint64_t free_bytes() const;

 private:
  struct Free {
    std::unique_ptr<Slab> slab;
    Deadline since = never;  // its last use that was worth it; while it is lent, never: this one is
  };

  Free find(std::uint64_t bytes, bool growing);
  std::unique_ptr<Slab> make(std::uint64_t bytes);
  void give_back(Free used) noexcept;
  bool keep(Free& used) noexcept;
  std::unique_ptr<Slab> evict();
  std::uint64_t bytes() const;

  const unsigned generation_;
  const bool reuses_;
  mutable std::mutex mutex_;
  std::size_t workers_;
  std::size_t lent_ = 0;
  bool watched_ = false;  // `trim` will be called
  bool closed_ = false;
  std::uint32_t made_ = 0;
  std::vector<Free> free_;  // the one used last at the end. Has room: a lease ends without allocating
};

}  // namespace procpool::inline v0::channel
