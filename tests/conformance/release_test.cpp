// When arguments and results are destroyed.
#include <string>
#include <utility>

#include "conformance/conformance.hpp"

namespace procpool::test {
namespace {

// Leaves a mark in a worker when it is destroyed; counts itself at home.
class Noisy {
 public:
  inline static int alive = 0;
  Noisy() { ++alive; }
  explicit Noisy(std::string marks) : marks_(std::move(marks)) { ++alive; }
  Noisy(const Noisy& other) : marks_(other.marks_) { ++alive; }
  Noisy(Noisy&& other) noexcept : marks_(std::exchange(other.marks_, {})) { ++alive; }
  Noisy& operator=(Noisy other) noexcept {
    marks_.swap(other.marks_);
    return *this;
  }
  ~Noisy() {
    --alive;
    if (in_worker() && !marks_.empty()) add_mark(marks_);
  }
  template <class Archive>
  void serialize(Archive& ar) {
    ar(marks_);
  }

 private:
  std::string marks_;
};
int see(const Noisy&) { return 1; }
Noisy make_noisy(int) { return Noisy("/dev/null"); }

TEST_P(Conformance, P_MAP_09_arguments_are_released_when_the_task_ends) {
  const Pool pool = make_pool(1);
  const std::string marks = file("marks");
  EXPECT_EQ(pool.apply(see, Noisy(marks)), 1);
  EXPECT_EQ(count_marks(marks), 1U);
  pool.map(see, std::vector<Noisy>(5, Noisy(marks)));
  EXPECT_EQ(count_marks(marks), 6U);
  EXPECT_EQ(Noisy::alive, 0);
}

TEST_P(Conformance, P_MAP_09_results_are_released_with_the_last_handle) {
  const Pool pool = make_pool(1);
  auto first = pool.submit(make_noisy, 1);
  auto second = first;
  second.get();
  EXPECT_EQ(Noisy::alive, 1);
  first = {};
  EXPECT_EQ(Noisy::alive, 1);
  second = {};
  EXPECT_EQ(Noisy::alive, 0);
  auto many = pool.map_async(make_noisy, {1, 2, 3});
  many.get();
  EXPECT_EQ(Noisy::alive, 3);
  many = {};
  EXPECT_EQ(Noisy::alive, 0);
  {
    auto stream = pool.imap(make_noisy, {1, 2, 3});
    for (auto it = stream.begin(); it != stream.end(); ++it) EXPECT_EQ(Noisy::alive, 1);
  }
  EXPECT_EQ(Noisy::alive, 0);
}

}  // namespace
}  // namespace procpool::test
