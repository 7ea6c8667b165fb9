#include "supervisor/call_bytes.hpp"

#include <cstring>
#include <span>

#include "channel/host_end.hpp"
#include "wire/messages.hpp"

namespace procpool::inline v0::supervisor {

using channel::Slab;
using detail::Assignment;
using detail::Chunk;
using detail::Node;

namespace {

const Chunk& chunk_of(const Assignment& work) { return static_cast<const Chunk&>(work); }
const Node& node_of(const Assignment& work) { return static_cast<const Node&>(work); }

/// The bytes of a chunk, in their order (wire/messages.hpp).
struct ChunkLayout {
  explicit ChunkLayout(const Chunk& chunk)
      : elements(chunk.batch->elements), first(chunk.first), last(chunk.first + chunk.count) {
    table = elements.uniform() ? 0 : std::uint64_t{chunk.count} * sizeof(std::uint64_t);
    start = elements.start(first);
    size = sizeof(wire::ChunkHeader) + wire::align16(elements.callable.size()) +
           wire::align16(table) + elements.end(last - 1) - start;
  }

  void write(std::byte* to) const {
    const wire::ChunkHeader header{
        static_cast<std::uint32_t>(elements.callable.size()), elements.first_index + first,
        elements.uniform() ? static_cast<std::uint32_t>(elements.size(first)) : wire::various_bytes,
        elements.alignment};
    std::memcpy(to, &header, sizeof header);
    to += sizeof header;
    copy(to, elements.callable);
    to += wire::align16(elements.callable.size());
    if (table != 0) {
      for (std::uint32_t i = first; i != last; ++i) {
        const std::uint64_t end = elements.end(i) - start;
        std::memcpy(to + (i - first) * sizeof end, &end, sizeof end);
      }
      to += wire::align16(table);
    }
    copy(to, elements.run(first, last));
  }

  static void copy(std::byte* to, std::span<const std::byte> bytes) {
    if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
  }

  const detail::Elements& elements;
  std::uint32_t first;
  std::uint32_t last;
  std::uint64_t table;
  std::uint64_t start;
  std::uint64_t size;
};

}  // namespace

void write_call(const Assignment& work, std::byte* to) {
  if (work.is_chunk) {
    const ChunkLayout chunk(chunk_of(work));
    chunk.write(to);
    to += chunk.size;
  } else {
    const auto bytes = node_of(work).payload.bytes();
    ChunkLayout::copy(to, bytes);
    to += bytes.size();
  }
  const std::string_view name = name_of(work);
  if (!name.empty()) std::memcpy(to, name.data(), name.size());
}

std::uint64_t call_bytes(const Assignment& work) {
  const std::uint64_t bytes =
      work.is_chunk ? ChunkLayout(chunk_of(work)).size : node_of(work).payload.size();
  return bytes + name_of(work).size();
}

bool fits_an_arena(const Assignment& work) {
  return call_bytes(work) <= channel::HostEnd::Arena::largest;
}

const Slab* slab_of(const Assignment& work) {
  if (work.is_chunk) return static_cast<const Slab*>(chunk_of(work).slab.get());
  const auto& extras = node_of(work).extras;
  return extras ? static_cast<const Slab*>(extras->slab.get()) : nullptr;
}

bool needs_slab(const Assignment& work) {
  return !fits_an_arena(work) && slab_of(work) == nullptr;
}

bool lies_in_slab(const Node& node) {
  const Slab* const slab = slab_of(node);
  return slab != nullptr && call_bytes(node) <= slab->size();
}

void complete_in_slab(const Node& node) {
  const std::string_view name = name_of(node);
  std::byte* const end = slab_of(node)->mapping.data() + node.payload.size();
  if (!name.empty()) std::memcpy(end, name.data(), name.size());
}

std::shared_ptr<Slab> copy_to_slab(channel::SlabStore& store, const Assignment& work) {
  auto slab = store.take(call_bytes(work));
  write_call(work, slab->mapping.data());
  return slab;
}

void attach_slab(Assignment& work, std::shared_ptr<Slab> slab) {
  if (work.is_chunk) {
    static_cast<Chunk&>(work).slab = std::move(slab);
  } else {
    Node& node = static_cast<Node&>(work);
    node.payload.lend({slab->mapping.data(), node.payload.size()}, slab);
    node.more().slab = std::move(slab);
  }
}

}  // namespace procpool::inline v0::supervisor
