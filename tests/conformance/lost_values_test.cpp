// Errors of the way: values and errors that cannot travel, workers that die.
#include <signal.h>

#include <optional>
#include <stdexcept>
#include <string>

#include "conformance/conformance.hpp"

namespace procpool::test {
namespace {

struct OneWay {
  bool fails_there = false, fails_here = false;
  template <class Archive>
  void save(Archive& ar) const {
    if (fails_there) throw std::runtime_error("not out");
    ar(fails_there, fails_here);
  }
  template <class Archive>
  void load(Archive& ar) {
    ar(fails_there, fails_here);
    if (fails_here) throw std::runtime_error("not in");
  }
};
struct ThrowsNumbers {
  bool there = false, here = false;
  template <class Archive>
  void save(Archive& ar) const {
    if (there) throw 42;
    ar(there, here);
  }
  template <class Archive>
  void load(Archive& ar) {
    ar(there, here);
    if (here) throw 42;
  }
};
ThrowsNumbers make_throws_numbers(bool there, bool here) { return {there, here}; }
int take_throws_numbers(const ThrowsNumbers&) { return 1; }
OneWay make_one_way(bool there, bool here) { return {there, here}; }

TEST_P(Conformance, P_ERR_05_a_result_that_cannot_travel_fails_its_task_only) {
  const Pool pool = make_pool(1);
  const auto pids = pool.pids();
  for (int i = 0; i != 20; ++i) {
    const auto text = error_of<EncodingError>([&] { pool.apply(make_one_way, true, false); });
    EXPECT_TRUE(contains(text, "OneWay")) << text;
    EXPECT_TRUE(contains(text, "not out")) << text;
  }
  const auto text = error_of<DecodingError>([&] { pool.apply(make_one_way, false, true); });
  EXPECT_TRUE(contains(text, "not in")) << text;
  EXPECT_FALSE(pool.apply(make_one_way, false, false).fails_here);
  EXPECT_EQ(pool.pids(), pids);
}

TEST_P(Conformance, P_ERR_05_serialisation_may_throw_anything) {
  const Pool pool = make_pool(1);
  const auto pids = pool.pids();
  const auto there = error_of<EncodingError>([&] { pool.apply(make_throws_numbers, true, false); });
  EXPECT_TRUE(contains(there, "ThrowsNumbers")) << there;
  const auto here = error_of<DecodingError>([&] { pool.apply(make_throws_numbers, false, true); });
  EXPECT_TRUE(contains(here, "ThrowsNumbers")) << here;
  error_of<EncodingError>([&] { pool.apply(take_throws_numbers, ThrowsNumbers{true, false}); });
  EXPECT_EQ(pool.apply(square, 3), 9);
  EXPECT_EQ(pool.pids(), pids);
}

void throw_ten_megabytes() { throw std::runtime_error(std::string(10U << 20U, 'm')); }

TEST_P(Conformance, P_ERR_06_a_text_of_ten_megabytes_is_cut_and_marked) {
  const Pool pool = make_pool(1);
  const auto text = error_of<std::runtime_error>([&] { pool.apply(throw_ten_megabytes); });
  EXPECT_TRUE(text.starts_with("mmmm"));
  EXPECT_LT(text.size(), 10U << 20U);
  EXPECT_FALSE(text.ends_with("m")) << text.substr(text.size() - 40);
  EXPECT_EQ(pool.apply(square, 2), 4);
}

class Uncopyable : public std::runtime_error {
 public:
  explicit Uncopyable(const char* text) : std::runtime_error(text) {}
  Uncopyable(const Uncopyable& other) : std::runtime_error(other) { throw 2; }
};
void throw_uncopyable() { throw Uncopyable("as it is"); }

TEST_P(Conformance, P_ERR_06_an_error_whose_copy_throws) {
  const Pool pool = make_pool(1);
  const auto pids = pool.pids();
  EXPECT_TRUE(contains(error_of<RemoteError>([&] { pool.apply(throw_uncopyable); }), "as it is"));
  EXPECT_EQ(pool.pids(), pids);
}

TEST_P(Conformance, P_ERR_a_crash_tells_what_is_known) {
  const Pool pool = make_pool(1);
  const pid_t pid = pool.apply(own_pid);
  try {
    pool.apply(crash);
    ADD_FAILURE();
  } catch (const WorkerCrashed& error) {
    EXPECT_EQ(error.signal(), SIGKILL);
    EXPECT_EQ(error.exit_code(), std::nullopt);
    EXPECT_EQ(error.pid(), pid);
    EXPECT_EQ(error.attempt(), 1U);
    EXPECT_TRUE(error.started());
    EXPECT_TRUE(contains(error.what(), "crash")) << error.what();
  }
  try {
    pool.with(TaskOptions{.retries = 2}).apply(crash);
    ADD_FAILURE();
  } catch (const WorkerCrashed& error) {
    EXPECT_EQ(error.attempt(), 3U);
  }
}

}  // namespace
}  // namespace procpool::test
