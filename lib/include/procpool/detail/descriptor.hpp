#pragma once

// How a worker finds the code of a task. Each type of task has one descriptor, an object in the
// program's data, put into a table before main by the template that uses it. What travels is where
// in which module the object lies; the worker looks that address up in its own table and so never
// jumps to an address that it was sent. Data, not code, because linkers fold equal functions.

#include <procpool/detail/invocation.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace procpool::inline v0::detail {

/// An address as (module, offset): the same in every process that runs the same build.
struct CodeAddress {
  std::uint64_t module = 0;  // digest of the build id; 0: none
  std::uint64_t offset = 0;
  friend bool operator==(const CodeAddress&, const CodeAddress&) = default;
};

/// The descriptor of calls by name (exports.hpp), which every program has.
inline constexpr CodeAddress calls_by_name{0, 1};

/// Module 0: the address lies in no loaded module. Thread-safe and cached.
CodeAddress identify_code(const void* address);
/// The address here, or null. `executable`: null also unless code may run there. Cached.
const void* locate_code(CodeAddress where, bool executable);
/// For messages: the name of the function whose identity these bytes begin with, "square(int)", or
/// its module and offset where the name is not known. `otherwise`, made readable, when the bytes
/// name no code of this process: they may be anything.
std::string function_name(std::span<const std::byte> bytes, std::string_view otherwise);

/// A function by its identity. Throws UnknownTask if it is not in this process.
const void* find_function(CodeAddress where);
/// The identity of a function. Throws Misuse for null and for code in no module.
CodeAddress identify_function(const void* function);
[[noreturn]] void throw_unknown_task(CodeAddress where);
[[noreturn]] void throw_null_callable();

struct Descriptor {
  void (*thunk)(Invocation&);
  /// For messages, from the callable's encoding: "square(int)", "main()::lambda(int)". Runs no code
  /// of the user's; the bytes may be anything.
  std::string (*name)(std::span<const std::byte> callable);
  Descriptor* next;       // in the table; null before registration
};

/// Adds to the table; does nothing if it is there already. Safe during static initialisation, and
/// while other threads register or look up. The object must outlive every use: a module with tasks
/// is not to be unloaded.
void register_descriptor(Descriptor&);
/// The descriptor at this address, or null if none is registered there. Takes no lock.
const Descriptor* find_descriptor(const void* address);

/// The compiler's spelling of a type, made readable: "main()::lambda(int)", "std::string".
std::string readable_type(std::string_view compilers_text);

}  // namespace procpool::inline v0::detail
