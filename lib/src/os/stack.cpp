#include "os/stack.hpp"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>

#include "os/build_id.hpp"

namespace procpool::inline v0::os {
namespace {

// ---- walking
// -------------------------------------------------------------------------------------

struct Walk {
  std::span<std::uintptr_t> frames;
  std::size_t skip = 0;      // frames of this file
  std::uintptr_t after = 0;  // not 0: what comes before this address is left out
  std::size_t steps = 0;
  std::size_t count = 0;
};

/// A handler's own frames, before the one that was interrupted.
constexpr std::size_t max_handler_frames = 32;

_Unwind_Reason_Code step(_Unwind_Context* context, void* argument) {
  Walk& walk = *static_cast<Walk*>(argument);
  int is_exact = 0;
  const std::uintptr_t ip = _Unwind_GetIPInfo(context, &is_exact);
  if (ip == 0) return _URC_END_OF_STACK;
  if (walk.after != 0) {
    if (ip != walk.after || is_exact == 0) {
      return ++walk.steps == max_handler_frames ? _URC_END_OF_STACK : _URC_NO_REASON;
    }
    walk.after = 0;
  } else if (walk.steps++ < walk.skip) {
    return _URC_NO_REASON;
  }
  if (walk.count == walk.frames.size()) return _URC_END_OF_STACK;
  walk.frames[walk.count++] = is_exact != 0 ? ip : ip - 1;
  return walk.count == walk.frames.size() ? _URC_END_OF_STACK : _URC_NO_REASON;
}

// ---- modules
// -------------------------------------------------------------------------------------

struct Found {
  std::uintptr_t base = 0;  // what its addresses are counted from
  const char* name = nullptr;
  std::span<const unsigned char> build_id;
};

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

bool find(std::uintptr_t address, Found& found) {
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
  Found* found;
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

bool find(std::uintptr_t address, Found& found) {
  Search search{address, &found};
  return ::dl_iterate_phdr(look, &search) != 0;
}

#endif

// ---- writing
// -------------------------------------------------------------------------------------

constexpr std::uint32_t magic = 0x4b545350;  // "PSTK"
constexpr std::size_t max_modules = 24;
constexpr std::size_t max_build_id = 64;

struct Head {
  std::uint32_t magic = 0;
  std::uint16_t modules = 0;
  std::uint16_t frames = 0;
};

struct ModuleHead {
  std::uint16_t path = 0;  // bytes
  std::uint8_t build_id = 0;
  std::uint8_t is_program = 0;
};

constexpr std::size_t frame_bytes = sizeof(std::uint16_t) + sizeof(std::uint64_t);

class Writer {
 public:
  explicit Writer(std::span<std::byte> room) : room_(room) {}
  bool fits(std::size_t size) const { return size <= room_.size() - used_; }
  void put(const void* from, std::size_t size) {
    if (size != 0) std::memcpy(room_.data() + used_, from, size);
    used_ += size;
  }
  std::size_t used() const { return used_; }

 private:
  std::span<std::byte> room_;
  std::size_t used_ = 0;
};

struct Places {
  std::array<Found, max_modules> modules;
  std::size_t count = 0;

  std::uint16_t index(std::uintptr_t address) {
    Found found;
    if (!find(address, found)) return Stack::no_module;
    for (std::size_t i = 0; i != count; ++i) {
      if (modules[i].base == found.base && modules[i].name == found.name) {
        return static_cast<std::uint16_t>(i);
      }
    }
    if (count == modules.size()) return Stack::no_module;
    modules[count] = found;
    return static_cast<std::uint16_t>(count++);
  }
};

/// The program has no name of its own.
void put_module(Writer& writer, const Found& module, std::size_t keep_free) {
  const bool is_program = module.name == nullptr || *module.name == '\0';
  std::array<char, PATH_MAX> link;  // NOLINT: filled by readlink
  const char* path = module.name;
  std::size_t size = 0;
  if (is_program) {
    const ssize_t got = ::readlink("/proc/self/exe", link.data(), link.size());
    path = link.data();
    size =
        got > 0 && static_cast<std::size_t>(got) < link.size() ? static_cast<std::size_t>(got) : 0;
  } else {
    size = std::strlen(path);
  }
  const std::size_t id = module.build_id.size() <= max_build_id ? module.build_id.size() : 0;
  if (size > UINT16_MAX || !writer.fits(sizeof(ModuleHead) + id + size + keep_free)) size = 0;
  const ModuleHead head{.path = static_cast<std::uint16_t>(size),
                        .build_id = static_cast<std::uint8_t>(id),
                        .is_program = is_program};
  writer.put(&head, sizeof head);
  writer.put(module.build_id.data(), id);
  writer.put(path, size);
}

}  // namespace

void warm_up_unwinder() noexcept {
  [[maybe_unused]] static const std::size_t written = [] {
    std::array<std::uintptr_t, 4> frames;
    std::array<std::byte, 512> room;
    return write_stack(std::span(frames).first(capture_stack(frames)), room);
  }();
}

[[gnu::noinline]] std::size_t capture_stack(std::span<std::uintptr_t> frames) noexcept {
  if (frames.empty()) return 0;
  Walk walk{.frames = frames, .skip = 1};
  _Unwind_Backtrace(step, &walk);
  return walk.count;
}

std::size_t capture_interrupted(std::span<std::uintptr_t> frames, void* context) noexcept {
  if (frames.empty()) return 0;
#if defined(__x86_64__)
  auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  const auto pc = static_cast<std::uintptr_t>(registers[REG_RIP]);
#elif defined(__aarch64__)
  auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext;
  const std::uintptr_t pc = registers.pc;
#else
  const std::uintptr_t pc = 0;
#endif
  Found found;
  if (pc != 0 && find(pc, found)) {
    Walk walk{.frames = frames, .after = pc};
    _Unwind_Backtrace(step, &walk);
    if (walk.count != 0) return walk.count;
  }
  frames[0] = pc;
  if (frames.size() == 1 || find(pc, found)) return 1;
    // A call of what is no code: the unwinder reads the context where it lies, and is shown the
    // caller.
#if defined(__x86_64__)
  const auto sp = registers[REG_RSP];
  std::uintptr_t caller = 0;
  std::memcpy(&caller, at(static_cast<std::uintptr_t>(sp)), sizeof caller);
  if (!find(caller, found)) return 1;
  registers[REG_RIP] = static_cast<greg_t>(caller - 1);
  registers[REG_RSP] = sp + static_cast<greg_t>(sizeof caller);
  Walk walk{.frames = frames.subspan(1), .after = caller - 1};
  _Unwind_Backtrace(step, &walk);
  registers[REG_RIP] = static_cast<greg_t>(pc);
  registers[REG_RSP] = sp;
  return 1 + walk.count;
#elif defined(__aarch64__)
  const std::uintptr_t caller = registers.regs[30];
  if (!find(caller, found)) return 1;
  registers.pc = caller - 4;
  Walk walk{.frames = frames.subspan(1), .after = caller - 4};
  _Unwind_Backtrace(step, &walk);
  registers.pc = pc;
  return 1 + walk.count;
#else
  return 1;
#endif
}

std::size_t write_stack(std::span<const std::uintptr_t> frames,
                        std::span<std::byte> room) noexcept {
  const int error = errno;
  frames = frames.first(std::min(frames.size(), max_frames));
  Places places;
  std::array<std::uint16_t, max_frames> modules{};
  std::size_t heads = sizeof(Head);
  std::size_t fit = 0;
  // What must be there is counted first; paths have what is left.
  for (; fit != frames.size(); ++fit) {
    const std::size_t known = places.count;
    modules[fit] = places.index(frames[fit]);
    std::size_t more = frame_bytes;
    if (places.count != known) {
      more += sizeof(ModuleHead) + std::min(places.modules[known].build_id.size(), max_build_id);
    }
    if (heads + more > room.size()) {
      places.count = known;
      break;
    }
    heads += more;
  }
  if (heads > room.size()) return 0;
  Writer writer(room);
  const Head head{.magic = magic,
                  .modules = static_cast<std::uint16_t>(places.count),
                  .frames = static_cast<std::uint16_t>(fit)};
  writer.put(&head, sizeof head);
  heads -= sizeof head;
  for (const Found& module : std::span(places.modules).first(places.count)) {
    heads -= sizeof(ModuleHead) + std::min(module.build_id.size(), max_build_id);
    put_module(writer, module, heads);
  }
  for (std::size_t i = 0; i != fit; ++i) {
    const std::uint16_t module = modules[i];
    const std::uint64_t offset =
        module == Stack::no_module ? frames[i] : frames[i] - places.modules[module].base;
    writer.put(&module, sizeof module);
    writer.put(&offset, sizeof offset);
  }
  errno = error;
  return writer.used();
}

// ---- reading
// -------------------------------------------------------------------------------------

namespace {

class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : rest_(bytes) {}
  template <class T>
  bool take(T& value) {
    if (rest_.size() < sizeof value) return false;
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_ = rest_.subspan(sizeof value);
    return true;
  }
  bool take(std::string& text, std::size_t size) {
    if (rest_.size() < size) return false;
    text.assign(reinterpret_cast<const char*>(rest_.data()), size);
    rest_ = rest_.subspan(size);
    return true;
  }

