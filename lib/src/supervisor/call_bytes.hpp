#pragma once

// A call's bytes as they travel: how many, and where they lie.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include <procpool/detail/batch.hpp>
#include <procpool/detail/node.hpp>
#include <procpool/options.hpp>

#include "channel/slab.hpp"

namespace procpool::inline v0::supervisor {

std::uint64_t call_bytes(const detail::Assignment& work);
/// So many.
void write_call(const detail::Assignment& work, std::byte* to);

bool fits_an_arena(const detail::Assignment& work);
/// Whether it does not, and has no slab yet; and making one (outside the lock).
bool needs_slab(const detail::Assignment& work);
std::shared_ptr<channel::Slab> make_slab(const detail::Assignment& work);
void attach_slab(detail::Assignment& work, std::shared_ptr<channel::Slab> slab);
/// Null: it has none.
const std::shared_ptr<const void>* slab_of(const detail::Assignment& work);

inline std::string_view name_of(const detail::Assignment& work) {
  return work.options == nullptr ? std::string_view() : work.options->name;
}

}  // namespace procpool::inline v0::supervisor
