#include <procpool/detail/node.hpp>

#include <procpool/detail/core.hpp>
#include <procpool/errors.hpp>

namespace procpool::inline v0::detail {

Node::~Node() {
  if (core != nullptr) core->release();
}

std::uint64_t next_id() noexcept {
  static std::atomic<std::uint64_t> last = 0;
  return ++last;
}

void throw_misuse(const char* what) { throw Misuse(what); }

}  // namespace procpool::inline v0::detail
