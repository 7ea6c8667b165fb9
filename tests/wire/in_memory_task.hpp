#pragma once

// A task run as a worker runs it, from bytes to bytes, without a worker.

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <procpool/task.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace wire_test {

namespace detail = procpool::detail;
using Bytes = std::vector<std::byte>;

/// What the running task is given; tests ask whether what they see lies in it.
inline std::span<const std::byte> task_input;

inline bool in_place(const void* at) {
  const auto* byte = static_cast<const std::byte*>(at);
  return byte >= task_input.data() && byte <= task_input.data() + task_input.size();
}
inline bool aligned(const void* at, std::size_t alignment) {
  return reinterpret_cast<std::uintptr_t>(at) % alignment == 0;
}

template <class Save>
Bytes bytes_of(Save save) {
  detail::HeapSink sink;
  detail::SpanOut out({}, sink);
  save(out);
  return {out.bytes().begin(), out.bytes().end()};
}

/// A chunk, or a single call: one element, whose archive begins with the callable.
class InMemory final : public detail::Invocation {
 public:
  explicit InMemory(Bytes call) : bytes_(std::move(call)), single_(true) { claim(); }
  InMemory(Bytes callable, std::vector<Bytes> elements)
      : bytes_(std::move(callable)), elements_(std::move(elements)) {
    claim();
  }

  detail::SpanIn& callable() override { return callable_.emplace(bytes_); }
  detail::SpanIn& arguments() override {
    if (single_) return *callable_;
    task_input = elements_[at_];
    return arguments_.emplace(task_input);
  }
  detail::SpanOut& result() override { return *out_; }
  void commit() override {
    if (on_commit) on_commit();
    results.emplace_back(out_->bytes().begin(), out_->bytes().end());
  }
  bool next() override {
    if (at_ + 1 >= elements_.size()) return false;
    ++at_;
    claim();
    return true;
  }

  std::vector<Bytes> results;
  void (*on_commit)() = nullptr;

 private:
  void claim() {
    if (single_) task_input = bytes_;
    out_.emplace(std::span<std::byte>(), sink_);
  }

  Bytes bytes_;
  std::vector<Bytes> elements_;
  bool single_ = false;
  std::size_t at_ = 0;
  detail::HeapSink sink_;
  std::optional<detail::SpanIn> callable_;
  std::optional<detail::SpanIn> arguments_;
  std::optional<detail::SpanOut> out_;
};

/// Finds the descriptor as a worker does: by its module and offset, in its own table.
inline const detail::Descriptor* found_again(const detail::Descriptor& descriptor) {
  return detail::find_descriptor(detail::locate_code(detail::identify_code(&descriptor), false));
}

template <class F>
Bytes callable_bytes(const F& f) {
  return bytes_of([&](detail::SpanOut& out) { detail::CallableCodec<F>::save(out, f); });
}
template <class F>
std::string name_of(const F& f) {
  return detail::CallableCodec<F>::name(callable_bytes(f));
}

template <class F, class... Args>
Bytes call_bytes(const F& f, const Args&... args) {
  return bytes_of([&](detail::SpanOut& out) {
    detail::Call<F, Args...>::save_callable(out, f);
    detail::Call<F, Args...>::save_arguments(out, args...);
  });
}

/// f(args...) through bytes.
template <class F, class... Args>
auto run(const F& f, const Args&... args) {
  static_assert(procpool::task<F, Args...>);
  using Call = detail::Call<F, Args...>;
  InMemory invocation(call_bytes(f, args...));
  found_again(Call::descriptor())->thunk(invocation);
  EXPECT_EQ(invocation.results.size(), 1U);
  detail::SpanIn in(invocation.results.at(0));
  return detail::load_result<typename Call::result_type>(in);
}

}  // namespace wire_test
