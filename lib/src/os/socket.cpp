#include "os/socket.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "os/error.hpp"
#include "os/time.hpp"

#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif

namespace procpool::inline v0::os {
namespace {

constexpr std::size_t max_descriptors = 253;  // the kernel's SCM_MAX_FD

struct ControlBuffer {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(max_descriptors * sizeof(int))> bytes;
};

void attach(msghdr& message, ControlBuffer& control, std::span<const int> fds) {
  message.msg_control = control.bytes.data();
  message.msg_controllen = CMSG_SPACE(fds.size_bytes());
  std::memset(control.bytes.data(), 0, message.msg_controllen);
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(fds.size_bytes());
  std::memcpy(CMSG_DATA(header), fds.data(), fds.size_bytes());
}

// Every descriptor that came is owned from here on. Sized before any is taken: no exception can
// leave one without an owner except that of this reserve, whose descriptors are closed below.
void collect(msghdr& message, std::vector<Fd>& into) {
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t bytes = header->cmsg_len - CMSG_LEN(0);
    std::array<int, max_descriptors> numbers;
    std::memcpy(numbers.data(), CMSG_DATA(header), bytes);
    std::array<Fd, max_descriptors> owned;
    const std::size_t count = bytes / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) owned[i] = Fd(numbers[i]);
    into.reserve(into.size() + count);
    for (std::size_t i = 0; i < count; ++i) into.push_back(std::move(owned[i]));
  }
}

// False when the deadline passed first.
bool wait_for(int socket, short what, Deadline until) {
  pollfd entry{socket, what, 0};
  for (;;) {
    const timespec left = until == never ? timespec{} : remaining(until);
    const int ready = ::ppoll(&entry, 1, until == never ? nullptr : &left, nullptr);
    if (ready > 0) return true;
    if (ready == 0) return false;
    if (errno != EINTR) fail("ppoll");
  }
}

Io io_of_send_error() {
  switch (errno) {
    case EAGAIN:
    case ETOOMANYREFS:
    case ENOBUFS:
      return Io::would_block;
    case EPIPE:
    case ECONNRESET:
    case ENOTCONN:
      return Io::peer_gone;
    default:
      fail("sendmsg");
  }
}

// -1 with EAGAIN when there is nothing.
ssize_t receive_now(int socket, msghdr& message) {
  ssize_t got = 0;
  do {
    got = ::recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  return got;
}

}  // namespace

bool wait_readable(int socket, Deadline until) { return wait_for(socket, POLLIN, until); }
bool wait_writable(int socket, Deadline until) { return wait_for(socket, POLLOUT, until); }

SocketPair make_socket_pair() {
  std::array<int, 2> ends{};
  check(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()), "socketpair");
  return {Fd(ends[0]), Fd(ends[1])};
}

Io send_message(int socket, std::span<const std::byte> bytes, std::span<const int> fds) {
  // An empty packet would look like the end of the connection.
  if (bytes.empty() || fds.size() > max_descriptors) fail_with(EINVAL, "sendmsg");
  iovec part{const_cast<std::byte*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  ControlBuffer control;
  if (!fds.empty()) attach(message, control, fds);
  ssize_t sent = 0;
  do {
    sent = ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (sent < 0 && errno == EINTR);
  return sent < 0 ? io_of_send_error() : Io::ok;
}

void refuse_descriptors(const Fd& socket) noexcept {
  const int none = 0;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_PASSRIGHTS, &none, sizeof none);
}

Message receive_bytes(int socket, std::span<std::byte> buffer) {
  iovec part{buffer.data(), buffer.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  const ssize_t got = receive_now(socket, message);
  if (got < 0 && errno != EAGAIN && errno != ECONNRESET) fail("recvmsg");
  if (got < 0 && errno == EAGAIN) return {};
  Message result;
  // An empty packet is no end when it carried descriptors; else the two look the same.
  result.truncated = (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;
  result.io = got > 0 || (got == 0 && result.truncated) ? Io::ok : Io::peer_gone;
  result.size = got > 0 ? static_cast<std::size_t>(got) : 0;
  return result;
}

Message receive_message(int socket, std::span<std::byte> buffer, Deadline until) {
  Message result;
  ControlBuffer control;
  iovec part{buffer.data(), buffer.size()};
  for (;;) {
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes.data();
    message.msg_controllen = control.bytes.size();
    const ssize_t got = receive_now(socket, message);
    if (got > 0) {
      collect(message, result.fds);
      result.io = Io::ok;
      result.size = static_cast<std::size_t>(got);
      result.truncated = (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;
      return result;
    }
    if (got == 0 || errno == ECONNRESET) {
      if (got == 0) collect(message, result.fds);  // an empty packet may carry some: closed here
      result.fds.clear();
      result.io = Io::peer_gone;
      return result;
    }
    if (errno != EAGAIN) fail("recvmsg");
    if (until <= Deadline{} || !wait_readable(socket, until)) return result;
  }
}

}  // namespace procpool::inline v0::os
