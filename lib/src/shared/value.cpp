// What    SharedValue: two copies of the value, a word that says which one counts, and a lock.
// Writers The holder of the lock writes the copy that does not count, then the word.
// Death   Of the holder: the word still says which copy is whole.

#include <cstring>

#include <procpool/detail/shared_lock.hpp>
#include <procpool/errors.hpp>

#include "shared/monitor.hpp"

namespace procpool::inline v0::detail {
namespace {

struct ValueHead {
  os::RobustMutex lock;
  shared::Word current;
};
constexpr std::size_t head_bytes = 64;
static_assert(sizeof(ValueHead) <= head_bytes);

class Held {
 public:
  Held(SharedMemory& memory, std::size_t bytes)
      : head_(shared::in<ValueHead>(memory)),
        copies_(memory.data() + head_bytes),
        stride_((bytes + head_bytes - 1) / head_bytes * head_bytes) {
    const os::Taken taken = head_.lock.lock();
    if (taken == os::Taken::from_the_dead) head_.lock.repaired();
    if (taken == os::Taken::mine_already) {
      throw Misuse("SharedValue::update: f must not use the value that it updates");
    }
  }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  ~Held() { head_.lock.unlock(); }

  std::byte* current() const { return copies_ + which() * stride_; }
  std::byte* other() const { return copies_ + (1 - which()) * stride_; }
  void swap() { shm::store_release(head_.current, 1 - which()); }

 private:
  std::uint32_t which() const { return shm::load_acquire(head_.current); }

  ValueHead& head_;
  std::byte* copies_;
  std::size_t stride_;
};

}  // namespace

MemoryRef make_value(std::size_t bytes, StateType type) {
  MemoryRef memory = make_shared_memory(2 * head_bytes + 2 * bytes + head_bytes, type);
  shared::in<ValueHead>(*memory).lock.init();
  return memory;
}

void load_value(SharedMemory& value, std::span<std::byte> to) {
  const Held held(value, to.size());
  std::memcpy(to.data(), held.current(), to.size());
}

void update_value(SharedMemory& value, std::size_t bytes,
                  void (*change)(void*, const std::byte*, std::byte*), void* context) {
  Held held(value, bytes);
  change(context, held.current(), held.other());
  held.swap();
}

}  // namespace procpool::inline v0::detail
