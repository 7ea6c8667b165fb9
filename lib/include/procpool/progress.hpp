#pragma once

/// \file
/// A progress display for MapOptions::progress. (joblib: verbose; tqdm)

#include <cstdio>
#include <string>

#include <procpool/options.hpp>

namespace procpool::inline v0 {

/// Writes how far a map has come, and how long it will still take at its pace so far, to `out`, which
/// must stay open as long as what this returns, or a copy of it, is there. On a terminal: one line with
/// a bar, drawn again at most ten times a second. Elsewhere: a plain line at most every five seconds.
/// The last line comes with the last element; of a map that ends early or does not know its length
/// (imap over a range without size) when the last copy goes. For one map; other front ends give
/// MapOptions a callback of their own.
///
///     pool.map(render, scenes, {.progress = procpool::show_progress("scenes")});
Progress show_progress(std::string label = {}, std::FILE* out = stderr);

}  // namespace procpool::inline v0
