#include "base/continuations.hpp"

#include <deque>
#include <utility>

namespace procpool::inline v0 {

namespace {

thread_local std::deque<std::function<void()>>* running = nullptr;

}  // namespace

void run_continuations(std::vector<std::function<void()>> continuations) {
  if (continuations.empty()) return;
  if (running != nullptr) {
    for (auto& each : continuations) running->push_back(std::move(each));
    return;
  }
  std::deque<std::function<void()>> all;
  for (auto& each : continuations) all.push_back(std::move(each));
  running = &all;
  while (!all.empty()) {
    const std::function<void()> next = std::move(all.front());
    all.pop_front();
    next();
  }
  running = nullptr;
}

}  // namespace procpool::inline v0
