// The file is mapped once, at the first question, and published by one atomic pointer, so that a
// fork in the middle of a question leaves nothing locked in the child. /proc/self/exe is the file
// that runs, even if another has taken its name. What it says is checked all the same: sizes and
// places against the file's size, names for their end.

#include "os/symbols.hpp"

#include <cxxabi.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

#include "os/fd.hpp"

namespace procpool::inline v0::os {
namespace {

using Bytes = std::span<const char>;

// Part of a file, or nothing if the file is too short for it.
Bytes part(Bytes file, std::uint64_t offset, std::uint64_t size) {
  if (offset > file.size() || size > file.size() - offset) return {};
  return file.subspan(offset, size);
}

template <class T>
bool read_at(Bytes file, std::uint64_t offset, T& value) {
  const Bytes bytes = part(file, offset, sizeof value);
  if (bytes.empty()) return false;
  std::memcpy(&value, bytes.data(), sizeof value);
  return true;
}

struct Symbols {
  Bytes entries;
  Bytes names;
};

// A failure is no symbols. The mapping stays for the life of the process.
Bytes map_program() {
  int fd = -1;
  do {
    fd = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  } while (fd < 0 && errno == EINTR);
  const Fd file(fd);
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0 || status.st_size <= 0) return {};
  const auto size = static_cast<std::size_t>(status.st_size);
  void* const at = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
  return at == MAP_FAILED ? Bytes() : Bytes(static_cast<const char*>(at), size);
}

Symbols find_symbols(Bytes file) {
  ElfW(Ehdr) header;
  constexpr int word = sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32;
  if (!read_at(file, 0, header) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
      header.e_ident[EI_CLASS] != word || header.e_shentsize != sizeof(ElfW(Shdr))) {
    return {};
  }
  for (unsigned i = 0; i != header.e_shnum; ++i) {
    ElfW(Shdr) section, names;
    const auto place = [&](std::uint64_t index) {
      return std::uint64_t{header.e_shoff} + index * sizeof(ElfW(Shdr));
    };
    if (!read_at(file, place(i), section) || section.sh_type != SHT_SYMTAB) continue;
    if (section.sh_link >= header.e_shnum || !read_at(file, place(section.sh_link), names)) break;
    return {part(file, section.sh_offset, section.sh_size),
            part(file, names.sh_offset, names.sh_size)};
  }
  return {};
}

const Symbols& symbols() {
  static constinit std::atomic<const Symbols*> known{nullptr};
  const Symbols* found = known;
  if (found != nullptr) return *found;
  auto fresh = std::make_unique<const Symbols>(find_symbols(map_program()));
  // Two threads at once each map it; the later one's stays unused.
  return known.compare_exchange_strong(found, fresh.get()) ? *fresh.release() : *found;
}

bool holds(const ElfW(Sym) & symbol, std::uintptr_t address) {
  return ELF64_ST_TYPE(symbol.st_info) == STT_FUNC && symbol.st_shndx != SHN_UNDEF &&
         address >= symbol.st_value &&
         address - symbol.st_value < std::max<std::uint64_t>(symbol.st_size, 1);
}

}  // namespace

std::string program_symbol(std::uintptr_t address, std::uintptr_t& begin) {
  const Symbols& table = symbols();
  ElfW(Sym) symbol;
  for (std::uint64_t at = 0; read_at(table.entries, at, symbol); at += sizeof symbol) {
    if (!holds(symbol, address) || symbol.st_name >= table.names.size()) continue;
    const Bytes rest = table.names.subspan(symbol.st_name);
    const auto end = std::find(rest.begin(), rest.end(), '\0');
    if (end == rest.end()) continue;
    begin = symbol.st_value;
    return {rest.begin(), end};
  }
  return {};
}

std::string demangle(const char* symbol) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text(
      abi::__cxa_demangle(symbol, nullptr, nullptr, &status), std::free);
  return status == 0 ? text.get() : symbol;
}

}  // namespace procpool::inline v0::os
