// map, starmap and their chunks.
#include <unistd.h>

#include <array>
#include <iterator>
#include <optional>
#include <sstream>
#include <tuple>
#include <utility>

#include "conformance/conformance.hpp"

namespace procpool::test {
namespace {

// Made anew for each chunk, so that it counts the elements of its chunk.
struct PlaceInChunk {
  int calls = 0;
  int operator()(int) { return calls++; }
};

TEST_P(Conformance, P_MAP_01_results_are_in_input_order_for_every_chunksize) {
  const Pool pool = make_pool(3);
  std::vector<int> expected = first_numbers(1000);
  for (int& x : expected) x *= x;
  for (const int chunksize : {0, 1, 6, 20, 40, 50, 1000, 5000}) {
    EXPECT_EQ(pool.map(square, first_numbers(1000), {.chunksize = chunksize}), expected)
        << chunksize;
  }
  EXPECT_EQ(pool.map(square, first_numbers(1000), {.chunksize = python_chunks}), expected);
  EXPECT_EQ(pool.map(square, {3, 1, 2}), (std::vector{9, 1, 4}));
}

TEST_P(Conformance, P_MAP_01_no_elements_no_wait) {
  Pool pool = make_pool(1);
  Gate gate(file("gate"));
  const auto busy = pool.submit(wait_at, gate.path(), 1);
  const std::vector<int> none;
  EXPECT_TRUE(pool.map(square, none).empty());
  EXPECT_TRUE(pool.map(square, none, {.chunksize = 20}).empty());
  EXPECT_TRUE(pool.map_async(square, none).ready());
  EXPECT_TRUE(pool.starmap(square, std::vector<std::tuple<int>>()).empty());
  EXPECT_EQ(pool.imap(square, none).next(), std::nullopt);
  EXPECT_EQ(pool.imap_unordered(square, none).next(), std::nullopt);
  EXPECT_FALSE(busy.ready());
  gate.open();
}

// With one worker there is nobody to hand the tail of a chunk to.
TEST_P(Conformance, P_MAP_02_a_chunk_has_the_size_that_was_asked_for) {
  const Pool pool = make_pool(1);
  const auto places = [&](ChunkSize chunksize) {
    return pool.map(PlaceInChunk(), first_numbers(100), {.chunksize = chunksize});
  };
  const auto modulo = [](int chunk) {
    std::vector<int> expected = first_numbers(100);
    for (int& x : expected) x %= chunk;
    return expected;
  };
  EXPECT_EQ(places(1), modulo(1));
  EXPECT_EQ(places(20), modulo(20));
  EXPECT_EQ(places(30), modulo(30));
  EXPECT_EQ(places(1000), modulo(100));
  EXPECT_EQ(places(python_chunks), modulo(25));  // ceil(100 / (4 × 1))
}

int fail_at(const std::string& marks, const std::string& bell, const std::string& gate, int x) {
  if (x == 1) {
    pass_gate(gate);
    throw std::out_of_range("first by index");
  }
  add_mark(marks);
  ring_bell(bell);
  if (x == 2) throw std::length_error("first to arrive");
  return x;
}

TEST_P(Conformance, P_MAP_03_map_waits_for_all_then_throws_the_error_of_the_lowest_index) {
  const Pool pool = make_pool(2);
  Gate gate(file("gate"));
  Bell bell(file("bell"));
  const auto future = pool.map_async(partial(fail_at, file("marks"), bell.path(), gate.path()),
                                     first_numbers(8), {.chunksize = 1});
  bell.wait(7);
  EXPECT_FALSE(future.ready());
  gate.open();
  EXPECT_EQ(error_of<std::out_of_range>([&] { future.get(); }), "first by index");
  EXPECT_EQ(count_marks(file("marks")), 7U);
}

// An input range that fails at one element.
class FailingRange {
 public:
  explicit FailingRange(int bad) : bad_(bad) {}
  struct iterator {
    using value_type = int;
    using difference_type = std::ptrdiff_t;
    int at = 0, bad = 0;
    int operator*() const {
      if (at == bad) throw std::domain_error("the input failed");
      return at;
    }
    iterator& operator++() {
      ++at;
      return *this;
    }
    void operator++(int) { ++at; }
    friend bool operator==(const iterator& it, std::default_sentinel_t) { return it.at == 7; }
  };
  iterator begin() const { return {0, bad_}; }
  std::default_sentinel_t end() const { return {}; }

