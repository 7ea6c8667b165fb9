#pragma once

// From typed values to nodes with bytes, and from a finished node's bytes back.

#include <cstddef>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include <procpool/detail/archive.hpp>
#include <procpool/detail/batch.hpp>
#include <procpool/detail/call.hpp>
#include <procpool/detail/core.hpp>
#include <procpool/detail/dataflow.hpp>
#include <procpool/detail/typed.hpp>
#include <procpool/future.hpp>

namespace procpool::inline v0::detail {

/// Called in a handler: what a user's serialisation threw, as an EncodingError with the original
/// nested in it.
[[noreturn]] void throw_encoding_failed();

/// Runs `save(out)`; any failure is an EncodingError.
template <class Save>
void encode_by(SpanOut& out, Save&& save) {
  try {
    save(out);
  } catch (...) {
    throw_encoding_failed();
  }
}

/// Where a call is encoded that outgrows its node: on the heap, or once it is large in memory of the
/// core's, from where it is sent.
class CallSink final : public Sink {
 public:
  explicit CallSink(Core& core) : core_(core) {}

  std::span<std::byte> grow(std::span<const std::byte> used, std::size_t more) override {
    const bool growing = more < used.size();
    const std::size_t size = growing ? 2 * used.size() : used.size() + more;
    if (size >= large_bytes && more < heap_.max_bytes) {
      if (CallRoom room = core_.room_for_call(size, growing); room.keeper) {
        if (!used.empty()) std::memcpy(room.bytes.data(), used.data(), used.size());
        heap_.release();
        room_ = std::move(room);
        return room_.bytes;
      }
    }
    const std::span<std::byte> region = heap_.grow(used, more);
    room_ = {};
    return region;
  }

  /// The bytes are complete.
  void give(Node& node, std::size_t size) {
    if (!room_.keeper) return node.payload.adopt(size, heap_.release());
    node.more().slab = room_.keeper;
    node.payload.lend(room_.bytes.first(size), std::move(room_.keeper));
  }

 private:
  /// Less is copied into an arena. Too low: memories for calls that need none; too high: more is
  /// copied twice.
  static constexpr std::size_t large_bytes = 16 * 1024;

  Core& core_;
  HeapSink heap_;
  CallRoom room_;
};

template <class Save>
void encode_into(Core& core, Node& node, Save&& save) {
  CallSink sink(core);
  SpanOut out(node.payload.room(), sink);
  encode_by(out, save);
  sink.give(node, out.size());
  node.attach(out.take_attachments());
}

template <class R>
Stored<R> decode_value(std::span<const std::byte> bytes) {
  SpanIn in(bytes);
  if constexpr (std::is_void_v<R>) {
    in.expect_end();
    return Nothing{};
  } else {
    return load_result<R>(in);
  }
}

/// A call's node.
template <class R>
class CallNode final : public Typed<CallNode<R>, Node, R> {
 public:
  Stored<R> decode() const { return decode_value<R>(this->payload.bytes()); }
  static constexpr Decoder<R> decoder{&CallNode::look, &pass_call};
};

/// Where the value of a future belongs among a call's bytes.
struct NoteUpstream {
  SpanOut& out;
  std::vector<Upstream>& upstreams;

  template <class R>
  void operator()(const Future<R>& future) const {
    out.pad(passed_alignment);
    Node& node = FutureAccess::node(future);
    const auto& decoder = FutureAccess::decoder(future);
    upstreams.push_back({out.size(), LibraryRef<Node>::share(&node),
                         Ref<Node>::share(decoder.pass_looks ? &node : nullptr), decoder.pass});
  }
  template <class R>
  void operator()(std::reference_wrapper<R> future) const {
    (*this)(future.get());
  }
};

/// Encodes the call and submits it, at once or when the futures among its arguments are done. False:
/// declined.
template <class F, class... Args>
bool encode_and_submit(Core& core, Admission admission, Node& node, const F& f,
                       const Args&... args) {
  using C = Call<F, Args...>;
  if constexpr ((gives_future<Args> || ...)) {
    CallInPieces call;
    HeapSink sink;
    SpanOut out({}, sink);
    encode_by(out, [&](SpanOut& to) {
      NoteUpstream note{to, call.upstreams};
      C::save_callable(to, f);
      C::save_around(to, note, args...);
    });
    node.attach(out.take_attachments());
    call.bytes.assign(out.bytes().begin(), out.bytes().end());
    return submit_in_pieces(core, admission, node, std::move(call));
  } else {
    encode_into(core, node, [&](SpanOut& out) {
      C::save_callable(out, f);
      C::save_arguments(out, args...);
    });
    return core.submit(node, admission);
  }
}

/// An empty future: declined.
template <class F, class... Args>
auto make_call(Core& core, Admission admission, const std::shared_ptr<const TaskOptions>& options,
               const F& f, const Args&... args) {
  using C = Call<F, Args...>;
  using R = typename C::result_type;
  auto node = Ref<CallNode<R>>::adopt(new CallNode<R>);
  node->descriptor = &C::descriptor();
  if (options) set_options(*node, options);
  if (!encode_and_submit<F, Args...>(core, admission, *node, f, args...)) return Future<R>();
  if (options) watch_stop(*node);
  return FutureAccess::make<R>(Ref<Node>::adopt(node.give_up()), &CallNode<R>::decoder);
}

}  // namespace procpool::inline v0::detail
