#pragma once

/// \file
/// Futures for Boost.Asio: the only header that includes it, not part of procpool.hpp.
///
///     boost::asio::awaitable<void> serve() {
///       const int y = co_await procpool::async_get(pool.submit(square, 3), boost::asio::use_awaitable);
///     }

#include <exception>
#include <memory>
#include <type_traits>
#include <utility>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/version.hpp>
#if BOOST_VERSION >= 107700
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/cancellation_type.hpp>
#endif

#include <procpool/future.hpp>

namespace procpool::inline v0 {

namespace detail {

template <class R>
struct GetSignature {
  using type = void(std::exception_ptr, R);
};
template <>
struct GetSignature<void> {
  using type = void(std::exception_ptr);
};

/// One async_get under way: on the callback thread until it posts itself to the handler's executor.
template <class R, class Handler>
class GetOperation {
  using Executor = boost::asio::associated_executor_t<Handler>;

 public:
  GetOperation(Future<R> future, Handler handler)
      : future_(std::move(future)),
        handler_(std::move(handler)),
        work_(boost::asio::get_associated_executor(handler_)) {}

  static void start(const std::shared_ptr<GetOperation>& self) {
    const auto node = LibraryRef<Node>::share(&FutureAccess::node(self->future_));
    self->watch_slot(node);
    node->core->on_done(*node, [self] {
      boost::asio::post(self->work_.get_executor(), [self] { self->finish(); });
    });
  }

 private:
#if BOOST_VERSION >= 107700
  void watch_slot(const LibraryRef<Node>& node) {
    auto slot = boost::asio::get_associated_cancellation_slot(handler_);
    if (!slot.is_connected()) return;
    slot.assign([node](boost::asio::cancellation_type type) {
      if (type == boost::asio::cancellation_type::none || node->done()) return;
      node->core->cancel(*node);
    });
  }
  void leave_slot() { boost::asio::get_associated_cancellation_slot(handler_).clear(); }
#else
  void watch_slot(const LibraryRef<Node>&) {}
  void leave_slot() {}
#endif

  void finish() {
    leave_slot();
    const auto work = std::move(work_);
    Handler handler = std::move(handler_);
    if constexpr (std::is_void_v<R>) {
      std::move(handler)(future_.exception());
    } else {
      std::exception_ptr error;
      R value = take(error);
      std::move(handler)(error, std::move(value));
    }
  }
  R take(std::exception_ptr& error) {
    try {
      return std::move(future_).get();
    } catch (...) {
      error = std::current_exception();
      return R();
    }
  }

  Future<R> future_;
  Handler handler_;
  boost::asio::executor_work_guard<Executor> work_;
};

}  // namespace detail

/// Waits for the task as an asynchronous operation of Boost.Asio; the completion signature is
/// `void(std::exception_ptr, R)`, of a Future<void> `void(std::exception_ptr)`. With use_awaitable, whose
/// coroutines take no foreign co_await, it returns the value or throws the task's error; with an error R
/// is default-made. The value is decoded by, and the handler runs on, the handler's executor, never
/// inside this call; a value of which this is the last handle is moved, else copied. An empty future:
/// Misuse.
///
/// **Cancellation** of any type, through the handler's slot, cancels the task as Future::cancel does: the
/// operation then ends with Cancelled at once. So `async_get(f, use_awaitable) || timer` stops a task
/// that takes too long. (Boost 1.77 and later: older ones have no such slots.)
template <class R, class CompletionToken>
auto async_get(Future<R> future, CompletionToken&& token) {
  static_assert(std::is_void_v<R> || std::is_default_constructible_v<R>,
                "procpool: async_get hands a default-made R over beside an error, and this R cannot be "
                "default-made: co_await future.on(executor), or give R a default constructor");
  return boost::asio::async_initiate<CompletionToken, typename detail::GetSignature<R>::type>(
      [](auto handler, Future<R> of) {
        using Operation = detail::GetOperation<R, decltype(handler)>;
        Operation::start(std::make_shared<Operation>(std::move(of), std::move(handler)));
      },
      token, std::move(future));
}

}  // namespace procpool::inline v0
