#pragma once

// The only file that names memory orders, but for one store in a task's inner loop, which is compiled
// in the user's program (procpool/detail/invocation.hpp). Every shared word is used through these verbs,
// so that a reader sees the order in the call. The word's type is a template parameter: tests pass one
// that lets them choose the interleaving.
//
//   load_acquire / store_release   publish bytes: what was written before the store is seen after
//                                  the load. Pairs: ring tail, ring head, slot tail.
//   load_ordered / store_ordered   sequentially consistent. For the one pattern that needs a store
//                                  and a later load not to be swapped: "publish, then look whether
//                                  the other side sleeps" against "announce sleep, then look
//                                  again" (doorbell.hpp). Stand-alone fences would do, but thread
//                                  sanitizers do not model them.
//   exchange_if                    one compare-and-swap, acquire and release (claim.hpp).
//   load_hint                      a value that nothing is concluded from alone.

#include <atomic>

namespace procpool::inline v0::shm {

template <class Word>
auto load_acquire(const Word& word) {
  return word.load(std::memory_order_acquire);
}
template <class Word, class Value>
void store_release(Word& word, Value value) {
  word.store(value, std::memory_order_release);
}
template <class Word>
auto load_ordered(const Word& word) {
  return word.load(std::memory_order_seq_cst);
}
template <class Word, class Value>
void store_ordered(Word& word, Value value) {
  word.store(value, std::memory_order_seq_cst);
}
template <class Word, class Value>
bool exchange_if(Word& word, Value& expected, Value desired) {
  return word.compare_exchange_strong(expected, desired, std::memory_order_acq_rel,
                                      std::memory_order_acquire);
}
template <class Word>
auto load_hint(const Word& word) {
  return word.load(std::memory_order_relaxed);
}

}  // namespace procpool::inline v0::shm
