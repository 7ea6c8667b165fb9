#include <procpool/detail/callable.hpp>
#include <procpool/detail/exports.hpp>
#include <procpool/errors.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "os/modules.hpp"
#include "wire/unknown_code.hpp"

namespace procpool::inline v0::detail {
namespace {

std::string hex(std::uint64_t number) {
  std::string digits;
  do {
    digits.insert(digits.begin(), "0123456789abcdef"[number % 16]);
    number /= 16;
  } while (number != 0);
  return "0x" + digits;
}

/// What was looked up last. Only what was found is kept, and never for another module's code: a
/// module with tasks is not unloaded.
struct Found {
  CodeAddress where;
  bool executable = false;
  const void* address = nullptr;
};
thread_local constinit std::array<Found, 16> recent{};

Found& recent_for(CodeAddress where) {
  return recent[(where.offset >> 4 ^ where.offset >> 8 ^ where.module) % recent.size()];
}

}  // namespace

CodeAddress identify_code(const void* address) {
  if (address == &named_descriptor()) return calls_by_name;
  const os::CodeAddress found = os::identify(address);
  return {found.module, found.offset};
}

const void* locate_code(CodeAddress where, bool executable) {
  if (where == calls_by_name && !executable) return &named_descriptor();
  Found& cached = recent_for(where);
  if (cached.address != nullptr && cached.where == where && cached.executable == executable)
    return cached.address;
  const void* address = os::locate({where.module, where.offset}, executable);
  if (address != nullptr) cached = {where, executable, address};
  return address;
}

std::string function_name(std::span<const std::byte> bytes, std::string_view otherwise) {
  CodeAddress where;
  if (bytes.size() < sizeof where) return readable_type(otherwise);
  std::memcpy(&where, bytes.data(), sizeof where);
  const void* const function = locate_code(where, true);
  if (function == nullptr) return readable_type(otherwise);
  // A map whose every element fails asks for each. Not one for each thread: to have its destructor
  // noted takes memory, and the C library aborts where there is none. Not waited for: a process may have
  // been forked while somebody had it.
  static constinit std::mutex lock;
  static constinit std::pair<const void*, std::string>* last = nullptr;  // never destroyed
  const std::unique_lock held(lock, std::try_to_lock);
  if (held && last != nullptr && last->first == function) return last->second;
  std::string name = readable_type(os::describe_code(function));
  if (held) {
    if (last == nullptr) last = new std::pair<const void*, std::string>;
    last->second = name;
    last->first = function;
  }
  return name;
}

CodeAddress identify_function(const void* function) {
  if (function == nullptr) throw_null_callable();
  const CodeAddress where = identify_code(function);
  if (where.module == 0)
    throw Misuse("the function lies in no loaded program or library: code that was made at run "
                 "time cannot be sent to another process");
  return where;
}

const void* find_function(CodeAddress where) {
  const void* function = locate_code(where, true);
  if (function == nullptr) throw_unknown_task(where);
  return function;
}

void throw_unknown_task(CodeAddress where) {
  const std::string module = os::module_name(where.module);
  if (module.empty()) throw wire::UnknownCode(where, os::module_name(os::program_identity()));
  throw UnknownTask("there is no task at offset " + hex(where.offset) + " of " + module +
                    " in the worker: run the same build on both sides");
}

void throw_null_callable() {
  throw Misuse("a null function pointer was given as a task: pass a function");
}

SentMember send_member(MemberPointer member) {
  if (member.is_null()) throw_null_callable();
  if (member.is_virtual()) return {{0, member.function}, member.adjustment};
  return {identify_function(reinterpret_cast<const void*>(member.function)), member.adjustment};
}

MemberPointer receive_member(SentMember sent) {
  const auto adjustment = static_cast<std::ptrdiff_t>(sent.adjustment);
  if (sent.function.module == 0) return {sent.function.offset, adjustment};
  return {reinterpret_cast<std::uintptr_t>(find_function(sent.function)), adjustment};
}

}  // namespace procpool::inline v0::detail

namespace procpool::inline v0::wire {
namespace {

std::string sentence(detail::CodeAddress where, const std::string& program) {
  const std::string module = os::module_name(where.module);
  return "the worker, " + program + ", has not loaded " +
         (module.empty() ? "the module of build " + detail::hex(where.module) : module) +
         ", where this task is at offset " + detail::hex(where.offset) +
         ": run the same build on both sides, and link libraries with tasks to the program instead "
         "of loading them later; or call it by name (procpool::export_task there, procpool::remote "
         "here)";
}

}  // namespace

UnknownCode::UnknownCode(detail::CodeAddress where, std::string program)
    : UnknownTask(sentence(where, program)), where_(where), program_(std::move(program)) {}

}  // namespace procpool::inline v0::wire
