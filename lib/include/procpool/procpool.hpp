#pragma once

/// \file
/// procpool: worker processes for C++, as multiprocessing.Pool is for Python.
///
///     #include <cstdio>
///     #include <procpool/procpool.hpp>
///
///     int square(int x) { return x * x; }
///
///     int main(int argc, char** argv) {
///       procpool::init(argc, argv);
///       procpool::Pool pool;
///       for (int y : pool.map(square, {1, 2, 3})) std::printf("%d\n", y);
///     }

/// \namespace procpool
/// All of the library. What procpool::detail has is no part of it and may change at any time.

#include <procpool/as_completed.hpp>
#include <procpool/errors.hpp>
#include <procpool/future.hpp>
#include <procpool/fwd.hpp>
#include <procpool/gather.hpp>
#include <procpool/hook.hpp>
#include <procpool/named.hpp>
#include <procpool/options.hpp>
#include <procpool/outcome.hpp>
#include <procpool/parallel_map.hpp>
#include <procpool/pool.hpp>
#include <procpool/program.hpp>
#include <procpool/progress.hpp>
#include <procpool/results.hpp>
#include <procpool/stats.hpp>
#include <procpool/task.hpp>
#include <procpool/this_task.hpp>
#include <procpool/thread_pool.hpp>
#include <procpool/wait.hpp>
