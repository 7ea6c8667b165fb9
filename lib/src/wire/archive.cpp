#include <procpool/detail/archive.hpp>
#include <procpool/errors.hpp>

#include <array>
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

}  // namespace procpool::inline v0::detail
