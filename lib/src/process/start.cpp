#include "process/start.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "base/worker_entry.hpp"
#include "os/error.hpp"
#include "os/fork.hpp"
#include "os/memory.hpp"
#include "os/process.hpp"
#include "os/role.hpp"
#include "os/socket.hpp"
#include "os/spawn.hpp"
#include "process/home.hpp"
#include "shared/shared_memory.hpp"
#include "shm/layout.hpp"
#include "wire/messages.hpp"

namespace procpool::inline v0::process {

namespace {

constexpr int worker_control = 3;

/// What the call names, each once.
detail::Attachments memories_of(const detail::ProcessCall& call) {
  detail::Attachments memories = call.memories;
  std::ranges::sort(memories);
  const auto again = std::ranges::unique(memories);
  memories.erase(again.begin(), again.end());
  return memories;
}

/// What a call's memory consists of, one after the other.
class Writer {
 public:
  explicit Writer(std::byte* to) : to_(to) {}
  void write(const void* data, std::size_t bytes) {
    if (bytes != 0) std::memcpy(to_, data, bytes);
    to_ += bytes;
  }

 private:
  std::byte* to_;
};

/// The call in a memory that nobody can change any more.
os::Fd make_call_memory(const detail::ProcessCall& call, const detail::Attachments& memories,
                        const std::string& name) {
  const detail::CodeAddress code = detail::identify_code(call.descriptor);
  const wire::ProcessCall header{code.module, code.offset, call.bytes,
                                 static_cast<std::uint32_t>(name.size()),
                                 static_cast<std::uint32_t>(memories.size())};
  const std::size_t bytes =
      sizeof header + memories.size() * sizeof(wire::NamedMemory) + call.bytes + name.size();
  os::Fd memory = os::guard(
      os::make_memory("procpool-call", (bytes + shm::page - 1) / shm::page * shm::page));
  {
    const os::Mapping mapping(memory, os::Access::read_write);
    Writer to(mapping.data());
    to.write(&header, sizeof header);
    for (const auto& each : memories) {
      const shared::Key key = each->key();
      const wire::NamedMemory named{key.number, static_cast<std::uint32_t>(key.form), 0};
      to.write(&named, sizeof named);
    }
    to.write(call.archive.get(), call.bytes);
    to.write(name.data(), name.size());
  }
  os::seal_against_writers(memory);
  os::seal_finally(memory);
  return memory;
}

/// A child of this process, which waits at the other end of `control`.
struct Own {
  std::unique_ptr<Child> child;
  os::Fd control;
};

/// Only `ours` is closed in a child that this process forks: the other end is for that child.
os::SocketPair make_pair_for_fork() {
  const os::ForkPause no_fork_sees_it_unguarded;
  os::SocketPair pair = os::make_socket_pair();
  pair.ours = os::guard(std::move(pair.ours));
  return pair;
}

Own fork_program() {
  os::SocketPair pair = make_pair_for_fork();
  const pid_t pid = os::fork_process();
  if (pid == 0) enter_worker(pair.theirs.release());
  return {std::make_unique<Child>(pid, os::guard(os::open_child_pidfd(pid)), os::Fd()),
          std::move(pair.ours)};
}

Own spawn_program() {
  os::SocketPair pair = make_pair_for_fork();
  pair.theirs = os::guard(std::move(pair.theirs));
  os::Spawned spawned = os::spawn({}, {os::worker_argument, std::to_string(worker_control)},
                                  pair.theirs, worker_control);
  return {std::make_unique<Child>(spawned.pid, os::guard(std::move(spawned.pidfd)), os::Fd()),
          std::move(pair.ours)};
}

Own make_child(StartMethod method, Home& home) {
  switch (method) {
    case StartMethod::fork: return fork_program();
    case StartMethod::spawn: return spawn_program();
    default: break;
  }
  Home::Forked forked = home.fork_from_template();
  return {std::move(forked.child), std::move(forked.control)};
}

/// False: the machine has too many descriptors under way. A child that is gone already has ended before
/// its callable ran; its exit code says how.
bool tell(const os::Fd& control, const wire::Control& word, std::span<const int> fds) {
  return os::send_message(control.get(), wire::bytes_of(word), fds) != os::Io::would_block;
}

bool tell_what_to_run(const os::Fd& control, const os::Fd& call, const os::Fd& tether) {
  std::array<int, wire::run_fd_count> fds{};
  fds[wire::process_call_fd] = call.get();
  fds[wire::process_tether_fd] = tether.get();
  return tell(control, {wire::ControlKind::run, 0, wire::protocol_version}, fds);
}

bool give(const os::Fd& control, const detail::Attachments& memories) {
  std::vector<int> fds;
  for (const auto& memory : memories) fds.push_back(memory->fd());
  for (std::span<const int> left = fds; !left.empty();) {
    const auto some = left.first(std::min(left.size(), wire::memories_at_once));
    const auto count = static_cast<std::uint32_t>(some.size());
    if (!tell(control, {wire::ControlKind::memories, count, 0}, some)) return false;
    left = left.subspan(some.size());
  }
  return true;
}

}  // namespace

std::unique_ptr<Child> start_child(StartMethod method, const detail::ProcessCall& call,
                                   const std::string& name) {
  Home& home = Home::get();
  const detail::Attachments memories = memories_of(call);
  const os::Fd memory = make_call_memory(call, memories, name);
  Own own = make_child(method, home);
  if (!tell_what_to_run(own.control, memory, home.tether()) || !give(own.control, memories)) {
    own.control.reset();  // it hears no more and ends
    own.child->wait(never);
    os::fail_with(ETOOMANYREFS, "sendmsg", "the call of a Process");
  }
  return std::move(own.child);
}

}  // namespace procpool::inline v0::process
