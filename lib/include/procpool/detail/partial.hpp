#pragma once

// The result of partial(): a functor that holds a callable and its first arguments.

#include <procpool/detail/call.hpp>
#include <procpool/detail/refusal.hpp>

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

namespace procpool::inline v0 {
namespace detail {

template <class F, class... Bound>
concept BindsShippable =
    callable_refusal<F>() == Refusal::none && (archive_can_carry<Bound> && ...);

}  // namespace detail

/// A callable with its first arguments bound; made by partial(). It owns what it binds: text and
/// spans are copied into it, a std::ref is bound by value. Calling it calls the callable with the
/// bound arguments, as const, followed by those of the call. Copyable and as thread-safe as they are.
/// \headerfile task.hpp procpool/task.hpp
template <class F, class... Bound>
class Partial {
 public:
  /// \private
  Partial() = default;
  /// \private Made by partial().
  template <class... Args>
  explicit Partial(std::in_place_t, F f, Args&&... bound)
      : f_(std::move(f)), bound_(std::forward<Args>(bound)...) {}

  ///@{

  /// Calls it here: what the callable returns or throws.
  template <class... Args>
    requires std::is_invocable_v<F&, const Bound&..., Args...>
  decltype(auto) operator()(Args&&... args) {
    return call(f_, bound_, std::forward<Args>(args)...);
  }
  template <class... Args>
    requires std::is_invocable_v<const F&, const Bound&..., Args...>
  decltype(auto) operator()(Args&&... args) const {
    return call(f_, bound_, std::forward<Args>(args)...);
  }
  ///@}

  /// \private cereal's, for this library's archives: a function travels as its place in its module.
  void save(detail::SpanOut& out) const
    requires detail::BindsShippable<F, Bound...>
  {
    detail::CallableCodec<F>::save(out, f_);
    std::apply([&out](const auto&... bound) { detail::encode(out, bound...); }, bound_);
  }
  /// \private
  void load(detail::SpanIn& in)
    requires detail::BindsShippable<F, Bound...>
  {
    f_ = detail::CallableCodec<F>::load(in);
    std::apply([&in](auto&... bound) { (detail::decode_into(in, bound), ...); }, bound_);
  }
  /// \private For a callable that is called by name: what is bound goes as its parameters do.
  void save_call(detail::SpanOut& out) const {
    detail::CallableCodec<F>::save(out, f_);
    save_as_given(out, std::index_sequence_for<Bound...>());
  }

 private:
  template <std::size_t... I>
  void save_as_given(detail::SpanOut& out, std::index_sequence<I...>) const {
    (detail::slot_t<Bound, detail::parameter_t<F, I>>::save(out, std::get<I>(bound_)), ...);
  }

  template <class G, class... Args>
  static decltype(auto) call(G& f, const std::tuple<Bound...>& bound, Args&&... args) {
    return std::apply(
        [&](const Bound&... first) -> decltype(auto) {
          return std::invoke(f, first..., std::forward<Args>(args)...);
        },
        bound);
  }

  F f_{};
  std::tuple<Bound...> bound_;
};

namespace detail {

/// What a bound argument is kept as: it owns what it refers to.
template <class A>
using bound_t = crossing_t<A>;

template <class T, class A>
T to_bound(A&& given) {
  using D = std::decay_t<A>;
  if constexpr (std::is_convertible_v<D, const char*>) {
    return T(checked_text(given));
  } else if constexpr (requires { typename D::element_type; given.size(); given.data(); }) {
    return T(given.begin(), given.end());
  } else {
    return T(std::forward<A>(given));
  }
}

/// What a refused partial() returns. It takes anything, so that the refusal is the only error.
struct RefusedPartial {
  template <class... Args>
  Unknowable operator()(Args&&...) const;
};

template <class F, class... Bound>
inline constexpr bool called_by_name<Partial<F, Bound...>> = called_by_name<F>;

template <class F, class... Bound>
struct CallableCodec<Partial<F, Bound...>> {
  static void save(SpanOut& out, const Partial<F, Bound...>& f) {
    if constexpr (called_by_name<F>) {
      f.save_call(out);
    } else {
      encode(out, f);
    }
  }
  static Partial<F, Bound...> load(SpanIn& in) { return decode<Partial<F, Bound...>>(in); }
  /// The bytes begin with those of the callable.
  static std::string name(std::span<const std::byte> bytes) {
    return "partial(" + CallableCodec<F>::name(bytes) + ")";
  }
};

/// The parameters that are left after the bound ones.
template <std::size_t N, class List>
struct Drop {
  using type = TypeList<>;
};
template <class... P>
struct Drop<0, TypeList<P...>> {
  using type = TypeList<P...>;
};
template <std::size_t N, class First, class... Rest>
  requires(N > 0)
struct Drop<N, TypeList<First, Rest...>> : Drop<N - 1, TypeList<Rest...>> {};

template <class F, class... Bound>
struct Parameters<Partial<F, Bound...>> : Drop<sizeof...(Bound), typename Parameters<F>::type> {};

}  // namespace detail
}  // namespace procpool::inline v0
