#pragma once

// The table of exported tasks, as the process that holds it looks at it.

#include <string>
#include <string_view>
#include <vector>

#include <procpool/detail/exports.hpp>

namespace procpool::inline v0::wire {

struct Export {
  std::string title;  // "resize Image(Image, int)"
  std::size_t name_size = 0;
  detail::ExportedCode code;
  const Export* next = nullptr;

  std::string_view name() const { return std::string_view(title).substr(0, name_size); }
  std::string_view signature() const { return std::string_view(title).substr(name_size + 1); }
};

/// The library's own tasks begin so: nobody is told of them.
inline constexpr std::string_view own_prefix = "procpool.";
/// Every worker program has this one: void(std::vector<std::string>), the files.
inline constexpr std::string_view load_modules_task = "procpool.load_modules";

/// The first of a list, newest first.
const Export* first_export() noexcept;
/// The titles of the users' tasks, sorted.
std::vector<std::string> exported_titles();

inline std::string in_quotes(std::string_view name) { return '"' + std::string(name) + '"'; }

/// Throws UnknownTask, which says what is exported instead.
[[noreturn]] void throw_unknown_name(std::string_view title);

/// Registration is open while this lives, for what a module's static initialisers do. No exception may
/// leave those, because they run inside dlopen: what they did wrong is kept here.
class ModuleRegistration {
 public:
  ModuleRegistration() noexcept;
  ModuleRegistration(const ModuleRegistration&) = delete;
  ModuleRegistration& operator=(const ModuleRegistration&) = delete;
  ~ModuleRegistration();

  /// What was refused first; empty: nothing.
  const std::string& refusal() const noexcept { return refusal_; }
  /// Whether somebody keeps it.
  static bool keep(const std::string& refusal);

 private:
  std::string refusal_;
};

}  // namespace procpool::inline v0::wire
