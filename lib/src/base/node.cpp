#include <procpool/detail/node.hpp>

#include <procpool/detail/core.hpp>

namespace procpool::inline v0::detail {

Node::~Node() {
  if (core != nullptr) core->release();
}

}  // namespace procpool::inline v0::detail
