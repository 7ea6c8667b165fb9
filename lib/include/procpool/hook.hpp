#pragma once

/// \file
/// Code for a pool to run by itself: `PoolOptions::initializer`, `preload`.

#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include <procpool/detail/archive.hpp>
#include <procpool/detail/call.hpp>
#include <procpool/detail/descriptor.hpp>
#include <procpool/task.hpp>

namespace procpool::inline v0 {

namespace detail {

struct HookCode {
  const Descriptor* descriptor;
  std::vector<std::byte> bytes;
  Attachments attachments;
};

/// Throws EncodingError.
std::shared_ptr<const HookCode> encode_hook(const Descriptor& descriptor,
                                            void (*save)(SpanOut&, const void*), const void* f);

}  // namespace detail

/// A callable with nothing left to bind: a plain function without parameters, a captureless lambda, a
/// functor, or what partial() makes. What it returns is ignored. Copyable; empty by default. What
/// cannot be sent is refused as in Pool::submit.
///
///     Pool pool({.initializer = procpool::partial(open_database, path)});
class Hook {
 public:
  /// Nothing to run.
  Hook() = default;
  /// Encodes `f`, here and now. Throws EncodingError when what it binds cannot be encoded, Misuse for a
  /// null function pointer.
  template <class F>
    requires(!std::same_as<std::remove_cvref_t<F>, Hook>)
  Hook(F&& f) {  // NOLINT: implicit, as std::function is
    static_cast<void>(detail::check_call<F>());
    if constexpr (task<F>) {
      using C = detail::Call<F>;
      using Callable = typename C::Callable;
      const Callable& callable = f;
      code_ = detail::encode_hook(
          C::descriptor(),
          [](detail::SpanOut& out, const void* c) {
            C::save_callable(out, *static_cast<const Callable*>(c));
          },
          &callable);
    }
  }

  /// Whether there is something to run.
  explicit operator bool() const noexcept { return code_ != nullptr; }
  /// \private
  const detail::HookCode* code() const noexcept { return code_.get(); }

 private:
  std::shared_ptr<const detail::HookCode> code_;
};

}  // namespace procpool::inline v0