 private:
  std::span<const std::byte> rest_;
};

bool read_module(Reader& reader, Stack::Module& module) {
  ModuleHead head;
  if (!reader.take(head) || head.build_id > max_build_id || head.path > PATH_MAX) return false;
  module.is_program = head.is_program != 0;
  return reader.take(module.build_id, head.build_id) && reader.take(module.path, head.path) &&
         module.path.find('\0') == std::string::npos;
}

bool read_frame(Reader& reader, std::size_t modules, Stack::Frame& frame) {
  std::uint16_t module = 0;
  if (!reader.take(module) || !reader.take(frame.offset)) return false;
  frame.module = module;
  return module == Stack::no_module || module < modules;
}

}  // namespace

std::optional<Stack> read_stack(std::span<const std::byte> bytes) {
  Reader reader(bytes);
  Head head;
  if (!reader.take(head) || head.magic != magic || head.modules > max_modules ||
      head.frames > max_frames) {
    return std::nullopt;
  }
  Stack stack{.frames = std::vector<Stack::Frame>(head.frames),
              .modules = std::vector<Stack::Module>(head.modules)};
  for (Stack::Module& module : stack.modules) {
    if (!read_module(reader, module)) return std::nullopt;
  }
  for (Stack::Frame& frame : stack.frames) {
    if (!read_frame(reader, stack.modules.size(), frame)) return std::nullopt;
  }
  return stack;
}

}  // namespace procpool::inline v0::os
