// Workers that do to their sockets and memory what no honest one does: each is ended for it, at
// once and alone, and none can keep the supervisor busy or make it take what it did not ask for.
#include <fcntl.h>

#include <string>
#include <thread>

#include "channel/rooms.hpp"
#include "channel/slab.hpp"
#include "raw_pool.hpp"

namespace procpool::test {
namespace {

using Hostile = RawPool;

TEST_F(Hostile, APacketOfAnotherSizeIsItsDeath) {
  const auto worker = start();
  const std::byte three[3] = {};
  EXPECT_TRUE(worker->say(three));
  expect_ended(*worker);
}

TEST_F(Hostile, SayingAgainThatItHasGrownIsItsDeath) {
  const auto worker = start();
  const auto call = submit(7);  // without one it leaves as soon as another is there
  EXPECT_TRUE(worker->say(wire::ControlKind::grown));
  EXPECT_TRUE(worker->say(wire::ControlKind::grown));
  EXPECT_TRUE(comes_true([&] { return worker->dead(); }));
}

TEST_F(Hostile, WordsWithoutEndAfterItsStopAreItsDeath) {
  const auto worker = start();
  core_->close();
  EXPECT_TRUE(comes_true([&] { return worker->tasks().header.tail != 0; }));  // it is told to stop
  for (int i = 0; i != 4; ++i) worker->say(wire::ControlKind::ready);
  EXPECT_TRUE(comes_true([&] { return worker->dead(); }));
  EXPECT_TRUE(core_->join(never));
}

TEST_F(Hostile, AFloodOfWordsDoesNotKeepTheSupervisor) {
  const auto worker = start();
  std::thread flood([&] {
    while (!worker->dead()) worker->say(wire::ControlKind::ready);
  });
  expect_ended(*worker);
  flood.join();
}

TEST_F(Hostile, DescriptorsAreRefusedOrItsDeathAndNeverArrive) {
  const auto worker = start();
  const os::Fd null(open("/dev/null", O_RDONLY | O_CLOEXEC));
  const std::vector<int> many(200, null.get());
  const wire::Control hello{wire::ControlKind::hello, 0, 0};
  // Kernels before 6.16 cannot refuse them: then they are not taken.
  if (worker->say(wire::bytes_of(hello), many)) expect_ended(*worker);
}

TEST_F(Hostile, RoomForAResultOfAnySizeIsRefusedOrGiven) {
  const auto worker = start();
  const auto call = submit(7);
  for (const std::uint64_t bytes :
       {~std::uint64_t{0}, ~std::uint64_t{4095}, std::uint64_t{1} << 62, std::uint64_t{1} << 46}) {
    EXPECT_TRUE(worker->say(wire::ControlKind::need_slab, 0, bytes));
    EXPECT_EQ(worker->hear(), wire::ControlKind::no_slab) << bytes;
  }
  EXPECT_TRUE(worker->say(wire::ControlKind::need_slab, 0, 5));
  EXPECT_EQ(worker->hear(), wire::ControlKind::slab);
  EXPECT_TRUE(worker->say(wire::ControlKind::need_slab, 0, 5));  // it has one
  expect_ended(*worker);
  EXPECT_NE(violation_of(*call).find("protocol violation"), std::string::npos);
}

TEST_F(Hostile, AnOutcomeInASlabThatIsNotItsOwnOrTooLargeIsItsDeath) {
  auto worker = start();
  for (const auto forge :
       {+[](wire::SlabOutcome& outcome) { outcome.slab += 2; },
        +[](wire::SlabOutcome& outcome) { outcome.slab += 1; },
        +[](wire::SlabOutcome& outcome) { outcome.slab = 0; },
        +[](wire::SlabOutcome& outcome) { outcome.slab = channel::room_number(shm::room_count); },
        +[](wire::SlabOutcome& outcome) { outcome.slab = 0xffffffff; },
        +[](wire::SlabOutcome& outcome) { outcome.size = channel::slab_size(5) + 1; },
        +[](wire::SlabOutcome& outcome) { outcome.size = ~std::uint64_t{0}; }}) {
    const auto call = submit(7);
    EXPECT_TRUE(worker->say(wire::ControlKind::need_slab, 0, 5));
    EXPECT_EQ(worker->hear(), wire::ControlKind::slab);
    EXPECT_TRUE(comes_true([&] { return worker->tasks().header.tail == 2; }));
    InRoom record;
    forge(record.outcome);
    publish(*worker, record);
    EXPECT_NE(violation_of(*call).find("slab"), std::string::npos);
    worker = machine_.next();
  }
}

TEST_F(Hostile, AnOutcomeInARoomThatIsLentIsItsDeath) {
  const auto worker = start();
  const auto kept = submit(7);
  const auto call = submit(8);
  EXPECT_TRUE(worker->say(wire::ControlKind::need_slab, 0, 5));
  EXPECT_EQ(worker->hear(), wire::ControlKind::slab);
  EXPECT_TRUE(comes_true([&] { return worker->tasks().header.tail == 3; }));
  publish(*worker, {});
  wait(*kept);
  EXPECT_EQ(kept->payload.size(), 5u);
  publish(*worker, {{2, 0}, {1, 0, 5}});
  EXPECT_NE(violation_of(*call).find("slab"), std::string::npos);
  EXPECT_EQ(kept->payload.bytes()[4], std::byte{0});  // it has its room still
}

TEST_F(Hostile, RoomAfterRoomForLargerAndLargerResultsEnds) {
  const auto worker = start();
  const auto call = submit(7);
  std::uint64_t bytes = 1;
  unsigned given = 0;
  while (given < 1000 && worker->say(wire::ControlKind::need_slab, 0, bytes) &&
         worker->hear() == wire::ControlKind::slab) {
    ++given;
    bytes += 1000;  // less than what there is beyond, in most
  }
  EXPECT_LT(given, 100u);
  expect_ended(*worker);
}

TEST_F(Hostile, LosingASlabThatItWasNotGivenIsItsDeath) {
  for (const std::uint64_t number : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{2},
                                     std::uint64_t{17}, ~std::uint64_t{0}}) {
    const auto worker = number == 0 ? start() : machine_.next();
    EXPECT_TRUE(worker->say(wire::ControlKind::lost_slab, 0, number));
    EXPECT_TRUE(comes_true([&] { return worker->dead(); })) << number;
  }
}

TEST_F(Hostile, ARoomIsLostOnceAndOnlyBeforeItsFirstOutcome) {
  const auto worker = start();
  EXPECT_TRUE(worker->say(wire::ControlKind::need_slab, 0, 5));
  EXPECT_EQ(worker->hear(), wire::ControlKind::slab);
  EXPECT_TRUE(worker->say(wire::ControlKind::lost_slab, 0, 1));
  EXPECT_TRUE(worker->say(wire::ControlKind::need_slab, 0, 5));  // it may ask again
  EXPECT_EQ(worker->hear(), wire::ControlKind::slab);
  const auto call = submit(7);
  EXPECT_TRUE(comes_true([&] { return worker->tasks().header.tail == 2; }));
  publish(*worker, {});
  wait(*call);
  EXPECT_TRUE(worker->say(wire::ControlKind::lost_slab, 0, 1));
  expect_ended(*worker);
}

TEST_F(Hostile, LosingRoomAfterRoomIsItsDeathAndWhatIsLostHasNoPages) {
  const auto worker = start();
  const auto call = submit(7);
  std::vector<os::Mapping> lost;
  while (lost.size() < 100 && worker->say(wire::ControlKind::need_slab, 0, 1 << 20)) {
    std::vector<os::Fd> memories;
    if (worker->packet(&memories).kind != wire::ControlKind::slab) break;
    lost.emplace_back(memories.at(0), os::Access::read_write);
    lost.back().data()[0] = std::byte{7};
    if (!worker->say(wire::ControlKind::lost_slab, 0, 1)) break;
  }
  EXPECT_EQ(lost.size(), 5u);
  expect_ended(*worker);
  for (const auto& room : lost) {
    EXPECT_TRUE(comes_true([&] { return room.data()[0] == std::byte{0}; }));
  }
}

TEST_F(Hostile, EachRecordOfAnotherShapeIsItsDeath) {
  auto worker = start();
  using Bytes = std::vector<std::byte>;
  const auto with = [](const wire::OutcomeHeader& header, std::size_t more) {
    Bytes bytes(sizeof header + more);
    std::memcpy(bytes.data(), &header, sizeof header);
    return bytes;
  };
  const auto kind = [](wire::RecordKind of) { return static_cast<std::uint32_t>(of); };
  const std::pair<std::uint32_t, Bytes> records[] = {
      {kind(wire::RecordKind::value), Bytes(3)},
      {kind(wire::RecordKind::value), with({99, 0}, 8)},
      {kind(wire::RecordKind::value), with({1, 1}, 8)},
      {kind(wire::RecordKind::progress), with({1, 0}, 15)},
      {kind(wire::RecordKind::run), with({1, 0}, 4)},
      {kind(wire::RecordKind::slab_value), with({1, 0}, 15)},
      {kind(wire::RecordKind::slab_error), with({1, 0}, 16)},
      {kind(wire::RecordKind::start_error), with({1, 0}, 16)},
      {0xdead, with({1, 0}, 8)},
  };
  for (const auto& [of, bytes] : records) {
    SCOPED_TRACE(testing::Message() << of << ", " << bytes.size() << " bytes");
    const auto call = submit(7);
    EXPECT_TRUE(comes_true([&] { return worker->tasks().header.tail == 2; }));  // binding, call
    worker->publish(of, bytes);
    EXPECT_NE(violation_of(*call).find("protocol violation"), std::string::npos);
    worker = machine_.next();
  }
}

}  // namespace
}  // namespace procpool::test
