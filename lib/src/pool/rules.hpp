#pragma once

// What a pool's options rule, as its workers get it (wire/rules.hpp).

#include <procpool/options.hpp>

#include "wire/rules.hpp"

namespace procpool::inline v0::detail {

/// Throws Misuse for what is out of range or cannot be.
void check_rules(const PoolOptions& options);
wire::Rules rules_of(const PoolOptions& options);

}  // namespace procpool::inline v0::detail
