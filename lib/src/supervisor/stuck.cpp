// What has run for longer than its soft_timeout is reported with its stack, once, and goes on. Its worker
// is interrupted by a signal and tells (shm/stack_record.hpp); debug information is read by a chore.

#include <chrono>
#include <cstdio>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <procpool/this_task.hpp>

#include "os/process.hpp"
#include "os/stack_signal.hpp"
#include "os/stack_text.hpp"
#include "shm/element.hpp"
#include "supervisor/foreign_text.hpp"
#include "supervisor/supervisor.hpp"

namespace procpool::inline v0::supervisor {

using namespace std::chrono_literals;

namespace {

/// How long to wait for the stack. Too short: on a busy machine it is missing; too long: the report of
/// what blocks the signal is late.
constexpr auto stack_patience = 1s;

/// How many stacks wait at most to be put into words. Too few: reports come without theirs when many
/// tasks are stuck; too many: starts, and the pool's end, wait behind them.
constexpr unsigned most_stacks_waiting = 8;

/// What the worker runs, if that is still what it was asked about.
const Holding* asked_about(Worker& worker) {
  const Holding* const first = worker.hand.first();
  if (first == nullptr) return nullptr;
  const std::uint64_t word = shm::element_word(first->sequence, first->settled);
  return word == worker.stack_of ? first : nullptr;
}

std::string not_told() {
  return "; where it is could not be learnt: it blocks " + os::signal_name(os::stack_signal) +
         " or handles it itself, its process is stopped, or it has just ended";
}

/// Takes long: outside the lock.
std::string in_words(os::StackReader& reader, const std::vector<std::byte>& stack) {
  if (stack.empty()) {
    return "; where it is could not be learnt: a stack is taken with glibc 2.35 or later only";
  }
  const std::string lines = printable(reader.text(stack));
  if (!lines.empty()) return "; its stack:" + indented(lines);
  return "; where it is could not be learnt: what its worker told is no stack";
}

}  // namespace

void Supervisor::watch_soft_timeout(Worker& worker, const Holding& holding, Duration ran) {
  const std::uint64_t word = shm::element_word(holding.sequence, holding.settled);
  if (worker.stack_of == word) return;
  const Duration left = *holding.work->options->soft_timeout - ran;
  if (left > Duration::zero()) return driver_.at(deadline_after(left));
  worker.stack_of = word;
  worker.stack_due = deadline_after(stack_patience);
  worker.end.ask_for_stack(word);
  os::send_signal(worker.pidfd.get(), os::stack_signal);
  driver_.at(worker.stack_due);
}

/// If it has told. In every look before the outcomes: it may have told just before it ended.
void Supervisor::hear_stack(Worker& worker) {
  if (!worker.has_told_stack()) return;
  worker.stack_due = never;
  if (!worker.violation.empty()) return;
  auto stack = worker.end.told_stack();
  if (!stack) {
    violated(worker, "it told a stack that is larger than its room");
  } else if (const Holding* const holding = asked_about(worker)) {
    report_stuck(worker, *holding, std::move(*stack));
  }
}

/// Not for ever.
void Supervisor::wait_for_stack(Worker& worker) {
  if (worker.stack_due == never) return;
  const Holding* const holding = asked_about(worker);
  if (holding != nullptr && Clock::now() < worker.stack_due) return driver_.at(worker.stack_due);
  do_without_stack(worker);
}

/// What has not told by now, or ends without having told.
void Supervisor::do_without_stack(Worker& worker) {
  if (worker.stack_due == never) return;
  worker.stack_due = never;
  const Holding* const holding = asked_about(worker);
  if (holding != nullptr) report_stuck(worker, *holding, std::nullopt);
}

/// Who listens now is remembered: the task may end while its stack is put into words.
void Supervisor::report_stuck(const Worker& worker, const Holding& holding,
                              std::optional<std::vector<std::byte>> stack) {
  const detail::Assignment& work = *holding.work;
  detail::Node& node = Ledger::node_of(work);
  if (node.done()) return;
  const std::chrono::duration<double> limit = *work.options->soft_timeout;
  TaskUpdate line{.index = index_of(holding)};
  line.log = task_name(work);
  if (work.is_chunk) line.log += " for element " + std::to_string(line.index);
  line.log += " (attempt " + std::to_string(work.attempt) + ") has run for longer than its soft_timeout of " +
              std::to_string(limit.count()) + " s and goes on, in worker " +
              std::to_string(worker.pid);
  const bool has_words = stack && stacks_waiting_ != most_stacks_waiting;
  if (!stack) line.log += not_told();
  if (stack && !has_words) line.log += "; too many are reported at once for its stack";
  if (!has_words) stack.reset();
  add_chore([this, updates = updates_of(node), line = std::move(line),
             stack = std::move(stack)](Lock& lock) mutable {
    lock.unlock();
    tell_stuck(std::move(updates), std::move(line), stack);
    lock.lock();
    if (!stack || --stacks_waiting_ != 0) return;
    lock.unlock();
    stack_reader_.reset();
    lock.lock();
  });
  if (has_words) ++stacks_waiting_;
}

/// By the background thread, without the lock: nobody stands above it who could hear of an error.
void Supervisor::tell_stuck(std::shared_ptr<detail::TaskUpdates> updates, TaskUpdate line,
                            const std::optional<std::vector<std::byte>>& stack) noexcept {
  try {
    if (stack) {
      if (!stack_reader_) stack_reader_ = std::make_unique<os::StackReader>();
      line.log += in_words(*stack_reader_, *stack);
    }
    report(updates, std::move(line));
  } catch (const std::exception&) {  // no memory for its words: these need none
    std::fputs("procpool: a task has run for longer than its soft_timeout; there is no memory to say which\n",
               stderr);
  }
}

}  // namespace procpool::inline v0::supervisor
