// P-CRASH: every way of dying where no task runs yet: in the initializer, and in `preload`. Who
// hears of it is who makes the pool: PoolBroken, with the cause in its text, and nothing is left
// behind.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "crash/pool_of.hpp"
#include "crash/room.hpp"

namespace procpool::test {
namespace {

enum class HookPlace { initializer, preload };

void die_in_hook(int way, const std::string& room) { die(static_cast<Way>(way), room); }
int twice(int number) { return 2 * number; }

/// What the text of the PoolBroken names.
std::string named_end(Way way, bool in_template) {
  // Who has closed its descriptors cannot say that it is ready; a template that cannot is killed.
  if (way == Way::close_descriptors)
    return in_template ? "template process could not be started" : "";
  const Ending ending = ending_in_task(way);
  switch (ending.kind) {
    case Ending::Kind::error:
      return "thrown on purpose";
    case Ending::Kind::exit_code:
      return "exited with code " + std::to_string(ending.number);
    case Ending::Kind::signal:
      return "killed by SIG" + std::string(sigabbrev_np(ending.number));
    default:
      return "";
  }
}

using Cell = std::tuple<StartMethod, Way, HookPlace>;
class P_CRASH_01_MatrixOfHooks : public Census, public testing::WithParamInterface<Cell> {};

/// Where the pool is made, the end of whoever reports itself to the room.
std::thread killer(Room& room) {
  return std::thread([&room] { kill(static_cast<pid_t>(room.next_report()), SIGKILL); });
}

TEST_P(P_CRASH_01_MatrixOfHooks, WhoMakesThePoolHearsOfIt) {
  const auto [method, way, place] = GetParam();
  Room room;
  PoolOptions options = options_of(method, 1);
  auto& hook = place == HookPlace::initializer ? options.initializer : options.preload;
  hook = partial(die_in_hook, static_cast<int>(way), room.path());
  const bool in_template = place == HookPlace::preload && method != StartMethod::spawn;
  std::thread helper;
  if (way == Way::killed_from_outside) helper = killer(room);
  if (way == Way::fork_and_return) {  // the original goes on, and its copy ends at once
    Pool pool(options);
    EXPECT_EQ(pool.apply(twice, 21), 42);
  } else {
    try {
      Pool pool(options);
      ADD_FAILURE() << "the pool was made";
    } catch (const PoolBroken& broken) {
      const std::string text = broken.what();
      EXPECT_NE(text.find(named_end(way, in_template)), std::string::npos) << text;
    }
  }
  if (helper.joinable()) helper.join();
  Pool usable(options_of(method, 1));
  EXPECT_EQ(usable.apply(twice, 21), 42);
}

std::vector<Way> all_ways() {
  std::vector<Way> ways;
  for (int way = 0; way < static_cast<int>(Way::count); ++way) ways.push_back(Way(way));
  return ways;
}

std::string cell_name(const testing::TestParamInfo<Cell>& info) {
  const auto [method, way, place] = info.param;
  return std::string(name_of(method)) + "_" + name_of(way) +
         (place == HookPlace::initializer ? "_initializer" : "_preload");
}

INSTANTIATE_TEST_SUITE_P(
    Cells, P_CRASH_01_MatrixOfHooks,
    testing::Combine(testing::ValuesIn(all_methods), testing::ValuesIn(all_ways()),
                     testing::Values(HookPlace::initializer, HookPlace::preload)),
    cell_name);

}  // namespace
}  // namespace procpool::test
