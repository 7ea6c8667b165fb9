#pragma once

// Continuations of finished nodes (Core::then), run without a lock by the thread that saw the end.

#include <functional>
#include <vector>

namespace procpool::inline v0 {

/// Runs them in order. One that ends further nodes does not nest: what those set off is run after it,
/// by the outermost call on this thread, so that a chain of any length needs no stack.
void run_continuations(std::vector<std::function<void()>> continuations);

}  // namespace procpool::inline v0
