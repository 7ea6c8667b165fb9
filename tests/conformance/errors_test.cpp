// Errors come home as themselves.
#include <any>
#include <cerrno>
#include <exception>
#include <filesystem>
#include <functional>
#include <future>
#include <ios>
#include <memory>
#include <new>
#include <optional>
#include <regex>
#include <system_error>
#include <typeinfo>
#include <utility>
#include <variant>

#include "conformance/conformance.hpp"

namespace procpool::test {
namespace {

template <class E>
void throw_text() {
  throw E("its text");
}
template <class E>
void throw_bare() {
  throw E();
}

// Caught as E, with the text and the trace of the task.
template <class E, class Task>
void expect_home(const Pool& pool, Task task, const std::string& text) {
  try {
    pool.apply(task);
    ADD_FAILURE() << "nothing was thrown";
  } catch (const E& error) {
    EXPECT_TRUE(contains(error.what(), text)) << error.what();
    EXPECT_NE(trace(error), "") << error.what();
  } catch (const std::exception& error) {
    ADD_FAILURE() << "another type: " << typeid(error).name() << " " << error.what();
  }
}

TEST_P(Conformance, P_ERR_01_standard_types_arrive_as_themselves) {
  const Pool pool = make_pool(1);
  expect_home<std::logic_error>(pool, throw_text<std::logic_error>, "its text");
  expect_home<std::invalid_argument>(pool, throw_text<std::invalid_argument>, "its text");
  expect_home<std::domain_error>(pool, throw_text<std::domain_error>, "its text");
  expect_home<std::length_error>(pool, throw_text<std::length_error>, "its text");
  expect_home<std::out_of_range>(pool, throw_text<std::out_of_range>, "its text");
  expect_home<std::runtime_error>(pool, throw_text<std::runtime_error>, "its text");
  expect_home<std::range_error>(pool, throw_text<std::range_error>, "its text");
  expect_home<std::overflow_error>(pool, throw_text<std::overflow_error>, "its text");
  expect_home<std::underflow_error>(pool, throw_text<std::underflow_error>, "its text");
  expect_home<std::ios_base::failure>(pool, throw_text<std::ios_base::failure>, "its text");
  expect_home<std::bad_alloc>(pool, throw_bare<std::bad_alloc>, "");
  expect_home<std::bad_array_new_length>(pool, throw_bare<std::bad_array_new_length>, "");
  expect_home<std::bad_cast>(pool, throw_bare<std::bad_cast>, "");
  expect_home<std::bad_typeid>(pool, throw_bare<std::bad_typeid>, "");
  expect_home<std::bad_any_cast>(pool, throw_bare<std::bad_any_cast>, "");
  expect_home<std::bad_exception>(pool, throw_bare<std::bad_exception>, "");
  expect_home<std::bad_function_call>(pool, throw_bare<std::bad_function_call>, "");
  expect_home<std::bad_weak_ptr>(pool, throw_bare<std::bad_weak_ptr>, "");
  expect_home<std::bad_optional_access>(pool, throw_bare<std::bad_optional_access>, "");
  expect_home<std::bad_variant_access>(pool, throw_bare<std::bad_variant_access>, "");
}

void throw_system(int code) {
  throw std::system_error(code, std::generic_category(), "opening the door");
}
void throw_io() { throw std::ios_base::failure("reading", std::io_errc::stream); }
void throw_filesystem() {
  throw std::filesystem::filesystem_error("copying", "/from", "/to",
                                          std::make_error_code(std::errc::io_error));
}
void throw_regex() { throw std::regex_error(std::regex_constants::error_brack); }
void throw_future() { throw std::future_error(std::future_errc::broken_promise); }

TEST_P(Conformance, P_ERR_01_codes_and_paths_arrive_too) {
  const Pool pool = make_pool(1);
  try {
    pool.apply(throw_system, ENOENT);
    ADD_FAILURE();
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::error_code(ENOENT, std::generic_category()));
    EXPECT_STREQ(error.what(),
                 std::system_error(ENOENT, std::generic_category(), "opening the door").what());
  }
  try {
    pool.apply(throw_filesystem);
    ADD_FAILURE();
  } catch (const std::filesystem::filesystem_error& error) {
    EXPECT_EQ(error.path1(), "/from");
    EXPECT_EQ(error.path2(), "/to");
    EXPECT_EQ(error.code(), std::errc::io_error);
  }
  try {
    pool.apply(throw_io);
    ADD_FAILURE();
  } catch (const std::ios_base::failure& error) {
    EXPECT_EQ(error.code(), std::io_errc::stream);
  }
  try {
    pool.apply(throw_regex);
    ADD_FAILURE();
  } catch (const std::regex_error& error) {
    EXPECT_EQ(error.code(), std::regex_constants::error_brack);
  }
  try {
    pool.apply(throw_future);
    ADD_FAILURE();
  } catch (const std::future_error& error) {
    EXPECT_EQ(error.code(), std::future_errc::broken_promise);
  }
}

class Rejected : public std::runtime_error {
 public:
  Rejected() : Rejected("", 0, {}) {}
  Rejected(const std::string& text, int code, std::vector<std::string> reasons)
      : std::runtime_error(text), code_(code), reasons_(std::move(reasons)) {}
  int code() const { return code_; }
  const std::vector<std::string>& reasons() const { return reasons_; }
  template <class Archive>
  void serialize(Archive& ar) {
    ar(code_, reasons_);
  }

