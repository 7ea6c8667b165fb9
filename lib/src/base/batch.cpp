#include <procpool/detail/batch.hpp>

#include <iterator>
#include <utility>

namespace procpool::inline v0::detail {

void Part::append(Part&& next) {
  for (Entry entry : next.entries) {
    if (entry.outcome == Outcome::error) entry.size += static_cast<std::uint32_t>(errors.size());
    if (entry.lent) entry.size += static_cast<std::uint32_t>(lent.size());
    entries.push_back(entry);
  }
  bytes.insert(bytes.end(), next.bytes.begin(), next.bytes.end());
  std::move(next.errors.begin(), next.errors.end(), std::back_inserter(errors));
  std::move(next.lent.begin(), next.lent.end(), std::back_inserter(lent));
  count += next.count;
}

}  // namespace procpool::inline v0::detail
