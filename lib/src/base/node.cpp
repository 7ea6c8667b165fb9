#include <procpool/detail/node.hpp>

#include <procpool/detail/core.hpp>
#include <procpool/errors.hpp>

namespace procpool::inline v0::detail {

Node::~Node() {
  if (core != nullptr) core->release();
}

void throw_misuse(const char* what) { throw Misuse(what); }

}  // namespace procpool::inline v0::detail
