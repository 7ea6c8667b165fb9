#include "os/loaded_module.hpp"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>

#include <cstring>

#include "os/build_id.hpp"

namespace procpool::inline v0::os {
namespace {

const unsigned char* at(std::uintptr_t address) {
  return reinterpret_cast<const unsigned char*>(address);
}

std::span<const unsigned char> build_id_of(std::uintptr_t base, const ElfW(Phdr) * parts,
                                           std::size_t count) {
  for (const ElfW(Phdr) & part : std::span(parts, count)) {
    if (part.p_type != PT_NOTE) continue;
    const auto id = build_id_in_notes(at(base + part.p_vaddr), part.p_memsz);
    if (!id.empty()) return id;
  }
  return {};
}

#ifdef DLFO_STRUCT_HAS_EH_DBASE  // there is _dl_find_object

/// The ELF header is the first thing mapped; where it is not, there is no build id.
std::span<const unsigned char> build_id_in(std::uintptr_t base, const dl_find_object& object) {
  const auto begin = reinterpret_cast<std::uintptr_t>(object.dlfo_map_start);
  const std::size_t size = reinterpret_cast<std::uintptr_t>(object.dlfo_map_end) - begin;
  ElfW(Ehdr) header;
  if (size < sizeof header) return {};
  std::memcpy(&header, at(begin), sizeof header);
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_phoff > size ||
      header.e_phentsize != sizeof(ElfW(Phdr)) ||
      header.e_phnum > (size - header.e_phoff) / sizeof(ElfW(Phdr))) {
    return {};
  }
  return build_id_of(base, reinterpret_cast<const ElfW(Phdr)*>(begin + header.e_phoff),
                     header.e_phnum);
}

}  // namespace

bool find_module(std::uintptr_t address, LoadedModule& found) noexcept {
  dl_find_object object{};
  if (::_dl_find_object(reinterpret_cast<void*>(address), &object) != 0) return false;
  found.base = object.dlfo_link_map->l_addr;
  found.name = object.dlfo_link_map->l_name;
  found.build_id = build_id_in(found.base, object);
  return true;
}

#else

struct Search {
  std::uintptr_t address;
  LoadedModule* found;
};

int look(dl_phdr_info* info, std::size_t, void* argument) {
  const Search& search = *static_cast<Search*>(argument);
  for (const ElfW(Phdr) & part : std::span(info->dlpi_phdr, info->dlpi_phnum)) {
    const std::uintptr_t begin = info->dlpi_addr + part.p_vaddr;
    if (part.p_type != PT_LOAD || search.address < begin ||
        search.address - begin >= part.p_memsz) {
      continue;
    }
    *search.found = {info->dlpi_addr, info->dlpi_name,
                     build_id_of(info->dlpi_addr, info->dlpi_phdr, info->dlpi_phnum)};
    return 1;
  }
  return 0;
}

}  // namespace

bool find_module(std::uintptr_t address, LoadedModule& found) noexcept {
  Search search{address, &found};
  return ::dl_iterate_phdr(look, &search) != 0;
}

#endif

}  // namespace procpool::inline v0::os
