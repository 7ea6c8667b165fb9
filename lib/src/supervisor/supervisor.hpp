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
// A turn: collect → reap → heal → stop what is overdue → dispatch, each in a file of its own.

#include <atomic>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include <procpool/detail/core.hpp>
#include <procpool/errors.hpp>
#include <procpool/options.hpp>

#include "channel/slab_store.hpp"
#include "ledger/asked_core.hpp"
#include "ledger/ledger.hpp"
#include "ledger/task_text.hpp"
#include "os/memory.hpp"
#include "os/stack_text.hpp"
#include "os/worker_setup.hpp"
#include "supervisor/capsule_writer.hpp"
#include "supervisor/driver.hpp"
#include "supervisor/settings.hpp"
#include "supervisor/worker.hpp"

namespace procpool::inline v0::supervisor {

using ledger::first_limit;
using ledger::has_timeout;
using ledger::Ledger;
using ledger::once_more;
using ledger::priority_of;
using ledger::task_name;
using ledger::timeout_error;
using ledger::Wakes;

struct Placement;
using Ended = std::optional<std::uint32_t>;  // so many elements; nullopt: a violation

class Supervisor final : public ledger::AskedCore, private Turns, private Wakes {
 public:
  explicit Supervisor(Settings settings);

  /// Starts the workers and waits until all are up. Throws PoolBroken, and then nothing is left.
  void start();

  bool submit(detail::Node& node, detail::Admission admission) override;
  void submit_batch(detail::Batch& batch) override;
  bool hold(detail::Node& node, std::size_t bytes, detail::Admission admission) override;
  void release_held(detail::Node& node, std::exception_ptr failed) override;
  detail::CallRoom room_for_call(std::size_t bytes, bool growing) noexcept override;
  bool wait(detail::Node& node, detail::Time until) override;
  detail::Node* wait_any(detail::CompletionQueue& queue, detail::Time until) override;
  void discard(detail::Batch& batch) noexcept override;
  bool cancel(detail::Node& node) override;
  bool running(const detail::Node& node) override;
  void close() noexcept override;
  void cancel_waiting() override;
  void terminate() override;
  bool join(detail::Time until) override;
  void abandon_pool(bool unwinding) noexcept override;
  void resize(int processes) override;
  int processes() const override { return processes_; }
  std::vector<pid_t> pids() const override;
  PoolStats stats() const override;

 private:
  enum class State { open, closed, terminated };

  ~Supervisor() override;

  // Turns (driver.hpp).
  void turn() override;
  bool visible() override;
  void note(std::uint64_t key) override;
  bool do_chore(Lock& lock) override;
  bool expects_more() const override { return collected_ && ledger_.outstanding() != 0; }
  bool awaits_results() const override { return ledger_.outstanding() != 0; }
  void watch() override;
  bool driven_in_passing() override;
  bool over() const override { return over_; }
  void let_go(Lock& lock) override;  // and AskedCore
  Lock hold_core() override { return driver_.hold(); }
  // Wakes (ledger/ledger.hpp).
  void wake(detail::Waiter& waiter) override { driver_.wake(waiter); }
  void call_back(std::vector<std::function<void()>> callbacks) override;

  // supervisor.cpp
  void begin();
  template <class Step>
  void guarded(Step step);
  void attend();
  void wake_pool_waiters();
  void add_chore(std::function<void(Lock&)> chore);

  // submit.cpp
  void check_mine() const override;
  void check_open() const;
  void check_starts() const;
  void check_waits(Deadline until) const;
  void entered(detail::Node& node);
  struct Submitter;
  bool has_room_for(std::size_t bytes) const;
  bool admit(Lock& lock, std::size_t bytes, detail::Admission admission);
  std::shared_ptr<channel::Slab> slab_or_throw(const detail::Assignment& work);
  void supply(Lock& lock);

  // ask.cpp
  bool all_ready() const;
  void wait_for_pool(Lock& lock, bool (*satisfied)(const void*), Deadline until) const;

  // stop.cpp
  void withdraw(detail::Node& node);
  void discard_started(detail::Batch& batch);
  void take_back_all(const detail::Node& node);
  bool take_back_all(Worker& worker, Holding& holding);
  void begin_stop(Worker& worker, Holding& holding, bool timed_out);
  void end_ladder(Worker& worker);
  void watch_time(Worker& worker);
  void watch_start(Worker& worker, const detail::Assignment& work);
  void watch_times();
  void climb(Worker& worker);
  bool timed_out(const Worker& worker, const Holding& holding) const;

