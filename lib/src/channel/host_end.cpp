#include "channel/host_end.hpp"

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <memory>
#include <utility>

#include "os/error.hpp"
#include "os/fork.hpp"
#include "shm/element.hpp"

namespace procpool::inline v0::channel {

using wire::bytes_of;

HostEnd::Memories HostEnd::make_memories() {
  return {os::make_memory("procpool-tasks", sizeof(shm::TaskMemory)),
          os::make_memory("procpool-results", sizeof(shm::ResultMemory))};
}

HostEnd::HostEnd(const StartFiles& files) : HostEnd(make_memories(), os::make_socket_pair()) {
  os::refuse_descriptors(control_);
  write_headers();
  os::seal_against_writers(memories_.tasks);
  os::seal_finally(memories_.results);
  std::array<int, wire::start_fd_count + 2> fds{};
  fds[wire::pool_page_fd] = files.pool_page.get();
  fds[wire::tasks_fd] = memories_.tasks.get();
  fds[wire::results_fd] = memories_.results.get();
  fds[wire::leader_bell_fd] = leader_bell_.get();
  fds[wire::background_bell_fd] = background_bell_.get();
  fds[wire::tether_fd] = files.tether.get();
  std::size_t count = wire::start_fd_count;
  if (files.hooks) fds[count++] = files.hooks.get();
  if (files.rules) fds[count++] = files.rules.get();
  const std::uint32_t extras =
      (files.hooks ? wire::with_hooks : 0U) | (files.rules ? wire::with_rules : 0U);
  const wire::Control start{wire::ControlKind::start, extras, wire::protocol_version};
  if (os::send_message(control_.get(), bytes_of(start), std::span(fds).first(count)) !=
      os::Io::ok) {
    os::fail_with(ETOOMANYREFS, "sendmsg", "the start message of a worker");
  }
  memories_ = {};
}

HostEnd::HostEnd(Memories memories, os::SocketPair sockets)
    : memories_(std::move(memories)),
      tasks_(memories_.tasks, os::Access::read_write),
      results_(memories_.results, os::Access::read_write),
      control_(os::guard(std::move(sockets.ours))),
      worker_socket_(os::guard(std::move(sockets.theirs))),
      leader_bell_(os::guard(os::make_event())),
      background_bell_(os::guard(os::make_event())),
      slots_(tasks().slots, tasks().header.tail),
      ring_(results().ring, results().header.tail, tasks().header.head),
      bell_(results().header.asleep),
      rooms_(std::make_shared<Rooms>(tasks().header.rooms)) {}

void HostEnd::write_headers() {
  auto& tasks_header = tasks().header;
  tasks_header.magic = shm::magic;
  tasks_header.version = shm::version;
  tasks_header.slots = shm::slot_count;
  tasks_header.total_bytes = sizeof(shm::TaskMemory);
  auto& results_header = results().header;
  results_header.magic = shm::magic;
  results_header.version = shm::version;
  results_header.claims = shm::slot_count;
  results_header.total_bytes = sizeof(shm::ResultMemory);
}

std::uint64_t HostEnd::send(const wire::CallHeader& header,
                            std::span<const std::byte> inline_bytes) {
  std::byte* const slot = slots_.next().bytes;
  std::memcpy(slot, &header, sizeof header);
  if (!inline_bytes.empty()) {
    std::memcpy(slot + sizeof header, inline_bytes.data(), inline_bytes.size());
  }
  return slots_.publish();
}

void HostEnd::ring() {
  if (bell_.due()) ring_again();
}

void HostEnd::ring_again() {
  auto& wake = tasks().header.wake;
  shm::store_ordered(wake, shm::load_hint(wake) + 1);
  os::futex_wake(wake, 1, os::Scope::shared);
}

void HostEnd::set_stop(std::uint64_t word) {
  auto& header = tasks().header;
  shm::store_ordered(header.stop, word);
  shm::store_ordered(header.stop_changes, shm::load_hint(header.stop_changes) + 1);
  os::futex_wake(header.stop_changes, INT_MAX, os::Scope::shared);
}

void HostEnd::request_stop(std::uint64_t sequence, std::uint32_t element) {
  set_stop(shm::element_word(sequence, element));
}

void HostEnd::withdraw_stop() { set_stop(0); }

std::uint32_t HostEnd::take_back(std::uint64_t sequence, std::uint32_t count,
                                 std::uint32_t limit, std::uint32_t keep) {
  return shm::claim::lower_limit(claim_word(sequence), shm::lap_of(sequence, shm::slot_count),
                                 count, limit, keep);
}

std::optional<std::uint32_t> HostEnd::started(std::uint64_t sequence, std::uint32_t count,
                                              std::uint32_t limit) const {
  return shm::claim::started(claim_word(sequence), shm::lap_of(sequence, shm::slot_count), count,
                             limit);
}

shm::Look HostEnd::peek(Arrival& arrival) {
  shm::RingReader<shm::Word64>::Record record;
  const shm::Look look = ring_.peek(record);
  if (look != shm::Look::record) return look;
  const auto header = wire::read<wire::OutcomeHeader>(record.payload);
  if (!header) return shm::Look::violation;
  arrival = {static_cast<wire::RecordKind>(record.kind), *header,
             record.payload.subspan(sizeof *header)};
  return look;
}

std::optional<shm::LastWords> HostEnd::last_words() const {
  const std::uint32_t state = shm::load_acquire(results().crash.state);
  if (state == shm::CrashRecord::nothing || state > shm::CrashRecord::announced) return std::nullopt;
  std::optional<shm::LastWords> words(std::in_place);
  std::memcpy(&*words, &results().crash.words, sizeof *words);
  if (!shm::legal(*words, state == shm::CrashRecord::announced)) words.reset();
  return words;
}

void HostEnd::ask_for_stack(std::uint64_t word) {
  shm::store_ordered(tasks().header.stack_wanted, word);
}

std::optional<std::vector<std::byte>> HostEnd::told_stack() const {
  shm::StackRecord record;
  std::memcpy(static_cast<void*>(&record), &results().stack, sizeof record);
  if (record.size > sizeof record.bytes) return std::nullopt;
  return std::vector<std::byte>(record.bytes, record.bytes + record.size);
}

void HostEnd::release() {
  if (ring_.publish()) ring();
}

os::Io HostEnd::send_slab(const Slab& slab) {
  const wire::Control message{wire::ControlKind::slab, slab.number, slab.size()};
  const int fd = slab.memory.get();
  return os::send_message(control_.get(), bytes_of(message), {&fd, 1});
}

os::Io HostEnd::send_stage(const Stage& stage) {
  const wire::Control message{wire::ControlKind::stage, 0, 0};
  const std::array fds{stage.arguments_memory.get(), stage.results_memory.get()};
  return os::send_message(control_.get(), bytes_of(message), fds);
}

os::Io HostEnd::refuse_slab(int reason) {
  const wire::Control message{wire::ControlKind::no_slab, static_cast<std::uint32_t>(reason), 0};
  return os::send_message(control_.get(), bytes_of(message));
}

os::Io HostEnd::send_drop(std::uint32_t slab) {
  return send_unasked({wire::ControlKind::drop_slab, slab, 0}, {});
}

os::Io HostEnd::send_memory(const detail::SharedMemory& memory) {
  const shared::Key key = memory.key();
  const int fd = memory.fd();
  return send_unasked(
      {wire::ControlKind::memory, static_cast<std::uint32_t>(key.form), key.number}, {&fd, 1});
}

os::Io HostEnd::send_forget(shared::Key key) {
  return send_unasked(
      {wire::ControlKind::forget, static_cast<std::uint32_t>(key.form), key.number}, {});
}

/// Published as slots are (doorbell.hpp): the caller rings.
os::Io HostEnd::send_unasked(const wire::Control& message, std::span<const int> fds) {
  const os::Io sent = os::send_message(control_.get(), bytes_of(message), fds);
  auto& count = tasks().header.control;
  if (sent == os::Io::ok) shm::store_ordered(count, shm::load_hint(count) + 1);
  return sent;
}

Packet HostEnd::receive(wire::Control& message) {
  wire::Control got{};
  const os::Message received =
      os::receive_bytes(control_.get(), std::as_writable_bytes(std::span(&got, 1)));
  if (received.io == os::Io::would_block) return Packet::none;
  if (received.io == os::Io::peer_gone) return Packet::gone;
  if (received.truncated || received.size != sizeof got) return Packet::nonsense;
  message = got;
  return Packet::message;
}

}  // namespace procpool::inline v0::channel
