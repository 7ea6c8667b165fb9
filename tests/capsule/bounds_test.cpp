// What a folder holds at most, and what is no reason to stop.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <stdexcept>
#include <string>

#include <procpool/shared.hpp>

#include "capsule/support.hpp"
#include "supervisor/capsule_writer.hpp"

namespace procpool::test {
namespace {

int reject(int number) { throw std::runtime_error("no row " + std::to_string(number)); }
int die(int) {
  raise(SIGKILL);
  return 0;
}

TEST_F(LeavesCapsules, the_oldest_go_and_files_of_others_stay) {
  std::filesystem::create_directories(folder());
  std::ofstream(folder() / "00000000T000000.000000") << "not ours";
  std::ofstream(folder() / "notes.capsule") << "not ours";
  const Pool pool(options());
  constexpr int failures = 130;
  std::vector<std::string> numbers;
  for (int i = 0; i != failures; ++i) numbers.push_back(std::to_string(i));
  const auto outcomes = pool.map_settled(
      [](const std::string& number) { return reject(std::stoi(number)); }, numbers);
  for (const auto& outcome : outcomes) EXPECT_THROW(outcome.value(), std::runtime_error);
  auto files = left();
  EXPECT_EQ(files.size(), supervisor::most_capsules + 2);
  EXPECT_EQ(std::erase_if(files,
                          [](const path& each) {
                            return each.filename() == "notes.capsule" ||
                                   each.filename() == "00000000T000000.000000";
                          }),
            2U);
  std::vector<std::uint64_t> indices;
  for (const path& each : files) indices.push_back(read(each).task.number);
  std::ranges::sort(indices);
  EXPECT_EQ(indices.front(), failures - supervisor::most_capsules);
  EXPECT_EQ(indices.back(), std::uint64_t{failures - 1});
}

std::size_t reject_bytes(const std::vector<char>& bytes) {
  throw std::length_error(std::to_string(bytes.size()));
}

TEST_F(LeavesCapsules, a_large_call_leaves_one_without_its_arguments) {
  const Pool pool(options());
  EXPECT_THROW(pool.apply(reject_bytes, std::vector<char>(wire::max_capsule_bytes)),
               std::length_error);
  const wire::Capsule capsule = read(only());
  EXPECT_EQ(capsule.task.content, wire::Content::too_large);
  EXPECT_GT(capsule.task.bytes, wire::max_capsule_bytes);
  EXPECT_LT(std::filesystem::file_size(only()), 10'000U);
  const Ran again = replay(only());
  EXPECT_EQ(again.exited, 2);
  EXPECT_TRUE(contains(again.text, "too large to be kept")) << again.text;
  EXPECT_TRUE(contains(describe(only()).text, "too large for a capsule"));
}

TEST_F(LeavesCapsules, one_that_is_nearly_too_large_is_whole) {
  const Pool pool(options());
  EXPECT_THROW(pool.apply(reject_bytes, std::vector<char>(12'000'000)), std::length_error);
  EXPECT_TRUE(contains(replay(only()).text, "std::length_error: 12000000\n"));
}

int reject_shared(const SharedValue<int>&) { throw std::runtime_error("shared"); }

TEST_F(LeavesCapsules, shared_state_cannot_be_kept_and_the_capsule_says_so) {
  const Pool pool(options());
  const SharedValue<int> value(3);
  EXPECT_THROW(pool.apply(reject_shared, value), std::runtime_error);
  EXPECT_EQ(read(only()).task.content, wire::Content::shared_state);
  const Ran again = replay(only());
  EXPECT_EQ(again.exited, 2);
  EXPECT_TRUE(contains(again.text, "handles of shared state, which is gone")) << again.text;
  EXPECT_EQ(std::ranges::count(again.text, '\n'), 1);
}

TEST_F(LeavesCapsules, without_a_folder_none_is_left) {
  const Pool pool({.processes = 1});
  try {
    pool.apply(die, 1);
    ADD_FAILURE();
  } catch (const WorkerCrashed& error) {
    EXPECT_TRUE(error.capsule().empty());
    EXPECT_TRUE(named_in(error.what()).empty());
  }
}

TEST_F(LeavesCapsules, a_folder_that_cannot_be_written_changes_no_outcome_and_is_told_once) {
  PoolOptions nowhere = options();
  nowhere.capsule_dir = "/proc/self/no/folder";
  testing::internal::CaptureStderr();
  {
    const Pool pool(nowhere);
    for (int i = 0; i != 3; ++i) {
      EXPECT_THROW(pool.apply(reject, i), std::runtime_error);
      try {
        pool.apply(die, i);
        ADD_FAILURE();
      } catch (const WorkerCrashed& error) {
        EXPECT_TRUE(error.capsule().empty());
      }
    }
    EXPECT_EQ(pool.apply([](int x) { return x; }, 4), 4);
  }
  const std::string told = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(told.starts_with("procpool: no capsule could be left in /proc/self/no/folder: "))
      << told;
  EXPECT_EQ(std::ranges::count(told, '\n'), 1) << told;
}

// Each in the hands of a chore when its pool ends.
TEST_F(LeavesCapsules, a_pool_that_ends_meanwhile_ends_every_task_once) {
  for (int round = 0; round != 5; ++round) {
    Pool pool(options(StartMethod::forkserver, 2));
    std::vector<Future<int>> futures;
    for (int i = 0; i != 100; ++i) futures.push_back(pool.submit(reject, i));
    for (int i = 0; i != 100; i += 10) futures[static_cast<std::size_t>(i)].cancel();
    futures[3].wait();
    pool.terminate();
    pool.join();
    for (const auto& future : futures) {
      EXPECT_TRUE(future.ready());
      EXPECT_THROW(future.get(), std::exception);
    }
  }
}

}  // namespace
}  // namespace procpool::test
