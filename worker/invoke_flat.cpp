// Flat chunks: elements are claimed many at a time, and told home as runs of values. `running` in
// shared memory is the one account of how far they got.

#include <cstring>

#include "shm/atomics.hpp"
#include "shm/element.hpp"
#include "worker/invoke.hpp"

namespace procpool::inline v0::worker {

/// The element that is run.
std::uint32_t Invoke::current() const { return shm::element_of(shm::load_hint(end_->running())); }

bool Invoke::claim_block() {
  block_ = end_->take(header_.count(), taken_, pace_.next(header_.number));
  if (block_.empty()) return false;
  taken_ = true;
  published_ = block_.first;
  shm::store_release(end_->running(), end_->word_of(block_.first));
  return true;
}

/// What has ended is told.
void Invoke::publish_run() {
  element_ = current();
  if (element_ == published_) return;
  const std::uint32_t count = element_ - published_;
  const wire::OutcomeHeader header{end_->call(), published_};
  const auto room = end_->reserve(header_bytes + sizeof count);
  std::memcpy(room.data(), &header, sizeof header);
  std::memcpy(room.data() + sizeof header, &count, sizeof count);
  end_->publish(wire::RecordKind::run, header_bytes + sizeof count);
  published_ = element_;
}

/// The element that was run has ended with an error, which was told. False: none is left.
bool Invoke::pass_failed_element() {
  shm::store_release(end_->running(), end_->word_of(++published_));
  committed_ = false;
  return published_ != block_.last || claim_block();
}

detail::Block Invoke::next_block() {
  publish_run();
  if (element_ == block_.last && !claim_block()) return {};
  return {.arguments = elements_.data(),
          .results = end_->stage_results(header_),
          .first = current(),
          .last = block_.last,
          .running = &end_->running(),
          .base = end_->word_of(0)};
}

}  // namespace procpool::inline v0::worker
