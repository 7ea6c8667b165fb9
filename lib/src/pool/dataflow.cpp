// What    A call whose arguments are other tasks' values: held until these are done.
// Writers `left_`: whoever sees an upstream end. The node's payload: the one that counts to zero, alone
//         (Core::hold). Nobody else uses `call_` then.
// Order   The end of each upstream is before its count.
// Death   A node that was cancelled meanwhile, or whose pool was terminated, has ended: its bytes are
//         not put together any more.

#include <procpool/detail/dataflow.hpp>

#include <algorithm>
#include <atomic>
#include <exception>
#include <memory>
#include <utility>

#include <procpool/detail/archive.hpp>
#include <procpool/detail/batch.hpp>
#include <procpool/detail/map.hpp>
#include <procpool/detail/passed.hpp>

namespace procpool::inline v0::detail {

namespace {

void throw_outcome_error(const Node& node) {
  if (auto error = outcome_error(node)) std::rethrow_exception(std::move(error));
}

/// As the batch's own future would throw it.
void throw_batch_error(const Batch& batch) {
  throw_outcome_error(batch);
  bool never_started = false;
  for (OutcomeReader reader(batch); !reader.at_end();) {
    const ElementOutcome element = reader.next();
    if (element.outcome == Outcome::remote) std::rethrow_exception(rebuild_error(element.bytes));
    if (element.outcome == Outcome::error) std::rethrow_exception(element.error);
    never_started |= element.outcome == Outcome::cancelled;
  }
  if (never_started) throw_never_started();
}

class Dependant {
 public:
  Dependant(Core& core, Node& node, CallInPieces call)
      : core_(&core), node_(LibraryRef<Node>::share(&node)), call_(std::move(call)) {}

  /// Null, or why the bytes cannot be had.
  std::exception_ptr complete() {
    try {
      put_together();
      return nullptr;
    } catch (...) {
      return std::current_exception();
    }
  }
  bool can_complete() const {
    return std::ranges::all_of(call_.upstreams, [](const Upstream& u) { return u.node->done(); });
  }

  static void watch(const std::shared_ptr<Dependant>& self) {
    self->left_ = self->call_.upstreams.size();
    std::size_t watched = 0;
    try {
      for (; watched != self->call_.upstreams.size(); ++watched) {
        Node& upstream = *self->call_.upstreams[watched].node;
        upstream.core->then(upstream, [self] { self->count_down(); });
      }
    } catch (...) {  // the rest will not be counted: it never completes by itself
      self->core_->release_held(*self->node_, std::current_exception());
      throw;
    }
  }

 private:
  void count_down() {
    if (--left_ != 0 || node_->done()) return;
    core_->release_held(*node_, complete());
  }

  void put_together() {
    HeapSink sink;
    SpanOut out(node_->payload.room(), sink);
    const std::byte* const bytes = call_.bytes.data();
    std::size_t written = 0;
    for (const Upstream& upstream : call_.upstreams) {
      out.write(bytes + written, upstream.at - written);
      written = upstream.at;
      upstream.pass(*upstream.node, out);
      out.pad(passed_alignment);
    }
    out.write(bytes + written, call_.bytes.size() - written);
    node_->payload.adopt(out.size(), sink.release());
  }

  Core* core_;  // which the node holds
  LibraryRef<Node> node_;
  CallInPieces call_;
  std::atomic<std::size_t> left_ = 0;
};

}  // namespace

void pass_call(Node& node, SpanOut& out) {
  throw_outcome_error(node);
  pass_archive(out, node.payload.bytes());
}

void pass_batch(Node& node, SpanOut& out) {
  const auto& batch = static_cast<const Batch&>(node);
  throw_batch_error(batch);
  pass_count(out, batch.elements.count());
  for (OutcomeReader reader(batch); !reader.at_end();) pass_archive(out, reader.next().bytes);
}

void pass_void(Node& node, SpanOut& out) {
  throw_batch_error(static_cast<const Batch&>(node));
  pass_archive(out, {});
}

void throw_passed_otherwise() {
  throw_decoding_error("a future's value came in parts that do not make the argument");
}

bool submit_in_pieces(Core& core, Admission admission, Node& node, CallInPieces call) {
  const std::size_t bytes = call.bytes.size();
  const auto dependant = std::make_shared<Dependant>(core, node, std::move(call));
  if (dependant->can_complete()) {
    if (auto failed = dependant->complete()) {
      if (!core.hold(node, bytes, admission)) return false;
      core.release_held(node, std::move(failed));
      return true;
    }
    return core.submit(node, admission);
  }
  if (!core.hold(node, bytes, admission)) return false;
  Dependant::watch(dependant);
  return true;
}

}  // namespace procpool::inline v0::detail
