// Queues and pipes through the pool, what workers that die leave of them, and what handles cost.
#include <procpool/shared.hpp>

#include <string>
#include <vector>

#include "conformance/conformance.hpp"

namespace procpool::test {
namespace {

constexpr auto patience = 20s;

void square_all(Queue<int> in, Queue<int> out) {
  for (int n = in.get(); n >= 0; n = in.get()) out.put(n * n);
}

TEST_P(Conformance, P_SYNC_01_queues_feed_workers) {
  Pool pool = make_pool(2);
  Queue<int> in, out;
  auto a = pool.submit(square_all, in, out);
  auto b = pool.submit(square_all, in, out);
  for (int i = 1; i <= 100; ++i) in.put(i);
  long sum = 0;
  for (int i = 1; i <= 100; ++i) sum += out.get_for(patience).value();
  EXPECT_EQ(sum, 338350);
  in.put(-1);
  in.put(-1);
  a.get();
  b.get();
}

TEST_P(Conformance, P_SYNC_01_join_hears_of_a_worker_that_died_with_an_element) {
  Pool pool = make_pool(1);
  JoinableQueue<std::string> queue;
  queue.put("one");
  queue.put("two");
  const auto take_and_die = [](JoinableQueue<std::string> q) {
    q.get();
    crash();
  };
  EXPECT_THROW(pool.apply(take_and_die, queue), WorkerCrashed);
  EXPECT_THROW(queue.join_for(patience), OwnerDied);
  const auto finish = [](JoinableQueue<std::string> q) {
    const std::string last = q.get();
    q.task_done();
    return last;
  };
  EXPECT_EQ(pool.apply(finish, queue), "two");
  EXPECT_TRUE(queue.join_for(patience));
}

TEST_P(Conformance, P_SYNC_01_a_pipe_tells_that_its_worker_is_gone) {
  Pool pool = make_pool(1);
  auto [here, there] = Pipe<std::vector<int>>();
  const auto serve = [](PipeEnd<std::vector<int>> end) {
    std::vector<int> numbers = end.recv();
    numbers.push_back(int(numbers.size()));
    end.send(numbers);
    end.recv();
    crash();
  };
  auto task = pool.submit(serve, there);
  there.close();
  here.send({5, 6});
  EXPECT_EQ(here.recv_for(patience), (std::vector{5, 6, 2}));
  here.send({});
  EXPECT_THROW(here.recv_for(patience), QueueClosed);
  EXPECT_THROW(task.get(), WorkerCrashed);
}

TEST_P(Conformance, P_SYNC_01_an_end_is_gone_when_its_task_is_done) {
  Pool pool = make_pool(1);
  auto [here, there] = Pipe<int>();
  pool.apply([](PipeEnd<int> end) { end.send(1); }, there);
  there.close();
  EXPECT_EQ(here.recv_for(patience), 1);
  EXPECT_THROW(here.recv_for(patience), QueueClosed) << "its worker lives, and has let it go";
}

TEST_P(Conformance, P_SYNC_01_what_takes_a_handle_home_or_through_a_queue_is_refused) {
  Pool pool = make_pool(1);
  EXPECT_THROW(pool.apply([] { return Lock(); }), DecodingError);
  Queue<int> queue;
  EXPECT_EQ(pool.apply([](Queue<int> q) { q.put(3); return q; }, queue), queue);
  EXPECT_EQ(queue.get(), 3);
}

}  // namespace
}  // namespace procpool::test
