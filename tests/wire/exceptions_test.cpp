// Exceptions through encode, parse and rebuild, as they go from a worker to its pool.

#include <gtest/gtest.h>

#include <any>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <iostream>
#include <memory>
#include <new>
#include <optional>
#include <procpool/errors.hpp>
#include <random>
#include <regex>
#include <stdexcept>
#include <string>
#include <system_error>
#include <typeinfo>
#include <variant>

#include "wire/exception_codec.hpp"

namespace {

namespace wire = procpool::wire;

constexpr std::string_view expected_trace = "in square(int) [worker 4711, task 17, attempt 1]";

template <class Throw>
std::vector<std::byte> encode_thrown(Throw thrower) {
  try {
    thrower();
  } catch (...) {
    return wire::encode_current_exception({"square(int)", 4711, 17, 1});
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

template <class Throw>
std::exception_ptr sent_home(Throw thrower) {
  return wire::rebuild(wire::parse(encode_thrown(thrower)));
}

/// What arrives as an E, with the trace as its innermost link.
template <class E, class Throw, class Check>
void expect_home(Throw thrower, Check check) {
  try {
    std::rethrow_exception(sent_home(thrower));
  } catch (const E& error) {
    EXPECT_EQ(procpool::trace(error), expected_trace);
    check(error);
  }
}

template <class E>
void expect_same_text(const E& original) {
  expect_home<E>([&] { throw original; },
                 [&](const E& error) { EXPECT_STREQ(error.what(), original.what()); });
}

template <class E>
std::string text_of_thrown(const std::function<void()>& thrower) {
  try {
    thrower();
  } catch (const E& error) {
    return error.what();
  }
  return "not thrown";
}

/// For exceptions that the library itself throws.
template <class E>
void expect_home_from(const std::function<void()>& thrower) {
  const std::string text = text_of_thrown<E>(thrower);
  expect_home<E>(thrower, [&](const E& error) { EXPECT_EQ(error.what(), text); });
}

TEST(Conformance, P_ERR_01_TextExceptionsArriveAsThemselves) {
  expect_same_text(std::logic_error("l"));
  expect_same_text(std::invalid_argument("i"));
  expect_same_text(std::domain_error("d"));
  expect_same_text(std::length_error("len"));
  expect_same_text(std::out_of_range("o"));
  expect_same_text(std::runtime_error("r"));
  expect_same_text(std::range_error("ra"));
  expect_same_text(std::overflow_error("ov"));
  expect_same_text(std::underflow_error(""));
}

TEST(Conformance, P_ERR_01_ExceptionsWithFixedTextsArriveAsThemselves) {
  expect_same_text(std::exception());
  expect_same_text(std::bad_alloc());
  expect_same_text(std::bad_array_new_length());
  expect_same_text(std::bad_cast());
  expect_same_text(std::bad_any_cast());
  expect_same_text(std::bad_typeid());
  expect_same_text(std::bad_function_call());
  expect_same_text(std::bad_optional_access());
  expect_same_text(std::bad_weak_ptr());
  expect_same_text(std::bad_exception());
  expect_home_from<std::bad_variant_access>([] { std::get<1>(std::variant<int, char>(1)); });
  expect_home_from<std::bad_weak_ptr>([] { std::shared_ptr<int> p{std::weak_ptr<int>()}; });
}

TEST(Conformance, P_ERR_01_SystemErrorsKeepCodeAndCategory) {
  const auto denied = std::make_error_code(std::errc::permission_denied);
  for (const std::system_error& original :
       {std::system_error(denied), std::system_error(denied, "open"),
        std::system_error(0, std::system_category(), "ok"),
        std::system_error(std::make_error_code(std::future_errc::broken_promise), "x: y")})
    expect_home<std::system_error>([&] { throw original; },
                                   [&](const std::system_error& error) {
                                     EXPECT_STREQ(error.what(), original.what());
                                     EXPECT_EQ(error.code(), original.code());
                                   });
}

class OwnCategory : public std::error_category {
  const char* name() const noexcept override { return "own"; }
  std::string message(int code) const override { return "own text " + std::to_string(code); }
};

TEST(Conformance, P_ERR_01_ACategoryUnknownHereKeepsItsName) {
  const OwnCategory category;
  expect_home<std::system_error>([&] { throw std::system_error(5, category, "doing"); },
                                 [](const std::system_error& error) {
                                   EXPECT_STREQ(error.what(), "doing: own text 5");
                                   EXPECT_EQ(error.code().value(), 5);
                                   EXPECT_STREQ(error.code().category().name(), "own");
                                 });
}

TEST(Conformance, P_ERR_01_FilesystemErrorsKeepTheirPaths) {
  using std::filesystem::filesystem_error;
  const auto code = std::make_error_code(std::errc::no_such_file_or_directory);
  for (const filesystem_error& original :
       {filesystem_error("copy", "/a", "/b", code), filesystem_error("stat", "/a", code),
        filesystem_error("cwd", code), filesystem_error("", code)})
    expect_home<filesystem_error>([&] { throw original; },
                                  [&](const filesystem_error& error) {
                                    EXPECT_STREQ(error.what(), original.what());
                                    EXPECT_EQ(error.code(), original.code());
                                    EXPECT_EQ(error.path1(), original.path1());
                                    EXPECT_EQ(error.path2(), original.path2());
                                  });
}

TEST(Conformance, P_ERR_01_OtherErrorsWithCodes) {
  expect_home<std::future_error>(
      [] { throw std::future_error(std::future_errc::no_state); },
      [](const std::future_error& error) {
        EXPECT_EQ(error.code(), std::make_error_code(std::future_errc::no_state));
        EXPECT_STREQ(error.what(), std::future_error(std::future_errc::no_state).what());
      });
  // The library gives its regex errors texts that no constructor takes.
  std::regex_error unclosed(std::regex_constants::error_paren);
  static_cast<std::runtime_error&>(unclosed) = std::runtime_error("Parenthesis is not closed.");
  expect_same_text(unclosed);
  expect_home<std::regex_error>([&] { throw unclosed; },
                                [](const std::regex_error& error) {
                                  EXPECT_EQ(error.code(), std::regex_constants::error_paren);
                                });
}

TEST(Conformance, P_ERR_01_StreamFailures) {
  const auto fail = [] {
    std::ifstream file("/nonexistent");
    file.exceptions(std::ios::failbit);
  };
  expect_home_from<std::ios_base::failure>(fail);
  expect_home<std::ios_base::failure>(
      [] { throw std::ios_base::failure("f", std::make_error_code(std::io_errc::stream)); },
      [](const std::ios_base::failure& error) { EXPECT_EQ(error.code(), std::io_errc::stream); });
}

TEST(Conformance, P_ERR_01_TheLibrarysOwnErrors) {
  expect_same_text(procpool::Error("e"));
  expect_same_text(procpool::TaskTimeout("e"));
  expect_same_text(procpool::TimeoutError("e"));
  expect_same_text(procpool::Cancelled("e"));
  expect_same_text(procpool::PoolClosed("e"));
  expect_same_text(procpool::PoolTerminated("e"));
  expect_same_text(procpool::PoolBroken("e"));
  expect_same_text(procpool::EncodingError("e"));
  expect_same_text(procpool::DecodingError("e"));
  expect_same_text(procpool::UnknownTask("e"));
  expect_same_text(procpool::Misuse("e"));
  expect_home<procpool::RemoteError>([] { throw procpool::RemoteError("T", "m"); },
                                     [](const procpool::RemoteError& error) {
                                       EXPECT_EQ(error.type_name(), "T");
                                       EXPECT_EQ(error.message(), "m");
                                       EXPECT_STREQ(error.what(), "T: m");
                                     });
  expect_home<procpool::WorkerCrashed>(
      [] { throw procpool::WorkerCrashed({.signal = 11, .pid = 9, .attempt = 2, .text = "t"}); },
      [](const procpool::WorkerCrashed& error) {
        EXPECT_EQ(error.signal(), 11);
        EXPECT_EQ(error.exit_code(), std::nullopt);
        EXPECT_EQ(error.pid(), 9);
        EXPECT_EQ(error.attempt(), 2u);
        EXPECT_TRUE(error.started());
        EXPECT_STREQ(error.what(), "t");
      });
}

// Types of a user.

struct FieldError : std::runtime_error {
  FieldError() : runtime_error("") {}
  FieldError(const std::string& text, int at_row, std::vector<int> at_columns)
      : runtime_error(text), row(at_row), columns(std::move(at_columns)) {}
  template <class A>
  void serialize(A& ar) {
    ar(row, columns);
  }
  int row = 0;
  std::vector<int> columns;
};
struct Unregistered : FieldError {
  using FieldError::FieldError;
};
struct ConstructedError : std::logic_error {
  explicit ConstructedError(int number)
      : logic_error("code " + std::to_string(number)), code(number) {}
  template <class A>
  void serialize(A& ar) {
    ar(code);
  }
  template <class A>
  static void load_and_construct(A& ar, cereal::construct<ConstructedError>& construct) {
    int number = 0;
    ar(number);
    construct(number);
  }
  int code;
};
struct FinalError final : std::runtime_error {
  FinalError() : runtime_error("") {}
  explicit FinalError(const std::string& text) : runtime_error(text) {}
  template <class A>
  void serialize(A&) {}
};
struct SelfNested : std::runtime_error, std::nested_exception {
  SelfNested() : runtime_error("self") {}
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
    procpool::register_exception<FieldError>() && procpool::register_exception<FieldError>() &&
    procpool::register_exception<ConstructedError>() &&
    procpool::register_exception<FinalError>() && procpool::register_exception<SelfNested>() &&
    procpool::register_exception<RefusesToEncode>() && procpool::register_exception<CopyThrows>() &&
    procpool::register_exception<Status>();

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
    text = traceback_text(wire::record_current_exception({"f()", 1, 2, 3, "g at g.cpp:7"}));
  }
  EXPECT_EQ(text, "g at g.cpp:7\nin f() [worker 1, task 2, attempt 3]");
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

void throw_three() {
  try {
    try {
      throw std::invalid_argument("inner");
    } catch (...) {
      std::throw_with_nested(FieldError("middle", 1, {}));
    }
  } catch (...) {
    std::throw_with_nested(std::runtime_error("outer"));
  }
}

std::vector<std::string> texts_of_chain(const std::exception_ptr& error) {
  std::vector<std::string> texts;
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& link) {
    texts.emplace_back(link.what());
    const auto* nested = dynamic_cast<const std::nested_exception*>(&link);
    if (nested != nullptr && nested->nested_ptr() != nullptr)
      for (std::string& text : texts_of_chain(nested->nested_ptr())) texts.push_back(text);
  }
  return texts;
}

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

TEST(Conformance, P_ERR_04_UnknownTypesAreNamed) {
  const auto error = remote_error_of([] { throw Unregistered("u", 1, {}); });
  EXPECT_EQ(error.type_name(), "(anonymous namespace)::Unregistered");
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
  expect_home<std::runtime_error>([&] { throw std::runtime_error(huge); },
                                  [](const std::runtime_error& error) {
                                    EXPECT_EQ(error.what(), std::string(wire::max_error_text, 'x') +
                                                                "… (truncated, 10485760 bytes)");
                                  });
  EXPECT_EQ(remote_error_of([&] { throw Unregistered(huge, 1, {}); }).message().size(),
            wire::max_error_text + std::string_view("… (truncated, 10485760 bytes)").size());
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

// A record from a worker that has gone wrong.

bool survives(std::span<const std::byte> bytes) {
  try {
    return wire::rebuild(wire::parse(bytes)) != nullptr;
  } catch (const procpool::DecodingError&) {
    return false;
  }
}

TEST(HostileRecord, TruncatedAtEveryByteIsRefused) {
  const auto good = encode_thrown(throw_three);
  EXPECT_TRUE(survives(good));
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_FALSE(survives(std::span(good).first(size))) << size;
}

TEST(HostileRecord, MutationsEndInAnException) {
  const std::uint64_t seed = std::random_device()();
  std::cout << "seed " << seed << '\n';
  std::mt19937_64 random(seed);
  const auto code = std::make_error_code(std::errc::io_error);
  const std::vector<std::vector<std::byte>> records{
      encode_thrown(throw_three), encode_thrown([] { throw ConstructedError(1); }),
      encode_thrown([&] { throw std::filesystem::filesystem_error("f", "/a", "/b", code); }),
      encode_thrown([] { throw std::future_error(std::future_errc::no_state); }),
      encode_thrown([] { throw procpool::WorkerCrashed({.text = "t"}); })};
  std::size_t rebuilt = 0;
  for (int round = 0; round < 4000; ++round) {
    auto bytes = records[random() % records.size()];
    for (std::uint64_t n = 1 + random() % 4; n != 0; --n)
      bytes[random() % bytes.size()] = static_cast<std::byte>(random());
    rebuilt += survives(bytes) ? 1 : 0;
  }
  EXPECT_GT(rebuilt, 0u);
}

TEST(HostileRecord, FieldsThatMakeNoSenseBecomeARemoteError) {
  auto record = wire::parse(encode_thrown([] { throw FieldError("bad row", 7, {1, 2}); }));
  record.chain.front().fields.resize(3);
  EXPECT_THROW(std::rethrow_exception(wire::rebuild(record)), procpool::RemoteError);
  record = wire::parse(encode_thrown([] { throw std::system_error(1, std::system_category()); }));
  record.chain.front().fields.pop_back();
  EXPECT_THROW(std::rethrow_exception(wire::rebuild(record)), procpool::RemoteError);
}

TEST(HostileRecord, AnEmptyOrEndlessChainIsRefused) {
  wire::ErrorRecord record;
  EXPECT_THROW(wire::parse(serialise(record)), procpool::DecodingError);
  record.chain.resize(wire::max_error_links);
  EXPECT_EQ(wire::parse(serialise(record)), record);
  record.chain.resize(wire::max_error_links + 1);
  EXPECT_THROW(wire::parse(serialise(record)), procpool::DecodingError);
}

}  // namespace
