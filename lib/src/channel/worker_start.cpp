// How a worker's end comes to be: the first word, and what comes with it.

#include <bit>
#include <stdexcept>
#include <utility>

#include "channel/worker_end.hpp"
#include "os/fork.hpp"
#include "os/process.hpp"

namespace procpool::inline v0::channel {

FirstWord receive_first_word(const os::Fd& control) {
  wire::Control word{};
  os::Message got = os::receive_message(control.get(),
                                        std::as_writable_bytes(std::span(&word, 1)), never);
  if (got.io == os::Io::peer_gone) os::exit_now(exit_unreachable);
  const int fds = word.kind == wire::ControlKind::run
                      ? int{wire::run_fd_count}
                      : int{wire::start_fd_count} + std::popcount(word.number);
  if (got.size != sizeof word || word.value != wire::protocol_version ||
      std::cmp_less(got.fds.size(), fds)) {
    throw std::runtime_error("the start message is not of this version of procpool");
  }
  return {word.kind, word.number, std::move(got.fds)};
}

Attachment attach(os::Fd control, FirstWord start) {
  if (start.kind != wire::ControlKind::start) {
    throw std::runtime_error("the start message is not a worker's");
  }
  const auto high = [&start](int which) {
    return os::guard(os::move_high(std::move(start.fds[static_cast<std::size_t>(which)])));
  };
  auto extra = static_cast<std::size_t>(wire::start_fd_count);
  const auto map_extra = [&start, &extra](wire::StartExtras which) {
    if ((start.extras & which) == 0) return os::Mapping();
    return os::Mapping(start.fds[extra++], os::Access::read_only);
  };
  return {os::guard(os::move_high(std::move(control))),
          os::Mapping(start.fds[wire::pool_page_fd], os::Access::read_only),
          os::Mapping(start.fds[wire::tasks_fd], os::Access::read_only),
          os::Mapping(start.fds[wire::results_fd], os::Access::read_write),
          high(wire::leader_bell_fd),
          high(wire::background_bell_fd),
          high(wire::tether_fd),
          map_extra(wire::with_hooks),
          map_extra(wire::with_rules)};
}

}  // namespace procpool::inline v0::channel
