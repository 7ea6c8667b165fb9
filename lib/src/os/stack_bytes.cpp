// A stack as bytes: places in modules, which mean the same in another process.

#include <limits.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "os/loaded_module.hpp"
#include "os/stack.hpp"

namespace procpool::inline v0::os {
namespace {

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
  std::array<LoadedModule, max_modules> modules;
  std::size_t count = 0;

  std::uint16_t index(std::uintptr_t address) {
    LoadedModule found;
    if (!find_module(address, found)) return Stack::no_module;
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
void put_module(Writer& writer, const LoadedModule& module, std::size_t keep_free) {
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
  for (const LoadedModule& module : std::span(places.modules).first(places.count)) {
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

// ---- reading --------------------------------------------------------------------------------

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
