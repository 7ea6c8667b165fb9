#pragma once

/// \file
/// What a running task can ask and say. Outside a task everything here is neutral: false, empty, 0,
/// and nothing happens, so that a task's function can be called directly. For the thread that runs
/// the task; a token may be handed to others.

#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>

namespace procpool::inline v0 {

/// What a task says while it runs: `this_task::progress` or `this_task::log`. See
/// Future::on_progress.
struct TaskUpdate {
  std::size_t done = 0;   ///< as given to `progress`; of the last one, in a log line
  std::size_t total = 0;  ///< 0: not known
  std::string log = {};   ///< the line given to `log`; empty: this is progress
  std::size_t index = 0;  ///< in a map: the element that says it
};

/// What a running task can ask and say; outside a task everything here is neutral.
namespace this_task {

/// Whether somebody wants this task to end: its future was cancelled, its time is over, its pool is
/// being terminated. A task that returns soon after spares its worker the signals that follow
/// (CancelOptions). Costs one read of shared memory.
[[nodiscard]] bool stop_requested() noexcept;
/// The same as a token, for std::stop_callback and std::condition_variable_any. The first call in a
/// worker starts a thread that waits for requests; a task that only polls uses `stop_requested`.
[[nodiscard]] std::stop_token token();
/// Tells home how far this task has come. More than one report per millisecond are merged; one
/// with done == total always goes.
void progress(std::size_t done, std::size_t total);
/// Sends a line home. Text beyond 4 KiB is cut. May wait for room when home is slow.
void log(std::string_view text);
/// Which attempt this is, from 1.
[[nodiscard]] unsigned attempt() noexcept;
/// TaskOptions::name.
[[nodiscard]] std::string_view name() noexcept;
/// In a map: which element this is, from 0.
[[nodiscard]] std::size_t index() noexcept;
/// For random generators: depends on the element's index (in a map) or on how many tasks the pool
/// was given before (a single call), and on nothing else: not on worker, schedule, attempt or run.
[[nodiscard]] std::uint64_t seed() noexcept;

}  // namespace this_task
}  // namespace procpool::inline v0
