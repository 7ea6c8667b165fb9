// Whichever system call of home fails, and whenever: an error of the library's own says so or nobody
// notices, every future ends, the pool goes on or says that it is broken, and nothing is left.
#include <signal.h>

#include <chrono>
#include <map>
#include <new>
#include <numeric>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <tuple>
#include <vector>

#include <procpool/procpool.hpp>
#include <procpool/shared.hpp>

#include "faults/faults.hpp"
#include "support/census.hpp"

namespace procpool::test {
namespace {

constexpr std::size_t many = 300'000;  // ints: more than a call's slots and arena hold

long sum(const std::vector<int>& all) { return std::accumulate(all.begin(), all.end(), 0L); }
std::vector<int> numbers(std::size_t count) { return std::vector<int>(count, 1); }
int square(int x) { return x * x; }
std::string text_of(int x) { return std::string(200, static_cast<char>('a' + x % 26)); }
int nap(int milliseconds) {
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
  return milliseconds;
}
void crash() { raise(SIGKILL); }
void add_to(SharedValue<int> value, int x) {
  value.update([x](int now) { return now + x; });
}

using Case = std::tuple<StartMethod, Fault>;

class Faults : public Census, public testing::WithParamInterface<Case> {
 protected:
  // What may be said of a fault, and nothing else.
  template <class Call>
  void survives(const char* what, Call call) {
    try {
      call();
    } catch (const Error&) {
      // PoolBroken, EncodingError, …: it has been said
    } catch (const std::bad_alloc&) {
    } catch (const std::system_error& error) {
      ADD_FAILURE() << what << ": a bare " << error.what();
    }
  }

  // The life of a pool while the nth such call fails. False: there are not so many.
  bool live(StartMethod method, const Fault& fault, int nth) {
    SCOPED_TRACE(std::string(fault.call) + ", call " + std::to_string(nth));
    std::optional<Pool> pool;
    std::vector<Future<std::string>> futures;
    const Failing failing(fault, nth);
    survives("constructor", [&] {
      pool.emplace(PoolOptions{.processes = 2, .start_method = method});
    });
    if (!pool) {
      EXPECT_TRUE(failing.happened());
      return true;
    }
    survives("apply", [&] { EXPECT_EQ(pool->apply(square, 7), 49); });
    survives("large argument", [&] { EXPECT_EQ(pool->apply(sum, numbers(many)), long(many)); });
    survives("large result", [&] { EXPECT_EQ(pool->apply(numbers, many).size(), many); });
    survives("map", [&] { EXPECT_EQ(pool->map(square, {1, 2, 3}), (std::vector{1, 4, 9})); });
    survives("shared", [&] {
      std::optional<SharedValue<int>> value;
      try {
        value.emplace(1);
      } catch (const std::system_error&) {
        return;  // which is what its constructor promises
      }
      pool->apply(add_to, *value, 2);
      EXPECT_EQ(value->load(), 3);
    });
    survives("soft timeout", [&] {
      const auto slow = pool->with({.soft_timeout = std::chrono::milliseconds(5)}).submit(nap, 30);
      try {
        slow.on_progress([](const TaskUpdate&) {});
      } catch (const std::system_error& error) {  // no thread that would call it
        EXPECT_EQ(error.code(), std::errc::resource_unavailable_try_again);
      }
      EXPECT_EQ(slow.get(), 30);
    });
    survives("submit", [&] {
      for (int i = 0; i != 20; ++i) futures.push_back(pool->submit(text_of, i));
    });
    survives("crash", [&] { pool->apply(crash); });
    survives("after the crash", [&] { EXPECT_EQ(pool->apply(square, 8), 64); });
    for (std::size_t i = 0; i != futures.size(); ++i) {
      survives("future", [&] { EXPECT_EQ(futures[i].get(), text_of(static_cast<int>(i))); });
    }
    const bool open = pool->stats().open;
    survives("at last", [&] {
      const bool happened = failing.happened();
      EXPECT_EQ(pool->apply(square, 9), 81);
      EXPECT_TRUE(open || !happened) << "a pool that is broken takes work";
    });
    pool->close();
    pool->join();
    for (const auto& future : futures) EXPECT_TRUE(future.ready());
    return failing.happened();
  }
};

// Until there are no more such calls.
TEST_P(Faults, P_POOL_03_the_pool_lives_or_says_why_not) {
  const auto& [method, fault] = GetParam();
  int nth = 1;
  while (live(method, fault, nth) && !HasFailure()) ++nth;
  const bool executes = method != StartMethod::fork && std::string(fault.call) == "fork";
  EXPECT_EQ(nth > 1, !executes) << "no call of " << fault.call;
}

std::string case_name(const testing::TestParamInfo<Case>& info) {
  static const std::map<StartMethod, std::string> names = {
      {StartMethod::fork, "fork_"}, {StartMethod::forkserver, "forkserver_"}, {StartMethod::spawn, "spawn_"}};
  return names.at(std::get<StartMethod>(info.param)) + std::get<Fault>(info.param).call;
}

INSTANTIATE_TEST_SUITE_P(
    Of, Faults,
    testing::Combine(testing::Values(StartMethod::fork, StartMethod::forkserver, StartMethod::spawn),
                     testing::ValuesIn(all_faults())),
    case_name);

}  // namespace
}  // namespace procpool::test
