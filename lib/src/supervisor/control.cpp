// What workers say over their control sockets.

#include <memory>
#include <string>
#include <utility>

#include "os/modules.hpp"
#include "os/sandbox.hpp"
#include "supervisor/supervisor.hpp"

namespace procpool::inline v0::supervisor {

namespace {

/// What a worker may have said before it learns that it is to stop: hello, ready, grown.
constexpr unsigned most_late_words = 3;

}  // namespace

/// Each message is in place a bounded number of times until home answers or gives it something to
/// do, so that no worker can keep home reading.
void Supervisor::read_control(Worker& worker) {
  worker.control_seen = false;
  wire::Control message{};
  while (worker.violation.empty()) {
    const channel::Packet packet = worker.end.receive(message);
    if (packet == channel::Packet::none) return;
    if (packet == channel::Packet::gone) return;  // its pidfd will say the rest
    const bool of_rooms = packet == channel::Packet::message &&
                          (message.kind == wire::ControlKind::need_slab ||
                           message.kind == wire::ControlKind::lost_slab);
    if (of_rooms) collect_from(worker);  // it published before it spoke: which rooms it has is known now
    if (!worker.violation.empty()) return;
    if (packet == channel::Packet::nonsense) {
      violated(worker, "it sent a control packet of no known form");
    } else if (message.kind == wire::ControlKind::lost_slab && lost_slab(worker, message.value)) {
      continue;
    } else if (worker.phase == Phase::stopping && message.kind != wire::ControlKind::need_slab &&
               worker.late_words != most_late_words) {
      ++worker.late_words;
    } else if (message.kind == wire::ControlKind::hello && worker.phase == Phase::starting) {
      said_hello(worker, message);
    } else if (message.kind == wire::ControlKind::ready && worker.phase == Phase::initializing) {
      became_ready(worker, message.value);
    } else if (message.kind == wire::ControlKind::grown && worker.phase == Phase::ready &&
               !worker.outgrown) {
      worker.leaving = worker.outgrown = attention_ = true;
    } else if (message.kind == wire::ControlKind::need_slab && !worker.room_wanted &&
               !worker.end.rooms().has_unused(message.value)) {
      worker.room_wanted = true;
      add_chore([this, ticket = worker.ticket, bytes = message.value](Lock& lock) {
        give_room(ticket, bytes, lock);
      });
    } else {
      violated(worker, "it sent a control message that is out of place");
    }
  }
}

void Supervisor::said_hello(Worker& worker, const wire::Control& hello) {
  if (hello.number != wire::protocol_version) {
    return break_pool("a worker speaks another version of procpool's protocol");
  }
  if (hello.value != os::program_identity() && !settings_.foreign_workers) {
    return break_pool("a worker runs another build of " + os::module_name(os::program_identity()) +
                      ", which is this program");
  }
  worker.start_due = never;  // an initializer takes as long as it takes
  worker.phase = Phase::initializing;
  if (!settings_.hooks && !settings_.rules) became_ready(worker, 0);
}

/// `gaps`: what its sandbox lacks (os/sandbox.hpp).
void Supervisor::became_ready(Worker& worker, std::uint64_t gaps) {
  sandbox_gaps_ |= static_cast<std::uint32_t>(gaps & os::all_gaps);
  if (sandbox_gaps_ != 0 && settings_.sandbox_is_strict) {
    std::string why = "PoolOptions::sandbox is to be strict, and here there is ";
    for (const std::string& line : os::gap_lines(sandbox_gaps_)) why += line + "; ";
    return break_pool(why.substr(0, why.size() - 2));
  }
  worker.phase = Phase::ready;
  worker.busy_since = Clock::now();
  starts_.succeeded();
  attention_ = true;
}

/// A chore, too. Without memory for it flat chunks go the way of all others.
void Supervisor::give_stage(Ticket ticket, Lock& lock) {
  lock.unlock();
  std::unique_ptr<channel::Stage> stage;
  try {
    stage = std::make_unique<channel::Stage>();
  } catch (const std::exception&) {
  }
  lock.lock();
  Worker* const worker = find(ticket);
  if (worker == nullptr || !stage) return;
  if (worker->end.send_stage(*stage) != os::Io::ok) {
    worker->stage_wanted = false;
    return;
  }
  stage->arguments_memory.reset();
  stage->results_memory.reset();
  worker->stage = std::move(stage);
}

}  // namespace procpool::inline v0::supervisor
