#include <procpool/detail/archive.hpp>
#include <procpool/detail/descriptor.hpp>
#include <procpool/detail/result.hpp>
#include <procpool/errors.hpp>

#include <cxxabi.h>

#include <array>
#include <exception>
#include <string>
#include <string_view>
#include <system_error>

#include "wire/categories.hpp"

namespace procpool::inline v0::detail {

void throw_encoding_error(std::string_view what) { throw EncodingError(std::string(what)); }

void throw_decoding_error(std::string_view what) { throw DecodingError(std::string(what)); }

std::uint8_t category_number(const std::error_category& category) {
  const auto known = wire::standard_categories();
  for (std::size_t i = 0; i < known.size(); ++i)
    if (*known[i] == category) return static_cast<std::uint8_t>(i);
  throw EncodingError(std::string("an error code of the category \"") + category.name() +
                      "\" cannot travel: only those of the standard categories can");
}

const std::error_category& category_by_number(std::uint8_t number) {
  const auto known = wire::standard_categories();
  if (number >= known.size()) throw_decoding_error("an error code has an unknown category");
  return *known[number];
}

void throw_result_encoding_failed(std::string_view compilers_text) {
  try {
    throw;
  } catch (const EncodingError&) {
    throw;
  } catch (const std::exception& error) {
    std::throw_with_nested(EncodingError("a result of type " + readable_type(compilers_text) +
                                         " could not be encoded: " + error.what()));
  } catch (const abi::__forced_unwind&) {  // pthread_exit
    throw;
  } catch (...) {
    std::throw_with_nested(EncodingError("a result of type " + readable_type(compilers_text) +
                                         " could not be encoded: its serialisation threw what is "
                                         "no std::exception"));
  }
}

void throw_result_decoding_failed(std::string_view compilers_text) {
  try {
    throw;
  } catch (const DecodingError&) {
    throw;
  } catch (const std::exception& error) {
    std::throw_with_nested(DecodingError("a result of type " + readable_type(compilers_text) +
                                         " could not be decoded: " + error.what()));
  } catch (const abi::__forced_unwind&) {
    throw;
  } catch (...) {
    std::throw_with_nested(DecodingError("a result of type " + readable_type(compilers_text) +
                                         " could not be decoded: its serialisation threw what is "
                                         "no std::exception"));
  }
}

}  // namespace procpool::inline v0::detail
