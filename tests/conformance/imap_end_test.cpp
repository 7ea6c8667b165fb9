// The end of a lazy range: dropped, timed out, terminated.
#include <chrono>
#include <optional>
#include <string>

#include "conformance/conformance.hpp"
#include "conformance/counted_range.hpp"

namespace procpool::test {
namespace {

int mark_and_wait(const std::string& marks, const std::string& bell, const std::string& gate,
                  int x) {
  add_mark(marks);
  ring_bell(bell);
  pass_gate(gate);
  return x;
}

TEST_P(Conformance, P_IMAP_04_dropping_the_stream_cancels_what_has_not_started) {
  Pool pool = make_pool(1);
  Gate gate(file("gate"));
  Bell bell(file("bell"));
  {
    auto stream = pool.imap(partial(mark_and_wait, file("marks"), bell.path(), gate.path()),
                            first_numbers(100), {.chunksize = 1, .buffersize = 50});
    bell.wait();
  }
  EXPECT_EQ(count_marks(file("marks")), 1U);
  gate.open();
  pool.close();
  pool.join();
  EXPECT_EQ(count_marks(file("marks")), 1U);
}

TEST_P(Conformance, P_IMAP_04_dropping_the_stream_half_way) {
  Pool pool = make_pool(2);
  for (const int chunksize : {1, 5}) {
    CountedRange input;
    auto stream = pool.imap_unordered(square, input, {.chunksize = chunksize, .buffersize = 20});
    for (int i = 0; i != 7; ++i) EXPECT_TRUE(stream.next());
  }
  EXPECT_EQ(pool.apply(square, 5), 25);
  pool.close();
  pool.join();
}

TEST_P(Conformance, P_IMAP_05_next_for_times_out_and_can_be_called_again) {
  const Pool pool = make_pool(1);
  Gate gate(file("gate"));
  auto stream = pool.imap(partial(wait_at, gate.path()), {4, 5});
  EXPECT_THROW(stream.next_for(2ms), TimeoutError);
  EXPECT_THROW(stream.next_for(0s), TimeoutError);
  gate.open();
  EXPECT_EQ(stream.next_for(std::chrono::hours::max()), 4);
  EXPECT_EQ(stream.next(), 5);
  EXPECT_EQ(stream.next_for(0s), std::nullopt);
}

TEST_P(Conformance, P_IMAP_06_terminate_while_throttled) {
  Pool pool = make_pool(2);
  CountedRange input(1000);
  auto stream = pool.imap(square, input, {.chunksize = 1, .buffersize = 2});
  EXPECT_EQ(stream.next(), 0);
  pool.terminate();
  pool.join();
  int terminated = 0;
  for (int calls = 0; calls != 1001; ++calls) {
    try {
      if (!stream.next()) break;
    } catch (const PoolTerminated&) {
      ++terminated;
    }
  }
  EXPECT_GE(terminated, 1);
  EXPECT_EQ(stream.next(), std::nullopt);
}

}  // namespace
}  // namespace procpool::test
