#pragma once

// A capsule: everything that it takes to run a failed task again, alone. A file:
//
//   "procpool capsule" │ u32 version │ u32 0 │ one archive: Capsule
//
// Whoever reads one trusts nothing in it.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <procpool/options.hpp>

namespace procpool::inline v0::wire {

inline constexpr std::uint32_t capsule_version = 1;
/// Of a file. Larger calls leave a capsule without their bytes.
inline constexpr std::size_t max_capsule_bytes = 16 * 1024 * 1024;

enum class Failure : std::uint8_t { crash, timeout, exception };

/// Whether the call's bytes are in it.
enum class Content : std::uint8_t {
  whole,
  too_large,
  shared_state,  // they name memories that lived with the program
};

struct CapsuleHook {
  std::uint64_t kind = 0;    // HookKind (hooks.hpp)
  std::uint64_t module = 0;  // where its descriptor lies (descriptor.hpp)
  std::uint64_t offset = 0;
  std::vector<unsigned char> callable = {};

  bool operator==(const CapsuleHook&) const = default;
};

/// What the task's pool was.
struct CapsulePool {
  std::string program = {};  // "server (build id 5ac0…)"
  std::string file = {};     // its path
  StartMethod start_method = StartMethod::forkserver;
  std::vector<std::string> modules = {};  // task modules
  std::vector<CapsuleHook> hooks = {};    // in the order in which they run; none without `whole`

  bool operator==(const CapsulePool&) const = default;
};

struct CapsuleTask {
  std::string code = {};         // "square(int)", for people
  std::string name = {};         // the caller's
  std::string module_name = {};  // "server (build id 5ac0…)"; empty: it is called by name
  std::uint64_t module = 0;      // where its descriptor lies
  std::uint64_t offset = 0;
  std::uint32_t attempt = 1;
  std::int64_t timeout = 0;  // ns; 0: none
  bool is_element = false;   // of a map
  std::uint64_t number = 0;  // of an element: its index; of a call: how many the pool had before
  Content content = Content::whole;
  std::uint64_t bytes = 0;  // of callable and arguments, also when they are not here
  std::vector<unsigned char> callable = {};  // of an element; else both are one archive, below
  std::vector<unsigned char> arguments = {};

  bool operator==(const CapsuleTask&) const = default;
};

struct Capsule {
  CapsulePool pool = {};
  CapsuleTask task = {};
  Failure failure = Failure::crash;
  std::int64_t when = 0;  // ns since 1970
  std::string report = {};

  bool operator==(const Capsule&) const = default;
};

std::vector<std::byte> serialise(const Capsule&);
/// The bytes may be anything: throws DecodingError.
Capsule parse_capsule(std::span<const std::byte>);

/// What is in it, for people: lines of plain text, whatever its texts hold.
std::string describe(const Capsule&);
/// The caller's name for the task, or its code's.
const std::string& title_of(const CapsuleTask&);
/// Bytes as they were, and back.
std::vector<unsigned char> blob_of(std::span<const std::byte> bytes);
inline std::span<const std::byte> bytes_of_blob(const std::vector<unsigned char>& blob) {
  return std::as_bytes(std::span(blob));
}

}  // namespace procpool::inline v0::wire
