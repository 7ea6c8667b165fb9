#pragma once

// What drives imap: reads the input a bounded number of elements ahead, only inside the consumer's
// own calls, and hands out outcomes one by one.

#include <cstddef>
#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include <procpool/detail/batch.hpp>
#include <procpool/detail/core.hpp>
#include <procpool/detail/map_input.hpp>
#include <procpool/options.hpp>

namespace procpool::inline v0::detail {

/// The input of a stream, with its type forgotten.
class Feed {
 public:
  Feed() = default;
  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;
  virtual ~Feed() = default;

  /// These two may throw what the range throws.
  virtual bool at_end() = 0;
  virtual void advance() = 0;
  /// Adds the current element. Throws EncodingError when it cannot be encoded, else what the range
  /// throws.
  virtual void add(Batch& batch) = 0;
  virtual void start(Batch& batch) = 0;
};

template <class How, class F, class... Ranges>
class RangeFeed final : public Feed {
 public:
  using C = MapCall<How, std::decay_t<F>&, std::remove_reference_t<Ranges>...>;

  RangeFeed(F&& f, Ranges&&... ranges)
      : f_(std::forward<F>(f)),
        ranges_(std::forward<Ranges>(ranges)...),
        cursor_(std::apply(
            [](auto&... all) { return Cursor<std::remove_reference_t<Ranges>...>(all...); },
            ranges_)) {}

  bool at_end() override { return cursor_.at_end(); }
  void advance() override { cursor_.advance(); }
  void add(Batch& batch) override { encode_element<How, C>(batch, cursor_); }
  void start(Batch& batch) override {
    batch.descriptor = &C::descriptor();
    encode_callable<C>(
        batch, element_alignment<std::ranges::range_value_t<std::remove_reference_t<Ranges>>...>, f_);
  }

 private:
  std::decay_t<F> f_;
  std::tuple<Ranges...> ranges_;  // lvalues are borrowed, rvalues moved in
  Cursor<std::remove_reference_t<Ranges>...> cursor_;
};

enum class Order { of_input, of_completion };

struct StreamOptions {
  Order order;
  std::uint32_t chunk;   // elements
  std::size_t ahead;     // elements
  std::shared_ptr<const TaskOptions> task;
  std::shared_ptr<MapProgress> progress;
};

/// What imap's options ask for; a bad wish throws Misuse.
StreamOptions stream_options(Order order, const MapOptions& options,
                             const std::shared_ptr<const TaskOptions>& task, int workers);

class Stream {
 public:
  struct Item {
    std::size_t index;
    ElementOutcome outcome;
  };
  enum class Got { item, end, timeout };

  Stream(Core& core, StreamOptions options, std::unique_ptr<Feed> feed);
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream();

  /// The next outcome, in the stream's order. Its bytes are valid until the next call.
  Got next(Item& item, Time until);

 private:
  struct Running {  // a submitted chunk, or (batch empty) the error of an element never sent
    Ref<Batch> batch;
    std::exception_ptr error;
    std::size_t index;  // of its first element that is left
    std::size_t count;  // of them
  };

  void let_go() noexcept;
  void pull();
  bool pull_chunk(std::size_t room);
  bool feed_ended();
  void fail_at(std::size_t index, std::exception_ptr error);
  Got open(Time until);
  bool skip_failed(bool input_failed);

  Core* core_;
  StreamOptions options_;
  std::unique_ptr<Feed> feed_;  // null once the input is at its end
  std::shared_ptr<CompletionQueue> queue_ = std::make_shared<CompletionQueue>();
  std::deque<Running> running_;
  std::size_t pulled_ = 0;  // elements read from the input
  std::size_t ahead_ = 0;   // of them, not handed out yet
  Running current_{};       // the chunk that is being handed out
  std::optional<OutcomeReader> reader_;
};

}  // namespace procpool::inline v0::detail
