// A stack as bytes, and the bytes as text.
#include "os/stack.hpp"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <random>

#include "os/modules.hpp"
#include "os/stack_text.hpp"

namespace stack_of_test {

using namespace procpool;

std::vector<std::byte> taken;

[[gnu::noinline]] void innermost() {
  std::array<std::uintptr_t, os::max_frames> frames;
  const std::size_t count = os::capture_stack(frames);
  taken.resize(os::max_stack_bytes);
  taken.resize(os::write_stack(std::span(frames).first(count), taken));
}

constexpr int line_of_call = __LINE__ + 2;
[[gnu::noinline]] void outer() {
  innermost();
  asm volatile("");  // no tail call
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::string at_line(int line) { return "os_stack_test.cpp:" + std::to_string(line); }

TEST(OsStack, FramesHaveFunctionFileAndLine) {
  outer();
  const std::string text = os::stack_text(taken);
  EXPECT_TRUE(text.starts_with("stack_of_test::innermost() at ")) << text;
  EXPECT_TRUE(has(text, "\nstack_of_test::outer() at ")) << text;
  EXPECT_TRUE(has(text, at_line(line_of_call))) << text;
  EXPECT_LT(taken.size(), 2000U);
}

// glibc's qsort calls back: a frame of another module lies between ours.
int compare(const void* a, const void* b) {
  innermost();
  return *static_cast<const int*>(a) - *static_cast<const int*>(b);
}

TEST(OsStack, AnotherModuleIsNamed) {
  std::array<int, 2> numbers{2, 1};
  std::qsort(numbers.data(), numbers.size(), sizeof(int), compare);
  const std::string text = os::stack_text(taken);
  EXPECT_TRUE(has(text, "qsort") || has(text, "libc.so.6+0x")) << text;
  EXPECT_TRUE(has(text, "stack_of_test::compare(")) << text;
}

TEST(OsStack, AModuleWithAnotherBuildIdIsOnlyNamed) {
  outer();
  auto stack = os::read_stack(taken);
  ASSERT_TRUE(stack);
  ASSERT_FALSE(stack->modules.empty());
  for (os::Stack::Module& module : stack->modules) {
    ASSERT_FALSE(module.path.empty());
    if (!module.build_id.empty()) module.build_id[0] = static_cast<char>(module.build_id[0] ^ 1);
  }
  const std::string text = os::stack_text(*stack);
  EXPECT_FALSE(has(text, "outer")) << text;
  EXPECT_TRUE(has(text, "procpool_test_os+0x")) << text;
}

TEST(OsStack, PathsThatAreNoFilesAreNotWaitedFor) {
  outer();
  auto stack = os::read_stack(taken);
  ASSERT_TRUE(stack);
  const std::string fifo = testing::TempDir() + "os_stack_" + std::to_string(::getpid());
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  for (const char* path : {fifo.c_str(), "/", "/dev/zero", "/proc/self/mem", "not/there"}) {
    for (os::Stack::Module& module : stack->modules) {
      module.path = path;
      module.is_program = false;
    }
    EXPECT_FALSE(has(os::stack_text(*stack), "outer")) << path;
  }
  ::unlink(fifo.c_str());
}

TEST(OsStack, GarbageIsRefusedOrHarmless) {
  outer();
  std::mt19937 random(4711);
  for (int round = 0; round != 2000; ++round) {
    auto bytes = taken;
    for (int i = 0; i != 4; ++i) bytes[random() % bytes.size()] = static_cast<std::byte>(random());
    bytes.resize(random() % (bytes.size() + 1));
    const auto stack = os::read_stack(bytes);
    if (!stack) continue;
    for (const os::Stack::Frame& frame : stack->frames) {
      EXPECT_TRUE(frame.module == os::Stack::no_module || frame.module < stack->modules.size());
    }
  }
  for (std::size_t size = 0; size != taken.size(); ++size) {
    EXPECT_FALSE(os::read_stack(std::span(taken).first(size))) << size;
  }
  EXPECT_EQ(os::stack_text(std::span<const std::byte>()), "");
}

TEST(OsStack, LittleRoomHoldsWhatFits) {
  std::array<std::uintptr_t, os::max_frames> frames;
  const std::size_t count = os::capture_stack(frames);
  ASSERT_GE(count, 3U);
  for (std::size_t size = 0; size != 400; ++size) {
    std::vector<std::byte> room(size);
    room.resize(os::write_stack(std::span(frames).first(count), room));
    const auto stack = os::read_stack(room);
    EXPECT_EQ(stack.has_value(), size >= 8) << size;
  }
}

std::array<std::uintptr_t, os::max_frames> interrupted;
volatile std::size_t interrupted_count = 0;

void on_signal(int, siginfo_t*, void* context) {
  interrupted_count = os::capture_interrupted(interrupted, context, true);
}

std::string text_of_interrupted() {
  std::vector<std::byte> room(os::max_stack_bytes);
  room.resize(os::write_stack(std::span(interrupted).first(interrupted_count), room));
  return os::stack_text(room);
}

struct Handler {
  explicit Handler(int flags = 0) {
    os::warm_up_unwinder();
    struct sigaction action {};
    action.sa_sigaction = on_signal;
    action.sa_flags = SA_SIGINFO | flags;
    ::sigaction(SIGUSR1, &action, &before);
  }
  ~Handler() { ::sigaction(SIGUSR1, &before, nullptr); }
  Handler(const Handler&) = delete;
  Handler& operator=(const Handler&) = delete;
  struct sigaction before {};
};

[[gnu::noinline]] void interrupted_here() {
  ::raise(SIGUSR1);
  asm volatile("");
}

TEST(OsStack, AHandlersOwnFramesAreLeftOut) {
  const Handler handler;
  interrupted_here();
  const std::string text = text_of_interrupted();
  EXPECT_TRUE(has(text, "stack_of_test::interrupted_here() at ")) << text;
  EXPECT_FALSE(has(text, "on_signal")) << text;
  EXPECT_FALSE(has(text, "restore_rt")) << text;
}

sigjmp_buf back;

void on_fault(int, siginfo_t*, void* context) {
  interrupted_count = os::capture_interrupted(interrupted, context, true);
  ::siglongjmp(back, 1);
}

[[gnu::noinline]] void calls_nothing(void (*nothing)()) {
  asm volatile("" : "+r"(nothing));
  nothing();
  asm volatile("");
}

#ifndef __SANITIZE_ADDRESS__  // which takes the fault for itself
TEST(OsStack, TheCallerOfANullPointerIsFound) {
  os::warm_up_unwinder();
  struct sigaction action {};
  struct sigaction before {};
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO;
  ASSERT_EQ(::sigaction(SIGSEGV, &action, &before), 0);
  if (sigsetjmp(back, 1) == 0) calls_nothing(nullptr);
  ::sigaction(SIGSEGV, &before, nullptr);
  const std::string text = text_of_interrupted();
  EXPECT_TRUE(text.starts_with("0x0\nstack_of_test::calls_nothing(")) << text;
  EXPECT_TRUE(has(text, "TheCallerOfANullPointerIsFound")) << text;
}
#endif

}  // namespace stack_of_test
