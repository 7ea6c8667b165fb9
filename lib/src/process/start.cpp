#include "process/start.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <utility>

#include "base/worker_entry.hpp"
#include "os/error.hpp"
#include "os/fork.hpp"
#include "os/memory.hpp"
#include "os/process.hpp"
#include "os/role.hpp"
#include "os/socket.hpp"
#include "os/spawn.hpp"
#include "process/home.hpp"
#include "shm/layout.hpp"
#include "wire/messages.hpp"

namespace procpool::inline v0::process {

namespace {

constexpr int worker_control = 3;

/// The call in a memory that nobody can change any more.
os::Fd make_call_memory(const detail::ProcessCall& call, const std::string& name) {
  const detail::CodeAddress code = detail::identify_code(call.descriptor);
  const wire::ProcessCall header{code.module, code.offset, call.bytes, name.size()};
  const std::size_t bytes = sizeof header + call.bytes + name.size();
  os::Fd memory = os::guard(
      os::make_memory("procpool-call", (bytes + shm::page - 1) / shm::page * shm::page));
  {
    const os::Mapping mapping(memory, os::Access::read_write);
    std::byte* to = mapping.data();
    std::memcpy(to, &header, sizeof header);
    to += sizeof header;
    if (call.bytes != 0) std::memcpy(to, call.archive.get(), call.bytes);
    std::memcpy(to + call.bytes, name.data(), name.size());
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

}  // namespace

std::unique_ptr<Child> start_child(StartMethod method, const detail::ProcessCall& call,
                                   const std::string& name) {
  Home& home = Home::get();
  const os::Fd memory = make_call_memory(call, name);
  Own own = make_child(method, home);
  std::array<int, wire::run_fd_count> fds{};
  fds[wire::process_call_fd] = memory.get();
  fds[wire::process_tether_fd] = home.tether().get();
  const wire::Control run{wire::ControlKind::run, 0, wire::protocol_version};
  // A child that is gone already has ended before its callable ran; its exit code says how.
  if (os::send_message(own.control.get(), wire::bytes_of(run), fds) == os::Io::would_block) {
    own.control.reset();  // it hears nothing and ends
    own.child->wait(never);
    os::fail_with(ETOOMANYREFS, "sendmsg", "the call of a Process");
  }
  return std::move(own.child);
}

}  // namespace procpool::inline v0::process
