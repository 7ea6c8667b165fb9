// Arrays that several processes see in place: how handles travel, and that nothing is copied or left.
#include <procpool/shared.hpp>

#include <csignal>
#include <cstdio>
#include <map>
#include <numeric>
#include <span>
#include <sys/wait.h>
#include <unistd.h>
#include <tuple>
#include <utility>

#include "conformance/conformance.hpp"

namespace procpool::test {
namespace {

using Array = SharedArray<int>;
using View = SharedArray<const int>;

void put(Array array, int i, int value) { array[static_cast<std::size_t>(i)] = value; }
int sum(const View& view) { return std::accumulate(view.begin(), view.end(), 0); }
int sum_span(std::span<const int> numbers) {
  return std::accumulate(numbers.begin(), numbers.end(), 0);
}
void fill_span(std::span<int> numbers) { std::iota(numbers.begin(), numbers.end(), 1); }

// The mapping that holds an address: its permissions and what it maps.
std::string mapping_of(const void* address) {
  const auto at = reinterpret_cast<std::uintptr_t>(address);
  const std::string maps = text_of("/proc/self/maps");
  for (std::size_t line = 0; line < maps.size(); line = maps.find('\n', line) + 1) {
    std::uintptr_t first = 0, last = 0;
    char access[5] = {}, name[64] = {};
    const int got = std::sscanf(maps.c_str() + line, "%lx-%lx %4s %*s %*s %*s %63s", &first, &last,
                                access, name);
    if (got == 4 && at >= first && at < last) return std::string(access) + " " + name;
  }
  return {};
}



TEST_P(Conformance, P_SYNC_01_arrays_are_seen_in_place) {
  Pool pool = make_pool(2);
  Array array(1000);
  EXPECT_EQ(sum(array), 0) << "it begins as zeros";
  std::vector<std::tuple<Array, int, int>> calls;
  for (int i = 0; i != 1000; ++i) calls.emplace_back(array, i, i);
  pool.starmap(put, calls);
  EXPECT_EQ(sum(array), 999 * 1000 / 2);
  array[0] = 5;
  EXPECT_EQ(pool.apply(sum, View(array)), 999 * 1000 / 2 + 5);
  EXPECT_EQ(pool.apply(sum_span, array), 999 * 1000 / 2 + 5) << "for a span parameter, too";
  pool.apply(fill_span, array);
  EXPECT_EQ(array[999], 1000);
}

TEST_P(Conformance, P_JOB_03_a_read_only_handle_is_mapped_read_only_and_nothing_is_copied) {
  Pool pool = make_pool(1);
  Array array(100'000);
  array[7] = 7;
  const auto view_of = +[](const View& view) { return mapping_of(view.data()); };
  EXPECT_EQ(pool.apply(view_of, View(array)), "r--s /memfd:procpool-shared");
  EXPECT_EQ(pool.apply([](std::span<const int> s) { return mapping_of(s.data()); }, array),
            "r--s /memfd:procpool-shared");
  EXPECT_EQ(pool.apply([](const Array& a) { return mapping_of(a.data()); }, array),
            "rw-s /memfd:procpool-shared");
  const auto scribble = +[](const View& view) { const_cast<int&>(view[7]) = 8; };
  try {
    pool.apply(scribble, View(array));
    ADD_FAILURE() << "the write was not stopped";
  } catch (const WorkerCrashed& crash) {
    EXPECT_EQ(crash.signal(), SIGSEGV);
  }
  EXPECT_EQ(array[7], 7);
  EXPECT_EQ(pool.apply(sum, View(array)), 7) << "the next worker gets it anew";
}

struct Job {
  std::vector<Array> arrays;
  int value;
};
int add_up(const Job& job) {
  int total = job.value;
  for (const Array& array : job.arrays) total += sum(array);
  return total;
}
struct Adder {
  Array array;
  int operator()(int x) const { return x + sum(array); }
};
int add_bound(const Array& array, int x) { return x + sum(array); }

TEST_P(Conformance, P_SYNC_01_handles_travel_inside_of_anything) {
  Pool pool = make_pool(2);
  Array a(3), b(2);
  a[0] = 1;
  b[1] = 10;
  EXPECT_EQ(pool.apply(add_up, Job{{a, b, a}, 100}), 112);
  EXPECT_EQ(pool.apply(Adder{a}, 5), 6);
  EXPECT_EQ(pool.map(Adder{b}, {1, 2}), (std::vector{11, 12}));
  EXPECT_EQ(pool.map(partial(add_bound, b), {1, 2}), (std::vector{11, 12}));
  std::vector<int> streamed;
  for (const int x : pool.imap(partial(add_bound, a), {1, 2, 3})) streamed.push_back(x);
  EXPECT_EQ(streamed, (std::vector{2, 3, 4}));
  const std::map<int, Array> by_name{{1, a}, {2, b}};
  EXPECT_EQ(pool.apply([](const std::map<int, Array>& m) { return sum(m.at(2)); }, by_name), 10);
}

TEST_P(Conformance, P_SYNC_01_a_handle_comes_home_as_itself) {
  Pool pool = make_pool(1);
  Array array(4);
  const auto back = pool.apply([](Array a) { a[2] = 9; return a; }, array);
  EXPECT_EQ(back, array);
  EXPECT_EQ(back[2], 9);
  const auto views = pool.apply([](const View& v) { return std::vector{v, v}; }, View(array));
  EXPECT_EQ(views.at(1), View(array));
  const auto why = error_of<DecodingError>([&] { pool.apply([](int n) { return Array(std::size_t(n)); }, 3); });
  EXPECT_TRUE(contains(why, "what a task made itself cannot come home")) << why;
}

TEST_P(Conformance, P_SYNC_01_pools_in_tasks_hand_it_on) {
  Pool pool = make_pool(1);
  Array array(8);
  const auto nested = [](const Array& a) {
    Pool inner({.processes = 1, .start_method = StartMethod::fork});
    for (int round = 0; round != 3; ++round) inner.apply(put, a, round, round + 1);
    Array made_here(2);
    inner.apply(put, made_here, 1, 40);
    return inner.apply(sum, View(a)) + sum(made_here);
  };
  EXPECT_EQ(pool.apply(nested, array), 46);
  EXPECT_EQ(sum(array), 6);
}

TEST_P(Conformance, P_SYNC_01_children_of_tasks_keep_it) {
  Pool pool = make_pool(1);
  Array array(2);
  pool.apply(
      [](const Array& a) {
        const pid_t child = fork();
        if (child == 0) {
          a[1] = 3;
          _exit(0);
        }
        waitpid(child, nullptr, 0);
      },
      array);
  EXPECT_EQ(array[1], 3);
}

std::size_t memories_here() { return Holdings::now().memory.size(); }

TEST_P(Conformance, P_SYNC_01_what_home_has_dropped_is_unmapped_in_workers) {
  Pool pool = make_pool(1);
  const std::size_t before = pool.apply(memories_here);
  {
    std::vector<Array> arrays;
    for (int i = 0; i != 40; ++i) arrays.emplace_back(std::size_t(10));
    pool.apply([](const std::vector<Array>& all) { return all.size(); }, arrays);
    EXPECT_EQ(pool.apply(memories_here), before + 40) << "a second use costs nothing";
  }
  // It hears of it while it sleeps: the test sees its memory go without giving it anything to do.
  const std::string maps = "/proc/" + std::to_string(pool.pids().at(0)) + "/maps";
  while (contains(text_of(maps), "procpool-shared")) std::this_thread::yield();
  EXPECT_EQ(pool.apply(memories_here), before);
}

TEST_P(Conformance, P_SYNC_01_more_handles_than_a_socket_holds) {
  Pool pool = make_pool(1);
  std::vector<Array> arrays;
  for (int i = 0; i != 400; ++i) {
    arrays.emplace_back(std::size_t(1));
    arrays.back()[0] = i;
  }
  const auto total = [](const std::vector<Array>& all) {
    int n = 0;
    for (const Array& array : all) n += array[0];
    return n;
  };
  EXPECT_EQ(pool.apply(total, arrays), 399 * 400 / 2);
}

TEST_P(Conformance, P_SYNC_01_bad_input_is_said_clearly) {
  Pool pool = make_pool(1);
  EXPECT_TRUE(contains(error_of<Misuse>([&] { pool.apply(sum, View()); }), "empty"));
  EXPECT_THROW(Array(~std::size_t{0} / 3), Misuse);
  EXPECT_THROW(Array(std::size_t{1} << 45), std::system_error);
  EXPECT_THROW(Array(3).at(3), std::out_of_range);
  EXPECT_TRUE(Array(0).empty());
  EXPECT_EQ(pool.apply([](std::span<const int> s) { return s.size(); }, Array(0)), 0u);
}


}  // namespace
}  // namespace procpool::test
