#include "support/raw_worker.hpp"

#include <cstring>
#include <utility>

#include "base/deadline.hpp"
#include "channel/worker_end.hpp"
#include "os/modules.hpp"
#include "os/socket.hpp"

namespace procpool::test {

using supervisor::LaunchEvent;
using supervisor::Ticket;

namespace {

constexpr pid_t first_pid = 1 << 23;  // beyond every pid of a real process
constexpr int sigkill = 9;

}  // namespace

RawWorker::RawWorker(pid_t pid, os::Fd control) : pid_(pid), control_(std::move(control)) {
  channel::FirstWord start = channel::receive_first_word(control_);
  const auto fd = [&start](int which) -> os::Fd& {
    return start.fds[static_cast<std::size_t>(which)];
  };
  tasks_ = os::Mapping(fd(wire::tasks_fd), os::Access::read_only);
  results_ = os::Mapping(fd(wire::results_fd), os::Access::read_write);
  leader_bell_ = std::move(fd(wire::leader_bell_fd));
  background_bell_ = std::move(fd(wire::background_bell_fd));
}

void RawWorker::say_hello() {
  say(wire::ControlKind::hello, wire::protocol_version, os::program_identity());
}

bool RawWorker::say(std::span<const std::byte> bytes, std::span<const int> fds) try {
  return os::send_message(control_.get(), bytes, fds) == os::Io::ok;
} catch (const std::system_error&) {
  return false;
}

bool RawWorker::say(wire::ControlKind kind, std::uint32_t number, std::uint64_t value) {
  const wire::Control message{kind, number, value};
  return say(wire::bytes_of(message));
}

wire::Control RawWorker::packet(std::vector<os::Fd>* fds) {
  wire::Control message{};
  os::Message got =
      os::receive_message(control_.get(), std::as_writable_bytes(std::span(&message, 1)), never);
  if (fds != nullptr) *fds = std::move(got.fds);
  return message;
}

void RawWorker::publish(std::uint32_t kind, std::span<const std::byte> payload) {
  const std::uint64_t tail = results().header.tail;
  const shm::RecordHeader header{static_cast<std::uint32_t>(payload.size()), kind};
  std::byte* const at = results().ring + tail % shm::ring_bytes;
  std::memcpy(at, &header, sizeof header);
  std::memcpy(at + sizeof header, payload.data(), payload.size());
  results().header.tail = tail + shm::record_span(payload.size());
  ring();
}

void RawWorker::ring() {
  os::ring(leader_bell_.get());
  os::ring(background_bell_.get());
}

void RawWorker::die() {
  dead_ = true;
  os::ring(exit_.get());
}

class RawMachine::Link final : public supervisor::Launcher {
 public:
  explicit Link(RawMachine& machine) : machine_(&machine) {}

  void launch(Ticket ticket, os::Fd control) override {
    const std::lock_guard lock(machine_->mutex_);
    const auto pid = static_cast<pid_t>(first_pid + static_cast<int>(machine_->all_.size()));
    const auto worker = std::make_shared<RawWorker>(pid, std::move(control));
    worker->say_hello();
    machine_->all_.push_back(worker);
    machine_->fresh_.push_back(worker);
    machine_->events_.push_back({.kind = LaunchEvent::Kind::started,
                                 .ticket = ticket,
                                 .pid = pid,
                                 .pidfd = os::duplicate(worker->exit_event())});
    machine_->changed_.notify_all();
  }
  int socket() const override { return -1; }
  std::optional<LaunchEvent> next() override {
    const std::lock_guard lock(machine_->mutex_);
    if (const auto act = std::exchange(machine_->between_looks_, nullptr)) act();
    if (machine_->events_.empty()) return std::nullopt;
    std::optional<LaunchEvent> event(std::move(machine_->events_.front()));
    machine_->events_.pop_front();
    return event;
  }
  std::optional<os::ExitStatus> status(pid_t, int) override {
    return os::ExitStatus{os::ExitStatus::How::signaled, sigkill};
  }
  void kill(pid_t pid, int) override {
    const std::lock_guard lock(machine_->mutex_);
    machine_->all_[static_cast<std::size_t>(pid - first_pid)]->die();
  }
  void finish() override {}

 private:
  RawMachine* machine_;
};

std::unique_ptr<supervisor::Launcher> RawMachine::make_launcher() {
  return std::make_unique<Link>(*this);
}

void RawMachine::between_looks(std::function<void()> act) {
  const std::lock_guard lock(mutex_);
  between_looks_ = std::move(act);
}

std::shared_ptr<RawWorker> RawMachine::next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !fresh_.empty(); });
  auto worker = std::move(fresh_.front());
  fresh_.pop_front();
  return worker;
}

}  // namespace procpool::test