  // stuck.cpp
  void watch_soft_timeout(Worker& worker, const Holding& holding, Duration ran);
  void hear_stack(Worker& worker);
  void wait_for_stack(Worker& worker);
  void do_without_stack(Worker& worker);
  void report_stuck(const Worker& worker, const Holding& holding,
                    std::optional<std::vector<std::byte>> stack);
  void tell_stuck(std::shared_ptr<detail::TaskUpdates> updates, TaskUpdate line,
                  const std::optional<std::vector<std::byte>>& stack) noexcept;

  // finish.cpp
  std::string broken_text() const;
  std::string what_to_do(const std::string& why) const;
  std::exception_ptr broken_error() const;
  std::exception_ptr end_error() const;
  void end_everything();
  void break_pool(const std::string& why, std::exception_ptr cause = nullptr);
  void finish_workers();
  void run_background();
  bool ended() const;

  // collect.cpp
  void collect();
  void collect_from(Worker& worker);
  void measure(Worker& worker, unsigned outcomes);
  void expect_start(Worker& worker, const detail::Assignment& work);
  Ended accept(Worker& worker, const channel::Arrival& arrival);
  Ended accept_run(Worker& worker, Holding& holding, const channel::Arrival& arrival);
  void settle_run(Worker& worker, Holding& holding, std::uint32_t count);
  Ended accept_update(Worker& worker, const Holding& holding, const channel::Arrival& arrival);
  Ended accept_start_error(Worker& worker, const channel::Arrival& arrival);
  bool take_room(Worker& worker, const channel::Arrival& arrival, detail::Part::Lent& bytes);
  void advanced(Worker& worker, Holding& holding, bool over);
  void completed(Worker& worker, Holding& holding);
  void put_down(Worker& worker, Holding& holding);
  std::nullopt_t violated(Worker& worker, const char* what);
  bool may_run_again(const detail::Assignment& work) const;
  void run_again(detail::Assignment& work);
  void judge(detail::Assignment& work, detail::Part::Lent record);
  detail::Assignment* settle_timeout(detail::Assignment& work);

  // capsules.cpp
  bool wants_capsule(const detail::Assignment& work) const;
  detail::Assignment* settle_failure(detail::Assignment& work, wire::Failure failure,
                                     std::exception_ptr error);
  void leave_capsule(detail::Assignment& lifted, detail::Part::Lent record);
  detail::Part::Lent with_capsule(const Failed& what, const detail::Part::Lent& record) const;

  // control.cpp
  void read_control(Worker& worker);
  void said_hello(Worker& worker, const wire::Control& hello);
  void became_ready(Worker& worker, std::uint64_t gaps);
  void give_stage(Ticket ticket, Lock& lock);

  // slabs.cpp
  void prepare(detail::Assignment& work, Lock& lock);
  bool show_slab(Worker& worker, const channel::Slab& slab);
  void drop_unused(Worker& worker);
  bool lost_slab(Worker& worker, std::uint64_t number);
  void give_room(Ticket ticket, std::uint64_t bytes, Lock& lock);
  std::shared_ptr<channel::Slab> send_room(Worker& worker, const std::shared_ptr<channel::Slab>& room,
                                           int refused);
  void watch_slabs();
  void keep_memory();
  void give_memory_back();
  void free_later(std::vector<std::shared_ptr<channel::Slab>> old);
  void drop_gone();

  // dispatch.cpp
  void dispatch();
  detail::Assignment& take_share(detail::Assignment& next, Worker& worker);
  std::uint64_t automatic_share(const detail::Chunk& waiting, const Worker& worker) const;
  bool supplied(const Worker& worker) const;
  Worker* choose(bool may_go_ahead);
  bool has_room(Worker& worker, std::uint64_t slots);
  bool send(Worker& worker, detail::Assignment& work);
  bool place(Worker& worker, detail::Assignment& work, Placement& placement);
  std::uint32_t bind(Worker& worker, const detail::Descriptor& descriptor);

  // rebalance.cpp
  void rebalance();
  Worker* worth_relieving();
  Worker* most_loaded();
  bool move_work(Worker& from, Worker& to);
  detail::Assignment* reclaim(Worker& worker, Holding& holding, std::uint32_t keep);
  void make_way(int priority);
  bool may_go_ahead(const detail::Assignment& work) const;
  bool give_up(Worker& worker, Holding& holding);

