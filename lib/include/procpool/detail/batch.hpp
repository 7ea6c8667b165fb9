#pragma once

// The elements of one map call (or of one chunk of an imap): encoded once, sent in chunks, their
// outcomes kept as bytes until the caller decodes them.

#include <cstdint>
#include <cstring>
#include <exception>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <procpool/detail/node.hpp>

namespace procpool::inline v0::detail {

/// Encoded elements, one archive each, each starting at a multiple of `alignment`. As long as all
/// have one size no offsets are kept.
class Elements {
 public:
  std::vector<std::byte> callable;
  std::vector<std::byte> bytes;
  std::uint32_t alignment = 1;
  std::uint32_t first_index = 0;  // of element 0 in its map (imap)

  std::uint32_t count() const noexcept { return count_; }
  bool uniform() const noexcept { return ends_.empty(); }
  std::uint64_t size(std::uint32_t i) const { return end(i) - start(i); }
  std::uint64_t start(std::uint32_t i) const {
    if (uniform()) return i * padded(size_);
    return i == 0 ? 0 : padded(ends_[i - 1]);
  }
  std::uint64_t end(std::uint32_t i) const { return uniform() ? start(i) + size_ : ends_[i]; }
  std::span<const std::byte> run(std::uint32_t first, std::uint32_t last) const {
    return all().subspan(start(first), end(last - 1) - start(first));
  }
  std::uint64_t total_bytes() const { return all().size(); }

  /// Elements that are their own bytes, each of the same size; the caller keeps them until the
  /// batch is done.
  void borrow(std::span<const std::byte> elements, std::size_t size) {
    borrowed_ = elements;
    size_ = size;
    count_ = static_cast<std::uint32_t>(elements.size() / size);
  }
  /// The same, copied.
  void copy(std::span<const std::byte> elements, std::size_t size) {
    bytes.assign(elements.begin(), elements.end());
    size_ = size;
    count_ = static_cast<std::uint32_t>(elements.size() / size);
  }

  /// Copies what was borrowed.
  void keep() {
    if (borrowed_.empty()) return;
    bytes.assign(borrowed_.begin(), borrowed_.end());
    borrowed_ = {};
  }

  void add(std::span<const std::byte> element) {
    bytes.resize(padded(bytes.size()));
    bytes.insert(bytes.end(), element.begin(), element.end());
    if (count_ == 0) size_ = element.size();
    if (!uniform() || element.size() != size_) note_end();
    ++count_;
  }

 private:
  void note_end() {
    for (auto i = static_cast<std::uint32_t>(ends_.size()); i != count_; ++i) {
      ends_.push_back(i * padded(size_) + size_);
    }
    ends_.push_back(bytes.size());
  }
  std::span<const std::byte> all() const {
    return borrowed_.empty() ? std::span<const std::byte>(bytes) : borrowed_;
  }
  std::uint64_t padded(std::uint64_t n) const { return (n + alignment - 1) / alignment * alignment; }

  std::uint64_t size_ = 0;
  std::uint32_t count_ = 0;
  std::vector<std::uint64_t> ends_;
  std::span<const std::byte> borrowed_;
};

/// Outcomes of consecutive elements, in order, as they came.
struct Part {
  struct Entry {
    Outcome outcome;
    std::uint32_t size;  // bytes in `bytes`; `error`, lent values: an index below; `cancelled`,
                         // `placed`: how many elements in a row
    bool lent;
  };
  struct Lent {
    std::span<const std::byte> bytes;
    std::shared_ptr<const void> keeper;
  };

  std::uint32_t first = 0;
  std::uint32_t count = 0;  // elements
  std::vector<Entry> entries;
  std::vector<std::byte> bytes;
  std::vector<std::exception_ptr> errors;
  std::vector<Lent> lent;

