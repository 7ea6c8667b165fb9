// The modules of this process as one immutable table behind one atomic pointer: readers take no
// lock, so a thread that is forked away in the middle of a look-up leaves nothing locked in the
// child. A new table is published when the loader has loaded or unloaded something (its own
// counters say so); old ones are kept for readers still in them, one per such change at most.

#include "os/modules.hpp"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "os/build_id.hpp"
#include "os/symbols.hpp"

namespace procpool::inline v0::os {
namespace {

struct Segment {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  bool executable = false;
};

struct Module {
  std::uint64_t digest = 0;
  std::uintptr_t base = 0;
  std::string name;
  std::string build_id;  // hexadecimal; empty where there is none
  std::vector<Segment> segments;

  const Segment* find(std::uintptr_t address) const {
    for (const Segment& s : segments) {
      if (address >= s.begin && address < s.end) return &s;
    }
    return nullptr;
  }
};

// What the loader has done so far: two equal versions mean the same modules.
struct Version {
  unsigned long long loads = 0;
  unsigned long long unloads = 0;
  friend bool operator==(const Version&, const Version&) = default;
};

struct Table {
  Version version;
  std::uint32_t number = 0;  // distinguishes tables in the per-thread caches; never 0
  std::vector<Module> modules;
  const Table* previous = nullptr;
};

std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93U;
  x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93U;
  return x ^ (x >> 32);
}

std::uint64_t hash_bytes(std::uint64_t seed, const unsigned char* bytes, std::size_t size) {
  std::uint64_t hash = mix(seed ^ size);
  for (; size >= 8; bytes += 8, size -= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes, 8);
    hash = (hash ^ word) * 0x9e3779b97f4a7c15U;
    hash ^= hash >> 29;
  }
  std::uint64_t rest = 0;
  std::memcpy(&rest, bytes, size);
  return mix(hash ^ rest);
}

const unsigned char* at(std::uintptr_t address) {
  return reinterpret_cast<const unsigned char*>(address);
}

std::string find_build_id(const dl_phdr_info& info) {
  for (int i = 0; i < info.dlpi_phnum; ++i) {
    const ElfW(Phdr)& part = info.dlpi_phdr[i];
    if (part.p_type != PT_NOTE) continue;
    const auto id = build_id_in_notes(at(info.dlpi_addr + part.p_vaddr), part.p_memsz);
    if (!id.empty()) return {id.begin(), id.end()};
  }
  return {};
}

// Where there is no build id: the code as it lies in memory. Code segments hold no relocations,
// so the hash is the same in every process.
std::uint64_t hash_code(const dl_phdr_info& info) {
  std::uint64_t hash = 0;
  for (int i = 0; i < info.dlpi_phnum; ++i) {
    const ElfW(Phdr)& part = info.dlpi_phdr[i];
    if (part.p_type != PT_LOAD) continue;
    hash = mix(hash ^ mix(part.p_vaddr) ^ mix(part.p_memsz + part.p_flags));
    if ((part.p_flags & PF_X) == 0 || (part.p_flags & PF_R) == 0) continue;
    hash = hash_bytes(hash, at(info.dlpi_addr + part.p_vaddr), part.p_memsz);
  }
  return hash;
}

}  // namespace

std::string hexadecimal(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) {
    std::array<char, 3> two{};
    std::snprintf(two.data(), two.size(), "%02x",
                  static_cast<unsigned>(static_cast<unsigned char>(byte)));
    text += two.data();
  }
  return text;
}

