// Flat chunks: elements are claimed many at a time, and their values go where they belong.

#include "local/core.hpp"

namespace procpool::inline v0::local {

using detail::Outcome;

bool Share::claim_block() {
  if (prompt_ || Clock::now() - flushed_at_ >= between_flushes) flush();
  block_ = range_.claim(pace_.next(work_->count));
  running_ = told_ = block_.first;
  return !block_.empty();
}

/// What has ended is told.
void Share::publish_run() {
  const auto now = static_cast<std::uint32_t>(running_);
  if (now != told_) fresh_.add_run(Outcome::placed, now - told_);
  told_ = now;
}

bool Share::pass_failed_element() {
  running_ = ++told_;
  committed_ = false;
  out_.reset();
  return told_ != block_.last || claim_block();
}

detail::Block Share::next_block() {
  publish_run();
  if (told_ == block_.last && !claim_block()) return {};
  const detail::Batch& all = batch();
  return {.arguments = all.elements.run(work_->first, work_->first + 1).data(),
          .results = all.sink + std::size_t{work_->first} * all.result_size,
          .first = told_,
          .last = block_.last,
          .running = &running_,
          .base = 0};
}

}  // namespace procpool::inline v0::local