  std::uint32_t end() const { return first + count; }
  void add(Outcome outcome, std::span<const std::byte> value) {
    entries.push_back({outcome, static_cast<std::uint32_t>(value.size()), false});
    bytes.insert(bytes.end(), value.begin(), value.end());
    ++count;
  }
  void add(std::exception_ptr error) {
    entries.push_back({Outcome::error, static_cast<std::uint32_t>(errors.size()), false});
    errors.push_back(std::move(error));
    ++count;
  }
  void add(Outcome outcome, Lent value) {
    entries.push_back({outcome, static_cast<std::uint32_t>(lent.size()), true});
    lent.push_back(std::move(value));
    ++count;
  }
  void add_run(Outcome outcome, std::uint32_t run) {
    entries.push_back({outcome, run, false});
    count += run;
  }
  /// What follows.
  void append(Part&& next);
};

class Batch : public Node {
 public:
  Batch() { is_batch = true; }

  Elements elements;        // unchanged once submitted
  std::uint32_t chunk = 0;  // elements per chunk; 0: guided by the time they take
  bool fail_fast = false;
  /// Of a flat batch, whose arguments and results are plain values of one size each: where the
  /// results go, in order; and a result's size. Else null.
  std::byte* sink = nullptr;
  std::uint32_t result_size = 0;

  // Under the core's lock, until it is done.
  std::uint32_t settled = 0;    // elements whose outcome has been handed in
  std::uint32_t under_way = 0;  // chunks
  std::vector<Part> parts;  // by first index once done
  bool discarded = false;   // nobody wants what has not started
};

/// A run of a batch's elements: one that waits to be cut into calls, or one that is a call.
struct Chunk : Assignment {
  explicit Chunk(Batch& of) : batch(LibraryRef<Batch>::share(&of)) {
    is_chunk = true;
    descriptor = of.descriptor;
    options = of.options;
    retries = of.retries;
  }
  LibraryRef<Batch> batch;
  Part part;                         // what has been settled of it
  std::shared_ptr<const void> slab;  // its bytes, when they are too large for an arena
};

/// One element's outcome, seen in place.
struct ElementOutcome {
  std::uint32_t index;
  Outcome outcome;
  std::span<const std::byte> bytes;
  std::exception_ptr error;
};

/// Reads a finished batch's outcomes in order.
class OutcomeReader {
 public:
  explicit OutcomeReader(const Batch& batch) : batch_(&batch) {}

  bool at_end() const { return part_ == batch_->parts.size(); }
  ElementOutcome next() {
    const Part& part = batch_->parts[part_];
    const Part::Entry& entry = part.entries[entry_];
    ElementOutcome outcome{part.first + element_, entry.outcome, {}, {}};
    if (entry.outcome == Outcome::error) {
      outcome.error = part.errors[entry.size];
    } else if (is_run(entry)) {
      ++in_run_;
    } else if (entry.lent) {
      outcome.bytes = part.lent[entry.size].bytes;
    } else {
      outcome.bytes = std::span(part.bytes).subspan(at_, entry.size);
      at_ += entry.size;
    }
    ++element_;
    if (!is_run(entry) || in_run_ == entry.size) end_entry(part);
    return outcome;
  }
  /// Past what is left of the run that the last outcome belongs to.
  void skip_run() {
    if (in_run_ == 0) return;  // that was its last
    const Part& part = batch_->parts[part_];
    element_ += part.entries[entry_].size - in_run_;
    end_entry(part);
  }

 private:
  static bool is_run(const Part::Entry& entry) {
    return entry.outcome == Outcome::cancelled || entry.outcome == Outcome::placed;
  }

  void end_entry(const Part& part) {
    in_run_ = 0;
    if (++entry_ != part.entries.size()) return;
    ++part_;
    entry_ = at_ = 0;
    element_ = 0;
  }

  const Batch* batch_;
  std::size_t part_ = 0;
  std::size_t entry_ = 0;
  std::size_t at_ = 0;
  std::uint32_t element_ = 0;  // of the part
  std::uint32_t in_run_ = 0;
};

}  // namespace procpool::inline v0::detail
