// Packet sockets with descriptors on board.
#include "os/socket.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cstring>
#include <thread>

#include "os/event.hpp"
#include "os_support.hpp"
#include "support/census.hpp"

namespace {

using namespace procpool;
using namespace std::chrono_literals;
using os::Io;
using test::error_of;
using test::holds_in_child;
using test::require;
using Buffer = std::array<std::byte, 64>;

std::span<const std::byte> bytes_of(const char* text) {
  return std::as_bytes(std::span(text, std::strlen(text)));
}

class OsSocket : public test::Census {
 protected:
  os::SocketPair pair_ = os::make_socket_pair();
  Buffer buffer_{};
};

TEST_F(OsSocket, CarriesWholeMessagesInOrder) {
  EXPECT_EQ(os::send_message(pair_.ours.get(), bytes_of("one")), Io::ok);
  EXPECT_EQ(os::send_message(pair_.ours.get(), bytes_of("three")), Io::ok);
  EXPECT_EQ(os::receive_message(pair_.theirs.get(), buffer_).size, 3U);
  const os::Message second = os::receive_message(pair_.theirs.get(), buffer_);
  EXPECT_EQ(second.io, Io::ok);
  EXPECT_FALSE(second.truncated);
  EXPECT_EQ(std::memcmp(buffer_.data(), "three", second.size), 0);
  EXPECT_EQ(os::receive_message(pair_.theirs.get(), buffer_).io, Io::would_block);
}

TEST_F(OsSocket, CarriesDescriptorsThatCloseOnExec) {
  const os::Fd event = os::make_event();
  const std::array fds{event.get(), event.get()};
  ASSERT_EQ(os::send_message(pair_.ours.get(), bytes_of("x"), fds), Io::ok);
  const os::Message message = os::receive_message(pair_.theirs.get(), buffer_);
  ASSERT_EQ(message.fds.size(), 2U);
  EXPECT_TRUE(::fcntl(message.fds[0].get(), F_GETFD) & FD_CLOEXEC);
  EXPECT_TRUE(os::ring(message.fds[1].get()));
}

TEST_F(OsSocket, SaysWhenAMessageOrItsDescriptorsDidNotFit) {
  ASSERT_EQ(os::send_message(pair_.ours.get(), bytes_of("longer than four")), Io::ok);
  const os::Message cut = os::receive_message(pair_.theirs.get(), std::span(buffer_).first(4));
  EXPECT_TRUE(cut.truncated);
  EXPECT_EQ(cut.size, 4U);
  EXPECT_TRUE(holds_in_child([&] {
    const std::array fds{1, 1, 1};
    require(os::send_message(pair_.ours.get(), bytes_of("x"), fds) == Io::ok, "sent");
    test::limit(RLIMIT_NOFILE, 3);
    const os::Message lost = os::receive_message(pair_.theirs.get(), buffer_);
    require(lost.io == Io::ok && lost.truncated && lost.fds.empty(), "no room for them");
  }));
}

TEST_F(OsSocket, AFullQueueWouldBlock) {
  Io last = Io::ok;
  for (int i = 0; i < 100'000 && last == Io::ok; ++i) {
    last = os::send_message(pair_.ours.get(), bytes_of("0123456789"));
  }
  EXPECT_EQ(last, Io::would_block);
}

TEST_F(OsSocket, TooManyDescriptorsInFlightWouldBlock) {
  EXPECT_TRUE(holds_in_child([&] {
    test::refuse(SYS_sendmsg, ETOOMANYREFS);
    require(os::send_message(pair_.ours.get(), bytes_of("x")) == Io::would_block, "would block");
  }));
}

TEST_F(OsSocket, TheEndOfThePeerIsNoSignalAndNoError) {
  pair_.theirs.reset();
  EXPECT_EQ(os::send_message(pair_.ours.get(), bytes_of("x")), Io::peer_gone);
  EXPECT_EQ(os::receive_message(pair_.ours.get(), buffer_, never).io, Io::peer_gone);
}

TEST_F(OsSocket, WhatAPeerSentBeforeItsEndIsStillRead) {
  ASSERT_EQ(os::send_message(pair_.theirs.get(), bytes_of("last words")), Io::ok);
  pair_.theirs.reset();
  EXPECT_EQ(os::receive_message(pair_.ours.get(), buffer_).size, 10U);
  EXPECT_EQ(os::receive_message(pair_.ours.get(), buffer_).io, Io::peer_gone);
}

TEST_F(OsSocket, UnreadBytesOfADeadPeerArePeerGoneToo) {
  ASSERT_EQ(os::send_message(pair_.ours.get(), bytes_of("never read")), Io::ok);
  pair_.theirs.reset();
  EXPECT_EQ(os::receive_message(pair_.ours.get(), buffer_).io, Io::peer_gone);
}

TEST_F(OsSocket, AnEmptyPacketIsNotSentAndFromAPeerIsItsEnd) {
  EXPECT_EQ(error_of([&] { os::send_message(pair_.ours.get(), {}); }), "sendmsg: Invalid argument");
  msghdr empty{};
  ASSERT_EQ(::sendmsg(pair_.ours.get(), &empty, 0), 0);
  EXPECT_EQ(os::receive_message(pair_.theirs.get(), buffer_).io, Io::peer_gone);
}

TEST_F(OsSocket, WaitsForMessagesThroughASignalStorm) {
  const test::SignalStorm storm;
  std::thread sender([&] {
    for (int i = 0; i < 500; ++i) {
      while (os::send_message(pair_.ours.get(), bytes_of("x")) == Io::would_block) continue;
    }
  });
  int received = 0;
  while (received < 500 && os::receive_message(pair_.theirs.get(), buffer_, never).io == Io::ok) {
    ++received;
  }
  sender.join();
  EXPECT_EQ(received, 500);
}

TEST_F(OsSocket, WaitsNoLessThanTheDeadline) {
  const test::SignalStorm storm;
  const Deadline until = Clock::now() + 3ms;
  EXPECT_EQ(os::receive_message(pair_.ours.get(), buffer_, until).io, Io::would_block);
  EXPECT_GE(Clock::now(), until);
}

TEST_F(OsSocket, AnErrorNamesTheCall) {
  EXPECT_EQ(error_of([] { os::send_message(-1, bytes_of("x")); }), "sendmsg: Bad file descriptor");
  EXPECT_EQ(error_of([&] { os::receive_message(-1, buffer_); }), "recvmsg: Bad file descriptor");
}

}  // namespace
