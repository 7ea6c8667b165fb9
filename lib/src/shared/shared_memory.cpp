#include "shared/shared_memory.hpp"

#include <algorithm>
#include <limits>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>

#include <procpool/detail/shared_array.hpp>
#include <procpool/errors.hpp>

#include "os/fork.hpp"
#include "shared/registry.hpp"
#include "shm/layout.hpp"

namespace procpool::inline v0::detail {

using shared::Form;
using shared::Key;

namespace {

Form form_of(Handed how) {
  return how == Handed::read_only ? Form::read_only : Form::socket;
}

os::Mapping map(const os::Fd& fd, Form form) {
  if (form == Form::socket) return {};
  const auto access = form == Form::writable ? os::Access::read_write : os::Access::read_only;
  return {fd, access, os::Inherit::memory};
}

}  // namespace

SharedMemory::SharedMemory(Key key, os::Fd fd, StateType type)
    : key_(key), fd_(os::move_high(std::move(fd))), mapping_(map(fd_, key.form)), type_(type) {}

SharedMemory::~SharedMemory() {
  shared::remove(key_);
  if (pins_ != 0) new os::Mapping(std::move(mapping_));  // until this process ends
  for (const auto& giver : givers_) {
    if (const auto told = giver.lock()) told->gone();
  }
}

bool SharedMemory::is(StateType type) noexcept {
  StateType unknown = 0;
  return type_.compare_exchange_strong(unknown, type) || unknown == type;
}

MemoryRef SharedMemory::reader() {
  {
    const shared::TableLock lock;
    if (reader_) return reader_;
  }
  const auto made = std::make_shared<SharedMemory>(Key{key_.number, Form::read_only},
                                                   os::open_read_only(fd_), type_);
  const shared::TableLock lock;
  if (!reader_) reader_ = made;
  return reader_;
}

void SharedMemory::given_by(std::weak_ptr<shared::Giver> giver) {
  const shared::TableLock lock;
  const auto same = [&](const auto& known) {
    return !known.owner_before(giver) && !giver.owner_before(known);
  };
  if (std::ranges::none_of(givers_, same)) givers_.push_back(std::move(giver));
}

}  // namespace procpool::inline v0::detail

namespace procpool::inline v0::shared {

std::uint64_t draw_number() {
  std::random_device random;
  return std::uint64_t{random()} << 32 | random();
}

}  // namespace procpool::inline v0::shared

namespace procpool::inline v0::detail {

MemoryRef make_shared_memory(std::size_t bytes, StateType type) {
  os::watch_forks();
  const std::size_t pages = std::max<std::size_t>((bytes + shm::page - 1) / shm::page, 1);
  auto memory = std::make_shared<SharedMemory>(
      Key{shared::draw_number(), Form::writable}, os::make_memory("procpool-shared", pages * shm::page),
      type);
  shared::enlist(memory);
  return memory;
}

MemoryRef make_shared_array(std::size_t n, std::size_t element, StateType type) {
  constexpr std::size_t most = std::numeric_limits<std::size_t>::max() / 2;
  if (n > most / element) {
    throw Misuse("a SharedArray of " + std::to_string(n) + " elements of " +
                 std::to_string(element) + " bytes is larger than any memory");
  }
  return make_shared_memory(n * element, type);
}

std::byte* memory_start(const SharedMemory& memory) noexcept { return memory.data(); }

void send_memory(SpanOut& out, const MemoryRef& memory, Handed how) {
  if (!memory) throw_empty_handle();
  const bool narrower = how == Handed::read_only && memory->key().form == Form::writable;
  const MemoryRef sent = narrower ? memory->reader() : memory;
  out.attach(sent);
  const Key key = sent->key();
  out.write(&key.number, sizeof key.number);
}

MemoryRef receive_memory(SpanIn& in, StateType type, std::uint64_t count, std::size_t element,
                         Handed how) {
  const auto number = in.read_scalar<std::uint64_t>();
  MemoryRef memory;
  if (how != Handed::writable) memory = shared::find({number, form_of(how)});
  if (!memory && how != Handed::socket) memory = shared::find({number, Form::writable});
  if (!memory || !memory->is(type) || count > memory->size() / element) {
    throw DecodingError("a handle names no shared state of its type in this process: what a task "
                        "made itself cannot come home");
  }
  return memory;
}

void throw_empty_handle() {
  throw Misuse("this handle of shared state is empty (default-constructed or moved from): make the "
               "state first");
}

void throw_out_of_array(std::size_t index, std::size_t size) {
  throw std::out_of_range("SharedArray::at: index " + std::to_string(index) + " of " +
                          std::to_string(size) + " elements");
}

}  // namespace procpool::inline v0::detail
