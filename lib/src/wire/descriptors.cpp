#include <procpool/detail/descriptor.hpp>
#include <procpool/detail/exports.hpp>

#include <atomic>

namespace procpool::inline v0::detail {
namespace {

// A list that only grows, so that looking something up needs no lock: a worker that was forked while
// another thread registered would never get it. The last descriptor's next is this end, not null,
// because null marks those that are not registered.
constinit Descriptor end{nullptr, nullptr, nullptr};
constinit Descriptor by_name{&call_by_name, &named_task_name, &end};
constinit std::atomic<Descriptor*> first{&by_name};

}  // namespace

const Descriptor& named_descriptor() noexcept { return by_name; }

void register_descriptor(Descriptor& descriptor) {
  // Modules that share one descriptor each register it, one after the other.
  if (descriptor.next != nullptr) return;
  Descriptor* next = first;
  do {
    descriptor.next = next;
  } while (!first.compare_exchange_weak(next, &descriptor));
}

const Descriptor* find_descriptor(const void* address) {
  for (const Descriptor* each = first; each != &end; each = each->next)
    if (each == address) return each;
  return nullptr;
}

}  // namespace procpool::inline v0::detail