  // shared_state.cpp
  class Gone;
  bool attach(Worker& worker, const detail::Assignment& work);
  bool attach(Worker& worker, const detail::Attachments& memories);
  bool take_back(Worker& worker, const Worker::Given& given);
  bool wait_for_control(Worker& worker);
  void take_back_gone();
  void stop_giving();

  // start.cpp
  Worker* find(Ticket ticket);
  void heal();
  void want(std::size_t place);
  void start_worker(std::size_t place, Lock& lock);
  void start_is_over(std::size_t place);
  void failed_to_start(const std::string& why, std::exception_ptr cause = nullptr);
  void read_launcher();
  void on_event(LaunchEvent event);
  void lose_launcher();
  void remake_launcher(Lock& lock);

  // places.cpp
  void retire(Worker& worker);
  bool send_stop(Worker& worker);
  void count_call(Worker& worker);
  void replace_spent();
  void let_idle_go();
  void wake_dormant(std::uint64_t wanted);

  // end.cpp
  void reap();
  void check_start(Worker& worker);
  void kill(Worker& worker);
  void settle_crash(Worker& worker);
  void check_end(Worker& worker);
  void reap(Worker& worker);
  void settle_end(Worker& worker);
  void name_killer(Worker& worker);
  static std::uint64_t oom_kills_now();
  void start_ended(Worker& worker);
  void settle_dead(Worker& worker);
  Ended take_ended(Worker& worker, Holding& holding, std::uint32_t claimed);
  void settle_dead(Worker& worker, Holding& holding, std::uint32_t begun,
                   std::vector<detail::Assignment*>& to_resend);
  void resend(detail::Assignment& work);
  std::exception_ptr crash(const Worker& worker, const detail::Assignment& work,
                           std::uint32_t element) const;
  void bury(Worker& worker);
  void leave_place(Worker& worker);

  Settings settings_;
  unsigned generation_;  // of fork: in a copied process this object is inert
  os::Fd page_memory_;
  os::Mapping page_;
  os::Lifeline lifeline_;
  Ledger ledger_{*this};
  mutable Driver driver_;
  std::shared_ptr<Launcher> launcher_;  // shared with the chore that uses it outside the lock

  std::vector<Place> places_;
  std::atomic<int> processes_;                     // how many places
  std::vector<std::unique_ptr<Worker>> workers_;   // all that live, in a place or leaving
  std::unordered_map<Ticket, Worker*> by_ticket_;  // the same
  Ticket last_ticket_ = 0;
  std::size_t next_place_ = 0;  // where `choose` looks first
  StartRecord starts_;
  Deadline retry_at_ = {};
  std::string last_failure_;
  std::exception_ptr last_cause_;
  std::shared_ptr<channel::SlabStore> slabs_;
  Deadline memory_due_ = never;  // when to look what slabs and rooms nobody uses
  std::vector<std::unique_ptr<Worker>> graveyard_;  // to be freed once the lock is not held

  std::unordered_map<const detail::Descriptor*, std::uint32_t> task_numbers_;
  std::deque<std::function<void(Lock&)>> chores_;
  unsigned stacks_waiting_ = 0;  // in chores, to be put into words
  std::unique_ptr<os::StackReader> stack_reader_;  // while there are any; the background thread's
  mutable detail::Waiters pool_waiters_;  // of start, join, pids
  std::deque<Submitter*> submitters_;     // that wait for room, in their order

  State state_ = State::open;
  bool unwanted_ = false;  // what has not started is not wanted any more: shutdown
  int lowest_ = std::numeric_limits<int>::max();  // priorities so far
  int highest_ = std::numeric_limits<int>::min();
  bool abandoned_ = false;  // nobody is left to join it
  bool started_ = false;
  bool starting_ = false;
  unsigned starts_under_way_ = 0;  // chores that start a worker
  std::string broken_;  // why; empty: it is not
  std::exception_ptr broken_cause_;
  std::shared_ptr<Gone> gone_;  // of shared state that was given to workers
  bool some_gone_ = false;
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
  std::uint32_t sandbox_gaps_ = 0;  // that any worker has told
  PoolStats counts_;  // of workers
  std::uint64_t oom_kills_explained_ = 0;  // by the kernel's count
};

}  // namespace procpool::inline v0::supervisor
