#pragma once

// One worker process as the supervisor sees it, from the wish to have it to its end. (place,
// ticket) names it: a late answer of an old one is never taken for a new one's.

#include <sys/types.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <procpool/options.hpp>

#include "base/deadline.hpp"
#include "channel/host_end.hpp"
#include "shared/shared_memory.hpp"
#include "supervisor/hand.hpp"
#include "supervisor/launcher.hpp"
#include "wire/hooks.hpp"

namespace procpool::inline v0::supervisor {

enum class Phase {
  starting,      // asked for; it may have a pid
  initializing,  // said hello; runs the initializer
  ready,
  stopping,  // was told to finish
};

/// How a running task is being stopped: see CancelOptions.
struct Ladder {
  enum class Step { asked, termed, killed };
  std::uint64_t sequence = 0;  // of the call
  std::uint32_t element = 0;
  Step step = Step::asked;
  Deadline due = never;  // of the next step
  Duration term_grace{};
  bool timed_out = false;
};

/// After how long to look whether a worker has begun what it was given, if that has this timeout. Too
/// soon: a turn for nothing; too late: the time counts from later than it need.
inline Duration first_look(Duration timeout) {
  return std::min<Duration>(timeout / 8, std::chrono::milliseconds(1));
}

struct Worker {
  Worker(Ticket its_ticket, int its_place, const channel::StartFiles& files)
      : ticket(its_ticket), place(its_place), end(files) {}

  /// Its end is near, and nothing has been done about it yet.
  bool has_announced_crash() const {
    return !dying && pidfd && violation.empty() && end.crash_announced();
  }

  /// Its hello can come before the word of who it is. Without its pidfd its death would go unseen, so
  /// it gets nothing before that.
  bool takes_calls() const {
    return phase == Phase::ready && pidfd && violation.empty() && !spent;
  }
  /// Of the element that it was asked for.
  bool has_told_stack() const { return stack_due != never && end.has_told_stack(stack_of); }
  bool idle() const { return takes_calls() && hand.empty(); }

  Ticket ticket;
  int place;  // -1: it was given up
  channel::HostEnd end;
  Hand hand;
  Phase phase = Phase::starting;
  pid_t pid = 0;
  os::Fd pidfd;

  // Noted by the driver, looked at by the next turn.
  bool exit_seen = false;
  bool unwatched = false;  // the kernel had no memory for watching it: its end is looked for
  bool control_seen = false;
  bool stop_sent = false;
  unsigned late_words = 0;     // that it said while it was stopping
  Deadline start_due = never;  // by when it must have said hello
  bool full = false;     // could not take a call since the last collection
  bool no_room = false;  // every slot was in use, and it had passed `hint`
  std::uint64_t hint = 0;

  std::optional<os::ExitStatus> status = {};
  Deadline status_due = never;         // until when to wait for how it ended
  Deadline end_due = never;            // of one that is dying: when it is killed
  std::string violation = {};          // what it did that no honest worker does
  std::optional<shm::LastWords> last_words = {};
  bool dying = false;   // it has announced that, and what it had is settled
  bool killed = false;  // by us
  bool oom = false;     // by the kernel, for want of memory: there is evidence
  std::vector<std::byte> start_error;  // the error record of a hook that failed
  wire::HookKind failed_hook = wire::HookKind::initializer;

  /// Shared state that it has been sent.
  struct Given {
    std::weak_ptr<detail::SharedMemory> memory;
    shared::Key key;
  };
  std::unordered_map<const detail::SharedMemory*, Given> given = {};
  std::uint32_t control_hint = 0;
  bool control_full = false;  // its socket was, and it had taken in `control_hint`

  std::vector<bool> bound = {};  // task numbers it knows
  /// Slabs of calls that it has mapped, the one sent first at the front.
  struct Shown {
    std::uint32_t number;
    std::weak_ptr<const void> life;
    std::uint64_t last;  // the slot of the last call in it
  };
  std::vector<Shown> shown = {};
  std::uint64_t may_lose = 0;  // of those that were sent: more than it has told of as lost
  unsigned rooms_lost = 0;   // since its last outcome
  bool room_wanted = false;  // it asked for room for a result, and waits

  std::unique_ptr<channel::Stage> stage = {};  // once a large flat map came to it
  bool stage_wanted = false;

  unsigned calls_given = 0;  // towards max_tasks_per_child
  bool leaving = false;      // its successor is to be warmed
  bool outgrown = false;     // and it goes as soon as that is ready
  bool spent = false;        // it gets nothing more
  std::optional<Ladder> ladder = {};

  // How fast it is, to tell how far ahead it may be supplied.
  Deadline busy_since = {};  // its hand was empty, or its last outcome came
  Deadline running_since = never;  // its present element, which has a limit, was first seen started
  std::chrono::nanoseconds per_call{50'000};

  std::uint64_t stack_of = 0;  // the element that was last seen to run for longer than its soft_timeout
  Deadline stack_due = never;  // until when to wait for its stack; never: no longer
};

/// Where a worker is wanted.
struct Place {
  bool wants_worker() const { return worker == nullptr && !dormant; }
  bool wants_successor() const {
    return worker != nullptr && worker->leaving && successor == nullptr;
  }

  Worker* worker = nullptr;
  Worker* successor = nullptr;  // being warmed while the worker does its last
  bool wanted = false;          // a start is under way, or waits for its time
  bool dormant = false;         // it left for want of work
};

}  // namespace procpool::inline v0::supervisor
