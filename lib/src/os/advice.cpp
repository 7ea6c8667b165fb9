#include "os/advice.hpp"

#include <cerrno>
#include <system_error>
#include <utility>

namespace procpool::inline v0::os {

namespace {

constexpr const char* more_memory =
    "; free some, raise the limit on it (ulimit -v, or that of the container), or use fewer workers";

constexpr std::pair<int, const char*> advice[] = {
    {EMFILE, "; raise the limit on open files (ulimit -n), or use fewer workers"},
    {ENFILE, "; close other programs, or raise the machine's limit (sysctl fs.file-max)"},
    {EAGAIN,
     "; raise the limit on processes and threads (ulimit -u, or that of the container), or use fewer "
     "workers"},
    {ENOMEM, more_memory},
    {ENOSPC, more_memory},  // of the memory that holds memory files
};

}  // namespace

std::string advice_on(std::string_view failure) {
  for (const auto& [code, text] : advice) {
    if (failure.find(std::generic_category().message(code)) != std::string_view::npos) return text;
  }
  if (failure.find("bad_alloc") != std::string_view::npos) return more_memory;
  return {};
}

}  // namespace procpool::inline v0::os
