#pragma once

// Pipe and its ends.

#include <procpool/detail/shared_handle.hpp>
#include <procpool/detail/shared_message.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace procpool::inline v0 {
namespace detail {

std::pair<MemoryRef, MemoryRef> make_pipe(StateType type);
/// False: the deadline came first. Throws QueueClosed.
bool send_bytes(SharedMemory& end, std::span<const std::byte> bytes, Time until);
/// Nothing: the deadline came first. Throws QueueClosed.
std::optional<std::vector<std::byte>> recv_bytes(SharedMemory& end, Time until);
bool poll_pipe(SharedMemory& end, Time until);

}  // namespace detail

/// One end of a Pipe. A copy is the same end: who receives takes a value away from the other copies.
/// Every member from any thread of any process.
///
/// An end is gone when no process has a handle on it: the handles here are destroyed or closed, the
/// tasks that got one are settled, the processes that had one have ended. (With StartMethod::fork
/// workers have every end that existed when their pool was made: make the pool first.)
template <class T>
class PipeEnd {
  static_assert(detail::archive_can_carry<T>,
                "this cannot be sent to another process: make it a struct of shippable members, or "
                "give it `template <class A> void serialize(A& ar) { ar(member, ...); }`");

 public:
  using value_type = T;  ///< what goes through

  /// Empty: of no pipe.
  PipeEnd() noexcept = default;

  /// Waits while the pipe is full: it holds some 100 KB. Throws QueueClosed when the other end is gone;
  /// EncodingError for a value that holds handles of shared state; what the value's own serialisation
  /// throws.
  void send(const T& value) { send_by(value, detail::forever); }
  /// As send. False: the time was over before there was room.
  template <class Rep, class Period>
  bool send_for(const T& value, std::chrono::duration<Rep, Period> d) {
    return send_by(value, detail::time_after(d));
  }
  /// Waits for a value. Throws QueueClosed when the other end is gone and nothing is left.
  T recv() { return detail::from_message<T>(*detail::recv_bytes(state(), detail::forever)); }
  /// As recv. Nothing: the time was over first.
  template <class Rep, class Period>
  std::optional<T> recv_for(std::chrono::duration<Rep, Period> d) {
    const auto bytes = detail::recv_bytes(state(), detail::time_after(d));
    if (!bytes) return std::nullopt;
    return detail::from_message<T>(*bytes);
  }
  ///@{

  /// Whether recv would return or throw at once; with `d`, within that time.
  bool poll() const { return detail::poll_pipe(state(), detail::Time()); }
  template <class Rep, class Period>
  bool poll(std::chrono::duration<Rep, Period> d) const {
    return detail::poll_pipe(state(), detail::time_after(d));
  }
  ///@}
  /// Lets this handle go: it is empty then.
  void close() noexcept { memory_.reset(); }

  /// Whether both are handles on the same end.
  friend bool operator==(const PipeEnd& a, const PipeEnd& b) noexcept {
    return a.memory_ == b.memory_;
  }

  /// \private For this library's archives.
  void save(detail::SpanOut& out) const {
    detail::send_memory(out, memory_, detail::Handed::socket);
  }
  /// \private
  void load(detail::SpanIn& in) {
    memory_ = detail::receive_memory(in, type(), 0, 1, detail::Handed::socket);
  }

 private:
  template <class U>
  friend class Pipe;

  explicit PipeEnd(detail::MemoryRef memory) noexcept : memory_(std::move(memory)) {}
  static constexpr detail::StateType type() { return detail::state_type<PipeEnd>(); }
  detail::SharedMemory& state() const {
    if (!memory_) detail::throw_empty_handle();
    return *memory_;
  }
  bool send_by(const T& value, detail::Time until) {
    return detail::with_message(value, [&](std::span<const std::byte> bytes) {
      return detail::send_bytes(state(), bytes, until);
    });
  }

  detail::MemoryRef memory_;
};

/// Two connected ends, each for both directions: what one sends the other receives, in order, whole
/// or not at all.
///
///     auto [here, there] = Pipe<int>();
///     auto task = pool.submit(serve, there);
///     there.close();  // so that `here` hears of it when the worker is gone
///
/// multiprocessing.Pipe (Python 3.14), whose EOFError is QueueClosed here.
template <class T>
class Pipe {
 public:
  /// A new pipe. Throws std::system_error when the machine has no descriptors left.
  Pipe() : Pipe(detail::make_pipe(PipeEnd<T>::type())) {}

  PipeEnd<T> first;   ///< one end
  PipeEnd<T> second;  ///< the other

 private:
  explicit Pipe(std::pair<detail::MemoryRef, detail::MemoryRef> ends)
      : first(std::move(ends.first)), second(std::move(ends.second)) {}
};

}  // namespace procpool::inline v0
