// What a running task asks and says (this_task.hpp).

#include <algorithm>
#include <chrono>
#include <cstring>

#include "os/fork.hpp"
#include "worker/invoke.hpp"
#include "worker/stop_watcher.hpp"

namespace procpool::inline v0::worker {

namespace {

/// Progress is told this often. Too short: home is busy with reports; too long: a jerky display.
constexpr auto between_reports = std::chrono::milliseconds(1);
constexpr std::size_t longest_line = 4096;

}  // namespace

/// Not while a result is being written, for which room in the ring is reserved; and not in a copy
/// that the task forked.
bool Invoke::may_speak() const {
  return !out_ && !committed_ && os::fork_generation() == generation_;
}

void Invoke::say(wire::RecordKind kind, std::span<const std::byte> bytes) {
  if (is_flat()) publish_run();  // home hears of elements in their order
  const auto size = static_cast<std::uint32_t>(sizeof(wire::OutcomeHeader) + bytes.size());
  const auto room = end_->reserve(size);
  const auto header = outcome_header();
  std::memcpy(room.data(), &header, sizeof header);
  std::memcpy(room.data() + sizeof header, bytes.data(), bytes.size());
  end_->publish(kind, size);
}

void Invoke::progress(std::size_t done, std::size_t total) {
  if (!may_speak()) return;
  const Deadline now = Clock::now();
  if (done != total && now - said_at_ < between_reports) return;
  said_at_ = now;
  say(wire::RecordKind::progress, wire::bytes_of(wire::Progress{done, total}));
}

void Invoke::log(std::string_view text) {
  if (!may_speak()) return;
  text = text.substr(0, longest_line);
  say(wire::RecordKind::log, std::as_bytes(std::span(text)));
}

std::uint64_t Invoke::word() const { return end_->word_of(is_flat() ? current() : element_); }

bool Invoke::stop_requested() noexcept { return end_->stop_requested(word()); }

std::stop_token Invoke::token() { return stop_watcher().token(end_->stop_words(), word()); }

std::size_t Invoke::index() noexcept {
  if (header_.kind != wire::CallKind::chunk) return 0;
  return std::size_t{chunk_.first_index} + (is_flat() ? current() : element_);
}

std::uint64_t Invoke::seed() noexcept {
  return header_.kind == wire::CallKind::chunk ? element_seed(index()) : call_seed(header_.number);
}

}  // namespace procpool::inline v0::worker
