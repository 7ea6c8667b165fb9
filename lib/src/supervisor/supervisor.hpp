#pragma once

// The state machine that owns the workers. It is a monitor, not a thread: whoever calls into it drives
// it (driver.hpp).
//
//  user's threads        supervisor                                  ║  worker
//  ─────────────         ──────────                                  ║  ──────
//  submit ─▶ ledger ─▶ dispatch ─▶ worker.hand ─▶ slots + arena ──────╫─▶ claim ─▶ run
//              ▲          (take back, split) ◀──────── claim words ───╫──┘       │
//  get ◀─── settle ◀─── collect ◀──────────────── result ring ◀───────╫──────────┘
//              ▲
//              └─────── reap ◀──── pidfd, exit status, claim words
//
// A turn: collect → reap → heal → dispatch, each in a file of its own.

#include <atomic>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include <procpool/detail/core.hpp>
#include <procpool/errors.hpp>
#include <procpool/options.hpp>

#include "os/memory.hpp"
#include "os/worker_setup.hpp"
#include "supervisor/callbacks.hpp"
#include "supervisor/driver.hpp"
#include "supervisor/healing.hpp"
#include "supervisor/launcher.hpp"
#include "supervisor/ledger.hpp"
#include "supervisor/worker.hpp"

namespace procpool::inline v0::supervisor {

/// Makes a launcher: once when the pool starts, and again after a template process was lost.
using MakeLauncher = std::function<std::unique_ptr<Launcher>()>;

struct Settings {
  int processes = 1;
  bool remake_launcher = true;   // fork: never a second snapshot
  bool foreign_workers = false;  // worker_executable: another program
  MakeLauncher make_launcher;
  std::function<void(std::exception_ptr)> on_callback_error;
};

/// Whether the call is too large for an arena and has no slab yet; and making one (outside the lock).
bool needs_slab(const detail::Assignment& work);
void give_slab(detail::Assignment& work);
std::uint64_t call_bytes(const detail::Assignment& work);
struct Placement;

class Supervisor final : public detail::Core, private Turns, private Wakes {
 public:
  explicit Supervisor(Settings settings);

  /// Starts the workers and waits until all are up. Throws PoolBroken, and then nothing is left.
  void start();

  void submit(detail::Node& node) override;
  void submit_batch(detail::Batch& batch) override;
  bool wait(detail::Node& node, detail::Time until) override;
  detail::Node* wait_any(detail::CompletionQueue& queue, detail::Time until) override;
  void discard(detail::Batch& batch) noexcept override;
  void on_done(detail::Node& node, std::function<void()> callback) override;
  void close() noexcept override;
  void terminate() override;
  bool join(detail::Time until) override;
  void abandon_pool(bool unwinding) noexcept override;
  int processes() const override { return settings_.processes; }
  std::vector<pid_t> pids() const override;

 private:
  using Lock = std::unique_lock<std::mutex>;
  enum class State { open, closed, terminated };

  ~Supervisor() override;

  // Turns (driver.hpp).
  void turn() override;
  bool visible() override;
  void note(std::uint64_t key) override;
  bool do_chore(Lock& lock) override;
  bool expects_more() const override { return collected_ && ledger_.outstanding() != 0; }
  bool driven_in_passing() override {
    return std::exchange(passing_, false) && !attention_ && chores_.empty();
  }
  bool over() const override { return over_; }
  void let_go(Lock& lock) override;
  // Wakes (ledger.hpp).
  void wake(detail::Waiter& waiter) override { driver_.wake(waiter); }
  void call_back(std::vector<std::function<void()>> callbacks) override;

  // supervisor.cpp
  void check_mine() const;
  void check_open() const;
  bool all_ready() const;
  void accept_node(detail::Node& node);
  static void give_slab_or_throw(detail::Assignment& work);
  void supply(Lock& lock);
  template <class Step>
  void guarded(Step step);
  void attend();
  void discard_waiting(detail::Batch& batch);
  void add_chore(std::function<void(Lock&)> chore);

