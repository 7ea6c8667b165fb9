#pragma once

// A node that ends when others do.

#include <vector>

#include <procpool/detail/node.hpp>

namespace procpool::inline v0::detail {

/// Gives the node, which was not submitted, a keeper that ends it when all parts are done.
void end_with(Node& whole, std::vector<LibraryRef<Node>> parts);

}  // namespace procpool::inline v0::detail
