#include "local/threads.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include <algorithm>
#include <utility>

#include <procpool/errors.hpp>

#include "os/signals.hpp"

namespace procpool::inline v0::local {

/// Its threads are ours, which run the initializer before they join it.
struct Threads::Asio {
  boost::asio::thread_pool pool{0};
};

Threads::Threads(Settings settings)
    : LocalCore(std::move(settings)), asio_(std::make_unique<Asio>()) {}

/// Every thread holds a reference: they have all ended, but for the one that may be here.
Threads::~Threads() {
  for (std::thread& thread : threads_) {
    if (thread.get_id() == std::this_thread::get_id()) {
      thread.detach();
    } else {
      thread.join();
    }
  }
}

/// Waits until each has run the initializer. Throws what the first one threw that did.
void Threads::start_places() {
  Lock lock(mutex_);
  try {
    add_threads(static_cast<std::size_t>(wanted_));
  } catch (...) {
    if (!failed_) failed_ = std::current_exception();
  }
  started_one_.wait(lock, [this] { return starting_ == 0; });
  if (!failed_) return;
  asio_->pool.stop();
  const std::exception_ptr failed = std::exchange(failed_, nullptr);
  lock.unlock();
  join_places();
  std::rethrow_exception(failed);
}

void Threads::add_threads(std::size_t count) {
  sigset_t before;
  const os::SignalsBlocked signals_are_the_programs(before);
  threads_.reserve(threads_.size() + count);
  for (std::size_t i = 0; i != count; ++i) {
    retain();
    ++starting_;
    try {
      threads_.emplace_back([this] { live(); });
    } catch (...) {
      --starting_;
      release();
      throw;
    }
  }
}

void Threads::live() {
  std::exception_ptr failed;
  try {
    run_initializer();
  } catch (...) {
    failed = std::current_exception();
  }
  Lock lock(mutex_);
  --starting_;
  if (failed && !failed_) failed_ = failed;
  started_one_.notify_all();
  lock.unlock();
  if (!failed) asio_->pool.attach();
  release();
}

void Threads::call_places(std::size_t work) {
  for (; work != 0 && active_ < wanted_; --work) {
    boost::asio::post(asio_->pool, [this] { this->work(); });
    ++active_;
  }
}

void Threads::work() {
  Lock lock(mutex_);
  while (active_ <= wanted_) {
    detail::Assignment* const some = take_any();
    if (some == nullptr) break;
    run(lock, *some);
  }
  --active_;
  let_go(lock);
}

void Threads::supply(Lock& lock, detail::Node& node) {
  offer(node.is_batch ? static_cast<detail::Batch&>(node).elements.count() : 1);
  let_go(lock);
}

void Threads::end_places() { asio_->pool.stop(); }

void Threads::join_places() {
  std::vector<std::thread> threads;
  {
    const Lock lock(mutex_);
    joined_ += threads_.size();
    threads.swap(threads_);
  }
  for (std::thread& thread : threads) thread.join();
}

/// Threads that are too many rest until they are wanted again, or until the end.
void Threads::resize_places(Lock& lock, int count) {
  const auto wanted = static_cast<std::size_t>(count);
  if (wanted > threads_.size()) {
    add_threads(wanted - threads_.size());
    started_one_.wait(lock, [this] { return starting_ == 0; });
  }
  wanted_ = count;
  if (const std::exception_ptr failed = std::exchange(failed_, nullptr)) break_pool(failed);
  offer(ledger_.waiting());
}

}  // namespace procpool::inline v0::local
