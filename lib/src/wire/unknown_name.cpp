// What to say of a name that is not exported, or not so.

#include <procpool/errors.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wire/exports.hpp"

namespace procpool::inline v0::wire {
namespace {

constexpr std::size_t most_near = 3;
constexpr std::size_t most_listed = 20;

/// Characters to insert, delete or replace.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, replaced}));
    }
  }
  return row[b.size()];
}

std::string joined(const std::vector<std::string>& texts, std::string_view last) {
  std::string all;
  for (std::size_t i = 0; i != texts.size(); ++i) {
    if (i != 0) all += i + 1 == texts.size() ? last : ", ";
    all += texts[i];
  }
  return all;
}

/// Names that are meant, perhaps: nearest first.
std::vector<std::string> near(std::string_view name) {
  const std::size_t most = std::max<std::size_t>(2, name.size() / 3);
  std::vector<std::pair<std::size_t, std::string>> found;
  for (const Export* each = first_export(); each != nullptr; each = each->next) {
    const std::string_view other = each->name();
    if (other.starts_with(own_prefix)) continue;
    // Not measured where the lengths alone say no: a name may be anything.
    if (std::max(other.size(), name.size()) - std::min(other.size(), name.size()) > most) continue;
    const std::size_t distance = edit_distance(name, other);
    if (distance <= most) found.emplace_back(distance, in_quotes(other));
  }
  std::ranges::sort(found);
  std::vector<std::string> names;
  for (std::size_t i = 0; i != std::min(found.size(), most_near); ++i)
    names.push_back(std::move(found[i].second));
  return names;
}

std::string exported() {
  std::vector<std::string> titles = exported_titles();
  if (titles.empty()) {
    return "It exports none: write procpool::export_task(name, f) at namespace scope in the worker's "
           "program, or in a module that PoolOptions::modules names.";
  }
  std::string more;
  if (titles.size() > most_listed) {
    more = " and " + std::to_string(titles.size() - most_listed) + " more";
    titles.resize(most_listed);
  }
  return "It exports " + joined(titles, ", ") + more + ".";
}

}  // namespace

void throw_unknown_name(std::string_view title) {
  const std::size_t blank = title.find(' ');
  const std::string_view name = title.substr(0, blank);
  for (const Export* each = first_export(); each != nullptr; each = each->next) {
    if (each->name() != name) continue;
    throw UnknownTask("the task " + in_quotes(name) + " was called as " +
                      std::string(title.substr(blank + 1)) + ", and the worker exports it as " +
                      std::string(each->signature()) +
                      ": let remote<…> name the signature of the exported function");
  }
  std::string text = "the worker exports no task named " + in_quotes(name) + ". ";
  if (const auto names = near(name); !names.empty())
    text += "Did you mean " + joined(names, " or ") + "? ";
  throw UnknownTask(text + exported());
}

}  // namespace procpool::inline v0::wire
