// A supervisor over a FakeMachine, and tasks that are a number each.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <exception>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <procpool/detail/batch.hpp>
#include <procpool/detail/descriptor.hpp>
#include <procpool/errors.hpp>

#include "base/deadline.hpp"
#include "supervisor/supervisor.hpp"
#include "support/fake_launcher.hpp"

namespace procpool::test {

using namespace std::chrono_literals;
using detail::Outcome;
using detail::Ref;

inline const detail::Descriptor number_task{[](detail::Invocation&) {},
                                            [](std::span<const std::byte>) {
                                              return std::string("number_task()");
                                            },
                                            nullptr};

inline std::span<const std::byte> bytes_of(const std::uint64_t& id) {
  return std::as_bytes(std::span<const std::uint64_t, 1>(&id, 1));
}

struct Call final : detail::Node {
  explicit Call(std::uint64_t number, std::uint32_t retries_left = 0) {
    descriptor = &number_task;
    retries = retries_left;
    std::memcpy(payload.room().data(), &number, sizeof number);
    payload.adopt(sizeof number, nullptr);
  }
};

struct Map final : detail::Batch {
  Map(std::uint64_t from, std::uint32_t size, std::uint32_t chunk_size,
      std::uint32_t retries_left = 0) {
    descriptor = &number_task;
    retries = retries_left;
    chunk = chunk_size;
    for (std::uint64_t each = from; each != from + size; ++each) elements.add(bytes_of(each));
  }
};

class FakePool {
 public:
  using Tune = std::function<void(supervisor::Settings&)>;

  explicit FakePool(int processes, Script script = {}, const Tune& tune = {})
      : machine_(std::move(script)), core_(make(processes, tune)) {}
  ~FakePool() { abandon(); }

  void abandon() {
    if (core_ != nullptr) core_->abandon_pool(false);
    core_ = nullptr;
  }
  FakePool& started() {
    core_->start();
    return *this;
  }
  supervisor::Supervisor& core() { return *core_; }
  FakeMachine& machine() { return machine_; }

  Ref<Call> submit(std::uint64_t id, std::uint32_t retries = 0) {
    auto call = Ref<Call>::adopt(new Call(id, retries));
    core_->submit(*call, detail::Admission::wait);
    return call;
  }
  Ref<Call> submit(std::uint64_t id, TaskOptions options) {
    auto call = Ref<Call>::adopt(new Call(id));
    detail::set_options(*call, detail::share_options(std::move(options)));
    core_->submit(*call, detail::Admission::wait);
    detail::watch_stop(*call);
    return call;
  }
  Ref<Map> map(std::uint64_t first, std::uint32_t count, std::uint32_t chunk, TaskOptions options,
               bool fail_fast = false) {
    auto batch = Ref<Map>::adopt(new Map(first, count, chunk));
    detail::set_options(*batch, detail::share_options(std::move(options)));
    batch->fail_fast = fail_fast;
    core_->submit_batch(*batch);
    return batch;
  }
  Ref<Map> map(std::uint64_t first, std::uint32_t count, std::uint32_t chunk,
               std::uint32_t retries = 0) {
    auto batch = Ref<Map>::adopt(new Map(first, count, chunk, retries));
    core_->submit_batch(*batch);
    return batch;
  }

 private:
  supervisor::Supervisor* make(int processes, const Tune& tune) {
    supervisor::Settings settings{.processes = processes,
                                  .make_launcher = [this] { return machine_.make_launcher(); },
                                  .on_callback_error = {},
                                  .hooks = {}};
    if (tune) tune(settings);
    return new supervisor::Supervisor(std::move(settings));
  }

  FakeMachine machine_;
  supervisor::Supervisor* core_;
};

inline void wait(detail::Node& node) { EXPECT_TRUE(node.core->wait(node, never)); }

// The number that came back, once it is there.
inline std::uint64_t value(detail::Node& node) {
  wait(node);
  EXPECT_EQ(node.outcome, Outcome::value);
  std::uint64_t id = 0;
  if (node.payload.size() == sizeof id) std::memcpy(&id, node.payload.bytes().data(), sizeof id);
  return id;
}

template <class E>
std::string error(detail::Node& node) {
  wait(node);
  EXPECT_EQ(node.outcome, Outcome::error);
  if (!node.extras || !node.extras->error) return "no error";
  try {
    std::rethrow_exception(node.extras->error);
  } catch (const E& e) {
    return e.what();
  } catch (const std::exception& e) {
    ADD_FAILURE() << "another error: " << e.what();
  }
  return {};
}

// Per element: the number that came back, or -1 for an error.
inline std::vector<std::int64_t> values(detail::Batch& batch) {
  wait(batch);
  std::vector<std::int64_t> all;
  for (detail::OutcomeReader reader(batch); !reader.at_end();) {
    const detail::ElementOutcome outcome = reader.next();
    EXPECT_EQ(outcome.index, all.size());
    std::uint64_t id = 0;
    if (outcome.outcome == Outcome::value) {
      std::memcpy(&id, outcome.bytes.data(), sizeof id);
      all.push_back(static_cast<std::int64_t>(id));
    } else {
      all.push_back(-1);
    }
  }
  return all;
}

// For what another thread brings about soon: fails after a time that only a defect needs.
template <class Condition>
testing::AssertionResult comes_true(Condition condition) {
  const Deadline late = Clock::now() + 20s;
  while (!condition()) {
    if (Clock::now() > late) return testing::AssertionFailure() << "it did not come true";
    std::this_thread::yield();
  }
  return testing::AssertionSuccess();
}

}  // namespace procpool::test
