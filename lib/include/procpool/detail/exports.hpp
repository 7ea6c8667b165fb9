#pragma once

// Tasks that are called by name: those of another program, or of a module that workers load. Such a
// call begins with its title, "resize Image(Image, int)": the name, and how arguments and result
// cross. A worker runs it only if it has exported a task of just this title.

#include <procpool/detail/descriptor.hpp>
#include <procpool/detail/invocation.hpp>

#include <string>
#include <string_view>

namespace procpool::inline v0::detail {

using AnyFunction = void (*)();

/// What runs an exported task. `callable`: its bytes after the title; `function`: null where the
/// callable's type says everything.
struct ExportedCode {
  void (*run)(Invocation&, SpanIn& callable, AnyFunction function) = nullptr;
  AnyFunction function = nullptr;
  friend bool operator==(const ExportedCode&, const ExportedCode&) = default;
};

/// Throws Misuse after init, for a name that is none, and for one that is taken by other code.
void add_export(std::string_view name, std::string_view signature, ExportedCode code);
/// Throws Misuse unless the name can be one: not empty, without blanks.
void check_task_name(std::string_view name, const char* call);

/// The one descriptor of all calls by name. Every program has it, so it travels as `calls_by_name`.
const Descriptor& named_descriptor() noexcept;
/// Its thunk: runs the task of that title. Throws UnknownTask.
void call_by_name(Invocation& invocation);
/// The beginning of such a call's bytes. Throws Misuse for an empty name.
void save_title(SpanOut& out, std::string_view name, std::string_view signature);
/// The name in a call's bytes, which may be anything.
std::string named_task_name(std::span<const std::byte> callable);

[[noreturn]] void throw_called_here(const std::string& name);

}  // namespace procpool::inline v0::detail
