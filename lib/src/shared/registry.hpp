#pragma once

// What    Which shared memories this process has, by number: those it made, and those it was given.
//         The latter stay until who gave them says `forget`, so that a second use costs nothing.
// Lock    os::ForkPause: whoever forks finds the table whole. Nothing is destroyed under it.

#include <functional>
#include <memory>
#include <vector>

#include "os/fd.hpp"
#include "os/fork.hpp"
#include "shared/shared_memory.hpp"

namespace procpool::inline v0::shared {

/// While one lives this thread has the table, and nobody forks. Allocates and frees small things only.
using TableLock = os::ForkPause;

/// A number that no other process draws: forked copies ask the system anew, too.
std::uint64_t draw_number();

/// Made here: known until its last handle goes.
void enlist(const detail::MemoryRef& memory);
void remove(Key key) noexcept;

/// Given to this process; mapped at its first use. An empty fd: it was lost on its way, because no
/// descriptor was free.
void receive(Key key, os::Fd fd);
/// Who gave it has let it go: it stays only as long as handles here do.
void forget(Key key) noexcept;

/// Null: not known here.
detail::MemoryRef find(Key key);

/// The descriptors of all that is known: a worker forked from a template keeps what its static
/// objects have.
std::vector<int> descriptors();

/// In a worker, on the thread that runs tasks: what to call before saying that a number is not known.
/// It takes in what has been sent. Null: nothing.
void set_source(std::function<void()> source);

}  // namespace procpool::inline v0::shared
