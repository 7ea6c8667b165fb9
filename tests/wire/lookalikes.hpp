#pragma once

// Tasks that look alike, once in each file that includes this: unnamed, in an unnamed namespace,
// all of one signature and all of the same code but for the lookalike_base of the file.

#include <vector>

#include "in_memory_task.hpp"

namespace wire_test {

struct Lookalikes {
  std::vector<const detail::Descriptor*> descriptors;
  std::vector<int> results;
};
Lookalikes lookalikes_elsewhere();

namespace {

struct Same {
  int operator()(int) const { return lookalike_base; }
};

template <class... F>
void add(Lookalikes& all, const F&... f) {
  (all.descriptors.push_back(&detail::Call<F, int>::descriptor()), ...);
  (all.results.push_back(run(f, 0)), ...);
}

template <int N>
struct Numbered {
  int operator()(int) const { return lookalike_base; }
};

Lookalikes lookalikes_here() {
  Lookalikes all;
  add(all, [](int) { return lookalike_base; }, [](int) { return lookalike_base; }, Same(),
      [](auto) { return lookalike_base; }, [](auto) { return lookalike_base; }, Numbered<1>(),
      Numbered<2>(), [](int) noexcept { return lookalike_base; });
  return all;
}

}  // namespace
}  // namespace wire_test
