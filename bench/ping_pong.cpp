#include "bench/ping_pong.hpp"

#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <new>
#include <system_error>

#include "bench/child.hpp"

namespace bench {

struct PingPong::Words {
  alignas(64) std::atomic<std::uint32_t> ping = 0;
  alignas(64) std::atomic<std::uint32_t> pong = 0;
};

namespace {

using Word = std::atomic<std::uint32_t>;

void send(Word& word, std::uint32_t value) {
  word = value;
  syscall(SYS_futex, &word, FUTEX_WAKE, 1, nullptr, nullptr, 0);
}

void await(const Word& word, std::uint32_t value) {
  for (std::uint32_t seen = word; seen != value; seen = word) {
    syscall(SYS_futex, &word, FUTEX_WAIT, seen, nullptr, nullptr, 0);
  }
}

void* map_shared(std::size_t bytes) {
  void* const at =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
  return at;
}

}  // namespace

PingPong::PingPong()
    : words_(new (map_shared(sizeof(Words))) Words), child_(fork_child([this] {
        answer(*words_);
      })) {}

PingPong::~PingPong() {
  kill_and_wait(child_);
  munmap(words_, sizeof(Words));
}

void PingPong::answer(Words& words) {
  for (std::uint32_t count = 1;; ++count) {
    await(words.ping, count);
    send(words.pong, count);
  }
}

void PingPong::round_trip() {
  send(words_->ping, ++count_);
  await(words_->pong, count_);
}

}  // namespace bench
