#pragma once

// Where a Future<R> and its node of unknown making meet: the table by which one reads the other, the
// value itself, and what the library may do with a future that users may not.

#include <exception>
#include <utility>

#include <procpool/detail/cell.hpp>
#include <procpool/detail/copyable.hpp>
#include <procpool/detail/core.hpp>
#include <procpool/fwd.hpp>

namespace procpool::inline v0::detail {

class SpanOut;

/// How a finished node of unknown making becomes an R, or an argument of another task (passed.hpp; throws
/// the node's error): by the table that came with it.
template <class R>
struct Decoder {
  Cell<Stored<R>>& (*look)(Node& node);
  void (*pass)(Node& node, SpanOut& out);
  /// `pass` reads the decoded value: it must not be moved out while an argument may be made of it.
  bool pass_looks = false;
};

/// A node whose outcome is an R once it is done: what a Future<R> holds. `Made` is its own type, of
/// which one static Decoder tells; its `decode()` makes the value of a node that has no error of its
/// own, or throws.
template <class Made, class Base, class R>
class Typed : public Base {
 public:
  static Cell<Stored<R>>& look(Node& node) {
    auto& self = static_cast<Made&>(node);
    self.cell_.decode_once([&self]() -> Stored<R> {
      if (auto error = outcome_error(self)) std::rethrow_exception(std::move(error));
      return self.decode();
    });
    return self.cell_;
  }

 private:
  Cell<Stored<R>> cell_;
};

struct FutureAccess {
  template <class R>
  static Future<R> make(Ref<Node> node, const Decoder<R>* decoder) {
    return Future<R>(std::move(node), decoder);
  }
  /// Of a future that is not empty; else Misuse.
  template <class R>
  static Node& node(const Future<R>& future) {
    return future.checked();
  }
  template <class R>
  static const Decoder<R>& decoder(const Future<R>& future) {
    return *future.decoder_;
  }
  /// The finished task's value as `get() &&` gives it, but the handle stays, and so does what `pass`
  /// needs.
  template <class R>
  static R take(const Future<R>& future) {
    if constexpr (copyable<R>) {
      if (future.decoder_->pass_looks) return future.value();
    }
    return future.give();
  }
};

}  // namespace procpool::inline v0::detail
