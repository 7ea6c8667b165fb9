#include "os/role.hpp"

#include <atomic>
#include <charconv>
#include <exception>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "os/host.hpp"

namespace procpool::inline v0::os {

namespace {

struct Birth {
  Role role = Role::program;
  std::optional<int> socket;
};

Birth read_birth() {
  const std::vector<std::string> line = command_line();
  if (line.size() != 3) return {};
  Birth birth;
  if (line[1] == template_argument) birth.role = Role::template_process;
  if (line[1] == worker_argument) birth.role = Role::worker;
  if (birth.role == Role::program) return {};
  int number = -1;
  const char* const end = line[2].data() + line[2].size();
  if (std::from_chars(line[2].data(), end, number).ptr != end) return {};
  birth.socket = number;
  return birth;
}

const Birth& birth() {
  static const Birth birth = read_birth();
  return birth;
}

constexpr int unset = -1;
constinit std::atomic<int> forced_role = unset;
constinit std::atomic<bool> is_initialised = false;
constinit std::mutex waiting_lock;

std::vector<std::function<void()>>& waiting() {
  static std::vector<std::function<void()>> actions;
  return actions;
}

constinit bool begun = false;
// A static initialiser of the library: it runs after those of the program's own objects, because
// the linker keeps the order of the command line, in which a library comes last.
[[maybe_unused]] const bool end_of_static_initialisation = (begun = true);

}  // namespace

Role role() {
  const int forced = forced_role;
  return forced == unset ? birth().role : static_cast<Role>(forced);
}

void set_role(Role role) noexcept { forced_role = static_cast<int>(role); }

std::optional<int> role_socket() { return birth().socket; }

bool initialised() noexcept { return is_initialised; }

bool main_has_begun() noexcept { return begun; }

void at_init(std::function<void()> action) {
  {
    const std::lock_guard lock(waiting_lock);
    if (!is_initialised) {
      waiting().push_back(std::move(action));
      return;
    }
  }
  action();
}

void set_initialised() {
  std::vector<std::function<void()>> actions;
  {
    const std::lock_guard lock(waiting_lock);
    is_initialised = true;
    actions.swap(waiting());
  }
  std::exception_ptr first;
  for (const auto& action : actions) {
    try {
      action();
    } catch (...) {
      if (!first) first = std::current_exception();
    }
  }
  if (first) std::rethrow_exception(first);
}

}  // namespace procpool::inline v0::os
