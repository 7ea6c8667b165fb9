#include "bench/report.hpp"

#include <cstdio>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

namespace bench {
namespace {

constexpr const char* line = "%-32s %-11s %10s %10s  %-24s %7s %6s %-4s %s\n";

std::string number(double value) {
  char text[32];
  const double size = value < 0 ? -value : value;
  const char* const format = size >= 1000 || value == 0 ? "%.0f" : size >= 10 ? "%.1f" : "%.3g";
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string number(const std::optional<double>& value) { return value ? number(*value) : "-"; }

std::string middle(const std::optional<Quartiles>& values) {
  return values ? number(values->median) : "-";
}

std::string verdict(const std::optional<bool>& met) {
  if (!met) return "-";
  return *met ? "yes" : "NO";
}

std::string range(const Quartiles& values) { return number(values.low) + " .. " + number(values.high); }

nlohmann::ordered_json ends(const std::optional<Quartiles>& values) {
  if (!values) return nullptr;
  return {values->low, values->high};
}

template <class T>
nlohmann::ordered_json or_null(const std::optional<T>& value) {
  if (!value) return nullptr;
  return *value;
}

nlohmann::ordered_json median(const std::optional<Quartiles>& values) {
  if (!values) return nullptr;
  return values->median;
}

nlohmann::ordered_json as_json(const Row& row) {
  nlohmann::ordered_json json;
  json["name"] = row.name;
  json["unit"] = row.unit;
  json["ours"] = row.ours.median;
  json["peer"] = median(row.peer);
  json["peer_name"] = row.peer ? nlohmann::ordered_json(row.peer_name) : nullptr;
  json["ratio"] = median(row.ratio);
  json["goal"] = or_null(row.goal);
  json["met"] = or_null(row.met);
  json["runs"] = row.runs;
  json["quartiles"]["ours"] = ends(row.ours);
  json["quartiles"]["peer"] = ends(row.peer);
  json["quartiles"]["ratio"] = ends(row.ratio);
  return json;
}

}  // namespace

Table::Table(const Machine& machine) {
  std::printf("%s; %s; %d cpus; %s\n\n", machine.model.c_str(), machine.kernel.c_str(),
              machine.cpus, machine.compiler.c_str());
  std::printf(line, "row", "unit", "ours", "peer", "(its name)", "ratio", "goal", "met",
              "spread (quartiles)");
  std::fflush(stdout);
}

void Table::measured(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    std::printf(line, row.name.c_str(), row.unit.c_str(), number(row.ours.median).c_str(),
                middle(row.peer).c_str(), row.peer ? row.peer_name.c_str() : "-",
                middle(row.ratio).c_str(), number(row.goal).c_str(), verdict(row.met).c_str(),
                range(row.ratio ? *row.ratio : row.ours).c_str());
    rows_.push_back(row);
  }
  std::fflush(stdout);
}

void Table::failed(const std::string& contest, const std::string& why) {
  any_failed_ = true;
  std::printf("%-32s FAILED: %s\n", contest.c_str(), why.c_str());
  std::fflush(stdout);
}

bool write_json(const std::string& path, const Machine& machine, const std::vector<Row>& rows) {
  nlohmann::ordered_json json;
  json["machine"] = machine.model;
  json["kernel"] = machine.kernel;
  json["cpus"] = machine.cpus;
  json["compiler"] = machine.compiler;
  json["rows"] = nlohmann::ordered_json::array();
  for (const Row& row : rows) json["rows"].push_back(as_json(row));
  std::ofstream out(path);
  out << json.dump(2) << '\n';
  return static_cast<bool>(out.flush());
}

}  // namespace bench