  // finish.cpp
  std::string broken_text() const;
  std::exception_ptr end_error() const;
  void end_everything();
  void break_pool(const std::string& why);
  void finish_workers();
  void run_background();

  // collect.cpp
  void collect();
  void collect_from(Worker& worker);
  bool accept(Worker& worker, const channel::Arrival& arrival);
  bool accept_slab(Worker& worker, detail::Assignment& work, const channel::Arrival& arrival);
  void completed(Worker& worker, Holding& holding);
  void read_control(Worker& worker);
  void said_hello(Worker& worker, const wire::Control& hello);
  void give_result_slab(Ticket ticket, std::uint64_t bytes, Lock& lock);
  void violated(Worker& worker, const char* what);

  // dispatch.cpp
  void dispatch();
  Worker* choose();
  bool has_room(Worker& worker, std::uint64_t slots);
  bool send(Worker& worker, detail::Assignment& work);
  bool place(Worker& worker, detail::Assignment& work, Placement& placement);
  std::uint32_t bind(Worker& worker, const detail::Descriptor& descriptor);
  void prepare(detail::Assignment& work, Lock& lock);
  void rebalance();
  Worker* most_loaded();
  bool move_work(Worker& from, Worker& to);
  void completed_or_moved(Worker& worker, Holding& holding, const detail::Assignment& moved);
  std::uint32_t run_ahead(const Worker& worker) const;

  // heal.cpp
  Worker* find(Ticket ticket);
  void heal();
  void start_worker(int seat, Lock& lock);
  void failed_to_start(const std::string& why);
  void read_launcher();
  void on_event(LaunchEvent event);
  void lose_launcher();
  void remake_launcher(Lock& lock);
  void retire(Worker& worker);
  bool send_stop(Worker& worker);
  void reap();
  void check_start(Worker& worker);
  void reap(Worker& worker);
  void settle_dead(Worker& worker);
  void settle_dead(Worker& worker, Holding& holding, std::uint32_t begun);
  void resend(detail::Assignment& work);
  std::exception_ptr crash(const Worker& worker, const detail::Assignment& work) const;
  void bury(Worker& worker);

  Settings settings_;
  unsigned generation_;  // of fork: in a copied process this object is inert
  os::Fd page_memory_;
  os::Mapping page_;
  os::Lifeline lifeline_;
  Ledger ledger_{*this};
  mutable Driver driver_;
  Callbacks callbacks_;
  std::shared_ptr<Launcher> launcher_;  // shared with the chore that uses it outside the lock

  std::vector<std::unique_ptr<Worker>> seats_;
  std::vector<bool> wanted_;  // seats for which a start is under way or waits for its time
  std::unordered_map<Ticket, Worker*> by_ticket_;
  Ticket last_ticket_ = 0;
  std::size_t next_seat_ = 0;  // where `choose` looks first
  StartRecord starts_;
  Deadline retry_at_ = {};
  std::string last_failure_;
  std::vector<std::unique_ptr<Worker>> graveyard_;  // to be freed once the lock is not held

  std::unordered_map<const detail::Descriptor*, std::uint32_t> task_numbers_;
  std::deque<std::function<void(Lock&)>> chores_;
  mutable detail::Waiters pool_waiters_;  // of start, join, pids

  State state_ = State::open;
  bool started_ = false;
  bool starting_ = false;
  std::string broken_;  // why; empty: it is not
  bool attention_ = false;  // something besides results is to be looked at
  bool launcher_seen_ = false;
  bool launcher_lost_ = false;
  bool passing_ = false;    // a submitter collected
  bool collected_ = false;  // at the last turn
  bool saturated_ = false;  // something waits: no worker takes more
  unsigned submitted_ = 0;  // since the last collection
  bool finishing_ = false;
  bool over_ = false;
  std::thread background_;
};

}  // namespace procpool::inline v0::supervisor
