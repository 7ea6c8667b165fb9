#pragma once

// Debug information of a file on disk, by elfutils' libdw, which is loaded at the first question:
// nothing links to it, and where it is not installed there are no answers.

#include <cstdint>
#include <string>
#include <vector>

#include "os/fd.hpp"

namespace procpool::inline v0::os {

/// One function that an address is in.
struct SourcePlace {
  std::string symbol = {};  // mangled; empty: not known
  std::string name = {};    // where there is no symbol: as the debug information has it
  std::string file = {};    // empty: not known
  int line = 0;
};

/// One module's file.
class DebugInfo {
 public:
  /// `file` is an ELF file whose build id is `build_id` (its bytes; empty: it has none). Otherwise
  /// nothing is ever known. Throws std::bad_alloc only.
  DebugInfo(Fd file, const std::string& build_id);
  DebugInfo(const DebugInfo&) = delete;
  DebugInfo& operator=(const DebugInfo&) = delete;
  ~DebugInfo();

  /// The functions that `offset` is in, innermost first: more than one where calls were inlined.
  /// Empty: not known.
  std::vector<SourcePlace> places(std::uint64_t offset) const;
  /// False: nothing is ever known.
  explicit operator bool() const { return module_ != nullptr; }

 private:
  void* session_ = nullptr;
  void* module_ = nullptr;
};

}  // namespace procpool::inline v0::os
