#include "bench/contest.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace bench {
namespace {

double quantile(const std::vector<double>& sorted, double share) {
  const double at = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(std::floor(at));
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], at - std::floor(at));
}

Quartiles quartiles(std::vector<double> values) {
  std::ranges::sort(values);
  return {quantile(values, 0.25), quantile(values, 0.5), quantile(values, 0.75)};
}

std::vector<double> ratios(const std::vector<double>& ours, const std::vector<double>& peer) {
  std::vector<double> all;
  for (std::size_t i = 0; i != ours.size(); ++i) all.push_back(ours[i] / peer[i]);
  return all;
}

std::optional<bool> judge(Better better, double value, const std::optional<double>& goal) {
  if (!goal) return std::nullopt;
  return better == Better::lower ? value <= *goal : value >= *goal;
}

Row lone_row(const Contest& contest, const Record& record) {
  Row row{.name = contest.name, .unit = contest.unit, .ours = quartiles(record.ours)};
  row.goal = contest.goal;
  row.met = judge(contest.better, row.ours.median, row.goal);
  row.runs = static_cast<int>(record.ours.size());
  return row;
}

Row row_beside(const Contest& contest, const Peer& peer, const std::vector<double>& ours,
               const std::vector<double>& theirs) {
  Row row{.name = contest.name + "/" + peer.slug, .unit = contest.unit, .ours = quartiles(ours)};
  row.peer = quartiles(theirs);
  row.peer_name = peer.name;
  row.ratio = quartiles(ratios(ours, theirs));
  row.goal = peer.goal;
  row.met = judge(contest.better, row.ratio->median, row.goal);
  row.runs = static_cast<int>(ours.size());
  return row;
}

}  // namespace

std::vector<Row> rows_of(const Contest& contest, const Sides& sides, const Record& record) {
  if (sides.peers.empty()) return {lone_row(contest, record)};
  std::vector<Row> rows;
  for (std::size_t i = 0; i != sides.peers.size(); ++i) {
    rows.push_back(row_beside(contest, sides.peers[i], record.ours, record.peers[i]));
  }
  return rows;
}

}  // namespace bench
