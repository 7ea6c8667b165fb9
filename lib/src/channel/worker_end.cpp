#include "channel/worker_end.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "os/fork.hpp"
#include "os/limits.hpp"
#include "os/process.hpp"
#include "shared/registry.hpp"
#include "shm/element.hpp"

namespace procpool::inline v0::channel {

using wire::bytes_of;

namespace {

/// Not when it is received: each element of a call that cannot have its memory says so, and none
/// waits for it to come again.
void map(Slab& slab, os::Access access) {
  if (slab.mapping) return;
  if (!slab.memory) {
    throw std::system_error(EMFILE, std::generic_category(), "a large value could not be received");
  }
  slab.mapping = os::Mapping(slab.memory, access);
  slab.memory.reset();
}

}  // namespace

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

void WorkerEnd::tell(wire::ControlKind kind, std::uint64_t value) {
  const wire::Control message{kind, 0, value};
  os::send_message(at_.control.get(), bytes_of(message));
}

void WorkerEnd::tell_start_error(wire::HookKind hook, std::span<const std::byte> record) {
  const wire::OutcomeHeader header{0, static_cast<std::uint32_t>(hook)};
  const auto size = static_cast<std::uint32_t>(sizeof header + record.size());
  const auto room = reserve(size);
  if (room.empty()) return;  // home says how the process ended
  std::memcpy(room.data(), &header, sizeof header);
  std::memcpy(room.data() + sizeof header, record.data(), record.size());
  publish(wire::RecordKind::start_error, size);
}

std::uint64_t WorkerEnd::word_of(std::uint32_t element) const {
  return shm::element_word(slots_.sequence(), element);
}

bool WorkerEnd::stop_requested(std::uint64_t word) const {
  return shm::load_hint(tasks().header.stop) == word;
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
  const auto stopped = [stop] { return stop != nullptr && *stop; };
  do {
    if (control_waits()) tell_taken();
    if (passed_silently_) tell_passed();
    sleep_until([&] { return slots_.visible() || control_waits() || stopped(); });
  } while (!slots_.visible() && !stopped());
  return slots_.visible();
}

bool WorkerEnd::control_waits() const {
  const std::uint32_t waiting = shm::load_ordered(tasks().header.control) - control_taken_;
  return static_cast<std::int32_t>(waiting) > 0;  // one can be taken in before it is counted
}

/// Home may wait for room in the socket.
void WorkerEnd::tell_taken() {
  take_control();
  shm::store_ordered(results().header.control, control_taken_);
  ring_home();
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
  if (header.place == wire::Place::stage) {
    const std::size_t block = stage_block(header);
    return {stage_arguments_.mapping.data() + block * Stage::block_bytes, where.size};
  }
  return call_slab(where.slab).first(where.size);
}

shm::Range WorkerEnd::take(std::uint32_t count, bool taken_before, std::uint32_t block) {
  const std::uint64_t sequence = slots_.sequence();
  return shm::claim::take(results().claims[sequence % shm::slot_count],
                          shm::lap_of(sequence, shm::slot_count), count, taken_before, block);
}

std::uint32_t WorkerEnd::stage_block(const wire::CallHeader& header) {
  while (!stage_came_) keep(receive_control());  // it was sent before the first such call
  map(stage_arguments_, os::Access::read_only);
  map(stage_results_, os::Access::read_write);
  const std::span<const std::byte> in_slot =
      std::span(slots_.current().bytes).subspan(sizeof header);
  return wire::read<wire::Elsewhere>(in_slot)->offset;
}

std::byte* WorkerEnd::stage_results(const wire::CallHeader& header) {
  return stage_results_.mapping.data() + std::size_t{stage_block(header)} * Stage::block_bytes;
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

WorkerEnd::Packet WorkerEnd::receive_control() {
  Packet packet;
  const os::Headroom for_what_comes;
  os::Message got =
      os::receive_message(at_.control.get(),
                          std::as_writable_bytes(std::span(&packet.control, 1)), never);
  if (got.io != os::Io::ok || got.size != sizeof packet.control) os::exit_now(exit_unreachable);
  packet.memories = std::move(got.fds);
  packet.memories.resize(2);  // those that there was no descriptor for are none
  return packet;
}

/// What comes ahead of the calls that it is for.
void WorkerEnd::keep(Packet packet) {
  if (packet.control.kind == wire::ControlKind::stage) {
    stage_came_ = true;
    stage_arguments_.memory = std::move(packet.memories[0]);
    stage_results_.memory = std::move(packet.memories[1]);
  } else if (packet.control.kind == wire::ControlKind::slab) {
    slabs_.push_back(slab_of(packet));
  } else {
    const shared::Key key{packet.control.value, static_cast<shared::Form>(packet.control.number)};
    const bool given = packet.control.kind == wire::ControlKind::memory;
    if (!given) shared::forget(key);
    if (given) shared::receive(key, std::move(packet.memories[0]));
    ++control_taken_;
  }
}

Slab WorkerEnd::slab_of(Packet& packet) {
  Slab slab;
  slab.number = packet.control.number;
  slab.memory = std::move(packet.memories[0]);
  return slab;
}

void WorkerEnd::take_control() {
  while (control_waits()) keep(receive_control());
}

std::span<const std::byte> WorkerEnd::call_slab(std::uint32_t number) {
  std::erase_if(slabs_, [number](const Slab& slab) { return slab.number < number; });
  for (;;) {
    for (Slab& slab : slabs_) {
      if (slab.number != number) continue;
      map(slab, os::Access::read_only);
      return {slab.mapping.data(), slab.mapping.size()};
    }
    keep(receive_control());
  }
}

std::optional<wire::SlabOutcome> WorkerEnd::to_slab(std::span<const std::byte> bytes,
                                                    int& reason) {
  const wire::Control request{wire::ControlKind::need_slab, 0, bytes.size()};
  if (os::send_message(at_.control.get(), bytes_of(request)) != os::Io::ok) {
    os::exit_now(exit_unreachable);
  }
  for (;;) {
    Packet packet = receive_control();
    if (packet.control.kind == wire::ControlKind::no_slab) {
      reason = static_cast<int>(packet.control.number);
      return std::nullopt;
    }
    // Slabs of calls that wait behind this one may come first: they carry their own numbers.
    if (packet.control.kind != wire::ControlKind::slab || packet.control.number % 2 == 0) {
      keep(std::move(packet));
      continue;
    }
    Slab slab = slab_of(packet);
    map(slab, os::Access::read_write);
    std::memcpy(slab.mapping.data(), bytes.data(), bytes.size());
    return wire::SlabOutcome{slab.number, 0, bytes.size()};
  }
}

}  // namespace procpool::inline v0::channel
