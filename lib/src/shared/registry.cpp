#include "shared/registry.hpp"

#include <map>
#include <utility>

#include <procpool/errors.hpp>

namespace procpool::inline v0::shared {
namespace {

using detail::MemoryRef;

struct Entry {
  std::weak_ptr<detail::SharedMemory> known;
  MemoryRef kept;   // given, and not forgotten yet
  os::Fd fd;        // given, and not mapped yet
  bool lost = false;
};

// Never destroyed: handles of static duration go at the very end of the program.
std::map<Key, Entry>& table() {
  static auto& instance = *new std::map<Key, Entry>;
  return instance;
}

thread_local std::function<void()> source;

/// What is known, mapped now if it is used for the first time; null: nothing.
MemoryRef look(Key key) {
  os::Fd fd;
  {
    const TableLock lock;
    const auto at = table().find(key);
    if (at == table().end()) return nullptr;
    if (MemoryRef memory = at->second.known.lock()) return memory;
    if (at->second.lost) {
      throw DecodingError("a shared handle did not arrive: this process has no free descriptors");
    }
    if (!at->second.fd) return nullptr;
    fd = os::duplicate(at->second.fd.get());
  }
  const auto made = std::make_shared<detail::SharedMemory>(key, std::move(fd), 0);
  const TableLock lock;
  Entry& entry = table()[key];
  if (MemoryRef other = entry.known.lock()) return other;  // another thread was first
  entry.known = made;
  if (entry.fd) entry.kept = made;
  entry.fd.reset();
  return made;
}

}  // namespace

void enlist(const MemoryRef& memory) {
  const TableLock lock;
  table()[memory->key()].known = memory;
}

void remove(Key key) noexcept {
  Entry gone;
  const TableLock lock;
  const auto at = table().find(key);
  if (at == table().end() || !at->second.known.expired() || at->second.fd) return;
  gone = std::move(at->second);
  table().erase(at);
}

void receive(Key key, os::Fd fd) {
  const TableLock lock;
  Entry& entry = table()[key];
  if ((entry.kept = entry.known.lock())) return;  // made here, or still in use
  entry.lost = !fd;
  entry.fd = std::move(fd);
}

void forget(Key key) noexcept {
  Entry gone;
  {
    const TableLock lock;
    const auto at = table().find(key);
    if (at == table().end()) return;
    gone.kept = std::move(at->second.kept);
    gone.fd = std::move(at->second.fd);
    if (at->second.known.expired()) table().erase(at);
  }
}

MemoryRef find(Key key) {
  MemoryRef memory = look(key);
  if (!memory && source) {
    source();
    memory = look(key);
  }
  return memory;
}

std::vector<int> descriptors() {
  std::vector<MemoryRef> memories;  // let go after the lock
  {
    const TableLock lock;
    for (const auto& [key, entry] : table()) memories.push_back(entry.known.lock());
  }
  std::vector<int> fds;
  for (const MemoryRef& memory : memories) {
    if (memory) fds.push_back(memory->fd());
  }
  return fds;
}

void set_source(std::function<void()> now) { source = std::move(now); }

}  // namespace procpool::inline v0::shared
