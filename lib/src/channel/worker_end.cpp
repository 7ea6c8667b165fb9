#include "channel/worker_end.hpp"

#include <algorithm>
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

WorkerEnd::WorkerEnd(Attachment attachment)
    : at_(std::move(attachment)),
      slots_(std::as_const(tasks()).slots, tasks().header.tail),
      ring_(results().ring, results().header.tail, tasks().header.head),
      home_(pool_page().target),
      sleep_(results().header.asleep),
      slabs_(std::as_const(tasks()).header.rooms) {
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
  if (control_waits()) tell_taken();  // one that is never idle has memory to let go, too
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
  slabs_.pass();
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
  slabs_.pass();
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

/// nullopt: none came before the deadline.
std::optional<WorkerEnd::Packet> WorkerEnd::next_control(Deadline until) {
  Packet packet;
  const os::Headroom for_what_comes;
  os::Message got =
      os::receive_message(at_.control.get(),
                          std::as_writable_bytes(std::span(&packet.control, 1)), until);
  if (got.io == os::Io::would_block && until != never) return std::nullopt;
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
    if (!packet.memories[0]) tell(wire::ControlKind::lost_slab, packet.control.number);
    slabs_.take_in(packet.control.number, std::move(packet.memories[0]));
  } else if (packet.control.kind == wire::ControlKind::drop_slab) {
    slabs_.drop(packet.control.number);
    ++control_taken_;
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

/// One that came without a descriptor was sent again before this call, if home had heard of that.
std::span<const std::byte> WorkerEnd::call_slab(std::uint32_t number) {
  Slab* slab = nullptr;
  while ((slab = slabs_.find(number)) == nullptr) keep(receive_control());
  while (!slab->mapping && !slab->memory) {
    std::optional<Packet> next = next_control(Deadline{});
    if (!next) break;
    keep(std::move(*next));
    slab = slabs_.find(number);
  }
  map(*slab, os::Access::read_only);
  return {slab->mapping.data(), slab->mapping.size()};
}

std::optional<WorkerSlabs::Room> WorkerEnd::room(std::span<const std::byte> used,
                                                 std::uint64_t bytes, bool growing, int& reason) {
  std::optional<WorkerSlabs::Room> room = slabs_.free_room(bytes, growing);
  if (room) {
    if (!used.empty()) std::memcpy(room->bytes.data(), used.data(), used.size());
    return room;
  }
  const wire::Control request{wire::ControlKind::need_slab, 0, bytes};
  if (os::send_message(at_.control.get(), bytes_of(request)) != os::Io::ok) {
    os::exit_now(exit_unreachable);
  }
  std::optional<Packet> packet = receive_room(reason);
  if (!packet) return std::nullopt;
  Slab fresh = slab_of(*packet);
  try {
    map(fresh, os::Access::read_write);
  } catch (const std::exception& error) {
    const auto* const refused = dynamic_cast<const std::system_error*>(&error);
    reason = refused != nullptr ? refused->code().value() : ENOMEM;
    slabs_.lose(fresh.number);
    tell(wire::ControlKind::lost_slab, fresh.number);
    return std::nullopt;
  }
  if (!used.empty()) std::memcpy(fresh.mapping.data(), used.data(), used.size());
  return slabs_.put(std::move(fresh));
}

/// The answer to need_slab. Slabs of calls that wait behind this one may come first.
std::optional<WorkerEnd::Packet> WorkerEnd::receive_room(int& reason) {
  for (;;) {
    Packet packet = receive_control();
    if (packet.control.kind == wire::ControlKind::no_slab) {
      reason = static_cast<int>(packet.control.number);
      return std::nullopt;
    }
    if (packet.control.kind == wire::ControlKind::slab && is_room(packet.control.number)) return packet;
    keep(std::move(packet));
  }
}

}  // namespace procpool::inline v0::channel
