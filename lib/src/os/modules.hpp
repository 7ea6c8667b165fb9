#pragma once

// Code identity: an address as (module, offset), the same in every process that runs the same code.

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace procpool::inline v0::os {

/// Names one byte of code or data of one build of one module. `module` is a 64-bit digest of the
/// build id (or of the code itself where there is no build id).
struct CodeAddress {
  std::uint64_t module = 0;
  std::uint64_t offset = 0;
  friend bool operator==(const CodeAddress&, const CodeAddress&) = default;
};

/// The identity of an address in this process. module 0: in no loaded module.
/// Thread-safe; cached, so the second look at one address costs a few nanoseconds. (A thread that
/// asked before may get the old answer where a module was unloaded and another took its place.)
CodeAddress identify(const void* address);

/// The address here, or null when no such module is loaded or the offset lies outside it.
/// `executable`: also null unless it lies in an executable segment.
const void* locate(CodeAddress where, bool executable);

/// "libfoo.so.1 (build id 5ac0…)": for messages. Empty when not loaded here.
std::string module_name(std::uint64_t module);

/// The digest of the running program itself.
std::uint64_t program_identity();
/// Its build id, hexadecimal; empty where it has none.
std::string program_build_id();
/// "5ac0" for two bytes.
std::string hexadecimal(std::string_view bytes);

/// Loads a shared library for good; false: it was loaded already. Its static initialisers run here.
/// Throws std::runtime_error with the loader's own words, which name the file.
bool load_module(const std::filesystem::path& file);

/// "my_function(int)", or "library.so+0x1234" where the name is not known: it is for what modules
/// export, and for everything in a program that was not stripped.
std::string describe_code(const void* address);

}  // namespace procpool::inline v0::os
