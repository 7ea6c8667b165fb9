// What    Where nodes lie: each thread cuts them from a block of its own, one after another. A block is
//         free again when all that was cut from it is, by whatever thread.
// Writers `cut`: the thread whose block it is. `alive`: any; it counts the nodes, and one for that
//         thread. The spare blocks: any thread, one at a time.
// Death   A thread that ends lets its block go. One that is past the end of its thread-local objects
//         (static destructors) gets a block for each node.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

#include <procpool/detail/node.hpp>

namespace procpool::inline v0::detail {

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t largest_cut = 0;  // each by itself, so that a use after its end is seen
#else
/// Of a node; larger ones, with large values, are by themselves.
constexpr std::size_t largest_cut = 1024;
#endif
/// Too small: blocks are made often; too large: one future that is kept keeps much memory.
constexpr std::size_t block_bytes = 64 * 1024;
/// Blocks that wait to be used again. Too few: blocks are made and freed at each burst; too many:
/// memory.
constexpr std::size_t most_spare = 16;

struct alignas(64) Block {
  std::atomic<std::size_t> alive = 1;
  std::size_t cut = first_cut;
  static constexpr std::size_t first_cut = 64;
};
static_assert(sizeof(Block) == Block::first_cut);

/// Where somebody else is at them, or was when this process was forked, one does without.
struct Spare {
  std::atomic<bool> in_use = false;
  std::size_t count = 0;
  std::array<void*, most_spare> blocks = {};

  void* take() {
    if (in_use.exchange(true)) return nullptr;
    void* const block = count == 0 ? nullptr : blocks[--count];
    in_use = false;
    return block;
  }
  bool put(void* block) {
    if (in_use.exchange(true)) return false;
    const bool fits = count != most_spare;
    if (fits) blocks[count++] = block;
    in_use = false;
    return fits;
  }
};

constinit Spare spare;

Block* make_block() {
  void* memory = spare.take();
  if (memory == nullptr) memory = ::operator new(block_bytes, std::align_val_t(block_bytes));
  return new (memory) Block;
}

void give_up(Block* block) noexcept {
  if (--block->alive == 0 && !spare.put(block)) {
    ::operator delete(block, std::align_val_t(block_bytes));
  }
}

thread_local bool over = false;  // the thread's objects are gone

struct Own {
  Block* block = nullptr;
  ~Own() {
    over = true;
    if (block != nullptr) give_up(std::exchange(block, nullptr));
  }
};
thread_local Own own;

void* cut_from(Block& block, std::size_t size) {
  ++block.alive;
  return reinterpret_cast<std::byte*>(&block) + std::exchange(block.cut, block.cut + size);
}

}  // namespace

void* Node::operator new(std::size_t size) {
  if (size > largest_cut) return ::operator new(size);
  size = (size + 15) / 16 * 16;
  if (over) {
    Block* const block = make_block();
    void* const node = cut_from(*block, size);
    give_up(block);
    return node;
  }
  if (own.block != nullptr && own.block->alive == 1) own.block->cut = Block::first_cut;  // all are gone
  if (own.block == nullptr || own.block->cut + size > block_bytes) {
    Block* const fresh = make_block();
    if (own.block != nullptr) give_up(own.block);
    own.block = fresh;
  }
  return cut_from(*own.block, size);
}

void Node::operator delete(void* memory, std::size_t size) noexcept {
  if (size > largest_cut) return ::operator delete(memory);
  const auto at = reinterpret_cast<std::uintptr_t>(memory);
  give_up(reinterpret_cast<Block*>(at / block_bytes * block_bytes));
}

}  // namespace procpool::inline v0::detail
