// Death at a chosen instruction: a child process runs `body` one instruction at a time and is killed
// by SIGKILL after so many.
#pragma once

#include <functional>

namespace procpool::test {

enum class Died { at_the_step, after_the_body };

Died die_at(long step, const std::function<void()>& body);

// How many instructions `body` takes in a child, 12,000 at most.
long steps_of(const std::function<void()>& body);

// `once(step)` for about `samples` of the steps from 0 to the end of `body`, evenly.
void at_each_step(const std::function<void()>& body, int samples,
                  const std::function<void(long step)>& once);

}  // namespace procpool::test