 private:
  int code_;
  std::vector<std::string> reasons_;
};
const bool rejected_is_registered = register_exception<Rejected>();

class Unregistered : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};
class Final final : public std::exception {
 public:
  const char* what() const noexcept override { return "final"; }
  int number = 0;
  template <class Archive>
  void serialize(Archive& ar) {
    ar(number);
  }
};
const bool final_is_registered = register_exception<Final>();

void throw_rejected() { throw Rejected("by the porter", 7, {"late", "loud"}); }
void throw_unregistered() { throw Unregistered("who am I"); }
void throw_final() {
  Final error;
  error.number = 12;
  throw error;
}
void throw_int() { throw 42; }

TEST_P(Conformance, P_ERR_01_registered_types_arrive_with_all_their_fields) {
  ASSERT_TRUE(rejected_is_registered);
  const Pool pool = make_pool(1);
  try {
    pool.apply(throw_rejected);
    ADD_FAILURE();
  } catch (const Rejected& error) {
    EXPECT_STREQ(error.what(), "by the porter");
    EXPECT_EQ(error.code(), 7);
    EXPECT_EQ(error.reasons(), (std::vector<std::string>{"late", "loud"}));
    EXPECT_NE(trace(error), "");
  }
  EXPECT_THROW(register_exception<long>(), Misuse);  // after init
}

TEST_P(Conformance, P_ERR_02_the_trace_names_the_task_and_the_process) {
  const Pool pool = make_pool(1);
  const auto pid = std::to_string(pool.apply(own_pid));
  const auto future = pool.submit(throw_rejected);
  const auto text = future.remote_traceback();
  EXPECT_TRUE(contains(text, "throw_rejected")) << text;
  EXPECT_TRUE(contains(text, pid)) << text;
  try {
    future.get();
  } catch (const std::exception& error) {
    EXPECT_EQ(trace(error), text);
    EXPECT_THROW(std::rethrow_if_nested(error), RemoteTraceback);
  }
}

[[gnu::noinline]] void throw_deep(int depth) {
  if (depth == 0) throw std::range_error("deep");
  throw_deep(depth - 1);
  asm volatile("");  // no tail call
}
int dive(int depth) {
  throw_deep(depth);
  return depth;
}

TEST_P(Conformance, P_ERR_02_the_trace_begins_where_it_was_thrown_and_ends_at_the_task) {
  const Pool pool = make_pool(1);
  const auto expect_stack = [](std::string_view text) {
    std::size_t at = 0;
    for (const char* const frame : {"throw_deep(int) at ", "throw_deep(int) at ",
                                    "throw_deep(int) at ", "dive(int) at "}) {
      at = text.find(frame, at);
      ASSERT_NE(at, std::string::npos) << frame << " in " << text;
      at = text.find("errors_test.cpp:", at);
    }
    EXPECT_FALSE(contains(text, "Invoke::run")) << text;
    EXPECT_FALSE(contains(text, "Share::run")) << text;
    EXPECT_FALSE(contains(text, "__cxa_throw")) << text;
  };
  expect_stack(pool.submit(dive, 2).remote_traceback());
  for (const auto& outcome : pool.map_settled(dive, std::vector{2, 2})) {
    try {
      outcome.value();
      ADD_FAILURE();
    } catch (const std::range_error& error) {
      expect_stack(trace(error));
    }
  }
}

TEST_P(Conformance, P_ERR_02_types_that_cannot_carry_a_trace_come_bare) {
  ASSERT_TRUE(final_is_registered);
  const Pool pool = make_pool(1);
  const auto future = pool.submit(throw_final);
  try {
    future.get();
    ADD_FAILURE();
  } catch (const Final& error) {
    EXPECT_EQ(error.number, 12);
    EXPECT_EQ(typeid(error), typeid(Final));
    EXPECT_EQ(trace(error), "");
  }
  EXPECT_TRUE(contains(future.remote_traceback(), "throw_final")) << future.remote_traceback();
}

void throw_chain() {
  try {
    try {
      throw std::out_of_range("cause");
    } catch (...) {
      std::throw_with_nested(std::runtime_error("middle"));
    }
  } catch (...) {
    std::throw_with_nested(std::logic_error("top"));
  }
}
std::string chain_of(const std::exception& error) {
  std::string text = dynamic_cast<const RemoteTraceback*>(&error) ? "trace" : error.what();
  try {
    std::rethrow_if_nested(error);
  } catch (const std::exception& inner) {
    text += " < " + chain_of(inner);
  }
  return text;
}

TEST_P(Conformance, P_ERR_03_nested_exceptions_keep_their_chain) {
  const Pool pool = make_pool(1);
  try {
    pool.apply(throw_chain);
    ADD_FAILURE();
  } catch (const std::logic_error& error) {
    EXPECT_EQ(chain_of(error), "top < middle < cause < trace");
    EXPECT_NE(trace(error), "");
  }
}

TEST_P(Conformance, P_ERR_04_unknown_types_arrive_as_remote_errors) {
  const Pool pool = make_pool(1);
  try {
    pool.apply(throw_unregistered);
    ADD_FAILURE();
  } catch (const RemoteError& error) {
    EXPECT_TRUE(contains(error.type_name(), "Unregistered")) << error.type_name();
    EXPECT_EQ(error.message(), "who am I");
  }
  try {
    pool.apply(throw_int);
    ADD_FAILURE();
  } catch (const RemoteError& error) {
    EXPECT_EQ(error.type_name(), "int");
    EXPECT_TRUE(contains(error.message(), "42")) << error.message();
  }
}

}  // namespace
}  // namespace procpool::test
