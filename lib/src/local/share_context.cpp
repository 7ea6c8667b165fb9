// What a running task asks and says (this_task.hpp).

#include <chrono>
#include <string>
#include <utility>

#include <procpool/options.hpp>

#include "local/core.hpp"

namespace procpool::inline v0::local {

using namespace std::chrono_literals;

std::stop_token Share::token() {
  LocalCore::Lock lock(core_->mutex_);
  if (!source_.stop_possible()) source_ = std::stop_source();
  std::stop_source source = source_;
  lock.unlock();
  if (stop_) source.request_stop();
  return source.get_token();
}

void Share::say(TaskUpdate update) {
  update.index = index();
  const LocalCore::Lock lock(core_->mutex_);
  if (!answered_) core_->said(*node_, std::move(update));
}

void Share::progress(std::size_t done, std::size_t total) {
  const Deadline now = Clock::now();
  if (done != total && now - said_at_ < 1ms) return;
  said_at_ = now;
  say({.done = done, .total = total});
}

void Share::log(std::string_view text) { say({.log = std::string(text.substr(0, 4096))}); }

std::string_view Share::name() noexcept {
  return work_->options == nullptr ? std::string_view() : work_->options->name;
}

std::size_t Share::index() noexcept {
  if (!work_->is_chunk) return 0;
  const std::size_t element = flat_ ? static_cast<std::size_t>(running_) : element_;
  return std::size_t{batch().elements.first_index} + work_->first + element;
}

std::uint64_t Share::seed() noexcept {
  return work_->is_chunk ? element_seed(index()) : call_seed(node_->first);
}

}  // namespace procpool::inline v0::local
