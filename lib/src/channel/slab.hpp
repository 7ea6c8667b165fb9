#pragma once

// What    A memory of its own for one large call (home writes it, the worker maps it read-only) or
//         one large result (the worker writes it, home reads it).
// Owner   One worker and one direction; it dies with that worker. Home allocates both kinds.
// Lease   A call's slab is held by its task until it is settled, so that a retry can send it again.
//         A result's slab is held by the outcome until its bytes are decoded (each byte is read once:
//         the worker may still write there); then the memory goes.
// Death   Of the worker: home's mapping keeps what was written; the bytes are checked as ever.

#include <cstdint>

#include "os/memory.hpp"

namespace procpool::inline v0::channel {

struct Slab {
  std::uint32_t number = 0;
  std::uint64_t size = 0;
  os::Fd memory;
  os::Mapping mapping;
};

}  // namespace procpool::inline v0::channel
