// What a worker says of slabs and rooms comes late, or between two looks: an honest one is not ended for
// it, and nothing is mistaken for something else.
#include "channel/rooms.hpp"
#include "large_calls.hpp"
#include "raw_pool.hpp"

namespace procpool::test {
namespace {

class SlabOrder : public RawPool {
 protected:
  /// What it answers.
  wire::Control ask_for_room(RawWorker& worker, std::uint64_t bytes) {
    EXPECT_TRUE(worker.say(wire::ControlKind::need_slab, 0, bytes));
    return worker.packet();
  }
  /// Publishes an outcome and asks for room for another between two looks of one turn. `grown` is there
  /// to be read in that turn.
  void publish_and_ask(std::uint64_t next_size) {
    const auto worker = start();
    const auto kept = submit(7);
    const auto call = submit(8);
    EXPECT_EQ(ask_for_room(*worker, 5).number, channel::room_number(0));
    EXPECT_TRUE(comes_true([&] { return worker->tasks().header.tail == 3; }));
    machine_.between_looks([&] {
      publish(*worker, {});
      worker->say(wire::ControlKind::need_slab, 0, next_size);
    });
    EXPECT_TRUE(worker->say(wire::ControlKind::grown));
    EXPECT_EQ(worker->packet().number, channel::room_number(1));
    publish(*worker, {{2, 0}, {channel::room_number(1), 0, 5}});
    wait(*kept);
    wait(*call);
    EXPECT_EQ(kept->outcome, Outcome::value);
    EXPECT_EQ(call->outcome, Outcome::value);
  }
};

TEST_F(SlabOrder, AWishForTheSameRoomAgainComesAfterTheOutcomeInIt) { publish_and_ask(5); }

TEST_F(SlabOrder, AWishForLargerRoomDoesNotTakeThatOfAnOutcome) { publish_and_ask(1 << 20); }

// It has not looked into its socket since: home has forgotten the slab, and even told it so.
TEST_F(SlabOrder, ACallsSlabIsLostOnceForEachTimeItWasSentHoweverLate) {
  const auto worker = start();
  auto call = Ref<LargeCall>::adopt(new LargeCall(*core_, 7, 0));
  core_->submit(*call, detail::Admission::wait);
  const wire::Control sent = worker->packet();
  EXPECT_EQ(sent.kind, wire::ControlKind::slab);
  core_->cancel(*call);
  call = {};
  EXPECT_EQ(worker->packet().kind, wire::ControlKind::drop_slab);
  EXPECT_TRUE(worker->say(wire::ControlKind::lost_slab, 0, sent.number));
  EXPECT_EQ(ask_for_room(*worker, 5).kind, wire::ControlKind::slab);
  EXPECT_FALSE(worker->dead());
  EXPECT_TRUE(worker->say(wire::ControlKind::lost_slab, 0, sent.number));
  expect_ended(*worker);
}

TEST_F(SlabOrder, ARoomInWhichNothingComesGoesBack) {
  const auto worker = start();
  EXPECT_EQ(ask_for_room(*worker, 1 << 20).kind, wire::ControlKind::slab);
  EXPECT_FALSE(memories("procpool-room").empty());
  EXPECT_TRUE(comes_true([] { return memories("procpool-room").empty(); }));
}

}  // namespace
}  // namespace procpool::test
