// Pipe between processes.
#include <string>
#include <vector>

#include "shared/support.hpp"

namespace procpool::test {
namespace {

using SharedPipes = Census;

TEST_F(SharedPipes, go_both_ways_and_keep_the_order) {
  auto [here, there] = Pipe<std::string>();
  Process echo([end = there]() mutable {
    for (;;) {
      const std::string text = end.recv();
      end.send(text + "!");
      if (text.empty()) return;
    }
  });
  here.send("one");
  here.send("two");
  EXPECT_EQ(here.recv(), "one!");
  EXPECT_EQ(here.recv(), "two!");
  here.send("");
  EXPECT_EQ(here.recv_for(patience), "!");
  EXPECT_TRUE(echo.join());
}

TEST_F(SharedPipes, timeouts_and_polling) {
  auto [here, there] = Pipe<int>();
  EXPECT_FALSE(here.poll());
  EXPECT_FALSE(here.poll(2ms));
  EXPECT_EQ(here.recv_for(2ms), std::nullopt);
  there.send(4);
  EXPECT_TRUE(here.poll(std::chrono::hours::max()));
  EXPECT_EQ(here.recv(), 4);
  int sent = 0;
  while (here.send_for(sent, 2ms)) ++sent;
  EXPECT_GT(sent, 10);
  for (int i = 0; i != sent; ++i) ASSERT_EQ(there.recv(), i);
}

TEST_F(SharedPipes, large_values_come_whole) {
  auto [here, there] = Pipe<std::vector<int>>();
  for (const std::size_t size : {7'000u, 8'200u, 100'000u, 1'000'000u}) {
    std::vector<int> numbers(size, 3);
    numbers.back() = 4;
    here.send(numbers);
    ASSERT_EQ(there.recv(), numbers);
  }
}

TEST_F(SharedPipes, who_is_left_alone_is_told) {
  auto [here, there] = Pipe<int>();
  there.send(1);
  there.close();
  EXPECT_EQ(here.recv(), 1) << "what was sent can still be received";
  EXPECT_TRUE(here.poll());
  EXPECT_THROW(here.recv(), QueueClosed);
  EXPECT_THROW(here.send(1), QueueClosed);
  EXPECT_THROW(there.recv(), Misuse) << "an empty handle";
}

TEST_F(SharedPipes, the_death_of_the_other_side_is_told) {
  auto [here, there] = Pipe<int>();
  here.send(1);
  Process other([&, end = there]() mutable {
    here.close();
    end.recv();
    ::raise(SIGKILL);
  });
  there.close();
  EXPECT_THROW(here.recv(), QueueClosed);
}

TEST_F(SharedPipes, a_sender_dies_at_any_instruction) {
  auto [here, there] = Pipe<std::vector<int>>();
  const std::vector<int> wanted(9000, 1);
  const auto body = [&, end = there]() mutable { end.send(wanted); };
  at_each_step(body, 30, [&, end = here](long step) mutable {
    die_at(step, body);
    if (end.poll()) {
      ASSERT_EQ(end.recv(), wanted) << step;
    }
  });
}

TEST_F(SharedPipes, handles_do_not_go_through) {
  auto [here, there] = Pipe<SharedValue<int>>();
  EXPECT_THROW(here.send(SharedValue<int>()), EncodingError);
}

}  // namespace
}  // namespace procpool::test
