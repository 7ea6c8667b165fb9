// What has run for longer than its soft_timeout is reported with its stack, once, and goes on. Its worker
// is interrupted by a signal and tells (shm/stack_record.hpp); debug information is read by a chore.

#include <chrono>
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

/// What the worker runs, if that is still what it was asked about.
const Holding* asked_about(Worker& worker) {
  const Holding* const first = worker.hand.first();
  if (first == nullptr) return nullptr;
  const std::uint64_t word = shm::element_word(first->sequence, first->settled);
  return word == worker.stack_of ? first : nullptr;
}

/// Takes long: outside the lock.
std::string with_stack(std::string text, const std::vector<std::byte>& stack) {
  const std::string lines = printable(os::stack_text(stack));
  if (!lines.empty()) return text + "; its stack:" + indented(lines);
  return text + "; where it is could not be learnt: it blocks " + os::signal_name(os::stack_signal) +
         " or handles it itself, or its process is stopped";
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
  worker.stack_due = never;
  if (holding != nullptr) report_stuck(worker, *holding, {});
}

/// Who listens now is remembered: the task may end while its stack is put into words.
void Supervisor::report_stuck(const Worker& worker, const Holding& holding,
                              std::vector<std::byte> stack) {
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
  add_chore([this, updates = updates_of(node), line = std::move(line),
             stack = std::move(stack)](Lock& lock) {
    lock.unlock();
    TaskUpdate told = line;
    told.log = with_stack(line.log, stack);
    report(updates, std::move(told));
    lock.lock();
  });
}

}  // namespace procpool::inline v0::supervisor
