// What    A pipe's end: a packet socket. One value is one packet; a large one lies in a memory that the
//         packet carries.
// Death   Of anybody: the kernel takes back its copy of the end. A packet is there whole or not at all.

#include <procpool/detail/shared_pipe.hpp>
#include <procpool/errors.hpp>

#include <algorithm>
#include <cstring>

#include "os/memory.hpp"
#include "os/socket.hpp"
#include "shared/registry.hpp"

namespace procpool::inline v0::detail {

using shared::Form;

namespace {

/// What goes into a packet. Too small: a memory for many values; too large: more than a socket takes.
constexpr std::size_t most_in_packet = 32 * 1024;
constexpr std::size_t head_bytes = 16;  // the size of the value

[[noreturn]] void throw_end_gone() {
  throw QueueClosed("the other end of the pipe is gone");
}

os::Fd memory_with(std::span<const std::byte> bytes) {
  os::Fd memory = os::make_memory("procpool-pipe", bytes.size());
  const os::Mapping mapping(memory, os::Access::read_write);
  std::memcpy(mapping.data(), bytes.data(), bytes.size());
  return memory;
}

MemoryRef make_end(os::Fd socket, StateType type) {
  auto end = std::make_shared<SharedMemory>(shared::Key{shared::draw_number(), Form::socket},
                                            std::move(socket), type);
  shared::enlist(end);
  return end;
}

}  // namespace

std::pair<MemoryRef, MemoryRef> make_pipe(StateType type) {
  os::watch_forks();
  os::SocketPair pair = os::make_socket_pair();
  return {make_end(std::move(pair.ours), type), make_end(std::move(pair.theirs), type)};
}

bool send_bytes(SharedMemory& end, std::span<const std::byte> bytes, Time until) {
  std::vector<std::byte> packet(head_bytes);
  const std::uint64_t size = bytes.size();
  std::memcpy(packet.data(), &size, sizeof size);
  os::Fd memory;
  if (bytes.size() <= most_in_packet) {
    packet.insert(packet.end(), bytes.begin(), bytes.end());
  } else {
    memory = memory_with(bytes);
  }
  const int fd = memory.get();
  const std::span<const int> fds(&fd, memory ? 1 : 0);
  for (;;) {
    const os::Io sent = os::send_message(end.fd(), packet, fds);
    if (sent == os::Io::peer_gone) throw_end_gone();
    if (sent == os::Io::ok) return true;
    if (!os::wait_writable(end.fd(), until)) return false;
  }
}

std::optional<std::vector<std::byte>> recv_bytes(SharedMemory& end, Time until) {
  std::vector<std::byte> packet(head_bytes + most_in_packet);
  os::Message got = os::receive_message(end.fd(), packet, until);
  if (got.io == os::Io::would_block) return std::nullopt;
  if (got.io == os::Io::peer_gone) throw_end_gone();
  std::uint64_t size = 0;
  if (got.size >= sizeof size) std::memcpy(&size, packet.data(), sizeof size);
  if (got.fds.empty() && size == got.size - std::min(got.size, head_bytes)) {
    packet.resize(got.size);
    packet.erase(packet.begin(), packet.begin() + head_bytes);
    return packet;
  }
  std::vector<std::byte> bytes;
  if (got.fds.size() == 1) bytes = os::read_memory(got.fds.front(), size);
  if (bytes.size() != size) throw DecodingError("a value did not come through the pipe whole");
  return bytes;
}

bool poll_pipe(SharedMemory& end, Time until) { return os::wait_readable(end.fd(), until); }

}  // namespace procpool::inline v0::detail
