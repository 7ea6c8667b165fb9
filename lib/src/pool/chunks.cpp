// How many elements travel together.

#include <algorithm>
#include <cstdint>

#include <procpool/detail/map.hpp>
#include <procpool/detail/stream.hpp>
#include <procpool/errors.hpp>

#include "shm/claim.hpp"

namespace procpool::inline v0::detail {

namespace {

std::size_t divided(std::size_t count, std::size_t by) { return (count + by - 1) / by; }

std::uint32_t limited(std::size_t elements) {
  return static_cast<std::uint32_t>(
      std::clamp<std::size_t>(elements, 1, std::size_t{shm::max_elements}));
}

void check(ChunkSize wish) {
  if (!wish.is_valid()) {
    throw Misuse("chunksize must not be negative: write a number of elements, or 0 for automatic");
  }
}

}  // namespace

std::uint32_t chunk_elements(ChunkSize wish, std::size_t count, int workers) {
  check(wish);
  const auto n = static_cast<std::size_t>(workers);
  if (wish.is_python()) return limited(divided(count, 4 * n));
  if (wish.is_automatic()) return 0;
  return limited(static_cast<std::size_t>(wish.elements()));
}

StreamOptions stream_options(Order order, const MapOptions& options,
                             const std::shared_ptr<const TaskOptions>& task, int workers) {
  check(options.chunksize);
  if (options.chunksize.is_python()) {
    throw Misuse("python_chunks needs the number of elements, which imap does not know: give "
                 "imap a chunksize");
  }
  const std::uint32_t chunk =
      options.chunksize.is_automatic()
          ? 1
          : limited(static_cast<std::size_t>(options.chunksize.elements()));
  auto progress = options.progress ? std::make_shared<MapProgress>(options.progress, 0) : nullptr;
  const std::size_t ahead = options.buffersize != 0
                                ? options.buffersize
                                : std::size_t{4} * static_cast<std::size_t>(workers) * chunk;
  return {order, limited(std::min<std::size_t>(chunk, ahead)), ahead, task, progress};
}

}  // namespace procpool::inline v0::detail
