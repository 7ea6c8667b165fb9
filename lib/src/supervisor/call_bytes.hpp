#pragma once

// A call's bytes as they travel: how many, and where they lie.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include <procpool/detail/batch.hpp>
#include <procpool/detail/node.hpp>
#include <procpool/options.hpp>

#include "channel/slab_store.hpp"

namespace procpool::inline v0::supervisor {

std::uint64_t call_bytes(const detail::Assignment& work);
/// So many.
void write_call(const detail::Assignment& work, std::byte* to);

bool fits_an_arena(const detail::Assignment& work);
/// Null: it has none.
const channel::Slab* slab_of(const detail::Assignment& work);
/// Whether it does not fit, and has no slab yet; and copying it into one (outside the lock). Throws
/// std::system_error.
bool needs_slab(const detail::Assignment& work);
std::shared_ptr<channel::Slab> copy_to_slab(channel::SlabStore& store,
                                            const detail::Assignment& work);
void attach_slab(detail::Assignment& work, std::shared_ptr<channel::Slab> slab);
/// Whether it was encoded into a slab that has room for the name, too; and writing that.
bool lies_in_slab(const detail::Node& node);
void complete_in_slab(const detail::Node& node);

inline std::string_view name_of(const detail::Assignment& work) {
  return work.options == nullptr ? std::string_view() : work.options->name;
}

}  // namespace procpool::inline v0::supervisor
