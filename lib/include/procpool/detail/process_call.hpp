#pragma once

// The call of a Process: as a pool's, but what it returns is dropped where it ran.

#include <cstddef>
#include <memory>
#include <span>

#include <procpool/detail/archive.hpp>
#include <procpool/detail/call.hpp>
#include <procpool/detail/encode.hpp>

namespace procpool::inline v0::detail {

/// Work without a result.
template <class F, class... Slots>
class LoneWork {
 public:
  static const Descriptor& descriptor() {
    static_cast<void>(registered_);  // used, hence instantiated, hence run before main
    return descriptor_;
  }

 private:
  static void run(Invocation& invocation) {
    F f = CallableCodec<F>::load(invocation.callable());
    SpanIn& in = invocation.arguments();
    Arguments<Slots...> arguments(in);
    in.expect_end();
    invocation.decoded();
    static_cast<void>(arguments.call(f));
  }

  inline static constinit Descriptor descriptor_{&run, &CallableCodec<F>::name, nullptr};
  inline static const bool registered_ = (register_descriptor(descriptor_), true);
};

template <class W>
struct WithoutResult;
template <class F, class... Slots>
struct WithoutResult<Work<F, Slots...>> {
  using type = LoneWork<F, Slots...>;
};

struct ProcessCall {
  const Descriptor* descriptor = nullptr;
  std::unique_ptr<std::byte[]> archive = {};
  std::size_t bytes = 0;
  Attachments memories = {};  // that the archive names
};

/// Throws EncodingError.
template <class F, class... Args>
ProcessCall make_process_call(const F& f, const std::remove_reference_t<Args>&... args) {
  using C = Call<F, Args...>;
  HeapSink sink;
  SpanOut out({}, sink);
  encode_by(out, [&](SpanOut& to) {
    C::save_callable(to, f);
    C::save_arguments(to, args...);
  });
  const auto& descriptor = WithoutResult<typename C::Types::work>::type::descriptor();
  return {&descriptor, sink.release(), out.size(), out.take_attachments()};
}

}  // namespace procpool::inline v0::detail