namespace {

std::string program_name() {
  std::error_code none;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", none);
  return none || path.empty() ? "program" : path.filename().string();
}

Module describe(const dl_phdr_info& info, bool is_program) {
  Module module;
  module.base = info.dlpi_addr;
  module.name =
      is_program ? program_name() : std::filesystem::path(info.dlpi_name).filename().string();
  const std::string id = find_build_id(info);
  module.build_id = hexadecimal(id);
  module.digest = id.empty()
                      ? hash_code(info)
                      : hash_bytes(1, reinterpret_cast<const unsigned char*>(id.data()), id.size());
  if (module.digest == 0) module.digest = 1;  // 0 means "no module"
  for (int i = 0; i < info.dlpi_phnum; ++i) {
    const ElfW(Phdr)& part = info.dlpi_phdr[i];
    if (part.p_type != PT_LOAD) continue;
    const std::uintptr_t begin = info.dlpi_addr + part.p_vaddr;
    module.segments.push_back({begin, begin + part.p_memsz, (part.p_flags & PF_X) != 0});
  }
  return module;
}

// The first module that dl_iterate_phdr shows is the program.
int add_module(dl_phdr_info* info, std::size_t, void* context) {
  Table& table = *static_cast<Table*>(context);
  table.version = {info->dlpi_adds, info->dlpi_subs};
  table.modules.push_back(describe(*info, table.modules.empty()));
  return 0;
}

int take_version(dl_phdr_info* info, std::size_t, void* context) {
  *static_cast<Version*>(context) = {info->dlpi_adds, info->dlpi_subs};
  return 1;
}

Version current_version() {
  Version version;
  ::dl_iterate_phdr(take_version, &version);
  return version;
}

std::atomic<const Table*> latest{nullptr};

// Scanned before it is published, holding only the loader's own lock.
const Table& rescan() {
  auto fresh = std::make_unique<Table>();
  ::dl_iterate_phdr(add_module, fresh.get());
  const Table* before = latest;
  do {
    fresh->previous = before;
    fresh->number = before == nullptr ? 1 : before->number + 1;
  } while (!latest.compare_exchange_weak(before, fresh.get()));
  return *fresh.release();
}

const Table& current_table() {
  const Table* table = latest;
  if (table != nullptr && table->version == current_version()) return *table;
  return rescan();
}

const Module* find_module(const Table& table, std::uint64_t digest) {
  for (const Module& module : table.modules) {
    if (module.digest == digest) return &module;
  }
  return nullptr;
}

const Module* find_owner(const Table& table, std::uintptr_t address) {
  for (const Module& module : table.modules) {
    if (module.find(address) != nullptr) return &module;
  }
  return nullptr;
}

struct CacheEntry {
  const void* address = nullptr;
  std::uint32_t table = 0;
  CodeAddress where;
};

// Per thread, so that a hit is two loads and no lock.
CacheEntry& cache_entry(const void* address) {
  thread_local std::array<CacheEntry, 64> entries;
  return entries[mix(reinterpret_cast<std::uintptr_t>(address)) % entries.size()];
}

CodeAddress look_up(const Table& table, const void* address) {
  const auto number = reinterpret_cast<std::uintptr_t>(address);
  const Module* module = find_owner(table, number);
  return module == nullptr ? CodeAddress{} : CodeAddress{module->digest, number - module->base};
}

std::string place(std::string name, std::uintptr_t offset) {
  std::array<char, 20> digits{};
  std::snprintf(digits.data(), digits.size(), "+0x%zx", static_cast<std::size_t>(offset));
  return name + digits.data();
}

std::string with_offset(std::string name, std::uintptr_t offset) {
  return offset == 0 ? name : place(std::move(name), offset);
}

}  // namespace

CodeAddress identify(const void* address) {
  CacheEntry& entry = cache_entry(address);
  const Table* table = latest;
  if (table != nullptr && entry.table == table->number && entry.address == address) {
    return entry.where;
  }
  const Table& fresh = current_table();
  const CodeAddress where = look_up(fresh, address);
  if (where.module != 0) entry = {address, fresh.number, where};
  return where;
}

const void* locate(CodeAddress where, bool executable) {
  const Module* module = where.module == 0 ? nullptr : find_module(current_table(), where.module);
  if (module == nullptr) return nullptr;
  const std::uintptr_t address = module->base + where.offset;
  const Segment* segment = module->find(address);
  if (segment == nullptr || (executable && !segment->executable)) return nullptr;
  return at(address);
}

std::string module_name(std::uint64_t module) {
  const Module* found = module == 0 ? nullptr : find_module(current_table(), module);
  if (found == nullptr) return {};
  return found->name +
         (found->build_id.empty() ? " (no build id)" : " (build id " + found->build_id + ")");
}

std::uint64_t program_identity() { return current_table().modules.front().digest; }

std::string program_build_id() { return current_table().modules.front().build_id; }

std::string describe_code(const void* address) {
  const auto number = reinterpret_cast<std::uintptr_t>(address);
  Dl_info info{};
  if (::dladdr(address, &info) != 0 && info.dli_sname != nullptr) {
    return with_offset(demangle(info.dli_sname),
                       number - reinterpret_cast<std::uintptr_t>(info.dli_saddr));
  }
  const Table& table = current_table();
  const Module* module = find_owner(table, number);
  if (module == nullptr) return place("unknown", number);
  const std::uintptr_t offset = number - module->base;
  std::uintptr_t begin = 0;
  const std::string symbol =
      module == &table.modules.front() ? program_symbol(offset, begin) : std::string();
  return symbol.empty() ? place(module->name, offset)
                        : with_offset(demangle(symbol.c_str()), offset - begin);
}

}  // namespace procpool::inline v0::os
