// Queue and JoinableQueue between processes.
#include <numeric>
#include <string>
#include <vector>

#include "shared/support.hpp"

namespace procpool::test {
namespace {

using SharedQueues = Census;

TEST_F(SharedQueues, first_in_first_out) {
  Queue<std::string> queue;
  EXPECT_EQ(queue.try_get(), std::nullopt);
  EXPECT_EQ(queue.get_for(2ms), std::nullopt);
  queue.put("a");
  queue.put(std::string(5000, 'b'));
  queue.put("");
  EXPECT_EQ(queue.size(), 3u);
  EXPECT_EQ(queue.get(), "a");
  EXPECT_EQ(queue.get_for(patience)->size(), 5000u);
  EXPECT_EQ(queue.try_get(), "");
  EXPECT_TRUE(queue.empty());
}

TEST_F(SharedQueues, maxsize_bounds_the_elements) {
  Queue<int> queue(2);
  EXPECT_TRUE(queue.try_put(1));
  EXPECT_TRUE(queue.put_for(2, patience));
  EXPECT_FALSE(queue.try_put(3));
  EXPECT_FALSE(queue.put_for(3, 2ms));
  {
    Sleeper putter([&] { queue.put(3); });
    EXPECT_EQ(queue.get(), 1);
  }
  EXPECT_EQ(queue.get(), 2);
  EXPECT_EQ(queue.get(), 3);
}

TEST_F(SharedQueues, bytes_bound_it_and_the_ring_turns_over) {
  Queue<std::string> queue(0, 256);
  for (int i = 0; i != 1000; ++i) {
    const std::string text(static_cast<std::size_t>(i % 97), static_cast<char>('a' + i % 26));
    ASSERT_TRUE(queue.try_put(text));
    ASSERT_EQ(queue.get(), text);
  }
  while (queue.try_put("some text")) continue;
  EXPECT_GT(queue.size(), 5u);
  try {
    queue.put(std::string(300, 'x'));
    ADD_FAILURE() << "it cannot fit";
  } catch (const EncodingError& error) {
    EXPECT_NE(std::string(error.what()).find("never fits into a queue of 256 bytes"),
              std::string::npos);
  }
  EXPECT_THROW(Queue<int>(0, 1), Misuse);
}

TEST_F(SharedQueues, nothing_is_lost_between_many_processes) {
  Queue<int> queue(0, 512);
  SharedArray<long> sums(2);
  const auto put = [&] {
    for (int i = 1; i <= 3000; ++i) queue.put(i);
  };
  const auto get = [&](std::size_t me) {
    for (int i = 0; i != 3000; ++i) sums[me] += queue.get();
  };
  Process a(put), b(put), c([&] { get(0); }), d([&] { get(1); });
  EXPECT_TRUE(a.join() && b.join() && c.join() && d.join());
  EXPECT_EQ(sums[0] + sums[1], 2L * 3000 * 3001 / 2);
}

TEST_F(SharedQueues, what_is_closed_can_be_emptied) {
  Queue<int> queue;
  queue.put(1);
  queue.close();
  EXPECT_THROW(queue.put(2), QueueClosed);
  EXPECT_EQ(queue.get(), 1);
  EXPECT_THROW(queue.get(), QueueClosed);
  EXPECT_THROW(queue.try_get(), QueueClosed);
  Queue<int> other(1);
  other.put(1);
  Sleeper putter([&] { EXPECT_THROW(other.put(2), QueueClosed); });
  other.close();
}

TEST_F(SharedQueues, handles_do_not_go_through) {
  Queue<SharedValue<int>> queue;
  EXPECT_THROW(queue.put(SharedValue<int>()), EncodingError);
  EXPECT_TRUE(queue.empty());
}

TEST_F(SharedQueues, a_putter_dies_at_any_instruction) {
  Queue<std::vector<int>> queue(0, 1024);
  const std::vector<int> wanted(20, 7);
  const auto body = [&] { queue.put(wanted); };
  long whole = 0, none = 0;
  at_each_step(body, 120, [&](long step) {
    die_at(step, body);
    const auto got = queue.try_get();
    if (got) {
      ASSERT_EQ(*got, wanted) << step;
    }
    ++(got ? whole : none);
    ASSERT_TRUE(queue.put_for({1}, patience)) << step;
    ASSERT_EQ(queue.get(), std::vector{1}) << step;
  });
  EXPECT_GT(whole, 0);
  EXPECT_GT(none, 0);
}

// A getter waits: if the putter has put anything, it must get it.
TEST_F(SharedQueues, a_putter_dies_while_somebody_waits) {
  Queue<int> queue;
  const auto body = [&] { queue.put(1); };
  at_each_step(body, 100, [&](long step) {
    while (queue.try_get()) continue;  // of the run that was measured
    Process getter([&] { queue.get(); });
    getter.await_sleep();
    die_at(step, body);
    queue.put(2);
    ASSERT_TRUE(getter.join()) << step;
    queue.try_get();
    ASSERT_TRUE(queue.empty()) << step;
  });
}

TEST_F(SharedQueues, a_getter_dies_at_any_instruction) {
  Queue<int> queue(1);
  const auto body = [&] { queue.get(); };
  queue.put(5);  // for the run that is measured
  at_each_step(body, 120, [&](long step) {
    ASSERT_TRUE(queue.put_for(5, patience)) << step;
    die_at(step, body);
    const auto left = queue.try_get();
    ASSERT_EQ(left.value_or(5), 5) << step;
    ASSERT_TRUE(queue.empty()) << step;
  });
}

TEST_F(SharedQueues, a_waiting_getter_that_is_woken_and_dies_loses_nothing) {
  Queue<int> queue;
  Process first([&] { queue.get(); });
  first.await_sleep();
  ::kill(first.pid(), SIGSTOP);
  Process second([&] { queue.get(); });
  second.await_sleep();
  queue.put(1);
  first.kill();
  EXPECT_TRUE(second.join());
}

TEST_F(SharedQueues, join_waits_until_all_is_done) {
  JoinableQueue<int> queue;
  queue.join();
  for (int i = 0; i != 100; ++i) queue.put(i);
  EXPECT_FALSE(queue.join_for(1ms));
  SharedValue<int> done;
  const auto work = [&] {
    while (queue.get() >= 0) {
      done.update([](int n) { return n + 1; });
      queue.task_done();
    }
    queue.task_done();
  };
  Process a(work), b(work);
  queue.join();
  EXPECT_EQ(done.load(), 100);
  queue.put(-1);
  queue.put(-1);
  EXPECT_TRUE(a.join() && b.join());
  EXPECT_THROW(queue.task_done(), Misuse);
}

TEST_F(SharedQueues, join_is_told_of_who_died_with_elements_in_hand) {
  JoinableQueue<int> queue;
  queue.put(1);
  queue.put(2);
  Event got;
  Process victim([&] {
    queue.get();
    queue.get();
    got.set();
    Event().wait();
  });
  got.wait();
  {
    Sleeper joiner([&] {
      EXPECT_EQ(told_before([&] { EXPECT_TRUE(queue.join_for(patience)); }), 1);
    });
    victim.kill();
  }
  EXPECT_TRUE(queue.join_for(patience));
}

TEST_F(SharedQueues, a_worker_off_dies_at_any_instruction) {
  JoinableQueue<int> queue;
  const auto body = [&] {
    queue.get();
    queue.task_done();
  };
  queue.put(1);  // for the run that is measured
  at_each_step(body, 100, [&](long step) {
    queue.put(1);
    die_at(step, body);
    if (queue.try_get()) queue.task_done();
    ASSERT_LE(told_before([&] { ASSERT_TRUE(queue.join_for(patience)) << step; }), 1) << step;
  });
}

}  // namespace
}  // namespace procpool::test
