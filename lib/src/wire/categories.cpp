#include "wire/categories.hpp"

#include <algorithm>
#include <deque>
#include <future>
#include <ios>
#include <mutex>
#include <string>

namespace procpool::inline v0::wire {
namespace {

class StandIn : public std::error_category {
 public:
  explicit StandIn(std::string_view name) : name_(name) {}
  const char* name() const noexcept override { return name_.c_str(); }
  std::string message(int code) const override { return name_ + " error " + std::to_string(code); }

 private:
  std::string name_;
};

/// Error codes refer to their category for ever, so nothing is freed, and names that a worker may
/// invent are bounded.
const std::error_category* stand_in(std::string_view name) {
  constexpr std::size_t max_names = 256;
  static std::mutex mutex;
  static auto& known = *new std::deque<StandIn>;
  const std::scoped_lock lock(mutex);
  const auto found = std::ranges::find(known, name, &StandIn::name);
  if (found != known.end()) return &*found;
  return known.size() < max_names ? &known.emplace_back(name) : nullptr;
}

}  // namespace

std::array<const std::error_category*, 4> standard_categories() noexcept {
  return {&std::generic_category(), &std::system_category(), &std::iostream_category(),
          &std::future_category()};
}

const std::error_category* category_named(std::string_view name) {
  for (const std::error_category* category : standard_categories())
    if (category->name() == name) return category;
  return stand_in(name);
}

}  // namespace procpool::inline v0::wire
