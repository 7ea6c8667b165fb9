// Code identity: the same name for the same byte in every process that runs the same code.
#include "os/modules.hpp"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "os_support.hpp"
#include "support/census.hpp"
#include "support/processes.hpp"

namespace {

using namespace procpool;
using os::CodeAddress;

int some_function(int x) { return x + 1; }
int some_data = 7;

const void* address_of(int (*function)(int)) { return reinterpret_cast<const void*>(function); }

// A library of glibc that nothing links.
constexpr const char* library = "libBrokenLocale.so.1";

struct Library {
  explicit Library(const std::string& path) : handle(::dlopen(path.c_str(), RTLD_NOW)) {
    if (handle == nullptr) throw std::runtime_error(::dlerror());
  }
  ~Library() { ::dlclose(handle); }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
  const void* symbol(const char* name) const { return ::dlsym(handle, name); }
  void* handle;
};

constexpr const char* its_symbol = "__ctype_get_mb_cur_max";

std::string path_of_library() {
  const Library opened(library);
  Dl_info info{};
  if (::dladdr(opened.symbol(its_symbol), &info) == 0) throw std::runtime_error("dladdr");
  return std::filesystem::canonical(info.dli_fname);
}

// A copy of the library; `spoil_id`: whose build id note bears another owner's name.
std::string copy_of_library(const char* suffix, bool spoil_id) {
  std::string bytes = test::text_of(path_of_library());
  const std::string note("\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0", 16);
  const std::size_t at = bytes.find(note);
  if (at == std::string::npos) throw std::runtime_error("no build id in " + path_of_library());
  if (spoil_id) bytes[at + 12] = 'X';
  const std::string path = testing::TempDir() + "os_modules_" + std::to_string(::getpid()) + suffix;
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

TEST(OsModules, AnAddressIsFoundAgain) {
  const CodeAddress code = os::identify(address_of(some_function));
  EXPECT_NE(code.module, 0U);
  EXPECT_EQ(code.module, os::program_identity());
  EXPECT_EQ(os::locate(code, true), address_of(some_function));
  EXPECT_EQ(os::identify(address_of(some_function)), code);
}

TEST(OsModules, DataIsFoundButIsNoCode) {
  const CodeAddress data = os::identify(&some_data);
  EXPECT_EQ(data.module, os::program_identity());
  EXPECT_EQ(os::locate(data, false), &some_data);
  EXPECT_EQ(os::locate(data, true), nullptr);
}

TEST(OsModules, WhatIsInNoModuleHasNoIdentity) {
  const int on_stack = 0;
  const auto on_heap = std::make_unique<int>(0);
  EXPECT_EQ(os::identify(&on_stack), CodeAddress{});
  EXPECT_EQ(os::identify(on_heap.get()), CodeAddress{});
  EXPECT_EQ(os::identify(nullptr), CodeAddress{});
}

TEST(OsModules, NonsenseIsNotLocated) {
  const std::uint64_t program = os::program_identity();
  EXPECT_EQ(os::locate({0, 0}, false), nullptr);
  EXPECT_EQ(os::locate({program + 1, 0x1000}, false), nullptr);
  EXPECT_EQ(os::locate({program, ~std::uint64_t{0}}, false), nullptr);
  EXPECT_EQ(os::locate({program, std::uint64_t{1} << 40}, false), nullptr);
}

TEST(OsModules, AFreshExecutionHasTheSameIdentities) {
  const auto identity = [] {
    const CodeAddress code = os::identify(address_of(some_function));
    return std::to_string(code.module) + "+" + std::to_string(code.offset);
  };
  if (const char* path = std::getenv("PROCPOOL_TEST_IDENTITY_FILE")) {
    std::ofstream(path) << identity();
    return;
  }
  const std::string path = testing::TempDir() + "os_modules_id_" + std::to_string(::getpid());
  ASSERT_EQ(test::wait_status(test::start_child([&] {
              ::setenv("PROCPOOL_TEST_IDENTITY_FILE", path.c_str(), 1);
              ::execl("/proc/self/exe", "again", "--gtest_filter=OsModules.AFresh*", nullptr);
            })),
            0);
  EXPECT_EQ(test::text_of(path), identity());
  ::unlink(path.c_str());
}

TEST(OsModules, ALibraryLoadedLaterIsFoundAndForgottenWhenUnloaded) {
  CodeAddress where;
  {
    const std::string before = os::module_name(os::program_identity());
    const Library opened(library);
    const void* symbol = opened.symbol(its_symbol);
    where = os::identify(symbol);
    ASSERT_NE(where.module, 0U);
    EXPECT_NE(where.module, os::program_identity());
    EXPECT_EQ(os::locate(where, true), symbol);
    EXPECT_TRUE(os::module_name(where.module).starts_with("libBrokenLocale.so.1 (build id "));
  }
  EXPECT_EQ(os::locate(where, false), nullptr);
  EXPECT_EQ(os::module_name(where.module), "");
}

TEST(OsModules, WithoutABuildIdTheCodeItselfIsTheIdentity) {
  const std::string with = copy_of_library("_id.so", false);
  const std::string without = copy_of_library("_none.so", true);
  const std::string again = copy_of_library("_again.so", true);
  CodeAddress first, second;
  {
    const Library opened(without);
    first = os::identify(opened.symbol(its_symbol));
    EXPECT_TRUE(os::module_name(first.module).ends_with("_none.so (no build id)"));
  }
  {
    const Library opened(again);
    EXPECT_EQ(os::module_name(0), "");
    second = os::identify(opened.symbol(its_symbol));
  }
  const Library opened(with);
  EXPECT_NE(os::program_identity(), first.module);  // has the loader's changes noticed
  EXPECT_EQ(first, second);
  EXPECT_NE(first.module, 0U);
  EXPECT_NE(os::identify(opened.symbol(its_symbol)).module, first.module);
  for (const std::string& path : {with, without, again}) ::unlink(path.c_str());
}

TEST(OsModules, ThreadsLookUpWhileLibrariesComeAndGo) {
  const CodeAddress expected = os::identify(address_of(some_function));
  std::atomic<bool> stop{false};
  std::atomic<int> bad{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      while (!stop) {
        bad += os::identify(address_of(some_function)) == expected ? 0 : 1;
        bad += os::locate(expected, true) == address_of(some_function) ? 0 : 1;
      }
    });
  }
  for (int i = 0; i < 50; ++i) {
    const Library opened(library);
    bad += os::identify(opened.symbol(its_symbol)).module != 0 ? 0 : 1;
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(bad, 0);
}

TEST(OsModules, DescribesCodeForMessages) {
  EXPECT_NE(os::describe_code(reinterpret_cast<const void*>(&std::terminate)).find("terminate()"),
            std::string::npos);
  const CodeAddress code = os::identify(address_of(some_function));
  std::array<char, 20> offset{};
  std::snprintf(offset.data(), offset.size(), "+0x%zx", static_cast<std::size_t>(code.offset));
  const std::string text = os::describe_code(address_of(some_function));
  EXPECT_TRUE(text.ends_with(offset.data()) || text.find("some_function(int)") != text.npos)
      << text;
  EXPECT_EQ(os::describe_code(nullptr), "unknown+0x0");
}

}  // namespace
