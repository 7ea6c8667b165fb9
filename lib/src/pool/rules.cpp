#include "pool/rules.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>

#include <procpool/errors.hpp>

#include "os/call_filter.hpp"
#include "os/sandbox.hpp"

namespace procpool::inline v0::detail {

namespace {

std::uint64_t whole_seconds(Duration time) {
  return static_cast<std::uint64_t>(std::chrono::ceil<std::chrono::seconds>(time).count());
}

}  // namespace

void check_rules(const PoolOptions& options) {
  if (options.limits.memory_bytes == std::size_t{0}) {
    throw Misuse(
        "PoolOptions::limits.memory_bytes must be at least 1: leave it empty for no limit");
  }
  if (options.limits.cpu_time && *options.limits.cpu_time <= Duration::zero()) {
    throw Misuse(
        "PoolOptions::limits.cpu_time must be more than zero: leave it empty for no limit");
  }
  if (!options.sandbox) return;
  if (options.backend != Backend::process) {
    throw Misuse(
        "PoolOptions::sandbox needs backend = Backend::process: only a process can be "
        "shut in");
  }
  for (const auto& path : options.sandbox->readable) {
    if (path.empty()) {
      throw Misuse(
          "PoolOptions::sandbox.readable has an empty path: name a file or folder, or "
          "nothing");
    }
  }
}

wire::Rules rules_of(const PoolOptions& options) {
  wire::Rules rules;
  const Limits& limits = options.limits;
  if (limits.cpu_time) rules.limits.cpu_seconds = whole_seconds(*limits.cpu_time);
  rules.limits.memory = limits.memory_bytes.value_or(os::unlimited);
  rules.limits.file_bytes = limits.file_bytes.value_or(os::unlimited);
  rules.limits.core_bytes = limits.core_bytes.value_or(os::unlimited);
  if (limits.open_files) rules.limits.open_files = *limits.open_files;
  if (!options.sandbox) return rules;
  rules.sandboxed = true;
  if ((os::pretended_gaps() & os::no_filter) == 0) rules.filter = os::make_call_filter();
  for (const auto& path : options.sandbox->readable) {  // of a worker that starts elsewhere, too
    rules.readable.push_back(std::filesystem::absolute(path).string());
  }
  return rules;
}

}  // namespace procpool::inline v0::detail
