#include "worker/invoke.hpp"

#include <cxxabi.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include <procpool/errors.hpp>

#include "os/fork.hpp"
#include "os/limits.hpp"
#include "os/process.hpp"
#include "shm/layout.hpp"
#include "wire/exception_codec.hpp"
#include "wire/throw_site.hpp"
#include "worker/last_words.hpp"
#include "worker/stack_teller.hpp"

namespace procpool::inline v0::worker {

namespace {

constexpr std::uint32_t first_room = 256;  // what most results fit into
constexpr std::size_t ring_payload = shm::max_payload(shm::ring_bytes) - sizeof(wire::OutcomeHeader);

}  // namespace

Invoke::Invoke(channel::WorkerEnd& end, const wire::CallHeader& header)
    : end_(&end), header_(header), generation_(os::fork_generation()) {}

void Invoke::run(BoundTask task) noexcept {
  const TaskScope scope(*this);
  for (bool more = claim(); more;) {
    try {
      open();
      if (task.descriptor == nullptr) detail::throw_unknown_task(task.code);
      task.descriptor->thunk(*this);
      more = false;
    } catch (const wire::ThrowSite&) {  // never; see there
      std::terminate();
    } catch (const abi::__forced_unwind&) {
      note_ending(shm::LastWords::thread_ended);
      os::exit_now(channel::exit_thread_ended);
    } catch (...) {
      if (committed_) std::terminate();  // a destructor threw when the outcome was out already
      if (is_flat()) publish_run();
      publish_error(task.descriptor);
      more = is_flat() ? pass_failed_element() : claim();
    }
  }
  now_runs(0);
}

bool Invoke::claim() {
  if (is_flat()) return claim_block();
  const shm::Range range = end_->take(header_.count(), taken_);
  if (range.empty()) return false;
  element_ = range.first;
  now_runs(word());
  taken_ = true;
  committed_ = false;
  out_.reset();
  in_room_.reset();
  large_.reset();
  return true;
}

void Invoke::open() {
  if (!opened_) {
    auto payload = end_->payload(header_);
    if (header_.place != wire::Place::slot) payload = without_name(payload);
    if (header_.kind == wire::CallKind::chunk) {
      open_chunk(payload);
    } else {
      callable_bytes_ = payload;
    }
    opened_ = true;
  }
  callable_.emplace(callable_bytes_);
}

void Invoke::open_chunk(std::span<const std::byte> payload) {
  std::memcpy(&chunk_, payload.data(), sizeof chunk_);
  callable_bytes_ = payload.subspan(sizeof chunk_, chunk_.callable_bytes);
  std::size_t at = sizeof chunk_ + wire::align16(chunk_.callable_bytes);
  if (chunk_.element_bytes == wire::various_bytes) {
    const std::size_t table = std::size_t{header_.number} * sizeof(std::uint64_t);
    ends_ = payload.subspan(at, table);
    at += wire::align16(table);
  }
  elements_ = payload.subspan(at);
}

std::span<const std::byte> Invoke::element() const {
  const auto padded = [this](std::uint64_t n) {
    return (n + chunk_.alignment - 1) / chunk_.alignment * chunk_.alignment;
  };
  if (chunk_.element_bytes != wire::various_bytes) {
    return elements_.subspan(element_ * padded(chunk_.element_bytes), chunk_.element_bytes);
  }
  const auto end = [this](std::uint32_t i) {
    return *wire::read<std::uint64_t>(ends_.subspan(std::size_t{i} * sizeof(std::uint64_t)));
  };
  const std::uint64_t start = element_ == 0 ? 0 : padded(end(element_ - 1));
  return elements_.subspan(start, end(element_) - start);
}

std::span<const std::byte> Invoke::without_name(std::span<const std::byte> payload) {
  const std::size_t end = payload.size() - header_.size;
  name_ = {reinterpret_cast<const char*>(payload.data()) + end, header_.size};
  return payload.first(end);
}

detail::SpanIn& Invoke::arguments() {
  if (header_.kind != wire::CallKind::chunk) return *callable_;
  return arguments_.emplace(element());
}

detail::SpanOut& Invoke::result() {
  if (!out_) start_result();
  return *out_;
}

void Invoke::start_result() {
  room_ = end_->reserve(first_room);
  out_.emplace(room_.subspan(header_bytes), static_cast<detail::Sink&>(*this));
}

std::span<std::byte> Invoke::grow(std::span<const std::byte> used, std::size_t more) {
  const std::size_t need = used.size() + more;
  const bool growing = more < used.size();
  const std::size_t wish = growing ? 2 * used.size() : need;
  if (!large_ && !in_room_ && need <= ring_payload) {
    // The ring may place the larger record elsewhere. What is written so far lies in ring space that
    // nobody else touches until it is published.
    const auto larger =
        end_->reserve(static_cast<std::uint32_t>(std::min(wish, ring_payload) + header_bytes));
    std::memmove(larger.data() + header_bytes, used.data(), used.size());
    room_ = larger;
    return room_.subspan(header_bytes);
  }
  int refused = 0;  // then for all of it there may be one in the end
  if (const auto room = large_ ? std::nullopt : end_->room(used, wish, growing, refused)) {
    in_room_ = room->number;
    return room->bytes;
  }
  auto larger = std::make_unique_for_overwrite<std::byte[]>(wish);
  std::memcpy(larger.get(), used.data(), used.size());
  in_room_.reset();
  large_ = std::move(larger);
  return {large_.get(), wish};
}

void Invoke::commit() {
  if (os::fork_generation() != generation_) os::exit_now(0);  // the task forked; this is the copy
  if (in_room_) return publish_slab(wire::RecordKind::slab_value, {*in_room_, 0, out_->size()});
  if (large_) return publish(wire::RecordKind::value, out_->bytes());
  if (!out_) start_result();
  publish_room(wire::RecordKind::value, out_->size());
}

void Invoke::publish(wire::RecordKind kind, std::span<const std::byte> bytes) {
  if (bytes.size() > ring_payload) {
    int reason = 0;
    const auto room = end_->room(bytes, bytes.size(), false, reason);
    if (!room) {
      throw EncodingError("a result of " + std::to_string(bytes.size()) +
                          " bytes cannot be sent: the program cannot allocate shared memory for "
                          "it (" + std::strerror(reason) + ")");
    }
    return publish_slab(kind == wire::RecordKind::value ? wire::RecordKind::slab_value
                                                        : wire::RecordKind::slab_error,
                        {room->number, 0, bytes.size()});
  }
  room_ = end_->reserve(static_cast<std::uint32_t>(header_bytes + bytes.size()));
  if (!bytes.empty()) std::memcpy(room_.data() + header_bytes, bytes.data(), bytes.size());
  publish_room(kind, bytes.size());
}

void Invoke::publish_slab(wire::RecordKind kind, const wire::SlabOutcome& slab) {
  room_ = end_->reserve(header_bytes + sizeof slab);
  std::memcpy(room_.data() + header_bytes, &slab, sizeof slab);
  end_->send_room(slab);
  publish_room(kind, sizeof slab);
}

/// The room holds an outcome of `bytes`: its header, and out.
void Invoke::publish_room(wire::RecordKind kind, std::size_t bytes) {
  const auto header = outcome_header();
  std::memcpy(room_.data(), &header, sizeof header);
  committed_ = true;
  end_->publish(kind, static_cast<std::uint32_t>(header_bytes + bytes));
}

void Invoke::publish_error(const detail::Descriptor* descriptor) {
  if (os::fork_generation() != generation_) os::exit_now(0);
  const std::exception_ptr error = std::current_exception();
  try {
    publish_caught(descriptor);
  } catch (const std::bad_alloc&) {  // the task has left nothing of what this process may have
    const os::Headroom for_the_record;
    try {
      std::rethrow_exception(error);
    } catch (...) {
      publish_caught(descriptor);
    }
    end_->tell(wire::ControlKind::grown);
  }
}

void Invoke::publish_caught(const detail::Descriptor* descriptor) {
  const std::string name = descriptor == nullptr ? "?" : descriptor->name(callable_bytes_);
  const wire::ErrorContext context{.task_name = name,
                                   .pid = os::this_pid(),
                                   .task = end_->call(),
                                   .attempt = header_.attempt,
                                   .frames = wire::throw_site()};
  const std::vector<std::byte> record = wire::encode_current_exception(context);
  try {
    publish(wire::RecordKind::error, record);
  } catch (const EncodingError&) {  // too large for the memory there is: that, then, is the error
    publish(wire::RecordKind::error, wire::encode_current_exception(context));
  }
}

}  // namespace procpool::inline v0::worker
