#include "os/dwarf.hpp"

#if __has_include(<elfutils/libdwfl.h>) && __has_include(<dwarf.h>)

#include <dlfcn.h>
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <span>

namespace procpool::inline v0::os {
namespace {

/// What is used of libdw. One more function: one more line here and in `load`.
struct Library {
  decltype(&::dwfl_begin) begin = nullptr;
  decltype(&::dwfl_end) end = nullptr;
  decltype(&::dwfl_report_begin) report_begin = nullptr;
  decltype(&::dwfl_report_end) report_end = nullptr;
  decltype(&::dwfl_report_elf) report_elf = nullptr;
  decltype(&::dwfl_offline_section_address) section_address = nullptr;
  decltype(&::dwfl_build_id_find_debuginfo) find_debuginfo = nullptr;
  decltype(&::dwfl_module_getelf) getelf = nullptr;
  decltype(&::dwfl_module_build_id) build_id = nullptr;
  decltype(&::dwfl_module_addrname) addrname = nullptr;
  decltype(&::dwfl_module_addrdie) addrdie = nullptr;
  decltype(&::dwfl_module_getsrc) getsrc = nullptr;
  decltype(&::dwfl_lineinfo) lineinfo = nullptr;
  decltype(&::dwarf_getscopes) scopes = nullptr;
  decltype(&::dwarf_getscopes_die) scopes_of = nullptr;
  decltype(&::dwarf_tag) tag = nullptr;
  decltype(&::dwarf_diename) diename = nullptr;
  decltype(&::dwarf_attr_integrate) attribute = nullptr;
  decltype(&::dwarf_formstring) string = nullptr;
  decltype(&::dwarf_formudata) number = nullptr;
  decltype(&::dwarf_getsrcfiles) files = nullptr;
  decltype(&::dwarf_filesrc) file = nullptr;
  bool complete = false;
};

template <class F>
bool get(void* handle, const char* name, F*& function) {
  function = reinterpret_cast<F*>(::dlsym(handle, name));
  return function != nullptr;
}

Library load() {
  Library l;
  void* const handle = ::dlopen("libdw.so.1", RTLD_NOW | RTLD_LOCAL);  // stays
  l.complete =
      handle != nullptr && get(handle, "dwfl_begin", l.begin) && get(handle, "dwfl_end", l.end) &&
      get(handle, "dwfl_report_begin", l.report_begin) &&
      get(handle, "dwfl_report_end", l.report_end) &&
      get(handle, "dwfl_report_elf", l.report_elf) &&
      get(handle, "dwfl_offline_section_address", l.section_address) &&
      get(handle, "dwfl_build_id_find_debuginfo", l.find_debuginfo) &&
      get(handle, "dwfl_module_getelf", l.getelf) &&
      get(handle, "dwfl_module_build_id", l.build_id) &&
      get(handle, "dwfl_module_addrname", l.addrname) &&
      get(handle, "dwfl_module_addrdie", l.addrdie) &&
      get(handle, "dwfl_module_getsrc", l.getsrc) && get(handle, "dwfl_lineinfo", l.lineinfo) &&
      get(handle, "dwarf_getscopes", l.scopes) && get(handle, "dwarf_getscopes_die", l.scopes_of) &&
      get(handle, "dwarf_tag", l.tag) && get(handle, "dwarf_diename", l.diename) &&
      get(handle, "dwarf_attr_integrate", l.attribute) &&
      get(handle, "dwarf_formstring", l.string) && get(handle, "dwarf_formudata", l.number) &&
      get(handle, "dwarf_getsrcfiles", l.files) && get(handle, "dwarf_filesrc", l.file);
  return l;
}

// Published by one pointer, so that a fork in the middle leaves nothing locked in the child.
const Library& library() {
  static constinit std::atomic<const Library*> known{nullptr};
  const Library* found = known;
  if (found != nullptr) return *found;
  auto fresh = std::make_unique<const Library>(load());
  return known.compare_exchange_strong(found, fresh.get()) ? *fresh.release() : *found;
}

int no_elf(Dwfl_Module*, void**, const char*, Dwarf_Addr, char**, Elf**) { return -1; }

// Separate debug information is looked for by build id, where distributions put it. Not by the
// standard callback: that asks servers.
const Dwfl_Callbacks& callbacks() {
  static const Dwfl_Callbacks functions{.find_elf = no_elf,
                                        .find_debuginfo = library().find_debuginfo,
                                        .section_address = library().section_address,
                                        .debuginfo_path = nullptr};
  return functions;
}

struct Free {
  void operator()(Dwarf_Die* dies) const { std::free(dies); }
};
using Dies = std::unique_ptr<Dwarf_Die, Free>;

const char* text_of(Dwarf_Die* die, unsigned name) {
  Dwarf_Attribute found;
  Dwarf_Attribute* const attribute = library().attribute(die, name, &found);
  return attribute == nullptr ? nullptr : library().string(attribute);
}

std::uint64_t number_of(Dwarf_Die* die, unsigned name) {
  Dwarf_Attribute found;
  Dwarf_Word value = 0;
  Dwarf_Attribute* const attribute = library().attribute(die, name, &found);
  return attribute != nullptr && library().number(attribute, &value) == 0 ? value : 0;
}

std::string safe(const char* text) { return text == nullptr ? "" : text; }

/// Where the inlined function was called.
void set_call(SourcePlace& place, Dwarf_Die* unit, Dwarf_Die* inlined) {
  Dwarf_Files* files = nullptr;
  std::size_t count = 0;
  if (library().files(unit, &files, &count) != 0) return;
  const std::uint64_t index = number_of(inlined, DW_AT_call_file);
  if (index >= count) return;
  place.file = safe(library().file(files, index, nullptr, nullptr));
  place.line = static_cast<int>(number_of(inlined, DW_AT_call_line));
}

/// Splits the place into those of the functions that were inlined there, innermost first, and the
/// function itself.
void unfold(std::vector<SourcePlace>& places, Dwarf_Die* unit, Dwarf_Addr address) {
  const Library& dw = library();
  Dwarf_Die* found = nullptr;
  if (dw.scopes(unit, address, &found) <= 0) return;
  const Dies innermost(found);
  found = nullptr;
  const int count = dw.scopes_of(innermost.get(), &found);
  const Dies scopes(found);
  for (Dwarf_Die& die : std::span(scopes.get(), count > 0 ? static_cast<std::size_t>(count) : 0)) {
    const int tag = dw.tag(&die);
    if (tag == DW_TAG_subprogram) {
      places.back().name = safe(dw.diename(&die));
      if (places.back().symbol.empty()) {
        places.back().symbol = safe(text_of(&die, DW_AT_linkage_name));
      }
      return;
    }
    if (tag != DW_TAG_inlined_subroutine) continue;
    SourcePlace outer{.symbol = std::move(places.back().symbol)};
    places.back().symbol = safe(text_of(&die, DW_AT_linkage_name));
    places.back().name = safe(dw.diename(&die));
    set_call(outer, unit, &die);
    places.push_back(std::move(outer));
  }
}

}  // namespace

DebugInfo::DebugInfo(Fd file, const std::string& build_id) {
  const Library& dw = library();
  if (!dw.complete || !file) return;
  Dwfl* const session = dw.begin(&callbacks());
  session_ = session;
  if (session == nullptr) return;
  dw.report_begin(session);
  const int fd = file.release();
  Dwfl_Module* module = dw.report_elf(session, "", "", fd, 0, true);
  if (module == nullptr) ::close(fd);
  dw.report_end(session, nullptr, nullptr);
  GElf_Addr bias = 0;
  if (module == nullptr || dw.getelf(module, &bias) == nullptr) return;
  const unsigned char* bytes = nullptr;
  GElf_Addr address = 0;
  const int size = dw.build_id(module, &bytes, &address);
  const std::string its(reinterpret_cast<const char*>(bytes),
                        size > 0 ? static_cast<std::size_t>(size) : 0);
  if (its == build_id) module_ = module;
}

DebugInfo::~DebugInfo() {
  if (session_ != nullptr) library().end(static_cast<Dwfl*>(session_));
}

std::vector<SourcePlace> DebugInfo::places(std::uint64_t offset) const {
  if (module_ == nullptr) return {};
  const Library& dw = library();
  auto* const module = static_cast<Dwfl_Module*>(module_);
  std::vector<SourcePlace> places(1);
  places.front().symbol = safe(dw.addrname(module, offset));
  if (Dwfl_Line* const line = dw.getsrc(module, offset)) {
    places.front().file =
        safe(dw.lineinfo(line, nullptr, &places.front().line, nullptr, nullptr, nullptr));
  }
  Dwarf_Addr bias = 0;
  if (Dwarf_Die* const unit = dw.addrdie(module, offset, &bias)) {
    unfold(places, unit, offset - bias);
  }
  if (places.size() == 1 && places.front().symbol.empty() && places.front().name.empty()) return {};
  return places;
}

}  // namespace procpool::inline v0::os

#else

namespace procpool::inline v0::os {

DebugInfo::DebugInfo(Fd, const std::string&) {}
DebugInfo::~DebugInfo() = default;
std::vector<SourcePlace> DebugInfo::places(std::uint64_t) const { return {}; }

}  // namespace procpool::inline v0::os

#endif
