// Heap bytes of a no-op that waits in the queue, its future included (not the caller's handle): what
// the allocator handed out while many were submitted and none could run.

#include <malloc.h>

#include <csignal>
#include <future>
#include <memory>
#include <procpool/pool.hpp>

#include "bench/contests.hpp"
#include "bench/tasks.hpp"
#include "bench/thread_pool.hpp"

namespace bench {
namespace {

double allocated() {
  const auto info = mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd);
}

template <class Submit>
double bytes_each(std::size_t tasks, Submit submit) {
  std::vector<decltype(submit())> futures;
  futures.reserve(tasks);
  const double before = allocated();
  for (std::size_t i = 0; i != tasks; ++i) futures.push_back(submit());
  return (allocated() - before) / static_cast<double>(tasks);
}

/// A stopped worker takes nothing.
double in_pool(procpool::Pool& pool, std::size_t tasks) {
  const pid_t worker = pool.pids().front();
  kill(worker, SIGSTOP);
  const double each = bytes_each(tasks, [&] { return pool.submit(no_op); });
  kill(worker, SIGCONT);
  for (int i = 0; i != 2; ++i) pool.apply(no_op);  // behind all others
  return each;
}

double in_threads(ThreadPool& threads, std::size_t tasks) {
  std::promise<void> open;
  const auto gate = threads.submit([&] { open.get_future().wait(); });
  const double each = bytes_each(tasks, [&] { return threads.submit(no_op); });
  open.set_value();
  threads.submit(no_op).get();
  return each;
}

Sides set_up(std::size_t tasks) {
  const auto pool = std::make_shared<procpool::Pool>(1);
  const auto threads = std::make_shared<ThreadPool>(1);
  return {[=] { return in_pool(*pool, tasks); },
          {{"asio", asio_name, std::nullopt, [=] { return in_threads(*threads, tasks); }}}};
}

}  // namespace

std::vector<Contest> memory(const Scale& scale) {
  const std::size_t tasks = scale.amount<std::size_t>(100'000);
  return {{"memory/queued_no_op", "bytes", Better::lower, scale.rounds(5),
           [=] { return set_up(tasks); }}};
}

}  // namespace bench
