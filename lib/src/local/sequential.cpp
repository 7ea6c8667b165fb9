#include "local/sequential.hpp"

#include <utility>

namespace procpool::inline v0::local {

namespace {

Settings one_place(Settings settings) {
  settings.processes = 1;
  return settings;
}

}  // namespace

Sequential::Sequential(Settings settings) : LocalCore(one_place(std::move(settings))) {}

void Sequential::supply(Lock& lock, detail::Node& node) {
  const auto kept = detail::LibraryRef<detail::Node>::share(&node);
  ++active_;
  while (detail::Assignment* const work = take_of(node)) run(lock, *work);
  --active_;
  let_go(lock);
}

void Sequential::supply_later(Lock& lock, detail::Node& node) {
  callbacks_.post({[this, kept = detail::LibraryRef<detail::Node>::share(&node)] {
    Lock again(mutex_);
    supply(again, *kept);
  }});
  let_go(lock);
}

}  // namespace procpool::inline v0::local
