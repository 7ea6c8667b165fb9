#pragma once

// The result of remote(): a functor that names a task of another program. It is called by the
// library's own descriptor of calls by name, and never by one of its type, which the other program
// does not have.

#include <procpool/detail/call.hpp>
#include <procpool/detail/exports.hpp>
#include <procpool/detail/named_slot.hpp>
#include <procpool/detail/partial.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace procpool::inline v0 {

template <class Signature>
class Remote;

/// A task of another program or of a module, by its name; made by remote(). To be passed to a pool
/// where a function is. Copyable and serialisable.
template <class R, class... P>
class Remote<R(P...)> {
 public:
  /// Names no task: sending it throws Misuse.
  Remote() = default;
  /// Names this task. Whether a worker has it is known there: UnknownTask, if not.
  explicit Remote(std::string_view name) : name_(name) {}

  /// What it names.
  const std::string& name() const noexcept { return name_; }
  /// How it crosses: "std::string(std::string, int)".
  static const std::string& signature() {
    static const std::string text = detail::signature_name<detail::at_home_t<R>, P...>();
    return text;
  }

  /// For the compiler, which looks here for what the task takes and returns. Throws Misuse: the
  /// task runs in a worker, `pool.apply(remote, args...)`.
  R operator()(P...) const { detail::throw_called_here(name_); }

  ///@{

  /// cereal's, for this library's archives.
  void save(detail::SpanOut& out) const { detail::encode(out, name_); }
  void load(detail::SpanIn& in) { detail::decode_into(in, name_); }
  ///@}

 private:
  std::string name_;
};

namespace detail {

template <class Signature>
inline constexpr bool called_by_name<Remote<Signature>> = true;

template <class P>
struct Named {};
template <class D, class P>
struct SlotFor<D, Named<P>> {
  using type =
      std::conditional_t<can_be_given<D, std::remove_cvref_t<P>>(), NamedSlot<D, P>, UnfitSlot>;
};

template <class R, class... P>
struct Parameters<Remote<R(P...)>> {
  using type = TypeList<Named<P>...>;
};

template <class Signature>
struct CallableCodec<Remote<Signature>> {
  static void save(SpanOut& out, const Remote<Signature>& f) {
    save_title(out, f.name(), f.signature());
  }
  static std::string name(std::span<const std::byte> bytes) { return named_task_name(bytes); }
};

template <class F, class... Slots>
  requires called_by_name<F>
class Work<F, Slots...> {
 public:
  static const Descriptor& descriptor() { return named_descriptor(); }
};

}  // namespace detail
}  // namespace procpool::inline v0
