#include "local/share.hpp"

#include <cxxabi.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

#include <procpool/options.hpp>

#include "ledger/task_text.hpp"
#include "ledger/waiting.hpp"
#include "local/core.hpp"
#include "os/process.hpp"
#include "wire/exception_codec.hpp"
#include "wire/throw_site.hpp"

namespace procpool::inline v0::local {

using detail::Assignment;
using detail::Outcome;
using ledger::Ledger;
using namespace std::chrono_literals;

namespace {

/// Results from this size on are not copied.
constexpr std::size_t large = 16 * 1024;

thread_local const Share* innermost = nullptr;

/// Many small elements are claimed by the block, and what is claimed is nobody else's; not where an
/// option speaks of single elements.
constexpr std::uint64_t flat_worth_bytes = 64 * 1024;

bool goes_flat(const Assignment& work) {
  if (!work.is_chunk || work.options != nullptr) return false;
  const detail::Batch& batch = *static_cast<const detail::Chunk&>(work).batch;
  return batch.sink != nullptr && batch.elements.total_bytes() >= flat_worth_bytes;
}

bool wants_prompt(const Assignment& work) {
  if (!work.is_chunk) return true;
  const detail::Batch& batch = *static_cast<const detail::Chunk&>(work).batch;
  return batch.fail_fast || (batch.extras && batch.extras->progress);
}

}  // namespace

Share::Share(LocalCore& core, Assignment& work)
    : core_(&core),
      outer_(innermost),
      work_(&work),
      node_(detail::LibraryRef<detail::Node>::share(&Ledger::node_of(work))),
      call_(work.is_chunk ? detail::Payload() : std::move(node_->payload)),
      callable_bytes_(work.is_chunk ? std::span<const std::byte>(batch().elements.callable)
                                    : call_.bytes()),
      timed_(ledger::has_timeout(work)),
      flat_(goes_flat(work)),
      prompt_(timed_ || wants_prompt(work)),
      range_(work.count),
      flushed_at_(Clock::now()) {
  block_ = range_.claim(flat_ ? pace_.next(work.count) : 1);
  begin_attempt(work.attempt);
}

bool Share::is_inside(const LocalCore& core) {
  const Share* share = innermost;
  while (share != nullptr && share->core_ != &core) share = share->outer_;
  return share != nullptr;
}

LocalCore* Share::here() { return innermost == nullptr ? nullptr : innermost->core_; }

// ---- running -------------------------------------------------------------------------------------

void Share::run() noexcept {
  const TaskScope scope(*this);
  innermost = this;
  while (more_) {
    try {
      callable_.emplace(callable_bytes_);
      work_->descriptor->thunk(*this);
      if (!again_) more_ = false;
    } catch (const wire::ThrowSite&) {  // never; see there
      std::terminate();
    } catch (const abi::__forced_unwind&) {
      std::terminate();  // the task ends its thread, which is the program's
    } catch (...) {
      if (committed_) std::terminate();  // a destructor threw when the outcome was out already
      if (flat_) publish_run();
      record_exception();
      if (!again_) more_ = flat_ ? pass_failed_element() : claim();
    }
    if (std::exchange(again_, false)) try_again();
  }
  innermost = outer_;
}

/// What is said of it starts anew.
void Share::begin_attempt(unsigned attempt) {
  attempt_ = attempt;
  committed_ = false;
  out_.reset();
  if (!timed_) return;
  if (std::exchange(timed_out_, false)) core_->watch_changed_.notify_all();
  due_ = deadline_after(*work_->options->timeout);
  if (stop_ && !node_->done()) {
    stop_ = false;
    source_ = std::stop_source(std::nostopstate);
  }
}

/// Where it has a timeout, an attempt begins under the lock.
std::unique_lock<std::mutex> Share::hold_if_timed() {
  return timed_ ? std::unique_lock(core_->mutex_) : std::unique_lock<std::mutex>();
}

void Share::try_again() {
  const std::lock_guard lock(core_->mutex_);
  if (answered_ || node_->done()) {
    more_ = false;
  } else {
    begin_attempt(attempt_ + 1);
  }
}

bool Share::claim() {
  if (!timed_ && Clock::now() - flushed_at_ >= between_flushes) flush();
  const auto lock = hold_if_timed();
  const Claimed next = range_.claim(1);
  if (next.empty()) return false;
  element_ = next.first;
  begin_attempt(work_->attempt);
  return true;
}

bool Share::next() { return !again_ && (more_ = claim()); }

detail::SpanIn& Share::arguments() {
  if (!work_->is_chunk) return *callable_;
  const std::uint32_t at = work_->first + element_;
  return arguments_.emplace(batch().elements.run(at, at + 1));
}

detail::SpanOut& Share::result() {
  if (!out_) out_.emplace(std::span<std::byte>(room_), static_cast<detail::Sink&>(sink_));
  return *out_;
}

void Share::commit() {
  static_cast<void>(result().take_attachments());  // as from a worker, a handle does not come home
  record(Outcome::value, result().bytes());
  committed_ = true;
}

// ---- outcomes ------------------------------------------------------------------------------------

bool Share::may_run_again() const {
  const TaskOptions* const options = work_->options;
  return options != nullptr && attempt_ - work_->attempt < work_->retries && !node_->done() &&
         !answered_;
}

void Share::record_exception() {
  if (may_run_again() && work_->options->retry_on.covers(std::current_exception())) {
    again_ = true;
    return;
  }
  const std::string name = work_->descriptor->name(callable_bytes_);
  const wire::ErrorContext context{.task_name = name,
                                   .pid = os::this_pid(),
                                   .task = node_->id,
                                   .attempt = attempt_,
                                   .frames = wire::throw_site()};
  out_.reset();
  record(Outcome::remote, wire::encode_current_exception(context));
}

/// The element's end, as bytes, unless its time was over.
void Share::record(Outcome outcome, std::span<const std::byte> bytes) {
  if (timed_ || !work_->is_chunk) return settle(outcome, bytes);
  fresh_failed_ |= outcome != Outcome::value;
  if (is_lendable(outcome, bytes)) {
    fresh_.add(outcome, lent(bytes));
  } else {
    fresh_.add(outcome, bytes);
  }
  if (prompt_) flush();
}

/// Large values lie in the sink. Error records do not, though an earlier value may have left it a buffer.
bool Share::is_lendable(Outcome outcome, std::span<const std::byte> bytes) const {
  return outcome == Outcome::value && bytes.size() >= large;
}

/// The sink gives them up.
detail::Part::Lent Share::lent(std::span<const std::byte> bytes) {
  return {bytes, std::shared_ptr<const std::byte[]>(sink_.release())};
}

/// At once.
void Share::settle(Outcome outcome, std::span<const std::byte> bytes) {
  LocalCore::Lock lock(core_->mutex_);
  if (answered_) return;
  if (timed_out_) {
    again_ = may_run_again();
    if (!again_) core_->ledger_.settle_error(*work_, timeout_error());
  } else if (is_lendable(outcome, bytes)) {
    core_->ledger_.settle_lent(*work_, outcome, lent(bytes));
  } else {
    core_->ledger_.settle(*work_, outcome, bytes);
  }
  core_->discard_failed();
}

void Share::flush() {
  LocalCore::Lock lock(core_->mutex_);
  hand_in();
  core_->discard_failed();
  core_->let_go(lock);
}

/// Under the lock.
void Share::hand_in() {
  flushed_at_ = Clock::now();
  if (fresh_.count != 0 && !answered_) {
    core_->ledger_.settle_part(*work_, std::move(fresh_), fresh_failed_);
  }
  fresh_ = {};
  fresh_failed_ = false;
}

void Share::finish() {
  hand_in();
  core_->ledger_.finish(*work_);
}

std::exception_ptr Share::timeout_error() const {
  return ledger::timeout_error(*work_, callable_bytes_);
}

// ---- by others, under the lock -------------------------------------------------------------------

Assignment* Share::take_back(std::uint32_t keep) {
  if (answered_) return nullptr;
  const Claimed rest = range_.shorten(keep);
  if (rest.empty()) return nullptr;
  return &core_->ledger_.remainder(*work_, rest.first, rest.last - rest.first);
}

std::stop_source Share::request_stop() {
  stop_ = true;
  return source_;
}

void Share::answer(const std::function<std::exception_ptr()>& error) {
  if (answered_) return;
  std::uint32_t begun = 1;
  if (work_->is_chunk) {
    const detail::Part& told = static_cast<const detail::Chunk*>(work_)->part;
    begun = work_->first + range_.claimed() - told.end();
  }
  core_->ledger_.answer(*work_, begun, error);
  answered_ = true;
}

/// Its time is over: it is asked to stop, and after a grace nobody waits for it any more. The thread
/// is its own until it returns.
Deadline Share::watch(Deadline now, std::vector<std::stop_source>& stops) {
  if (!timed_ || answered_) return never;
  if (now < due_) return due_;
  if (!timed_out_) {
    timed_out_ = true;
    stops.push_back(request_stop());
    return due_ = deadline_after(work_->options->cancel.stop_grace);
  }
  if (Assignment* const rest = take_back(0)) core_->wait_again(*rest);
  answer([this] { return timeout_error(); });
  stops.push_back(source_);  // what has been set off is seen to
  return never;
}

}  // namespace procpool::inline v0::local
