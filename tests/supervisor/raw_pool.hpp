// A supervisor over RawWorkers.
#pragma once

#include <memory>
#include <string>

#include "fake_pool.hpp"
#include "support/raw_worker.hpp"

namespace procpool::test {

class RawPool : public testing::Test {
 protected:
  explicit RawPool(int processes = 1)
      : core_(new supervisor::Supervisor({.processes = processes,
                                          .make_launcher = [this] { return machine_.make_launcher(); },
                                          .on_callback_error = {},
                                          .hooks = {}})) {}
  ~RawPool() override { core_->abandon_pool(true); }  // none of these hears a stop

  /// The first worker, ready.
  std::shared_ptr<RawWorker> start() {
    core_->start();
    return machine_.next();
  }
  Ref<Call> submit(std::uint64_t id) {
    auto call = Ref<Call>::adopt(new Call(id));
    core_->submit(*call, detail::Admission::wait);
    return call;
  }
  /// The supervisor has ended it, and gone on with another.
  void expect_ended(const RawWorker& worker) {
    EXPECT_TRUE(comes_true([&] { return worker.dead(); }));
    EXPECT_FALSE(machine_.next()->dead());
  }
  std::string violation_of(Call& call) { return error<WorkerCrashed>(call); }

  RawMachine machine_;
  supervisor::Supervisor* core_;
};

// An outcome in a room.
struct InRoom {
  wire::OutcomeHeader header{1, 0};
  wire::SlabOutcome outcome{1, 0, 5};
};
inline void publish(RawWorker& worker, const InRoom& record) {
  worker.publish(static_cast<std::uint32_t>(wire::RecordKind::slab_value), wire::bytes_of(record));
}

}  // namespace procpool::test
