#pragma once

// Backend::sequential: a task runs in the call that submits it, on the caller's thread, so that a
// debugger shows both. What waits for another pool's task runs on the callback thread, or on the first
// thread that waits for it.

#include "local/core.hpp"

namespace procpool::inline v0::local {

class Sequential final : public LocalCore {
 public:
  explicit Sequential(Settings settings);

 private:
  void start_places() override { run_initializer(); }
  void resize_places(Lock&, int) override {}
  void call_places(std::size_t) override {}
  void supply(Lock& lock, detail::Node& node) override;
  void supply_later(Lock& lock, detail::Node& node) override;
  bool anybody_runs() const override { return true; }
  void end_places() override {}
  void join_places() override {}
  std::size_t places() const override { return 1; }
};

}  // namespace procpool::inline v0::local
