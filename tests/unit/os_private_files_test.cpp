// Files for this user only, whole or not at all.
#include "os/private_files.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

namespace procpool::test {
namespace {

class PrivateFiles : public testing::Test {
 protected:
  PrivateFiles() {
    std::string name = std::filesystem::temp_directory_path() / "procpool_test_XXXXXX";
    if (mkdtemp(name.data()) == nullptr) throw std::system_error(errno, std::generic_category());
    root_ = name;
  }
  ~PrivateFiles() override { std::filesystem::remove_all(root_); }

  static unsigned mode_of(const std::filesystem::path& path) {
    struct stat status {};
    EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
    return status.st_mode & 07777;
  }
  std::filesystem::path root_;
  const std::vector<std::byte> some_{std::byte{1}, std::byte{2}, std::byte{3}};
};

TEST_F(PrivateFiles, folder_and_file_are_the_users_alone_whatever_the_umask) {
  const mode_t before = ::umask(0277);
  const auto folder = root_ / "folder";
  const os::Fd fd = os::open_private_folder(folder);
  const bool written = os::write_private_file(fd, "file", some_);
  ::umask(before);
  EXPECT_TRUE(written);
  EXPECT_EQ(mode_of(folder / "file"), 0600U);
  EXPECT_EQ(mode_of(folder), 0700U);
  EXPECT_EQ(os::read_whole(folder / "file", 3), some_);
}

TEST_F(PrivateFiles, a_folder_that_is_there_stays_as_it_is) {
  ::chmod(root_.c_str(), 0755);
  EXPECT_TRUE(os::open_private_folder(root_));
  EXPECT_EQ(mode_of(root_), 0755U);
  EXPECT_TRUE(os::open_private_folder(root_ / "a/b/c"));
  EXPECT_EQ(mode_of(root_ / "a/b/c"), 0700U);
}

TEST_F(PrivateFiles, a_name_that_is_taken_is_not_overwritten) {
  const os::Fd fd = os::open_private_folder(root_);
  ASSERT_TRUE(os::write_private_file(fd, "file", some_));
  EXPECT_FALSE(os::write_private_file(fd, "file", {}));
  EXPECT_EQ(os::read_whole(root_ / "file", 3), some_);
  EXPECT_EQ(os::names_in(fd), std::vector<std::string>{"file"});
}

TEST_F(PrivateFiles, without_nameless_files_it_is_the_same) {
  const os::Fd fd = os::open_private_folder(root_);
  ASSERT_TRUE(os::write_private_file_by_rename(fd, "file", some_));
  EXPECT_FALSE(os::write_private_file_by_rename(fd, "file", {}));
  EXPECT_EQ(os::read_whole(root_ / "file", 3), some_);
  EXPECT_EQ(mode_of(root_ / "file"), 0600U);
  ASSERT_TRUE(os::write_private_file(fd, "other.tmp", {}));
  EXPECT_FALSE(os::write_private_file_by_rename(fd, "other", some_));
  auto names = os::names_in(fd);
  std::ranges::sort(names);
  EXPECT_EQ(names, (std::vector<std::string>{"file", "other.tmp"}));
}

TEST_F(PrivateFiles, what_cannot_be_written_leaves_nothing_and_no_signal) {
  const os::Fd fd = os::open_private_folder(root_);
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &limit), 0);
  const rlimit small{2, limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  EXPECT_THROW(os::write_private_file(fd, "file", some_), std::system_error);
  ::setrlimit(RLIMIT_FSIZE, &limit);
  EXPECT_TRUE(os::names_in(fd).empty());
}

TEST_F(PrivateFiles, names_are_listed_again_and_removed) {
  const os::Fd fd = os::open_private_folder(root_);
  for (const char* name : {"a", "b", "c"}) os::write_private_file(fd, name, some_);
  EXPECT_TRUE(os::remove_file(fd, "b"));
  EXPECT_FALSE(os::remove_file(fd, "b"));
  for (int i = 0; i != 2; ++i) {
    auto names = os::names_in(fd);
    std::ranges::sort(names);
    EXPECT_EQ(names, (std::vector<std::string>{"a", "c"}));
  }
}

TEST_F(PrivateFiles, what_cannot_be_read_says_why) {
  EXPECT_THROW(os::read_whole(root_ / "none", 10), std::system_error);
  EXPECT_THROW(os::read_whole(root_, 10), std::system_error);
  EXPECT_THROW(os::read_whole("/dev/zero", 1000), std::system_error);
  EXPECT_THROW(os::open_private_folder("/proc/none/folder"), std::system_error);
}

}  // namespace
}  // namespace procpool::test
