#pragma once

namespace bench {

/// The task of which only the way there and back is measured.
inline void no_op() {}

}  // namespace bench
