#pragma once

// What    One assignment while a thread of this process runs it: a call, or some elements of a batch.
//         The elements' outcomes gather in `fresh_` and go to the ledger now and then.
// Writers The thread that runs it; under the core's lock `timed_out_`, `due_` and `source_`. Others
//         shorten `range_` and set `stop_` and `answered_` under that lock. Where elements have a
//         timeout each begins under it, so that what is said of an element is said of the one that
//         runs.
// Death   None: whoever runs this is a thread of the program.

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string_view>
#include <vector>

#include <procpool/detail/batch.hpp>
#include <procpool/detail/invocation.hpp>
#include <procpool/this_task.hpp>

#include "base/block_pace.hpp"
#include "base/deadline.hpp"
#include "base/task_context.hpp"
#include "local/range.hpp"

namespace procpool::inline v0::local {

class LocalCore;

/// How long outcomes of quick elements gather before they are told. Too short: threads queue for the
/// core's lock; too long: progress and failures are seen late.
inline constexpr auto between_flushes = std::chrono::microseconds(100);

class Share final : public detail::Invocation, private TaskContext {
 public:
  /// Under the core's lock; `work` does not wait any more. Its first element is claimed.
  Share(LocalCore& core, detail::Assignment& work);

  /// Without the lock. A task that ends its thread (pthread_exit) ends the program.
  void run() noexcept;
  /// Under the lock, after `run`.
  void finish();

  // Under the lock, while it runs:
  detail::Assignment& work() const { return *work_; }
  const detail::Node& node() const { return *node_; }
  /// Elements that nobody has begun.
  std::uint32_t left() const { return answered_ ? 0 : range_.left(); }
  /// All but the first `keep` of them, as an assignment that does not wait; null: there are none.
  detail::Assignment* take_back(std::uint32_t keep);
  /// What runs is asked to stop. The source is to be told once the lock is let go.
  std::stop_source request_stop();
  /// Whoever waits for what has begun is told this now.
  void answer(const std::function<std::exception_ptr()>& error);
  /// When it is to be looked at next; what is due is done now.
  Deadline watch(Deadline now, std::vector<std::stop_source>& stops);

  /// Whether this thread runs a task of that core.
  static bool is_inside(const LocalCore& core);
  /// The core whose task it runs, the innermost of several; null: none.
  static LocalCore* here();

 private:
  detail::SpanIn& callable() override { return *callable_; }
  detail::SpanIn& arguments() override;
  detail::SpanOut& result() override;
  void commit() override;
  bool next() override;
  bool is_flat() const override { return flat_; }
  detail::Block next_block() override;

  // this_task
  bool stop_requested() noexcept override { return stop_; }
  std::stop_token token() override;
  void progress(std::size_t done, std::size_t total) override;
  void log(std::string_view text) override;
  unsigned attempt() noexcept override { return attempt_; }
  std::string_view name() noexcept override;
  std::size_t index() noexcept override;
  std::uint64_t seed() noexcept override;

  detail::Batch& batch() const { return *static_cast<detail::Chunk*>(work_)->batch; }
  std::unique_lock<std::mutex> hold_if_timed();
  void begin_attempt(unsigned attempt);
  void try_again();
  bool claim();
  bool claim_block();
  void publish_run();
  bool pass_failed_element();
  bool may_run_again() const;
  void record_exception();
  void record(detail::Outcome outcome, std::span<const std::byte> bytes);
  void settle(detail::Outcome outcome, std::span<const std::byte> bytes);
  bool is_lendable(detail::Outcome outcome, std::span<const std::byte> bytes) const;
  detail::Part::Lent lent(std::span<const std::byte> bytes);
  void flush();
  void hand_in();
  std::exception_ptr timeout_error() const;
  void say(TaskUpdate update);

  LocalCore* core_;
  const Share* outer_;  // the task within which this one runs
  detail::Assignment* work_;
  detail::LibraryRef<detail::Node> node_;
  detail::Payload call_;  // a call's bytes; the node's place is for the outcome
  std::span<const std::byte> callable_bytes_;
  const bool timed_;   // the elements have a timeout
  const bool flat_;    // its elements are claimed by the block
  const bool prompt_;  // each outcome is told at once
  Range range_;

  bool more_ = true;  // `element_` is to be run
  bool again_ = false;
  bool committed_ = false;
  std::uint32_t element_ = 0;  // of the assignment
  unsigned attempt_ = 0;

  std::optional<detail::SpanIn> callable_;
  std::optional<detail::SpanIn> arguments_;
  alignas(16) std::byte room_[256];
  detail::HeapSink sink_;
  std::optional<detail::SpanOut> out_;

  detail::Part fresh_;
  bool fresh_failed_ = false;
  Deadline flushed_at_;

  // Of a flat chunk: elements [told_, running_) of the block have ended and are not in `fresh_` yet.
  Claimed block_;
  std::uint32_t told_ = 0;
  BlockPace pace_;
  std::atomic<std::uint64_t> running_ = 0;

  std::atomic<bool> stop_ = false;
  std::atomic<bool> answered_ = false;
  bool timed_out_ = false;
  Deadline due_ = never;
  std::stop_source source_{std::nostopstate};
  Deadline said_at_ = {};
};

}  // namespace procpool::inline v0::local