 private:
  int bad_;
};

TEST_P(Conformance, P_MAP_04_an_error_of_the_input_range_is_thrown_by_the_call) {
  const Pool pool = make_pool(2);
  for (const int bad : {0, 3}) {
    for (const int chunksize : {0, 1, 2}) {
      try {
        pool.map(square, FailingRange(bad), {.chunksize = chunksize});
        ADD_FAILURE() << "nothing was thrown";
      } catch (const std::domain_error& error) {
        EXPECT_STREQ(error.what(), "the input failed");
        EXPECT_EQ(trace(error), "");
      }
      EXPECT_THROW(pool.map_async(square, FailingRange(bad)), std::domain_error);
      EXPECT_EQ(pool.map(square, {5}), std::vector{25});
    }
  }
}

struct Unsendable {
  bool bad = false;
  template <class Archive>
  void serialize(Archive& ar) {
    if (bad) throw std::runtime_error("will not be encoded");
    ar(bad);
  }
};
int take(const Unsendable&) { return 1; }

TEST_P(Conformance, P_MAP_05_an_argument_that_throws_while_it_is_encoded) {
  const Pool pool = make_pool(2);
  std::vector<Future<int>> good;
  for (int i = 0; i != 100; ++i) {
    const auto text = error_of<EncodingError>([&] { pool.submit(take, Unsendable{true}); });
    EXPECT_TRUE(contains(text, "will not be encoded")) << text;
    good.push_back(pool.submit(take, Unsendable()));
  }
  for (const auto& future : good) EXPECT_EQ(future.get(), 1);
  EXPECT_THROW(pool.map(take, std::vector(3, Unsendable{true})), EncodingError);
  EXPECT_THROW(pool.map_async(take, std::vector(3, Unsendable{true})), EncodingError);
  EXPECT_EQ(pool.map(take, {Unsendable(), Unsendable()}), (std::vector{1, 1}));
}

int fail_with_a_megabyte(const std::string& bell, const std::string& gate, int x) {
  ring_bell(bell);
  if (x == 1) pass_gate(gate);
  throw std::runtime_error(std::string(1 << 20, static_cast<char>('a' + x)));
}

TEST_P(Conformance, P_MAP_06_two_errors_of_a_megabyte) {
  Pool pool = make_pool(2);
  Gate gate(file("gate"));
  Bell bell(file("bell"));
  const auto future =
      pool.map_async(partial(fail_with_a_megabyte, bell.path(), gate.path()), {0, 1});
  bell.wait(2);
  EXPECT_FALSE(future.ready());
  gate.open();
  const auto text = error_of<std::runtime_error>([&] { future.get(); });
  EXPECT_EQ(text.substr(0, 100), std::string(100, 'a'));
  pool.close();
  pool.join();
}

int weigh(int a, int b) { return 10 * a + b; }

TEST_P(Conformance, P_MAP_08_starmap_unpacks_tuple_likes) {
  const Pool pool = make_pool(2);
  const std::vector expected{12, 34, 56};
  EXPECT_EQ(pool.starmap(weigh, std::vector<std::tuple<int, int>>{{1, 2}, {3, 4}, {5, 6}}),
            expected);
  EXPECT_EQ(pool.starmap(weigh, std::vector<std::pair<int, int>>{{1, 2}, {3, 4}, {5, 6}}),
            expected);
  const std::vector<std::array<int, 2>> arrays{{1, 2}, {3, 4}, {5, 6}};
  EXPECT_EQ(pool.starmap(weigh, arrays, {.chunksize = 2}), expected);
  EXPECT_EQ(pool.starmap_async(weigh, arrays).get(), expected);
}

TEST_P(Conformance, P_MAP_08_map_over_several_ranges_stops_at_the_shortest) {
  const Pool pool = make_pool(2);
  const std::vector tens{1, 2, 3, 4}, ones{5, 6, 7};
  const std::vector expected{15, 26, 37};
  EXPECT_EQ(pool.map(weigh, tens, ones), expected);
  EXPECT_EQ(pool.map_async(weigh, tens, ones).get(), expected);
  EXPECT_EQ(pool.with(MapOptions{.chunksize = 2}).map(weigh, tens, ones), expected);
  std::vector<int> lazy;
  for (const int x : pool.imap(weigh, tens, ones)) lazy.push_back(x);
  EXPECT_EQ(lazy, expected);
}

int mark_or_crash(const std::string& marks, int x) {
  if (x == 3) crash();
  add_mark(marks);
  return x;
}

TEST_P(Conformance, P_MAP_10_a_crash_inside_a_chunk_loses_one_element) {
  const Pool pool = make_pool(2);
  const auto f = partial(mark_or_crash, file("marks"));
  EXPECT_THROW(pool.map(f, first_numbers(10), {.chunksize = 10}), WorkerCrashed);
  EXPECT_EQ(count_marks(file("marks")), 9U);
  EXPECT_EQ(pool.map(square, {2}), std::vector{4});
}

int crash_once(const std::string& marks, int x) {
  if (x == 3 && count_marks(marks) < 2) {
    add_mark(marks);
    crash();
  }
  return x;
}

TEST_P(Conformance, P_MAP_10_retries_count_per_element) {
  const Pool pool = make_pool(2);
  const auto f = partial(crash_once, file("marks"));
  const auto run = [&](unsigned retries) {
    return pool.with(TaskOptions{.retries = retries})
        .with(MapOptions{.chunksize = 10})
        .map(f, first_numbers(10));
  };
  EXPECT_EQ(run(2), first_numbers(10));
  EXPECT_EQ(count_marks(file("marks")), 2U);
}

TEST_P(Conformance, P_MAP_the_input_has_been_read_when_an_eager_call_returns) {
  const Pool pool = make_pool(1);
  Gate gate(file("gate"));
  Future<std::vector<int>> future;
  {
    std::istringstream words("5 6 7");
    const std::vector<int> numbers{std::istream_iterator<int>(words), {}};
    future = pool.map_async(partial(wait_at, gate.path()), numbers);
  }
  gate.open();
  EXPECT_EQ(future.get(), (std::vector{5, 6, 7}));
}

}  // namespace
}  // namespace procpool::test
