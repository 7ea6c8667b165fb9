#pragma once

// A pair of connected packet sockets that carry small messages and descriptors. Never a SIGPIPE.

#include <cstddef>
#include <span>
#include <vector>

#include "base/deadline.hpp"
#include "os/fd.hpp"

namespace procpool::inline v0::os {

struct SocketPair {
  Fd ours;
  Fd theirs;
};

/// SOCK_SEQPACKET, close-on-exec, blocking by default (calls below decide per call).
SocketPair make_socket_pair();

enum class Io { ok, would_block, peer_gone };

/// One whole message, without blocking. Too many descriptors in flight (ETOOMANYREFS) and a full
/// queue are would_block. Anything unexpected throws std::system_error.
Io send_message(int socket, std::span<const std::byte> bytes, std::span<const int> fds = {});

struct Message {
  Io io = Io::would_block;
  std::size_t size = 0;    // bytes written into the buffer
  bool truncated = false;  // the sender's message or its descriptors did not fit
  std::vector<Fd> fds;     // received close-on-exec; allocated only when there are any
};

/// Until the next receive or send would not have to wait. False: the deadline came first.
bool wait_readable(int socket, Deadline until);
bool wait_writable(int socket, Deadline until);

/// From now on a peer that sends descriptors this way gets EPERM, where the kernel can do that
/// (6.16): closing a descriptor can take as long as whoever made it likes.
void refuse_descriptors(const Fd& socket) noexcept;

/// One whole message from somebody who is not trusted: its descriptors are never installed here,
/// and one that has some is `truncated`. Does not wait.
Message receive_bytes(int socket, std::span<std::byte> buffer);

/// One whole message into `buffer`; waits until the deadline for one (Deadline{}: does not wait).
Message receive_message(int socket, std::span<std::byte> buffer, Deadline until = Deadline{});

}  // namespace procpool::inline v0::os
