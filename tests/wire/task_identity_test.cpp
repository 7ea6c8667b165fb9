// What travels of a task's code, and what is refused in the worker.
#include <gtest/gtest.h>

#include <cstring>
#include <procpool/errors.hpp>
#include <set>
#include <string>

namespace wire_test {
namespace {
constexpr int lookalike_base = 1;
}
}  // namespace wire_test
#include "lookalikes.hpp"

namespace {

namespace detail = procpool::detail;
using wire_test::Bytes;

int negate(int x) { return -x; }
int some_data = 7;

/// A call of `negate` whose function is said to be elsewhere.
Bytes call_of(detail::CodeAddress where) {
  Bytes bytes = wire_test::call_bytes(&negate, 1);
  std::memcpy(bytes.data(), &where, sizeof where);
  return bytes;
}

std::string refusal_of(detail::CodeAddress where) {
  wire_test::InMemory invocation(call_of(where));
  try {
    detail::Call<int (*)(int), int>::descriptor().thunk(invocation);
  } catch (const procpool::UnknownTask& error) {
    return error.what();
  }
  return "";
}

TEST(TaskIdentity, LookalikesAreDistinct) {
  const auto here = wire_test::lookalikes_here();
  const auto elsewhere = wire_test::lookalikes_elsewhere();
  std::set<const detail::Descriptor*> all(here.descriptors.begin(), here.descriptors.end());
  all.insert(elsewhere.descriptors.begin(), elsewhere.descriptors.end());
  EXPECT_EQ(all.size(), here.descriptors.size() + elsewhere.descriptors.size());
  EXPECT_EQ(here.results, std::vector<int>(8, 1));
  EXPECT_EQ(elsewhere.results, std::vector<int>(8, 2));
}

TEST(TaskIdentity, HowAnArgumentIsWrittenMakesNoOtherTask) {
  using F = int (*)(int);
  EXPECT_EQ((&detail::Call<F, int>::descriptor()), (&detail::Call<F&, const int&>::descriptor()));
  EXPECT_NE((&detail::Call<F, int>::descriptor()), (&detail::Call<F, short>::descriptor()));
}

TEST(TaskIdentity, AFunctionOfAnotherBuildIsUnknown) {
  const std::string text = refusal_of({0x1234abcd, 0x42});
  EXPECT_NE(text.find("has not loaded the module"), std::string::npos) << text;
  EXPECT_NE(text.find("0x1234abcd"), std::string::npos) << text;
  EXPECT_NE(text.find("0x42"), std::string::npos) << text;
}

TEST(TaskIdentity, AnOffsetOutsideTheCodeIsUnknown) {
  const auto here = detail::identify_code(reinterpret_cast<const void*>(&negate));
  const std::string text = refusal_of({here.module, 0x7fffffff0});
  EXPECT_NE(text.find("0x7fffffff0"), std::string::npos) << text;
  EXPECT_NE(text.find("procpool_test"), std::string::npos) << text;
  EXPECT_NE(refusal_of(detail::identify_code(&some_data)), "");
}

TEST(TaskIdentity, CodeInNoModuleIsRefusedAtHome) {
  const auto on_heap = std::make_unique<int>(0);
  EXPECT_THROW(detail::identify_function(on_heap.get()), procpool::Misuse);
}

TEST(TaskIdentity, OnlyRegisteredDescriptorsAreFound) {
  EXPECT_EQ(detail::find_descriptor(&some_data), nullptr);
  EXPECT_EQ(detail::find_descriptor(nullptr), nullptr);
  const auto& descriptor = detail::Call<int (*)(int), int>::descriptor();
  EXPECT_EQ(detail::find_descriptor(&descriptor), &descriptor);
  EXPECT_EQ(wire_test::found_again(descriptor), &descriptor);
}

TEST(TaskIdentity, RegisteringTwiceChangesNothing) {
  auto& descriptor = const_cast<detail::Descriptor&>(detail::Call<int (*)(int), int>::descriptor());
  const auto* next = descriptor.next;
  detail::register_descriptor(descriptor);
  EXPECT_EQ(descriptor.next, next);
  EXPECT_EQ(detail::find_descriptor(&descriptor), &descriptor);
}

}  // namespace
