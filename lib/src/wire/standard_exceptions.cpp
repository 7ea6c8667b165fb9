#include <any>
#include <array>
#include <filesystem>
#include <functional>
#include <future>
#include <ios>
#include <memory>
#include <new>
#include <optional>
#include <regex>
#include <stdexcept>
#include <string>
#include <system_error>
#include <typeinfo>
#include <utility>
#include <variant>

#include "wire/categories.hpp"
#include "wire/exception_fields.hpp"
#include "wire/exception_types.hpp"

namespace procpool::inline v0::wire {
namespace {

using detail::ExceptionText;
using detail::SpanIn;
using detail::SpanOut;

void encode_code(SpanOut& ar, const std::error_code& code) {
  detail::encode(ar, std::string(code.category().name()), code.value());
}

std::error_code decode_code(SpanIn& ar) {
  const auto name = detail::decode<std::string>(ar);
  const std::error_category* category = category_named(name);
  if (category == nullptr) detail::throw_decoding_error("too many error categories are unknown");
  return {detail::decode<int>(ar), *category};
}

/// The text that was given to the constructor, to which system_error adds the code's own.
std::string without_code(std::string text, const std::error_code& code) {
  const std::string suffix = ": " + code.message();
  if (text.ends_with(suffix)) text.resize(text.size() - suffix.size());
  return text;
}

struct SystemErrorFields {
  static void encode(SpanOut& ar, const std::system_error& error) { encode_code(ar, error.code()); }
  static std::system_error decode(SpanIn& ar, const ExceptionText&) {
    return std::system_error(decode_code(ar));
  }
};

struct IosFailureFields {
  static void encode(SpanOut& ar, const std::ios_base::failure& error) {
    encode_code(ar, error.code());
  }
  static std::ios_base::failure decode(SpanIn& ar, const ExceptionText&) {
    return std::ios_base::failure("", decode_code(ar));
  }
};

struct FilesystemErrorFields {
  using E = std::filesystem::filesystem_error;

  /// what() is made of the text below, the code's message and the paths.
  static void encode(SpanOut& ar, const E& error) {
    encode_code(ar, error.code());
    const std::string inner = error.std::runtime_error::what();
    detail::encode(ar, without_code(inner, error.code()), error.path1(), error.path2());
  }
  static E decode(SpanIn& ar, const ExceptionText&) {
    const std::error_code code = decode_code(ar);
    const auto text = detail::decode<std::string>(ar);
    const auto path1 = detail::decode<std::filesystem::path>(ar);
    const auto path2 = detail::decode<std::filesystem::path>(ar);
    if (path1.empty() && path2.empty()) return E(text, code);
    return path2.empty() ? E(text, path1, code) : E(text, path1, path2, code);
  }
};

struct FutureErrorFields {
  static void encode(SpanOut& ar, const std::future_error& error) {
    detail::encode(ar, error.code().value());
  }
  static std::future_error decode(SpanIn& ar, const ExceptionText&) {
    return std::future_error(static_cast<std::future_errc>(detail::decode<int>(ar)));
  }
};

struct RegexErrorFields {
  static void encode(SpanOut& ar, const std::regex_error& error) {
    detail::encode(ar, static_cast<int>(error.code()));
  }
  static std::regex_error decode(SpanIn& ar, const ExceptionText&) {
    return std::regex_error(static_cast<std::regex_constants::error_type>(detail::decode<int>(ar)));
  }
};

}  // namespace

std::span<const detail::ExceptionType> standard_exception_types() {
  static const std::array types{
      text_type<std::runtime_error>(),
      text_type<std::logic_error>(),
      text_type<std::invalid_argument>(),
      text_type<std::domain_error>(),
      text_type<std::length_error>(),
      text_type<std::out_of_range>(),
      text_type<std::range_error>(),
      text_type<std::overflow_error>(),
      text_type<std::underflow_error>(),
      known_type<std::system_error, SystemErrorFields>(),
      known_type<std::ios_base::failure, IosFailureFields>(),
      known_type<std::filesystem::filesystem_error, FilesystemErrorFields>(),
      known_type<std::future_error, FutureErrorFields>(),
      known_type<std::regex_error, RegexErrorFields>(),
      fixed_type<std::exception>(),
      fixed_type<std::bad_alloc>(),
      fixed_type<std::bad_array_new_length>(),
      fixed_type<std::bad_cast>(),
      fixed_type<std::bad_any_cast>(),
      fixed_type<std::bad_typeid>(),
      fixed_type<std::bad_function_call>(),
      fixed_type<std::bad_optional_access>(),
      fixed_type<std::bad_variant_access>(),
      fixed_type<std::bad_weak_ptr>(),
      fixed_type<std::bad_exception>(),
  };
  return types;
}

}  // namespace procpool::inline v0::wire
