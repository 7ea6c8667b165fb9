// Maps: chunk sizes, fail_fast, settled, progress.
#include <future>
#include <mutex>
#include <set>
#include <thread>

#include "conformance/conformance.hpp"

namespace procpool::test {
namespace {

int note_pid(const std::string& marks, int) {
  add_mark(marks);
  return own_pid();
}

// With one worker per chunk, who ran what shows where the chunks begin.
TEST_P(Conformance, P_MAP_02_python_chunks_are_pythons) {
  const Pool pool = make_pool({.processes = 2, .max_tasks_per_child = 1});
  const auto pids = pool.map(partial(note_pid, file("marks")), first_numbers(50),
                             {.chunksize = python_chunks});  // ceil(50 / 8): 7
  std::set<int> different(pids.begin(), pids.end());
  EXPECT_EQ(different.size(), 8U);
  for (std::size_t i = 0; i != 50; ++i) EXPECT_EQ(pids[i], pids[i / 7 * 7]) << i;
}

int wait_if_first(const std::string& gate, const std::string& bell, int x) {
  if (x == 0) pass_gate(gate);
  if (x != 0) ring_bell(bell);
  return x;
}

// One element is held: every other one runs elsewhere, also those of its own chunk.
TEST_P(Conformance, P_MAP_02_the_tail_behind_a_slow_element_is_split) {
  const Pool pool = make_pool(2);
  for (const ChunkSize size : {automatic_chunks, ChunkSize(60)}) {
    const std::string name = std::to_string(size.elements());
    Gate gate(file("gate" + name));
    Bell bell(file("bell" + name));
    const auto map = pool.map_async(partial(wait_if_first, gate.path(), bell.path()),
                                    first_numbers(60), {.chunksize = size});
    bell.wait(59);
    EXPECT_FALSE(map.ready());
    gate.open();
    EXPECT_EQ(map.get(), first_numbers(60));
  }
}

int fail_some(const std::string& marks, int x) {
  add_mark(marks);
  if (x % 10 == 4) throw std::runtime_error("failed at " + std::to_string(x));
  return x;
}

TEST_P(Conformance, P_MAP_03_every_element_runs_and_the_lowest_index_is_thrown) {
  const Pool pool = make_pool(2);
  for (const int chunk : {0, 1, 7, 100}) {
    const std::string marks = file("marks" + std::to_string(chunk));
    const auto text = error_of<std::runtime_error>([&] {
      pool.map(partial(fail_some, marks), first_numbers(40), {.chunksize = chunk});
    });
    EXPECT_EQ(text, "failed at 4");
    EXPECT_EQ(count_marks(marks), 40U);
  }
}

TEST_P(Conformance, P_MAP_03_fail_fast_cancels_what_has_not_started) {
  const Pool pool = make_pool(1);
  for (const int chunk : {1, 10, 40}) {
    const std::string marks = file("marks" + std::to_string(chunk));
    const auto text = error_of<std::runtime_error>([&] {
      pool.map(partial(fail_some, marks), first_numbers(4000),
               {.chunksize = chunk, .fail_fast = true});
    });
    EXPECT_EQ(text, "failed at 4");
    EXPECT_LT(count_marks(marks), 4000U);
  }
  EXPECT_EQ(pool.map(square, {3}, {.fail_fast = true}), std::vector{9});
}

// The failure of an element in one worker's hands stops the chunk in another's.
int fail_or_wait(const std::string& bell, const std::string& started, const std::string& gate,
                 int x) {
  if (x == 20) {
    pass_gate(started);
    throw std::runtime_error("twenty");
  }
  if (x != 0) return x;
  ring_bell(bell);
  pass_gate(gate);
  throw std::runtime_error("zero");
}

TEST_P(Conformance, P_MAP_03_fail_fast_throws_the_lowest_of_those_that_ran) {
  const Pool pool = make_pool(2);
  Gate started(file("started")), gate(file("gate"));
  Bell bell(file("bell"));
  std::promise<void> failed;
  const auto map = pool.map_async(partial(fail_or_wait, bell.path(), started.path(), gate.path()),
                                  first_numbers(40),
                                  {.chunksize = 20,
                                   .progress =
                                       [&, done = false](const ProgressReport& p) mutable {
                                         if (p.done >= 39 && !std::exchange(done, true)) {
                                           failed.set_value();
                                         }
                                       },
                                   .fail_fast = true});
  bell.wait();
  started.open();
  failed.get_future().wait();
  gate.open();
  EXPECT_EQ(error_of<std::runtime_error>([&] { map.get(); }), "zero");
}

int own_way(bool protects, int x) {
  if (x == 3) crash_or_throw(protects);
  if (x == 5) throw std::out_of_range("five");
  if (x == 6) throw 42;
  return x * 10;
}

TEST_P(Conformance, P_MAP_07_each_slot_has_a_value_or_its_own_error) {
  const Pool pool = make_pool(2);
  for (const int chunk : {0, 1, 4, 20}) {
    const auto all = pool.map_settled(partial(own_way, protects()), first_numbers(20), {.chunksize = chunk});
    ASSERT_EQ(all.size(), 20U);
    for (std::size_t i = 0; i != 20; ++i) {
      EXPECT_EQ(all[i].index(), i);
      const bool bad = i == 3 || i == 5 || i == 6;
      ASSERT_EQ(all[i].has_value(), !bad) << i;
      if (!bad) {
        EXPECT_EQ(*all[i], static_cast<int>(i) * 10);
      }
      EXPECT_EQ(all[i].value_or(-1), bad ? -1 : static_cast<int>(i) * 10);
    }
    expect_hard_failure([&] { (void)all[3].value(); });
    EXPECT_THROW(all[5].value(), std::out_of_range);
    EXPECT_THROW(all[6].value(), RemoteError);
  }
  EXPECT_TRUE(pool.map_settled(partial(own_way, protects()), std::vector<int>{}).empty());
}

TEST_P(Conformance, P_MAP_07_fail_fast_leaves_cancelled_slots) {
  const Pool pool = make_pool(1);
  const auto all =
      pool.map_settled(partial(own_way, protects()), first_numbers(2000), {.chunksize = 50, .fail_fast = true});
  expect_hard_failure([&] { (void)all[3].value(); });
  EXPECT_THROW(all.back().value(), Cancelled);
}

TEST_P(Conformance, P_MAP_11_void_elements_settle) {
  const Pool pool = make_pool(1);
  const auto all = pool.map_settled([](int x) { if (x == 1) throw std::runtime_error("one"); },
                                    first_numbers(3));
  EXPECT_NO_THROW(all[0].value());
  EXPECT_THROW(all[1].value(), std::runtime_error);
  EXPECT_TRUE(all[2].has_value());
}

struct Reports {
  Progress listener() {
    return [this](const ProgressReport& report) {
      const std::lock_guard lock(mutex);
      all.push_back(report);
    };
  }
  bool ended_with(std::size_t done) {
    const std::lock_guard lock(mutex);
    return !all.empty() && all.back().done == done;
  }
  std::mutex mutex;
  std::vector<ProgressReport> all;
};

TEST_P(Conformance, P_JOB_01_progress_comes_merged_and_the_last_report_always) {
  const Pool pool = make_pool(2);
  for (const int count : {1, 10, 5000}) {
    Reports reports;
    (void)pool.map(square, first_numbers(count), {.progress = reports.listener()});
    const auto total = static_cast<std::size_t>(count);
    EXPECT_TRUE(comes_true([&] { return reports.ended_with(total); }));
    EXPECT_LE(reports.all.size(), total);
    for (std::size_t i = 0; i != reports.all.size(); ++i) {
      EXPECT_EQ(reports.all[i].total, total);
      EXPECT_GE(reports.all[i].elapsed, 0ns);
      if (i != 0) {
        EXPECT_GE(reports.all[i].done, reports.all[i - 1].done);
      }
    }
  }
}

TEST_P(Conformance, P_JOB_01_progress_counts_failures_and_what_never_ran) {
  Pool pool = make_pool(1);
  Reports failed, cancelled, lazy;
  expect_hard_failure([&] {
    (void)pool.map(partial(own_way, protects()), first_numbers(20), {.progress = failed.listener()});
  });
  EXPECT_TRUE(comes_true([&] { return failed.ended_with(20); }));
  Gate gate(file("gate"));
  Bell bell(file("bell"));
  const auto map = pool.with({.cancel = {0ms, 0ms}})
                       .with(MapOptions{.progress = cancelled.listener()})
                       .map_async(partial(ring_and_wait, bell.path(), gate.path()),
                                  first_numbers(20));
  bell.wait();
  EXPECT_TRUE(map.cancel());
  gate.open();  // for a thread, which nobody stops
  EXPECT_TRUE(comes_true([&] { return cancelled.ended_with(20); }));
  for (const int x : pool.imap(square, first_numbers(30), {.progress = lazy.listener()})) {
    EXPECT_GE(x, 0);
  }
  EXPECT_TRUE(comes_true([&] { return lazy.ended_with(30); }));
  pool.close();
  pool.join();
  EXPECT_EQ(lazy.all.back().total, 0U);
}

}  // namespace
}  // namespace procpool::test
