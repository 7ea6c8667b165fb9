#include "os/stack_text.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "os/dwarf.hpp"
#include "os/fd.hpp"
#include "os/modules.hpp"
#include "os/symbols.hpp"

namespace procpool::inline v0::os {
namespace {

struct Line {
  std::string symbol;  // mangled
  std::string text;
};

// ---- files
// ---------------------------------------------------------------------------------------

bool is_ours(const Stack::Module& module) {
  return module.is_program && !module.build_id.empty() &&
         hexadecimal(module.build_id) == program_build_id();
}

/// The path may be anything: nothing is waited for, and only a file is read.
Fd open_file(const char* path) {
  int fd = -1;
  do {
    fd = ::open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  } while (fd < 0 && errno == EINTR);
  Fd file(fd);
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return {};
  return file;
}

std::string short_name(const Stack::Module& module) {
  if (!module.path.empty()) return module.path.substr(module.path.rfind('/') + 1);
  if (module.build_id.empty()) return "(a module without a name)";
  return "(build id " + hexadecimal(module.build_id) + ")";
}

std::string with_offset(const std::string& name, std::uint64_t offset) {
  std::array<char, 24> digits{};
  std::snprintf(digits.data(), digits.size(), "0x%llx", static_cast<unsigned long long>(offset));
  return name.empty() ? digits.data() : name + "+" + digits.data();
}

// ---- frames
// --------------------------------------------------------------------------------------

Line line_of(const SourcePlace& place, const std::string& fallback) {
  std::string text = place.symbol.empty() ? place.name : demangle(place.symbol.c_str());
  if (text.empty()) text = fallback;
  if (!place.file.empty() && place.line > 0) {
    text += " at " + place.file + ":" + std::to_string(place.line);
  } else if (text != fallback) {
    text += " [" + fallback + "]";
  }
  return {place.symbol, std::move(text)};
}

/// Files that a reader keeps open, at most, besides those of the stack that it reads. Too few: they are
/// opened anew; too many: stacks that name whatever they like use up descriptors.
constexpr std::size_t most_known = 64;

}  // namespace

struct StackReader::Known {
  Known(const Stack::Module& of, Fd file) : module(of), info(std::move(file), of.build_id) {}
  Stack::Module module;
  DebugInfo info;
};

class StackReader::Reading {
 public:
  Reading(const Stack& stack, std::vector<std::unique_ptr<Known>>& known)
      : stack_(stack), known_(known) {}

  void add(const Stack::Frame& frame, std::vector<Line>& lines) {
    if (frame.module >= stack_.modules.size()) {
      lines.push_back({{}, with_offset({}, frame.offset)});
      return;
    }
    const Stack::Module& module = stack_.modules[frame.module];
    const std::string fallback = with_offset(short_name(module), frame.offset);
    const auto places = info(frame.module).places(frame.offset);
    for (const SourcePlace& place : places) lines.push_back(line_of(place, fallback));
    if (places.empty()) lines.push_back(without_info(module, frame.offset, fallback));
  }

 private:
  const DebugInfo& info(std::uint32_t index) {
    const Stack::Module& module = stack_.modules[index];
    for (const auto& known : known_) {
      if (known->module == module) return known->info;
    }
    const bool ours = is_ours(module);
    Fd file;
    if (ours || !module.path.empty()) {
      file = open_file(ours ? "/proc/self/exe" : module.path.c_str());
    }
    return known_.emplace_back(std::make_unique<Known>(module, std::move(file)))->info;
  }

  static Line without_info(const Stack::Module& module, std::uint64_t offset,
                           const std::string& fallback) {
    std::uintptr_t begin = 0;
    SourcePlace place;
    if (is_ours(module)) place.symbol = program_symbol(offset, begin);
    return line_of(place, fallback);
  }

  const Stack& stack_;
  std::vector<std::unique_ptr<Known>>& known_;
};

namespace {

// ---- the two ends
// --------------------------------------------------------------------------------

/// How deep under the thrower's callees a throw or an abort is.
constexpr std::size_t max_throwing_frames = 16;

bool throws(const Line& line) {
  return line.symbol.ends_with("__cxa_throw") || line.symbol.ends_with("__cxa_rethrow") ||
         line.symbol.ends_with("_Unwind_Resume") ||
         line.symbol.starts_with("_ZSt17rethrow_exception");
}

/// libstdc++'s own helpers, as std::__throw_out_of_range.
bool helps_throwing(const Line& line) {
  return (line.symbol.find("__throw_") != std::string::npos && line.symbol.starts_with("_ZSt")) ||
         line.symbol.starts_with("_ZSt17throw_with_nested");
}

bool runs_tasks(const Line& line) {
  return line.symbol.starts_with("_ZN8procpool2v06worker6Invoke3run") ||
         line.symbol.starts_with("_ZN8procpool2v05local5Share3run") ||
         line.symbol.starts_with("_ZN8procpool2v06worker12_GLOBAL__N_13runE") ||
         line.symbol.starts_with("_ZN8procpool2v06worker11run_process");
}

/// Ours, or the standard library's, between a task and what runs it.
bool passes_on(const Line& line) {
  constexpr std::array<std::string_view, 6> beginnings{"_ZN8procpool2v0",
                                                       "_ZNK8procpool2v0",
                                                       "_ZZN8procpool2v0",
                                                       "_ZZNK8procpool2v0",
                                                       "_ZSt",
                                                       "_ZNSt"};
  return std::ranges::any_of(beginnings,
                             [&](std::string_view b) { return line.symbol.starts_with(b); });
}

/// Inlined functions have no symbol where they are nobody else's. Their names tell nothing of whose they
/// are: they go with what they have called.
std::span<const Line> trimmed(std::span<const Line> lines) {
  std::size_t begin = 0;
  for (std::size_t i = 0; i != std::min(lines.size(), max_throwing_frames); ++i) {
    if (throws(lines[i])) begin = i + 1;
  }
  while (begin < lines.size() && helps_throwing(lines[begin])) ++begin;
  auto end = static_cast<std::size_t>(std::ranges::find_if(lines.subspan(begin), runs_tasks) -
                                      lines.begin());
  if (end == lines.size()) return begin == end ? lines : lines.subspan(begin);
  const auto ours = [&](std::size_t i) {
    return passes_on(lines[i]) ||
           (lines[i].symbol.empty() && i > begin && passes_on(lines[i - 1]));
  };
  while (end > begin && ours(end - 1)) --end;
  return begin == end ? lines : lines.subspan(begin, end - begin);
}

}  // namespace

StackReader::StackReader() = default;
StackReader::~StackReader() = default;

std::string StackReader::text(const Stack& stack) {
  if (known_.size() > most_known) known_.clear();
  Reading reader(stack, known_);
  std::vector<Line> lines;
  for (const Stack::Frame& frame : stack.frames) reader.add(frame, lines);
  std::string text;
  for (const Line& line : trimmed(lines)) {
    if (!text.empty()) text += '\n';
    text += line.text;
  }
  return text;
}

std::string StackReader::text(std::span<const std::byte> bytes) {
  const auto stack = read_stack(bytes);
  return stack ? text(*stack) : std::string();
}

std::string stack_text(const Stack& stack) { return StackReader().text(stack); }
std::string stack_text(std::span<const std::byte> bytes) { return StackReader().text(bytes); }

}  // namespace procpool::inline v0::os
