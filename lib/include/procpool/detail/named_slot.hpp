#pragma once

// How the arguments of a call by name cross. Neither side sees the other's types, so the declared
// parameter alone decides: what is given is made that at home, as in any call of a function.

#include <procpool/detail/argument.hpp>
#include <procpool/detail/type_name.hpp>

#include <concepts>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace procpool::inline v0::detail {

/// As both sides load, and pass on, a parameter declared as P.
template <class P>
using DeclaredSlot = Slot<std::remove_cvref_t<P>, std::remove_cvref_t<P>>;

template <class P>
concept TextParameter = std::same_as<P, std::string> || std::same_as<P, std::string_view> ||
                        std::same_as<P, const char*>;

template <class P>
struct SpanParameter : std::false_type {};
template <class T, std::size_t Extent>
struct SpanParameter<std::span<T, Extent>> : std::true_type {
  using View = std::span<const std::remove_cv_t<T>>;
  static std::string name() {
    using E = std::remove_cv_t<T>;
    return (SeenInPlace<E> ? "std::span<" : "std::vector<") + type_name<E>() + ">";
  }
};

/// The name of how P crosses, which is the same for all that decode alike.
template <class P>
std::string parameter_name() {
  using Plain = std::remove_cvref_t<P>;
  if constexpr (SpanParameter<Plain>::value) {
    return SpanParameter<Plain>::name();
  } else {
    return type_name<crossing_t<Plain>>();
  }
}
template <class R, class... P>
std::string signature_name() {
  std::string names;
  ((names += (names.empty() ? "" : ", ") + parameter_name<P>()), ...);
  return type_name<R>() + "(" + names + ")";
}

template <class D>
struct Referred {
  using type = D;
};
template <class T>
struct Referred<std::reference_wrapper<T>> {
  using type = std::remove_cv_t<T>;
};

/// Can a D be given for a parameter declared as Plain?
template <class D, class Plain>
consteval bool can_be_given() {
  using Given = typename Referred<D>::type;
  if constexpr (TextParameter<Plain>) {
    return std::is_convertible_v<const Given&, std::string_view>;
  } else if constexpr (SpanParameter<Plain>::value) {
    return std::is_convertible_v<const Given&, typename SpanParameter<Plain>::View>;
  } else {
    return std::same_as<Given, Plain> || std::is_convertible_v<const Given&, Plain>;
  }
}

template <class D, class P>
struct NamedSlot : DeclaredSlot<P> {
  using Plain = std::remove_cvref_t<P>;
  using Given = typename Referred<D>::type;

  static void save(SpanOut& out, const Given& given) {
    if constexpr (TextParameter<Plain> && std::is_convertible_v<const Given&, const char*>) {
      encode(out, checked_text(given));
    } else if constexpr (TextParameter<Plain>) {
      encode(out, std::string_view(given));
    } else if constexpr (SpanParameter<Plain>::value) {
      DeclaredSlot<P>::save(out, typename SpanParameter<Plain>::View(given));
    } else if constexpr (std::same_as<Given, Plain>) {
      DeclaredSlot<P>::save(out, given);
    } else {
      DeclaredSlot<P>::save(out, static_cast<Plain>(given));
    }
  }
};

/// Fits no parameter, so that the call is refused.
struct Unfit {};
struct UnfitSlot {
  using Stored = Unfit;

  template <class D>
  static void save(SpanOut&, const D&);
  static Unfit pass(Unfit&);
};

}  // namespace procpool::inline v0::detail
