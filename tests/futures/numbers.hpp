// Futures of tasks that are a number each, over workers that are threads: what the thread sanitizer
// can see.
#pragma once

#include <procpool/as_completed.hpp>
#include <procpool/detail/dataflow.hpp>
#include <procpool/detail/encode.hpp>
#include <procpool/gather.hpp>
#include <procpool/wait.hpp>

#include "supervisor/fake_pool.hpp"

namespace procpool::test {

using Number = std::uint64_t;
using NumberNode = detail::CallNode<Number>;

inline Future<Number> future_of(Ref<NumberNode> node) {
  return detail::FutureAccess::make<Number>(Ref<detail::Node>::adopt(node.give_up()),
                                            &NumberNode::decoder);
}

inline Future<Number> submit(FakePool& pool, Number number) {
  auto node = Ref<NumberNode>::adopt(new NumberNode);
  node->descriptor = &number_task;
  node->payload.assign(bytes_of(number));
  pool.core().submit(*node, detail::Admission::wait);
  return future_of(std::move(node));
}

// A call of `number` that runs when all the others are done, and has `extra` bytes more.
inline Future<Number> submit_after(FakePool& pool, Number number,
                                   const std::vector<Future<Number>>& others,
                                   std::size_t extra = 0) {
  auto node = Ref<NumberNode>::adopt(new NumberNode);
  node->descriptor = &number_task;
  detail::CallInPieces call;
  call.bytes.assign(bytes_of(number).begin(), bytes_of(number).end());
  call.bytes.resize(16 + extra);
  for (const auto& each : others) {
    call.upstreams.push_back({16, detail::LibraryRef<detail::Node>::share(
                                      &detail::FutureAccess::node(each)),
                              {}, &detail::pass_call});
  }
  detail::submit_in_pieces(pool.core(), detail::Admission::wait, *node, std::move(call));
  return future_of(std::move(node));
}

}  // namespace procpool::test
