#include "process/child.hpp"

#include <chrono>
#include <span>
#include <system_error>
#include <utility>

#include "os/socket.hpp"
#include "wire/messages.hpp"

namespace procpool::inline v0::process {

namespace {

// The template reaps at once when a child ends. Too short: on a machine that swaps, an end is unknown
// that was not; too long: exit_code() stands still for a template that somebody has stopped.
constexpr auto patience = std::chrono::seconds(5);

int code_of(const os::ExitStatus& status) {
  switch (status.how) {
    case os::ExitStatus::How::exited: return status.value;
    case os::ExitStatus::How::signaled: return -status.value;
    default: return unknown_exit_code;
  }
}

}  // namespace

Child::Child(pid_t pid, os::Fd pidfd, os::Fd reports)
    : pid_(pid), pidfd_(std::move(pidfd)), reports_(std::move(reports)) {}

bool Child::wait(Deadline until) noexcept {
  return os::wait_for_exit(pidfd(), until) && exit_code();
}

std::optional<int> Child::exit_code() noexcept {
  const std::lock_guard lock(lock_);
  if (code_) return code_;
  std::optional<os::ExitStatus> status = take_status();
  if (!status) return std::nullopt;
  if (status->how == os::ExitStatus::How::unknown) status = os::status_after_reaping(pidfd());
  code_ = code_of(*status);
  return code_;
}

std::optional<os::ExitStatus> Child::take_status() noexcept {
  if (!reports_) return os::reap(pidfd(), pid_);
  if (!os::has_exited(pidfd())) return std::nullopt;
  return reported();
}

os::ExitStatus Child::reported() noexcept {
  wire::TemplateMessage report{};
  try {
    const os::Message got =
        os::receive_message(reports_.get(), std::as_writable_bytes(std::span(&report, 1)),
                            deadline_after(patience));
    if (got.io == os::Io::ok && report.kind == wire::TemplateKind::exited) {
      return wire::unpack_status(report.value);
    }
  } catch (const std::system_error&) {
    return {};  // the descriptor is not ours any more: somebody closed it, and the status with it
  }
  return {};
}

}  // namespace procpool::inline v0::process
