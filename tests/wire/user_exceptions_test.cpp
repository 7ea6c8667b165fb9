// Exceptions of users: registered, unknown, hostile; their tracebacks.
#include <iostream>
#include <stdexcept>
#include <string>
#include <typeinfo>

#include "sent_home.hpp"

namespace wire_test {
namespace {

struct Unregistered : FieldError {
  using FieldError::FieldError;
};
struct FinalError final : std::runtime_error {
  FinalError() : runtime_error("") {}
  explicit FinalError(const std::string& text) : runtime_error(text) {}
  template <class A>
  void serialize(A&) {}
};
struct RefusesToEncode : std::runtime_error {
  RefusesToEncode() : runtime_error("refuses") {}
  template <class A>
  void save(A&) const {
    throw 1;
  }
  template <class A>
  void load(A&) {}
};
struct CopyThrows : std::runtime_error {
  CopyThrows() : runtime_error("not to be copied") {}
  CopyThrows(const CopyThrows& other) : runtime_error(other) { throw std::logic_error("copied"); }
  CopyThrows& operator=(const CopyThrows&) = default;
  template <class A>
  void serialize(A&) {}
};
struct NullText : std::exception {
  const char* what() const noexcept override { return nullptr; }
};
enum class Status : int { teapot = 418 };

[[maybe_unused]] const bool registered =
    procpool::register_exception<FinalError>() && procpool::register_exception<RefusesToEncode>() &&
    procpool::register_exception<CopyThrows>() && procpool::register_exception<Status>();

template <class Throw>
procpool::RemoteError remote_error_of(Throw thrower) {
  try {
    std::rethrow_exception(sent_home(thrower));
  } catch (const procpool::RemoteError& error) {
    EXPECT_EQ(procpool::trace(error), expected_trace);
    return error;
  }
}

TEST(Conformance, P_ERR_01_RegisteredTypesArriveWithAllFields) {
  expect_home<FieldError>(
      [] {
        throw FieldError("bad row", 7, {1, 2});
      },
      [](const FieldError& error) {
        EXPECT_STREQ(error.what(), "bad row");
        EXPECT_EQ(error.row, 7);
        EXPECT_EQ(error.columns, (std::vector{1, 2}));
      });
  expect_home<ConstructedError>([] { throw ConstructedError(3); },
                                [](const ConstructedError& error) {
                                  EXPECT_EQ(error.code, 3);
                                  EXPECT_STREQ(error.what(), "code 3");
                                });
}

TEST(Conformance, P_ERR_02_TheTracebackIsTheInnermostLink) {
  try {
    std::rethrow_exception(sent_home([] { throw std::out_of_range("o"); }));
  } catch (const std::out_of_range& error) {
    try {
      std::rethrow_if_nested(error);
      FAIL() << "nothing is nested";
    } catch (const procpool::RemoteTraceback& traceback) {
      EXPECT_EQ(traceback.what(), expected_trace);
    }
  }
}

TEST(Conformance, P_ERR_02_TheTracebackHasTheFunctionsThatItIsGiven) {
  std::string text;
  try {
    throw 1;
  } catch (...) {
    const std::array<std::uintptr_t, 1> nowhere{0x12};
    text = traceback_text(wire::record_current_exception({"f()", 1, 2, 3, nowhere}));
  }
  EXPECT_EQ(text, "0x12\nin f() [worker 1, task 2, attempt 3]");
}

TEST(Conformance, P_ERR_02_FinalAndNonClassTypesComeBare) {
  try {
    std::rethrow_exception(sent_home([] { throw FinalError("end"); }));
  } catch (const FinalError& error) {
    EXPECT_EQ(typeid(error), typeid(FinalError));
    EXPECT_STREQ(error.what(), "end");
  }
  try {
    std::rethrow_exception(sent_home([] { throw Status::teapot; }));
  } catch (Status status) {
    EXPECT_EQ(status, Status::teapot);
  }
  const auto record = wire::parse(encode_thrown([] { throw FinalError("end"); }));
  EXPECT_EQ(traceback_text(record), expected_trace);
}

TEST(Conformance, P_ERR_04_UnknownTypesAreNamed) {
  const auto error = remote_error_of([] { throw Unregistered("u", 1, {}); });
  EXPECT_EQ(error.type_name(), "wire_test::(anonymous namespace)::Unregistered");
  EXPECT_EQ(error.message(), "u");
}

TEST(Conformance, P_ERR_04_WhatIsNoStdException) {
  const auto number = remote_error_of([] { throw 42; });
  EXPECT_EQ(number.type_name(), "int");
  EXPECT_EQ(number.message(), "42");
  EXPECT_EQ(remote_error_of([] { throw "text"; }).type_name(), "char const*");
  EXPECT_EQ(remote_error_of([] { throw "text"; }).message(), "text");
  EXPECT_EQ(remote_error_of([] { throw std::string("s"); }).message(), "s");
  EXPECT_EQ(remote_error_of([] { throw 2.5; }).what(), std::string("double"));
}

TEST(Conformance, P_ERR_06_TenMegabytesOfTextAreTruncatedAndMarked) {
  const std::string huge(10 * 1024 * 1024, 'x');
  std::string cut(wire::max_error_text, 'x');
  cut += "… (truncated, 10485760 bytes)";
  expect_home<std::runtime_error>(
      [&] { throw std::runtime_error(huge); },
      [&](const std::runtime_error& error) { EXPECT_EQ(error.what(), cut); });
  EXPECT_EQ(remote_error_of([&] { throw Unregistered(huge, 1, {}); }).message(), cut);
}

TEST(Conformance, P_ERR_06_TextIsCutBetweenCharacters) {
  bool truncated = false;
  EXPECT_EQ(wire::truncate("aéb", 2, truncated), "a… (truncated, 4 bytes)");
  EXPECT_TRUE(truncated);
  EXPECT_EQ(wire::truncate("aéb", 3, truncated), "aé… (truncated, 4 bytes)");
  EXPECT_EQ(wire::truncate("aéb", 4, truncated), "aéb");
  EXPECT_FALSE(truncated);
}

TEST(Conformance, P_ERR_06_ExceptionsThatMisbehave) {
  EXPECT_EQ(remote_error_of([] { throw CopyThrows(); }).message(), "not to be copied");
  EXPECT_EQ(remote_error_of([] { throw RefusesToEncode(); }).message(), "refuses");
  EXPECT_EQ(remote_error_of([] { throw NullText(); }).message(),
            "(what() returned a null pointer)");
}

TEST(Rebuild, MakesANewExceptionEachTime) {
  const auto record = wire::parse(encode_thrown([] { throw std::runtime_error("r"); }));
  EXPECT_NE(wire::rebuild(record), wire::rebuild(record));
}

TEST(Registration, IsRefusedAfterInit) {
  EXPECT_TRUE(procpool::detail::registration_open());
  EXPECT_EXIT(
      {
        procpool::detail::close_registration();
        try {
          procpool::register_exception<FieldError>();
        } catch (const procpool::Misuse& error) {
          std::cerr << error.what();
          std::_Exit(procpool::detail::registration_open() ? 1 : 0);
        }
        std::_Exit(2);
      },
      testing::ExitedWithCode(0), "register_exception was called after init");
}

TEST(Trace, IsEmptyForALocalException) {
  EXPECT_EQ(procpool::trace(std::runtime_error("local")), "");
  try {
    throw_three();
  } catch (const std::exception& error) {
    EXPECT_EQ(procpool::trace(error), "");
  }
}

}  // namespace
}  // namespace wire_test
