#include "supervisor/supervisor.hpp"

#include <algorithm>
#include <utility>

#include "os/fork.hpp"
#include "supervisor/keys.hpp"

namespace procpool::inline v0::supervisor {

using detail::Node;
using detail::Waiter;

namespace {

/// How many submissions pass between two looks at the results while every worker is supplied. Too
/// low: submitters read cache lines that workers write; too high: workers run dry.
constexpr unsigned submissions_per_look = 16;

os::Fd make_page() { return os::make_memory("procpool-pool", shm::page); }

shm::PoolPage& page_of(const os::Mapping& mapping) {
  return *reinterpret_cast<shm::PoolPage*>(mapping.data());
}

std::uint64_t next_id() {
  static std::atomic<std::uint64_t> last = 0;
  return ++last;
}

bool node_is_done(const void* node) { return static_cast<const Node*>(node)->done(); }
bool queue_has_one(const void* queue) {
  return !static_cast<const detail::CompletionQueue*>(queue)->ready.empty();
}

}  // namespace

Supervisor::Supervisor(Settings settings)
    : settings_(std::move(settings)),
      generation_(os::fork_generation()),
      page_memory_(os::guard(make_page())),
      page_(page_memory_, os::Access::read_write),
      lifeline_(os::make_lifeline()),
      driver_(*this, page_of(page_).target),
      callbacks_(std::move(settings_.on_callback_error)),
      seats_(static_cast<std::size_t>(settings_.processes)),
      wanted_(seats_.size()) {
  os::seal_against_writers(page_memory_);
}

Supervisor::~Supervisor() = default;

void Supervisor::start() {
  launcher_ = settings_.make_launcher();
  if (launcher_->socket() >= 0) driver_.watch(launcher_->socket(), key_of(Key::launcher, 0));
  started_ = starting_ = true;
  retain();  // the background thread's
  try {
    background_ = std::thread([this] { run_background(); });
  } catch (...) {
    started_ = starting_ = false;
    release();
    throw;
  }
  Lock lock = driver_.hold();
  attention_ = true;
  driver_.kick_background();
  Waiter waiter{.satisfied = [](const void* self) {
                  const auto& pool = *static_cast<const Supervisor*>(self);
                  return !pool.broken_.empty() || pool.over_ || pool.all_ready();
                },
                .subject = this};
  driver_.wait(lock, waiter, pool_waiters_, never);
  starting_ = false;
  const std::string broken = broken_;
  const bool over = over_;  // closed before it was started
  let_go(lock);
  if (over) join(never);
  if (broken.empty()) return;
  terminate();
  join(never);
  throw PoolBroken("the pool's workers cannot be started: " + broken);
}

/// A worker's hello can be here before its launcher has said which process it is.
bool Supervisor::all_ready() const {
  return std::ranges::all_of(seats_, [](const auto& worker) {
    return worker && worker->phase != Phase::starting && worker->pid != 0;
  });
}

// ---- submission ----------------------------------------------------------------------------------

void Supervisor::check_open() const {
  if (state_ == State::terminated) throw PoolTerminated("the pool was terminated");
  if (state_ == State::closed) throw PoolClosed("the pool was closed: it takes no more work");
  if (!broken_.empty()) throw PoolBroken(broken_text());
}

void Supervisor::submit(Node& node) {
  check_mine();
  node.is_batch = false;
  if (needs_slab(node)) give_slab_or_throw(node);
  Lock lock = driver_.hold();
  check_open();
  accept_node(node);
  ledger_.enter(node);
  supply(lock);
}

void Supervisor::submit_batch(detail::Batch& batch) {
  check_mine();
  std::vector<std::unique_ptr<detail::Chunk>> chunks;
  const std::uint32_t count = batch.elements.count();
  for (std::uint32_t first = 0; first < count; first += batch.chunk) {
    auto chunk = std::make_unique<detail::Chunk>(batch);
    chunk->first = chunk->part.first = first;
    chunk->count = std::min(batch.chunk, count - first);
    if (needs_slab(*chunk)) give_slab_or_throw(*chunk);
    chunks.push_back(std::move(chunk));
  }
  Lock lock = driver_.hold();
  check_open();
  accept_node(batch);
  ledger_.enter_batch(batch, std::move(chunks));
  supply(lock);
}

void Supervisor::give_slab_or_throw(detail::Assignment& work) {
  try {
    give_slab(work);
  } catch (const std::exception& error) {
    throw EncodingError("a call of " + std::to_string(call_bytes(work)) +
                        " bytes cannot be sent: " + error.what());
  }
}

void Supervisor::accept_node(Node& node) {
  retain();
  node.core = this;
  node.id = next_id();
}

/// From the caller's hands straight into an idle worker's slot. While all workers are supplied,
/// submitters look at the results now and then.
void Supervisor::supply(Lock& lock) {
  if (saturated_ && ++submitted_ % submissions_per_look != 0) return let_go(lock);
  guarded([this] {
    if (saturated_) {
      collect();
      passing_ = true;
    }
    dispatch();
  });
  let_go(lock);
}

/// A turn that runs out of memory or descriptors half way leaves a state that nobody can vouch for:
/// the pool is broken then, every task ends, and no thread but the failed call's own is involved.
template <class Step>
void Supervisor::guarded(Step step) {
  try {
    step();
  } catch (const std::exception& error) {
    break_pool(std::string("the supervisor could not go on: ") + error.what());
  }
  saturated_ = ledger_.front() != nullptr;
}

// ---- turns ---------------------------------------------------------------------------------------

void Supervisor::turn() {
  guarded([this] {
    collect();
    if (attention_ || (state_ != State::open && !finishing_)) attend();
    dispatch();
  });
}

/// What is not there at every turn.
void Supervisor::attend() {
  attention_ = false;
  if (launcher_seen_ || (launcher_ && launcher_->socket() < 0)) read_launcher();
  for (const auto& worker : seats_) {
    if (worker && worker->control_seen) read_control(*worker);
  }
  reap();
  heal();
  if (state_ != State::open && !finishing_) finish_workers();
  for (auto* w = pool_waiters_.first; w != nullptr; w = w->next) {
    if (w->satisfied(w->subject)) driver_.wake(*w);
  }
}

bool Supervisor::visible() {
  if (attention_) return true;
  const bool work_waits = ledger_.front() != nullptr;
  return std::ranges::any_of(seats_, [this, work_waits](const auto& worker) {
    if (!worker || !worker->violation.empty()) return false;
    if (worker->no_room && worker->end.passed_hint() != worker->hint) {
      if (worker->phase == Phase::stopping && !worker->stop_sent) return attention_ = true;
      if (worker->phase == Phase::ready && work_waits) return true;
    }
    return !worker->hand.empty() && worker->end.visible();
  });
}

void Supervisor::note(std::uint64_t key) {
  const Key kind = kind_of(key);
  if (kind == Key::bell) return;
  attention_ = true;
  if (kind == Key::launcher) launcher_seen_ = true;
  Worker* const worker = find(ticket_of(key));
  if (worker == nullptr) return;
  if (kind == Key::exit) worker->exit_seen = true;
  if (kind == Key::control) worker->control_seen = true;
}

void Supervisor::add_chore(std::function<void(Lock&)> chore) {
  chores_.push_back(std::move(chore));
  driver_.kick_background();
}

bool Supervisor::do_chore(Lock& lock) {
  if (chores_.empty()) return false;
  const auto chore = std::move(chores_.front());
  chores_.pop_front();
  chore(lock);
  return true;
}

void Supervisor::let_go(Lock& lock) {
  const Ledger::Garbage garbage = ledger_.take_garbage();
  const auto graves = std::exchange(graveyard_, {});
  lock.unlock();
}

void Supervisor::call_back(std::vector<std::function<void()>> callbacks) {
  callbacks_.post(std::move(callbacks));
}

// ---- waiting -------------------------------------------------------------------------------------

bool Supervisor::wait(Node& node, Deadline until) {
  check_mine();
  Lock lock = driver_.hold();
  Waiter waiter{.satisfied = node_is_done, .subject = &node};
  const bool satisfied = driver_.wait(lock, waiter, node.waiters, until);
  let_go(lock);
  return satisfied;
}

Node* Supervisor::wait_any(detail::CompletionQueue& queue, Deadline until) {
  check_mine();
  Lock lock = driver_.hold();
  Waiter waiter{.satisfied = queue_has_one, .subject = &queue};
  driver_.wait(lock, waiter, queue.waiters, until);
  Node* node = nullptr;
  if (!queue.ready.empty()) {
    node = queue.ready.front();
    queue.ready.erase(queue.ready.begin());
  }
  let_go(lock);
  return node;
}

void Supervisor::discard(detail::Batch& batch) noexcept {
  if (generation_ != os::fork_generation()) return;
  Lock lock = driver_.hold();
  if (!batch.done()) {
    discard_waiting(batch);
    dispatch();
    saturated_ = ledger_.front() != nullptr;
  }
  // Somebody may sleep until nothing is left, in join.
  if (state_ != State::open && ledger_.outstanding() == 0) driver_.kick_background();
  let_go(lock);
}

/// Nothing of the batch that has not started will: not what waits here, and not what waits in hands.
void Supervisor::discard_waiting(detail::Batch& batch) {
  ledger_.discard(batch);
  for (const auto& worker : seats_) {
    if (!worker || !worker->violation.empty()) continue;
    worker->hand.each([&](Holding& holding) {
      detail::Assignment& work = *holding.work;
      if (!work.is_chunk || static_cast<detail::Chunk&>(work).batch.get() != &batch) return;
      const std::uint32_t limit = worker->end.take_back(holding.sequence, holding.count,
                                                        holding.limit, holding.settled);
      if (limit >= holding.limit) return;
      detail::Assignment& rest = ledger_.remainder(work, limit, holding.limit - limit);
      holding.limit = limit;
      if (holding.settled == limit) completed(*worker, holding);
      ledger_.fail(rest, rest.count, [] { return std::exception_ptr(); });
    });
  }
}

void Supervisor::on_done(Node& node, std::function<void()> callback) {
  check_mine();
  callbacks_.start();  // here, where it may fail, and not in a turn
  Lock lock = driver_.hold();
  if (!node.done()) {
    node.more().callbacks.push_back(std::move(callback));
    return let_go(lock);
  }
  let_go(lock);
  callbacks_.run(callback);
}

void Supervisor::check_mine() const {
  if (generation_ != os::fork_generation()) {
    detail::throw_misuse("this pool belongs to the process that made it, not to its forked copy");
  }
}

std::vector<pid_t> Supervisor::pids() const {
  check_mine();
  auto& self = const_cast<Supervisor&>(*this);
  Lock lock = driver_.hold();
  Waiter waiter{.satisfied = [](const void* subject) {
                  const auto& pool = *static_cast<const Supervisor*>(subject);
                  return pool.state_ != State::open || !pool.broken_.empty() || pool.all_ready();
                },
                .subject = this};
  driver_.wait(lock, waiter, pool_waiters_, deadline_after(std::chrono::seconds(1)));
  std::vector<pid_t> pids;
  for (const auto& worker : seats_) {
    if (worker && worker->pid != 0) pids.push_back(worker->pid);
  }
  self.let_go(lock);
  return pids;
}

}  // namespace procpool::inline v0::supervisor
