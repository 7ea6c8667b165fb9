#pragma once

// Runs what one slot holds: a call, or this worker's share of a chunk. Here and nowhere else is a
// task's exception caught.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include <procpool/detail/descriptor.hpp>
#include <procpool/detail/invocation.hpp>

#include "base/block_pace.hpp"
#include "base/deadline.hpp"
#include "base/task_context.hpp"
#include "channel/worker_end.hpp"
#include "wire/messages.hpp"

namespace procpool::inline v0::worker {

/// A task number's meaning here. `descriptor` null: this process does not have that code.
struct BoundTask {
  const detail::Descriptor* descriptor = nullptr;
  detail::CodeAddress code = {};
};

class Invoke final : public detail::Invocation, private detail::Sink, private TaskContext {
 public:
  Invoke(channel::WorkerEnd& end, const wire::CallHeader& header);

  /// Claims, runs, publishes until nothing of the call is left for this worker. Without the code
  /// each element ends with UnknownTask. noexcept: what escapes here ends the worker.
  void run(BoundTask task) noexcept;
  /// Whether the slot's last element was this worker's, so that home knows it was passed.
  bool heard() const {
    return taken_ && (is_flat() ? published_ : element_ + 1) == header_.count();
  }

 private:
  detail::SpanIn& callable() override { return *callable_; }
  detail::SpanIn& arguments() override;
  detail::SpanOut& result() override;
  void commit() override;
  bool next() override { return claim(); }
  bool is_flat() const override { return header_.place == wire::Place::stage; }
  detail::Block next_block() override;
  std::span<std::byte> grow(std::span<const std::byte> used, std::size_t more) override;

  // this_task
  bool stop_requested() noexcept override;
  std::stop_token token() override;
  void progress(std::size_t done, std::size_t total) override;
  void log(std::string_view text) override;
  unsigned attempt() noexcept override { return header_.attempt; }
  std::string_view name() noexcept override { return name_; }
  std::size_t index() noexcept override;
  std::uint64_t seed() noexcept override;

  bool claim();
  std::uint32_t current() const;
  bool claim_block();
  void publish_run();
  bool pass_failed_element();
  std::uint64_t word() const;
  bool may_speak() const;
  void say(wire::RecordKind kind, std::span<const std::byte> bytes);
  void open();
  std::span<const std::byte> without_name(std::span<const std::byte> payload);
  void open_chunk(std::span<const std::byte> payload);
  std::span<const std::byte> element() const;
  void start_result();
  void publish(wire::RecordKind kind, std::span<const std::byte> bytes);
  void publish_slab(wire::RecordKind kind, const wire::SlabOutcome& slab);
  void publish_room(wire::RecordKind kind, std::size_t bytes);
  void publish_error(const detail::Descriptor* descriptor);
  void publish_caught(const detail::Descriptor* descriptor);
  wire::OutcomeHeader outcome_header() const { return {end_->call(), element_}; }

  static constexpr std::uint32_t header_bytes = sizeof(wire::OutcomeHeader);

  channel::WorkerEnd* end_;
  wire::CallHeader header_;
  unsigned generation_;
  bool opened_ = false;
  bool taken_ = false;
  bool committed_ = false;
  std::uint32_t element_ = 0;

  std::optional<detail::SpanIn> callable_;
  std::optional<detail::SpanIn> arguments_;
  std::span<const std::byte> callable_bytes_;
  std::string_view name_;
  wire::ChunkHeader chunk_{};
  std::span<const std::byte> ends_;
  std::span<const std::byte> elements_;

  // Of a flat chunk.
  shm::Range block_;                  // claimed
  std::uint32_t published_ = 0;       // whose outcomes were told: those before this
  BlockPace pace_;

  std::optional<detail::SpanOut> out_;
  std::span<std::byte> room_;           // in the ring, header included
  std::optional<std::uint32_t> in_room_;  // of this number, once the ring is too small (channel/rooms.hpp)
  std::unique_ptr<std::byte[]> large_;    // instead, when there was none
  Deadline said_at_ = {};               // progress, last
};

}  // namespace procpool::inline v0::worker
