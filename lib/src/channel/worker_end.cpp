#include "channel/worker_end.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "os/fork.hpp"
#include "os/process.hpp"
#include "shm/stop.hpp"

namespace procpool::inline v0::channel {

using wire::bytes_of;

Attachment attach(os::Fd control) {
  wire::Control start{};
  os::Message got = os::receive_message(control.get(),
                                        std::as_writable_bytes(std::span(&start, 1)), never);
  if (got.io != os::Io::ok || got.size != sizeof start || start.kind != wire::ControlKind::start ||
      start.value != wire::protocol_version || got.fds.size() < wire::start_fd_count) {
    throw std::runtime_error("the start message is not of this version of procpool");
  }
  const auto high = [&got](int which) {
    return os::guard(os::move_high(std::move(got.fds[static_cast<std::size_t>(which)])));
  };
  return {os::guard(os::move_high(std::move(control))),
          os::Mapping(got.fds[wire::pool_page_fd], os::Access::read_only),
          os::Mapping(got.fds[wire::tasks_fd], os::Access::read_only),
          os::Mapping(got.fds[wire::results_fd], os::Access::read_write),
          high(wire::leader_bell_fd),
          high(wire::background_bell_fd),
          high(wire::tether_fd),
          got.fds.size() > wire::hooks_fd
              ? os::Mapping(got.fds[wire::hooks_fd], os::Access::read_only)
              : os::Mapping()};
}

WorkerEnd::WorkerEnd(Attachment attachment)
    : at_(std::move(attachment)),
      slots_(std::as_const(tasks()).slots, tasks().header.tail),
      ring_(results().ring, results().header.tail, tasks().header.head),
      home_(pool_page().target),
      sleep_(results().header.asleep) {
  const auto& header = tasks().header;
  if (header.magic != shm::magic || header.version != shm::version) {
    throw std::runtime_error("the task memory is not of this version of procpool");
  }
}

void WorkerEnd::say_hello(std::uint64_t identity) {
  const wire::Control hello{wire::ControlKind::hello, wire::protocol_version, identity};
  os::send_message(at_.control.get(), bytes_of(hello));
}

void WorkerEnd::tell(wire::ControlKind kind) {
  const wire::Control message{kind, 0, 0};
  os::send_message(at_.control.get(), bytes_of(message));
}

void WorkerEnd::tell_start_error(std::span<const std::byte> record) {
  const wire::OutcomeHeader header{};
  const auto size = static_cast<std::uint32_t>(sizeof header + record.size());
  const auto room = reserve(size);
  if (room.empty()) return;  // home says how the process ended
  std::memcpy(room.data(), &header, sizeof header);
  std::memcpy(room.data() + sizeof header, record.data(), record.size());
  publish(wire::RecordKind::start_error, size);
}

std::uint64_t WorkerEnd::stop_word(std::uint32_t element) const {
  return shm::stop_word(slots_.sequence(), element);
}

bool WorkerEnd::stop_requested(std::uint32_t element) const {
  return shm::load_hint(tasks().header.stop) == stop_word(element);
}

/// The sleeper's half of doorbell.hpp: `wake` is read before the announcement, `ready` looks after.
template <class Ready>
void WorkerEnd::sleep_until(Ready ready) {
  while (!patience_.wait(ready, os::yield)) {
    const auto& wake = tasks().header.wake;
    const std::uint32_t seen = shm::load_ordered(wake);
    sleep_.announce();
    if (!ready()) os::futex_wait(wake, seen, os::Scope::shared);
    sleep_.awake();
  }
}

bool WorkerEnd::wait_for_slot(const std::atomic<bool>* stop) {
  if (patience_.wait([this] { return slots_.visible(); }, os::yield)) return true;
  if (passed_silently_) tell_passed();
  sleep_until([&] { return slots_.visible() || (stop != nullptr && *stop); });
  return slots_.visible();
}

/// A skipped slot is a publication like a result: home may wait for it to place work there.
void WorkerEnd::tell_passed() {
  passed_silently_ = false;
  shm::store_ordered(results().header.consumed, slots_.sequence());
  ring_home();
}

wire::CallHeader WorkerEnd::header() const {
  wire::CallHeader header;
  std::memcpy(&header, slots_.current().bytes, sizeof header);
  return header;
}

std::span<const std::byte> WorkerEnd::payload(const wire::CallHeader& header) {
  const std::span<const std::byte> in_slot =
      std::span(slots_.current().bytes).subspan(sizeof(wire::CallHeader));
  if (header.place == wire::Place::slot) return in_slot.first(header.size);
  const auto where = *wire::read<wire::Elsewhere>(in_slot);
  if (header.place == wire::Place::arena) {
    return std::span<const std::byte>(tasks().arena).subspan(where.offset, where.size);
  }
  return call_slab(where.slab).first(where.size);
}

std::optional<std::uint32_t> WorkerEnd::take(std::uint32_t count, bool taken_before) {
  const std::uint64_t sequence = slots_.sequence();
  const shm::Range range =
      shm::claim::take(results().claims[sequence % shm::slot_count],
                       shm::lap_of(sequence, shm::slot_count), count, taken_before, 1);
  if (range.empty()) return std::nullopt;
  return range.first;
}

void WorkerEnd::pass_slot(bool heard) {
  slots_.pass();
  passed_silently_ = !heard;
}

std::span<std::byte> WorkerEnd::reserve(std::uint32_t bytes) {
  if (bytes > shm::max_payload(shm::ring_bytes)) return {};
  std::span<std::byte> room;
  sleep_until([&] { return !(room = ring_.reserve(bytes)).empty(); });
  return room;
}

void WorkerEnd::publish(wire::RecordKind kind, std::uint32_t bytes) {
  ring_.commit(static_cast<std::uint32_t>(kind), bytes);
  ring_home();
}

void WorkerEnd::ring_home() {
  const shm::Sleeper sleeper = home_.due();
  if (sleeper == shm::Sleeper::nobody) return;
  const os::Fd& bell = sleeper == shm::Sleeper::leader ? at_.leader_bell : at_.background_bell;
  if (!os::ring(bell.get())) os::exit_now(exit_unreachable);
}

wire::Control WorkerEnd::receive_control(os::Fd& memory) {
  wire::Control message{};
  os::Message got = os::receive_message(at_.control.get(),
                                        std::as_writable_bytes(std::span(&message, 1)), never);
  if (got.io != os::Io::ok || got.size != sizeof message) os::exit_now(exit_unreachable);
  if (!got.fds.empty()) memory = std::move(got.fds.front());
  return message;
}

std::span<const std::byte> WorkerEnd::call_slab(std::uint32_t number) {
  std::erase_if(slabs_, [number](const Slab& slab) { return slab.number < number; });
  for (;;) {
    for (const Slab& slab : slabs_) {
      if (slab.number == number) return {slab.mapping.data(), slab.mapping.size()};
    }
    Slab slab;
    const wire::Control message = receive_control(slab.memory);
    slab.number = message.number;
    slab.mapping = os::Mapping(slab.memory, os::Access::read_only);
    slab.memory.reset();
    slabs_.push_back(std::move(slab));
  }
}

std::optional<wire::SlabOutcome> WorkerEnd::to_slab(std::span<const std::byte> bytes,
                                                    int& reason) {
  const wire::Control request{wire::ControlKind::need_slab, 0, bytes.size()};
  if (os::send_message(at_.control.get(), bytes_of(request)) != os::Io::ok) {
    os::exit_now(exit_unreachable);
  }
  for (;;) {
    Slab slab;
    const wire::Control message = receive_control(slab.memory);
    if (message.kind == wire::ControlKind::no_slab) {
      reason = static_cast<int>(message.number);
      return std::nullopt;
    }
    // Slabs of calls that wait behind this one may come first: they carry their own numbers.
    const bool mine = message.number % 2 == 1;
    slab.number = message.number;
    slab.mapping =
        os::Mapping(slab.memory, mine ? os::Access::read_write : os::Access::read_only);
    slab.memory.reset();
    if (!mine) {
      slabs_.push_back(std::move(slab));
      continue;
    }
    std::memcpy(slab.mapping.data(), bytes.data(), bytes.size());
    return wire::SlabOutcome{slab.number, 0, bytes.size()};
  }
}

}  // namespace procpool::inline v0::channel
