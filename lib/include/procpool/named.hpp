#pragma once

/// \file
/// Tasks by name, for workers that are another program than this one (PoolOptions::worker_executable)
/// or that load task modules (PoolOptions::modules). A program that is its own worker needs none of
/// this.
///
/// In a source file of the worker program, or of the module:
///
///     static const bool resize_is_exported = procpool::export_task("resize", &resize);
///
/// In the program with the pool:
///
///     const auto resize = procpool::remote<Image(Image, int)>("resize");
///     const std::vector<Image> small = pool.map(procpool::partial(resize, image), widths);
///
/// **Signatures.** Both sides name the whole signature, and a worker runs a task only if the two cross
/// alike: values count, not how they are passed, so `int(const std::string&)`, `int(std::string_view)`
/// and `int(const char*)` are one signature. In messages and in the list of `procpool-worker --list`
/// it is written so that every compiler agrees:
///
/// | declared                                              | written                               |
/// |-------------------------------------------------------|---------------------------------------|
/// | `T`, `const T&`, `T&&`                                | T                                     |
/// | `std::string_view`, `const char*`                     | `std::string`                         |
/// | `std::span<const T>`, elements seen in place (numbers) | `std::span<T>`                       |
/// | `std::span<const T>`, other elements                  | `std::vector<T>`                      |
/// | integers                                              | by size: `long long` is `long`        |
/// | enumerations                                          | `Colour:int`, with what carries them  |
/// | standard templates                                    | without allocators, comparators, …    |
/// | plain structs (see `shippable`)                       | with their members: `Point{int, int}` |
/// | other classes                                         | their name                            |
///
/// So a plain struct that has another member on the other side is another signature, and an error; a
/// class with `serialize` must be kept alike by its owners.

#include <procpool/detail/export_task.hpp>
#include <procpool/detail/remote.hpp>

#include <string_view>
#include <type_traits>
#include <utility>

namespace procpool::inline v0 {

/// Makes `f` known as `name` to programs that call it by `remote`. To be called before init, at
/// namespace scope:
///
///     static const bool resize_is_exported = procpool::export_task("resize", &resize);
///
/// `f` is a plain function, a captureless lambda without `auto`, or an empty functor with one
/// operator(); what it takes and returns is as for any task. The name has no blanks. (A source file in
/// a static library is linked only if something refers to it: export from sources of the program or
/// module itself.)
///
/// Throws Misuse after init, for a bad name, and when other code is exported under this name already:
/// at namespace scope that ends the program before main, with the reason on stderr. The same function
/// may be exported again. Returns true.
template <class F>
bool export_task(std::string_view name, F&& f) {
  using Callable = std::decay_t<F>;
  if constexpr (detail::check_export<Callable>()) detail::exported_t<Callable>::add(name, f);
  return true;
}

namespace detail {

template <class Signature>
consteval bool check_signature() {
  static_assert(std::is_function_v<Signature>,
                "remote wants the type of the exported function: write, for instance, "
                "procpool::remote<int(std::string)>(\"length\")");
  return std::is_function_v<Signature>;
}

template <class... P>
consteval bool check_written(TypeList<P...>) {
  constexpr bool written =
      ((std::is_lvalue_reference_v<P> && !std::is_const_v<std::remove_reference_t<P>>) || ...);
  static_assert(!written,
                "a task of another program cannot have a T& parameter, because what it writes there "
                "would be lost: write T or const T&, and return what changed");
  return !written;
}

template <class F>
struct RemoteOf;
template <class R, class... P, bool N>
struct RemoteOf<R(P...) noexcept(N)> {
  using type = Remote<R(P...)>;
  static consteval bool check() {
    if constexpr (!check_written(TypeList<P...>())) {
      return false;
    } else {
      return check_declared(TypeList<P...>()) && check_result<at_home_t<R>>();
    }
  }
};

}  // namespace detail

/// A task that another program, or a module, has exported as `name`: a callable for every submission
/// call of a pool, and for partial(). Arguments are converted to the parameters named here, as in any
/// call of a function.
///
/// Throws Misuse for a bad name. A worker that has no such task answers each call with UnknownTask,
/// which names the tasks it has with similar names; one that has it with another signature, too.
template <class Signature>
auto remote(std::string_view name) {
  if constexpr (detail::check_signature<Signature>()) {
    using Of = detail::RemoteOf<Signature>;
    if constexpr (Of::check()) {
      detail::check_task_name(name, "remote");
      return typename Of::type(name);
    } else {
      return detail::RefusedPartial();
    }
  } else {
    return detail::RefusedPartial();
  }
}

}  // namespace procpool::inline v0
