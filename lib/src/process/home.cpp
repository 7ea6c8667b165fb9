#include "process/home.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <span>
#include <system_error>
#include <utility>

#include <procpool/errors.hpp>

#include "os/advice.hpp"
#include "os/fork.hpp"
#include "os/poller.hpp"
#include "os/socket.hpp"
#include "wire/messages.hpp"

namespace procpool::inline v0::process {

namespace {

using wire::TemplateKind;
using wire::TemplateMessage;

// For one fork of a small process. Too short: an overloaded machine starts nothing; too long: a template
// that somebody has stopped is noticed late.
constexpr auto patience = std::chrono::seconds(60);

std::unique_ptr<Child> child_of(const TemplateMessage& answer, os::Message& got, os::Fd reports) {
  if (answer.kind == TemplateKind::not_forked) {
    throw std::system_error(static_cast<int>(answer.value), std::generic_category(), "fork");
  }
  if (answer.kind != TemplateKind::forked || got.fds.size() != 1) {
    throw PoolBroken("the template process sent nonsense");
  }
  return std::make_unique<Child>(static_cast<pid_t>(answer.value),
                                 os::guard(std::move(got.fds.front())), std::move(reports));
}

/// A pair of which a fork by another thread copies nothing that matters.
os::SocketPair make_guarded_pair() {
  const os::ForkPause no_fork_sees_it_unguarded;
  os::SocketPair pair = os::make_socket_pair();
  pair.ours = os::guard(std::move(pair.ours));
  pair.theirs = os::guard(std::move(pair.theirs));
  return pair;
}

}  // namespace

Home::Home() : generation_(os::fork_generation()), lifeline_(os::make_lifeline()) {
  lifeline_.tether = os::guard(std::move(lifeline_.tether));
}

Home& Home::get() {
  static constinit std::atomic<Home*> current = nullptr;
  Home* home = current;
  while (home == nullptr || home->generation_ != os::fork_generation()) {
    std::unique_ptr<Home> fresh(new Home);
    if (current.compare_exchange_strong(home, fresh.get())) return *fresh.release();
  }
  return *home;
}

Home::Forked Home::fork_from_template() {
  const std::lock_guard lock(lock_);
  if (has_template()) {
    if (auto forked = ask_template()) return *std::move(forked);
  }
  template_.reset();
  template_ = supervisor::make_template_launcher(StartMethod::forkserver);
  if (auto forked = ask_template()) return *std::move(forked);
  throw PoolBroken("the template process died as soon as it was made");
}

/// Answers go elsewhere: this socket only says that the template is lost or could not take a request.
bool Home::has_template() {
  if (template_ == nullptr) return false;
  for (auto event = template_->next(); event; event = template_->next()) {
    if (event->kind == supervisor::LaunchEvent::Kind::lost) return false;
  }
  return true;
}

std::optional<Home::Forked> Home::ask_template() {
  os::SocketPair control = make_guarded_pair();
  os::SocketPair reports = make_guarded_pair();
  const std::array fds{control.theirs.get(), reports.theirs.get()};
  const TemplateMessage request{TemplateKind::fork, 0, 0, 0};
  const os::Io sent = os::send_message(template_->socket(), wire::bytes_of(request), fds);
  if (sent == os::Io::peer_gone) return std::nullopt;
  if (sent == os::Io::would_block) throw PoolBroken("the template process takes no requests");
  control.theirs.reset();
  reports.theirs.reset();
  TemplateMessage answer{};
  os::Message got =
      os::receive_message(reports.ours.get(), std::as_writable_bytes(std::span(&answer, 1)),
                          deadline_after(patience));
  if (got.io == os::Io::would_block) {
    template_->give_up();
    throw PoolBroken("the template process does not answer");
  }
  if (got.io == os::Io::peer_gone) return not_taken();
  return Forked{child_of(answer, got, std::move(reports.ours)), std::move(control.ours)};
}

/// The request was closed unanswered. Either the template is gone (and if it had forked, that child ends,
/// since its control socket does), or it could not take the descriptors and is about to say so.
std::nullopt_t Home::not_taken() {
  os::Poller poller;
  poller.add(template_->socket(), 0, os::Poller::Trigger::level);
  const Deadline until = deadline_after(patience);
  std::array<std::uint64_t, 1> keys;
  while (poller.wait(keys, until) == 0 && Clock::now() < until) continue;
  const auto event = template_->next();
  if (event && event->kind == supervisor::LaunchEvent::Kind::failed) {
    throw PoolBroken(event->why + os::advice_on(event->why));
  }
  return std::nullopt;
}

}  // namespace procpool::inline v0::process
