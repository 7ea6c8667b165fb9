#include "os/build_id.hpp"

#include <elf.h>
#include <link.h>

#include <cstring>

namespace procpool::inline v0::os {
namespace {

std::size_t padded(std::size_t size) { return (size + 3) & ~std::size_t{3}; }

}  // namespace

std::span<const unsigned char> build_id_in_notes(const unsigned char* notes, std::size_t size) {
  while (size >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) header;
    std::memcpy(&header, notes, sizeof header);
    const std::size_t name = sizeof header;
    const std::size_t value = name + padded(header.n_namesz);
    const std::size_t next = value + padded(header.n_descsz);
    if (next > size) return {};
    if (header.n_type == NT_GNU_BUILD_ID && header.n_namesz == 4 &&
        std::memcmp(notes + name, "GNU", 4) == 0) {
      return {notes + value, header.n_descsz};
    }
    notes += next;
    size -= next;
  }
  return {};
}

}  // namespace procpool::inline v0::os
