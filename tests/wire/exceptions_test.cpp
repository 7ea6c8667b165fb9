// Exceptions of the standard library and of this one, each as itself.
#include <any>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <memory>
#include <new>
#include <optional>
#include <regex>
#include <stdexcept>
#include <string>
#include <system_error>
#include <typeinfo>
#include <variant>

#include "sent_home.hpp"

namespace wire_test {
namespace {

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

}  // namespace
}  // namespace wire_test
