#pragma once

#include <cstddef>
#include <span>

namespace procpool::inline v0::os {

/// The bytes of the GNU build id in one note segment; empty when it holds none. Allocates nothing,
/// takes no lock.
std::span<const unsigned char> build_id_in_notes(const unsigned char* notes, std::size_t size);

}  // namespace procpool::inline v0::os
