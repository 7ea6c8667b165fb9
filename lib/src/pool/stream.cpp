#include <procpool/detail/stream.hpp>

#include <algorithm>

#include <procpool/errors.hpp>

namespace procpool::inline v0::detail {

Stream::Stream(Core& core, StreamOptions options, std::unique_ptr<Feed> feed)
    : core_(&core), options_(options), feed_(std::move(feed)) {
  core_->retain();
  try {
    while (feed_ && ahead_ < options_.ahead && pull_chunk(options_.ahead - ahead_)) {
    }
  } catch (...) {  // the pool takes no more: what it took is not wanted
    let_go();
    throw;
  }
}

Stream::~Stream() { let_go(); }

void Stream::let_go() noexcept {
  for (const Running& running : running_) {
    if (running.batch) core_->discard(*running.batch);
  }
  core_->release();
}

/// Reads on for the consumer, who is about to take one element: when that is gone, as many as are
/// wanted are ahead. Whole chunks only, so that taking one by one does not make them small.
void Stream::pull() {
  while (feed_ && ahead_ + options_.chunk <= options_.ahead + 1 && pull_chunk(options_.chunk)) {
  }
}

bool Stream::feed_ended() {
  try {
    if (!feed_->at_end()) return false;
  } catch (...) {
    fail_at(pulled_, std::current_exception());
  }
  feed_.reset();
  return true;
}

void Stream::fail_at(std::size_t index, std::exception_ptr error) {
  running_.push_back({{}, std::move(error), index, 1});
  ++pulled_;
  ++ahead_;
}

/// One chunk of up to `room` elements. An element that cannot be encoded ends it and fails at its own
/// place; an exception of the input ends the input.
bool Stream::pull_chunk(std::size_t room) {
  if (feed_ended()) return false;
  auto batch = Ref<Batch>::adopt(new Batch);
  feed_->start(*batch);
  if (options_.task) set_options(*batch, options_.task);
  if (options_.progress) batch->more().progress = options_.progress;
  batch->chunk = options_.chunk;
  const std::size_t first = pulled_;
  batch->elements.first_index = static_cast<std::uint32_t>(first);
  const std::size_t most = std::min<std::size_t>(options_.chunk, room);
  std::exception_ptr failed;
  bool input_failed = false;
  while (batch->elements.count() != most && !failed) {
    try {
      if (batch->elements.count() != 0 && feed_->at_end()) break;
      feed_->add(*batch);
      feed_->advance();
    } catch (const EncodingError&) {
      failed = std::current_exception();
    } catch (...) {
      failed = std::current_exception();
      input_failed = true;
    }
  }
  const std::size_t count = batch->elements.count();
  pulled_ += count;
  ahead_ += count;
  if (count != 0) {
    if (options_.order == Order::of_completion) batch->more().queues.push_back(queue_);
    running_.push_back({batch, nullptr, first, count});
    try {
      core_->submit_batch(*batch);
    } catch (...) {
      running_.pop_back();
      throw;
    }
    if (options_.task) watch_stop(*batch);
  }
  if (failed) fail_at(pulled_, failed);
  return !failed || skip_failed(input_failed);
}

/// Past an element that could not be encoded; false: the input is over.
bool Stream::skip_failed(bool input_failed) {
  if (!input_failed) {
    try {
      feed_->advance();
      return true;
    } catch (...) {
      fail_at(pulled_, std::current_exception());
    }
  }
  feed_.reset();
  return false;
}

Stream::Got Stream::next(Item& item, Time until) {
  pull();
  const bool handing_out = current_.error ? current_.count != 0 : reader_ && !reader_->at_end();
  if (!handing_out) {
    reader_.reset();
    current_ = {};
    const Got got = open(until);
    if (got != Got::item) return got;
  }
  --ahead_;
  if (current_.error) {
    --current_.count;
    item = {current_.index++, {0, Outcome::error, {}, current_.error}};
    return Got::item;
  }
  item.outcome = reader_->next();
  item.index = current_.index + item.outcome.index;
  return Got::item;
}

/// Waits for the next finished chunk in the stream's order and makes it the current one.
Stream::Got Stream::open(Time until) {
  if (running_.empty()) return Got::end;
  auto from = running_.begin();
  if (options_.order == Order::of_completion) {
    from = std::ranges::find_if(running_, [](const Running& r) { return r.error != nullptr; });
    if (from == running_.end()) {
      const Node* const done = core_->wait_any(*queue_, until);
      if (done == nullptr) return Got::timeout;
      from = std::ranges::find_if(running_, [&](const Running& r) { return r.batch.get() == done; });
    }
  } else if (from->batch && !from->batch->done() && !core_->wait(*from->batch, until)) {
    return Got::timeout;
  }
  current_ = std::move(*from);
  running_.erase(from);
  if (!current_.batch) return Got::item;
  current_.error = outcome_error(*current_.batch);  // cancelled as a whole
  if (!current_.error) reader_.emplace(*current_.batch);
  return Got::item;
}

}  // namespace procpool::inline v0::detail
