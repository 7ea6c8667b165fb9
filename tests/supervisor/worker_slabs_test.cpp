// A worker's end of the channel, when memory comes without its descriptor, or late.
#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>

#include <gtest/gtest.h>

#include "channel/host_end.hpp"
#include "channel/slab_store.hpp"
#include "channel/worker_end.hpp"
#include "os/worker_setup.hpp"

namespace procpool::test {
namespace {

using channel::Rooms;
using channel::Slab;
using wire::ControlKind;

constexpr std::uint64_t MiB = 1 << 20;

// Both ends in one thread: what home says is there before the worker looks.
class WorkerEnds : public testing::Test {
 protected:
  std::shared_ptr<Slab> fresh_slab(std::byte content) {
    auto slab = store_->take(MiB);
    std::memset(slab->mapping.data(), static_cast<int>(content), MiB);
    return slab;
  }
  void send_without_memory(const Slab& slab) {
    const wire::Control message{ControlKind::slab, slab.number, slab.size()};
    EXPECT_EQ(os::send_message(home_.control(), wire::bytes_of(message)), os::Io::ok);
  }
  void send_call(const Slab& slab) {
    const wire::Elsewhere where{0, slab.number, MiB};
    home_.send({wire::CallKind::call, wire::Place::slab, 1, 0, 0, 0}, wire::bytes_of(where));
  }
  std::span<const std::byte> next_payload() {
    EXPECT_TRUE(worker_.wait_for_slot());
    return worker_.payload(worker_.header());
  }
  wire::Control heard() {
    wire::Control message{};
    EXPECT_EQ(home_.receive(message), channel::Packet::message);
    return message;
  }

  os::Fd page_ = os::make_memory("procpool-pool", shm::page);
  os::Lifeline lifeline_ = os::make_lifeline();
  os::Fd none_;
  channel::HostEnd home_{{page_, lifeline_.tether, none_, none_}};
  channel::WorkerEnd worker_{attached()};
  std::shared_ptr<channel::SlabStore> store_ = std::make_shared<channel::SlabStore>(1, true);

 private:
  channel::Attachment attached() {
    os::Fd control = home_.take_worker_socket();
    channel::FirstWord start = channel::receive_first_word(control);
    return channel::attach(std::move(control), std::move(start));
  }
};

TEST_F(WorkerEnds, AResultThatOutgrewItsRoomIsThereWhenTheNextCannotBeTakenIn) {
  const auto small = Rooms::make(shm::page);
  home_.rooms().put(small);
  home_.send_slab(*small);
  int reason = 0;
  const auto room = worker_.room({}, 100, true, reason);
  ASSERT_TRUE(room);
  const auto used = room->bytes.first(100);
  std::memset(used.data(), 7, used.size());
  const auto larger = Rooms::make(MiB);
  home_.rooms().put(larger);
  ASSERT_EQ(larger->number, small->number);
  send_without_memory(*larger);
  EXPECT_FALSE(worker_.room(used, MiB, true, reason));
  EXPECT_EQ(reason, EMFILE);
  EXPECT_EQ(used[99], std::byte{7});
  EXPECT_EQ(heard().kind, ControlKind::need_slab);
  EXPECT_EQ(heard().kind, ControlKind::need_slab);
  EXPECT_EQ(heard().kind, ControlKind::lost_slab);
}

TEST_F(WorkerEnds, ACallsMemoryThatWasLostIsThereForTheNextCallOnceItIsSentAgain) {
  const auto slab = fresh_slab(std::byte{7});
  send_without_memory(*slab);
  send_call(*slab);
  send_call(*slab);
  for (int call = 0; call != 2; ++call) {
    EXPECT_THROW(next_payload(), std::system_error);
    worker_.pass_slot(true);
  }
  EXPECT_EQ(heard().kind, ControlKind::lost_slab);
  home_.send_slab(*slab);
  send_call(*slab);
  EXPECT_EQ(next_payload()[MiB - 1], std::byte{7});
  worker_.pass_slot(true);
  send_without_memory(*slab);  // it is mapped already
  send_call(*slab);
  EXPECT_EQ(next_payload()[MiB - 1], std::byte{7});
}

TEST_F(WorkerEnds, ACallsMemoryThatComesAgainWithoutADescriptorIsThereStill) {
  const auto slab = fresh_slab(std::byte{7});
  home_.send_slab(*slab);
  send_without_memory(*slab);
  const auto other = fresh_slab(std::byte{8});
  home_.send_slab(*other);
  send_call(*other);
  EXPECT_EQ(next_payload()[0], std::byte{8});  // it has taken in all three
  worker_.pass_slot(true);
  send_call(*slab);
  EXPECT_EQ(next_payload()[0], std::byte{7});
}

TEST_F(WorkerEnds, SlabsThatAreNoMoreGoBetweenTwoCallsThatFollowEachOther) {
  const auto slab = fresh_slab(std::byte{7});
  home_.send_slab(*slab);
  send_call(*slab);
  EXPECT_EQ(next_payload()[0], std::byte{7});
  home_.send_drop(slab->number);
  const auto other = fresh_slab(std::byte{8});
  home_.send_slab(*other);
  send_call(*other);
  worker_.pass_slot(true);
  EXPECT_EQ(home_.control_taken(), 0u);
  EXPECT_EQ(next_payload()[0], std::byte{8});
  EXPECT_EQ(home_.control_taken(), 1u);
}

}  // namespace
}  // namespace procpool::test
