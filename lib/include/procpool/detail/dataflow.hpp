#pragma once

// Futures as arguments: a call that waits for other tasks, of whatever pools, and gets their values as
// the bytes that came home (passed.hpp).

#include <cstddef>
#include <vector>

#include <procpool/detail/core.hpp>
#include <procpool/detail/node.hpp>

namespace procpool::inline v0::detail {

class SpanOut;

/// A finished node's value as an argument, or its error thrown. Nothing of the user's is decoded but,
/// of a task that failed, its exception.
void pass_call(Node& node, SpanOut& out);
void pass_batch(Node& node, SpanOut& out);
/// Of a batch without values.
void pass_void(Node& node, SpanOut& out);

struct Upstream {
  std::size_t at;  // in the bytes of the call: a multiple of passed_alignment
  LibraryRef<Node> node;
  Ref<Node> share;  // in its value, if `pass` looks at that
  void (*pass)(Node& node, SpanOut& out);
};

struct CallInPieces {
  std::vector<std::byte> bytes;
  std::vector<Upstream> upstreams;  // in their order
};

/// As Core::submit, but the node, whose payload is empty, runs when all upstreams are done; with their
/// first error, in the order of the arguments, it fails. Its bytes are put together by the thread that
/// sees the last upstream's end, without a lock. Ending the node leaves the upstreams alone.
bool submit_in_pieces(Core& core, Admission admission, Node& node, CallInPieces call);

}  // namespace procpool::inline v0::detail
