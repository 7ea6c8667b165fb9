#include "ledger/asked_core.hpp"

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include <procpool/detail/updates.hpp>

#include "base/continuations.hpp"

namespace procpool::inline v0::ledger {

using detail::Node;

namespace {

/// Made before there is something to deliver: what `updates` counts as under way must not fail.
Callbacks::Ready delivery_of(const std::shared_ptr<detail::TaskUpdates>& updates) {
  Callbacks::Ready delivery;
  delivery.push_back([updates] { updates->deliver(); });
  return delivery;
}

}  // namespace

void AskedCore::accept_node(Node& node) {
  retain();
  node.core = this;
  node.id = detail::next_id();
}

void AskedCore::enlist(Node& node, std::shared_ptr<detail::CompletionQueue> queue) {
  check_mine();
  Lock lock = hold_core();
  if (node.done()) {
    queue->ready.push_back(&node);
  } else {
    node.more().queues.push_back(std::move(queue));
  }
  let_go(lock);
}

void AskedCore::on_done(Node& node, std::function<void()> callback) {
  check_mine();
  callbacks_.start();  // here, where it may fail, and not in a turn
  Lock lock = hold_core();
  if (!node.done()) {
    node.more().callbacks.push_back(std::move(callback));
    return let_go(lock);
  }
  let_go(lock);
  callbacks_.run(callback);
}

void AskedCore::then(Node& node, std::function<void()> continuation) {
  check_mine();
  Lock lock = hold_core();
  if (!node.done()) {
    node.more().continuations.push_back(std::move(continuation));
    return let_go(lock);
  }
  let_go(lock);
  std::vector<std::function<void()>> now;
  now.push_back(std::move(continuation));
  run_continuations(std::move(now));
}

std::shared_ptr<detail::TaskUpdates> AskedCore::updates_of(Node& node) {
  detail::Extras& extras = node.more();
  if (!extras.updates) extras.updates = std::make_shared<detail::TaskUpdates>();
  return extras.updates;
}

void AskedCore::on_progress(Node& node, std::function<void(const TaskUpdate&)> callback) {
  check_mine();
  callbacks_.start();
  Lock lock = hold_core();
  if (!node.done()) {
    const auto updates = updates_of(node);
    Callbacks::Ready delivery = delivery_of(updates);
    if (updates->listen(std::move(callback))) callbacks_.post_ready(std::move(delivery));
  }
  let_go(lock);
}

void AskedCore::said(Node& node, TaskUpdate update) {
  if (!node.done()) tell(updates_of(node), std::move(update));
}

void AskedCore::tell(const std::shared_ptr<detail::TaskUpdates>& updates, TaskUpdate update) {
  Callbacks::Ready delivery = delivery_of(updates);
  if (updates->add(std::move(update))) callbacks_.post_ready(std::move(delivery));
}

/// One write, so that lines of several threads do not mix. Who comes later does not hear it again.
void AskedCore::report(const std::shared_ptr<detail::TaskUpdates>& updates, TaskUpdate line) {
  if (updates->heard()) return tell(updates, std::move(line));
  const std::string text = "procpool: " + line.log + '\n';
  std::fwrite(text.data(), 1, text.size(), stderr);
}

void AskedCore::call_back_soon(std::function<void()> callback) {
  callbacks_.start();
  callbacks_.post({std::move(callback)});
}

}  // namespace procpool::inline v0::ledger
