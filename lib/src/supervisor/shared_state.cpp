// Shared state that calls name: sent to a worker before the first call that does, and taken back when
// the last handle here is gone.

#include <mutex>
#include <utility>

#include "os/process.hpp"
#include "supervisor/supervisor.hpp"

namespace procpool::inline v0::supervisor {

/// Told of it by whoever drops the last handle, on any thread. It outlives the supervisor as long as
/// state does that was given away.
class Supervisor::Gone final : public shared::Giver {
 public:
  explicit Gone(Supervisor& owner) : owner_(&owner) {}

  void gone() noexcept override {
    if (pid_ != os::this_pid()) return;  // a forked copy: whoever held these locks is not here
    const std::lock_guard held(mutex_);
    if (owner_ == nullptr) return;
    Lock lock = owner_->driver_.hold();
    owner_->some_gone_ = owner_->attention_ = true;
    owner_->driver_.kick_background();
    owner_->let_go(lock);
  }
  void detach() {
    const std::lock_guard held(mutex_);
    owner_ = nullptr;
  }

 private:
  const pid_t pid_ = os::this_pid();
  std::mutex mutex_;
  Supervisor* owner_;
};

/// False: its socket is full now, as an arena can be.
bool Supervisor::attach(Worker& worker, const detail::Assignment& work) {
  if (work.is_chunk) {
    const auto& batch = *static_cast<const detail::Chunk&>(work).batch;
    return !batch.extras || attach(worker, batch.extras->attachments);
  }
  const auto& node = static_cast<const detail::Node&>(work);
  return !node.extras || attach(worker, node.extras->attachments);
}

bool Supervisor::attach(Worker& worker, const detail::Attachments& memories) {
  for (const auto& memory : memories) {
    const auto known = worker.given.find(memory.get());
    if (known != worker.given.end() && !known->second.memory.expired()) continue;
    worker.control_hint = worker.end.control_taken();
    if (known != worker.given.end() && !take_back(worker, known->second)) return false;
    if (worker.end.send_memory(*memory) == os::Io::would_block) return wait_for_control(worker);
    worker.given[memory.get()] = {memory, memory->key()};
    if (!gone_) gone_ = std::make_shared<Gone>(*this);
    memory->given_by(gone_);
  }
  return true;
}

bool Supervisor::take_back(Worker& worker, const Worker::Given& given) {
  if (worker.end.send_forget(given.key) != os::Io::would_block) return true;
  some_gone_ = true;
  return wait_for_control(worker);
}

/// It sleeps, perhaps, and nothing else would wake it to make room.
bool Supervisor::wait_for_control(Worker& worker) {
  worker.control_full = true;
  worker.end.ring();
  return false;
}

void Supervisor::take_back_gone() {
  some_gone_ = false;
  for (const auto& worker : workers_) {
    worker->control_hint = worker->end.control_taken();
    std::erase_if(worker->given, [&](const auto& given) {
      return given.second.memory.expired() && take_back(*worker, given.second);
    });
    worker->end.ring();
  }
}

/// Nobody will be given anything any more.
void Supervisor::stop_giving() {
  Lock lock = driver_.hold();
  const std::shared_ptr<Gone> gone = std::move(gone_);
  let_go(lock);
  if (gone) gone->detach();
}

}  // namespace procpool::inline v0::supervisor
