#pragma once

// The signal by which a process is asked where one of its threads is.

#include <csignal>

namespace procpool::inline v0::os {

/// Hardly anybody handles it; and who has no handler takes no notice of it, so that it never ends a
/// process, whatever that has become.
inline constexpr int stack_signal = SIGURG;

/// From now on, in this process alone and not in copies of it, the calling thread calls `asked` when the
/// process gets that signal, in a handler and on its alternate stack, which it is given if it has none. `context`: for
/// capture_interrupted. `asked` is async-signal-safe. Once per process, by a thread that lives on; after
/// warm_up_unwinder. Throws std::system_error.
void answer_stack_signal(void (*asked)(void* context) noexcept);

}  // namespace procpool::inline v0::os
