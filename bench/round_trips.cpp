// A blocking call of a no-op: how long a task that does nothing takes to go there and back.

#include <memory>
#include <procpool/pool.hpp>

#include "bench/child.hpp"
#include "bench/contests.hpp"
#include "bench/mq_pool.hpp"
#include "bench/ping_pong.hpp"
#include "bench/placement.hpp"
#include "bench/python_peer.hpp"
#include "bench/tasks.hpp"
#include "bench/thread_pool.hpp"
#include "bench/timing.hpp"

namespace bench {
namespace {

constexpr double goal = 1.25;  // times the bare ping-pong placed the same way
constexpr double thread_goal = 1.15;  // times the thread pool

/// The child is forked first: the program has one thread then, as a bare program would.
struct Table {
  explicit Table(Layout layout) : placement(layout) {
    placement.place_other(ping_pong.pid());
    threads.submit([this] { placement.place_other(0); }).get();
    for (const pid_t worker : pool.pids()) placement.place_other(worker);
  }

  Placement placement;
  PingPong ping_pong;
  ThreadPool threads{1};
  procpool::Pool pool{1};
};

Sides set_up(Layout layout, std::size_t trips) {
  const auto table = std::make_shared<Table>(layout);
  Sides sides;
  sides.ours = [=] { return microseconds_each(trips, [&] { table->pool.apply(no_op); }); };
  const std::optional<double> binding =
      layout == Layout::unpinned ? std::nullopt : std::optional(goal);
  sides.peers.push_back({"futex", "futex ping-pong", binding, [=] {
                           return microseconds_each(trips, [&] { table->ping_pong.round_trip(); });
                         }});
  sides.peers.push_back({"asio", asio_name, binding ? std::optional(thread_goal) : std::nullopt, [=] {
                           return microseconds_each(
                               trips, [&] { table->threads.submit(no_op).get(); });
                         }});
  if (layout != Layout::unpinned) return sides;
  sides.peers.push_back({"fork", "fork for each task", std::nullopt, [=] {
                           return microseconds_each(trips / 30, [] { wait_for(fork_child(no_op)); });
                         }});
  sides.peers.push_back({"mq", MqPool::name, std::nullopt, [queues = std::make_shared<MqPool>(), trips] {
                           return microseconds_each(trips, [&] { queues->call(); });
                         }});
  const std::size_t fewer = trips / 10;
  for (const PythonKind& kind : python_kinds) {
    add_python(sides, kind, 1, "round_trip " + std::to_string(fewer),
               kind.kind == python_pool.kind ? std::optional(1. / 15) : std::nullopt,
               [=](double time) { return time / static_cast<double>(fewer) * 1e6; });
  }
  return sides;
}

}  // namespace

std::vector<Contest> round_trips(const Scale& scale) {
  std::vector<Contest> contests;
  for (const Layout layout : {Layout::one_cpu, Layout::two_cpus, Layout::unpinned}) {
    const std::size_t trips = scale.amount<std::size_t>(3000);
    contests.push_back({"round_trip/" + name_of(layout), "us", Better::lower, scale.rounds(21),
                        [=] { return set_up(layout, trips); }});
  }
  return contests;
}

}  // namespace bench
