// Does the census see what a test leaves behind, and is it silent about a clean one?
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "support/census.hpp"

namespace {

// A census over one function instead of a test.
class Probe : public procpool::test::Census {
  void TestBody() override {}
};

// The texts of the failures that a census reports around what leak() does.
std::string failures_around(const std::function<void()>& leak) {
  testing::TestPartResultArray results;
  {
    testing::ScopedFakeTestPartResultReporter catcher(
        testing::ScopedFakeTestPartResultReporter::INTERCEPT_ALL_THREADS, &results);
    Probe probe;
    leak();
  }
  std::string texts;
  for (int i = 0; i < results.size(); ++i) texts += results.GetTestPartResult(i).message();
  return texts;
}

TEST(Census, IsSilentWhereNothingIsLeft) {
  EXPECT_EQ(failures_around([] { close(dup(STDERR_FILENO)); }), "");
}

TEST(Census, NamesALeakedDescriptor) {
  int leaked = -1;
  const std::string texts = failures_around([&] { leaked = memfd_create("leaked", 0); });
  EXPECT_NE(texts.find("descriptor " + std::to_string(leaked)), std::string::npos) << texts;
  EXPECT_NE(texts.find("memfd:leaked"), std::string::npos) << texts;
  close(leaked);
}

TEST(Census, NamesAForgottenProcess) {
  pid_t forgotten = -1;
  const std::string texts = failures_around([&] {
    forgotten = fork();
    if (forgotten == 0) {
      pause();
      _exit(0);
    }
  });
  EXPECT_NE(texts.find("process " + std::to_string(forgotten)), std::string::npos) << texts;
  kill(forgotten, SIGKILL);
  waitpid(forgotten, nullptr, 0);
}

TEST(Census, NamesMappedSharedMemory) {
  void* mapped = MAP_FAILED;
  const std::string texts = failures_around([&] {
    const int fd = memfd_create("mapped", 0);
    ASSERT_EQ(ftruncate(fd, 4096), 0);
    mapped = mmap(nullptr, 4096, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
  });
  EXPECT_NE(texts.find("memfd:mapped"), std::string::npos) << texts;
  munmap(mapped, 4096);
}

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
