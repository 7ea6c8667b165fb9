// Exceptions with exceptions nested in them.
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include "sent_home.hpp"

namespace wire_test {
namespace {

struct SelfNested : std::runtime_error, std::nested_exception {
  SelfNested() : runtime_error("self") {}
  template <class A>
  void serialize(A&) {}
};
[[maybe_unused]] const bool registered = procpool::register_exception<SelfNested>();

TEST(Conformance, P_ERR_03_TheWholeChainArrives) {
  EXPECT_EQ(texts_of_chain(sent_home(throw_three)),
            (std::vector<std::string>{"outer", "middle", "inner", std::string(expected_trace)}));
  expect_home<std::runtime_error>(throw_three, [](const std::runtime_error& outer) {
    EXPECT_THROW(std::rethrow_if_nested(outer), FieldError);
  });
}

TEST(Conformance, P_ERR_03_ATypeThatIsItselfNestedNeverTerminates) {
  expect_home<SelfNested>([] { throw SelfNested(); },
                          [](const SelfNested& error) {
                            EXPECT_THROW(std::rethrow_if_nested(error), procpool::RemoteTraceback);
                          });
  const auto chain = texts_of_chain(sent_home([] {
    try {
      throw std::runtime_error("inner");
    } catch (...) {
      throw SelfNested();
    }
  }));
  EXPECT_EQ(chain, (std::vector<std::string>{"self", "inner", std::string(expected_trace)}));
}

void throw_deep(int levels) {
  if (levels == 0) throw std::runtime_error("0");
  try {
    throw_deep(levels - 1);
  } catch (...) {
    std::throw_with_nested(std::runtime_error(std::to_string(levels)));
  }
}

TEST(Conformance, P_ERR_03_AVeryLongChainIsCutAndSaysSo) {
  const auto texts = texts_of_chain(sent_home([] { throw_deep(40); }));
  ASSERT_EQ(texts.size(), wire::max_error_links + 1);
  EXPECT_EQ(texts.front(), "40");
  EXPECT_NE(texts.back().find("more exceptions were nested"), std::string::npos);
}

}  // namespace
}  // namespace wire_test
