#pragma once

// What    A one-producer one-consumer ring of records: {u32 size, u32 kind, payload}, 8-byte
//         aligned, each contiguous; a padding record fills the end of the buffer when the next one
//         does not fit there.
// Writers tail and the bytes: the producer (a worker). head: the consumer (the supervisor).
// Order   Producer: bytes, then tail (release or ordered). Consumer: tail (acquire), then bytes;
//         reads done, then head (ordered store: the producer may sleep for want of space).
//         Producer: head (acquire), then bytes again.
// Death   Of the producer: an unpublished record never happened; what was published stands. Of the
//         consumer: the producer's lifeline ends it.
// Trust   The producer can write anything at any time. The consumer copies each header once, checks
//         the copy, and keeps its own head and last tail; any illegal picture is `violation`.

#include <cstdint>
#include <cstring>
#include <span>

#include "shm/atomics.hpp"

namespace procpool::inline v0::shm {

struct RecordHeader {
  std::uint32_t size;
  std::uint32_t kind;
};

inline constexpr std::uint32_t padding_kind = 0xffffffff;

constexpr std::uint64_t record_span(std::uint64_t payload) {
  return (sizeof(RecordHeader) + payload + 7) & ~std::uint64_t{7};
}

/// The largest payload a ring of `bytes` takes: half, so that it fits from any position once the
/// ring is empty, whatever padding it needs.
constexpr std::uint32_t max_payload(std::size_t bytes) {
  return static_cast<std::uint32_t>(bytes / 2 - sizeof(RecordHeader));
}

template <class Word>
class RingWriter {
 public:
  RingWriter(std::span<std::byte> bytes, Word& tail, const Word& head)
      : bytes_(bytes), tail_word_(&tail), head_word_(&head) {}

  /// Contiguous room for a payload of up to `size` bytes, or an empty span when the ring is too
  /// full now. May be called again, for another size, before commit: the last span that was not
  /// empty is the one that commit publishes. 0 < size <= max_payload.
  std::span<std::byte> reserve(std::uint32_t size) {
    const std::uint64_t need = record_span(size);
    const std::uint64_t at = tail_ % bytes_.size();
    const std::uint64_t pad = at + need > bytes_.size() ? bytes_.size() - at : 0;
    if (!has_room(pad + need)) return {};
    pad_ = pad;
    const std::uint64_t start = (at + pad) % bytes_.size();
    return bytes_.subspan(start + sizeof(RecordHeader), size);
  }

  /// Publishes the reserved record with its final size. `size` <= what was reserved.
  void commit(std::uint32_t kind, std::uint32_t size) {
    if (pad_ != 0) {
      put(tail_ % bytes_.size(),
          {static_cast<std::uint32_t>(pad_ - sizeof(RecordHeader)), padding_kind});
      tail_ += pad_;
      pad_ = 0;
    }
    put(tail_ % bytes_.size(), {size, kind});
    tail_ += record_span(size);
    store_ordered(*tail_word_, tail_);
  }

 private:
  bool has_room(std::uint64_t need) {
    if (tail_ + need - head_ <= bytes_.size()) return true;
    head_ = load_ordered(*head_word_);
    return tail_ + need - head_ <= bytes_.size();
  }
  void put(std::uint64_t at, RecordHeader header) {
    std::memcpy(bytes_.data() + at, &header, sizeof header);
  }

  std::span<std::byte> bytes_;
  Word* tail_word_;
  const Word* head_word_;
  std::uint64_t tail_ = 0;  // private truth; the shared words are copies
  std::uint64_t head_ = 0;
  std::uint64_t pad_ = 0;
};

enum class Look { empty, record, violation };

template <class Word>
class RingReader {
 public:
  struct Record {
    std::uint32_t kind = 0;
    std::span<const std::byte> payload;  // memory the producer can still write: copy, then check
  };

  RingReader(std::span<const std::byte> bytes, const Word& tail, Word& head)
      : bytes_(bytes), tail_word_(&tail), head_word_(&head) {}

  /// The oldest unread record. Skips padding, of which an honest producer writes at most one, at
  /// the end of the buffer and published together with what follows: so this never loops, whatever
  /// the producer does meanwhile. A violation is final.
  Look peek(Record& record) {
    if (broken_) return Look::violation;
    if (head_ == tail_ && !refresh()) return broken_ ? Look::violation : Look::empty;
    RecordHeader header;
    if (!read(header)) return broken();
    if (header.kind == padding_kind) {
      if (next_ % bytes_.size() != 0) return broken();
      head_ = next_;
      if (head_ == tail_ || !read(header) || header.kind == padding_kind) return broken();
    }
    record = {header.kind, bytes_.subspan(head_ % bytes_.size() + sizeof header, header.size)};
    return Look::record;
  }

  /// Done with the record of the last peek.
  void pop() { head_ = next_; }

  /// Tells the producer how far this side has read. Returns whether that moved.
  bool publish() {
    if (published_ == head_) return false;
    published_ = head_;
    store_ordered(*head_word_, head_);
    return true;
  }

  /// Whether anything unread is there now (ordered: usable as the look before sleeping).
  bool visible() const { return head_ != load_ordered(*tail_word_); }

 private:
  /// Copies the header at head_, once; whether the record lies within what is published.
  bool read(RecordHeader& header) {
    const std::uint64_t at = head_ % bytes_.size();
    std::memcpy(&header, bytes_.data() + at, sizeof header);
    const std::uint64_t span = record_span(header.size);
    if (span > tail_ - head_ || at + span > bytes_.size()) return false;
    next_ = head_ + span;
    return true;
  }
  bool refresh() {
    const std::uint64_t tail = load_acquire(*tail_word_);
    if (tail < tail_ || tail - head_ > bytes_.size() || tail % 8 != 0) {
      broken_ = true;
      return false;
    }
    tail_ = tail;
    return tail_ != head_;
  }
  Look broken() {
    broken_ = true;
    next_ = head_;
    return Look::violation;
  }

  std::span<const std::byte> bytes_;
  const Word* tail_word_;
  Word* head_word_;
  std::uint64_t head_ = 0;
  std::uint64_t next_ = 0;
  std::uint64_t tail_ = 0;
  std::uint64_t published_ = 0;
  bool broken_ = false;
};

}  // namespace procpool::inline v0::shm
