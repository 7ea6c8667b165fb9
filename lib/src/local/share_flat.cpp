// Flat chunks: elements are claimed many at a time, and their values go where they belong.

#include <algorithm>
#include <chrono>

#include "local/core.hpp"

namespace procpool::inline v0::local {

using detail::Outcome;
using namespace std::chrono_literals;

namespace {

/// As in a worker (worker/invoke_flat.cpp).
constexpr auto least_time = 20us;
constexpr auto most_time = 100us;

}  // namespace

bool Share::claim_block() {
  const Deadline now = Clock::now();
  if (prompt_ || now - flushed_at_ >= between_flushes) flush();
  if (now - block_since_ < least_time) pace_ *= 2;
  if (now - block_since_ > most_time) pace_ = std::max(pace_ / 2, 1U);
  pace_ = std::min(pace_, std::max(work_->count, 1U));
  block_since_ = now;
  block_ = range_.claim(pace_);
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
