#pragma once

/// \file
/// Names only. Include this, and never declare procpool's types yourself: they live in an inline
/// namespace and may gain template parameters.

namespace procpool::inline v0 {

class Pool;
class ThreadPool;
class Process;
template <class R = void>
class Future;
template <class R>
class Results;
template <class R>
class Outcome;
/// A Future under the name it has in multiprocessing.pool.
template <class R>
using AsyncResult = Future<R>;

struct PoolOptions;
struct TaskOptions;
struct MapOptions;
struct ShutdownOptions;
struct PoolStats;
struct TaskUpdate;
struct ProcessOptions;

class Error;

}  // namespace procpool::inline v0
