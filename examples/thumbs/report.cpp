#include "thumbs/report.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <string>

#include "support/text.hpp"

namespace thumbs {
namespace {

using examples::plural;
using examples::with_commas;

constexpr std::size_t kShownRows = 12;

struct Counts {
  std::size_t done = 0;
  std::map<std::string, std::size_t> decoders;
  std::set<int> processes;
  examples::Table refused;
  examples::Table killed;

  void add(const Item&, const NotRun&) {}
  void add(const Item&, const Thumbnail& thumbnail) {
    ++done;
    ++decoders[thumbnail.decoder];
    processes.insert(thumbnail.process);
  }
  void add(const Item& item, const Refused& error) {
    refused.add({item.name, error.type, error.text});
  }
  void add(const Item& item, const Killed& crash) {
    killed.add({item.name, crash.how, "worker " + std::to_string(crash.worker),
                "attempt " + std::to_string(crash.attempt)});
  }

  std::size_t total() const { return done + refused.size() + killed.size(); }
};

Counts count(const Report& report) {
  Counts counts;
  for (std::size_t i = 0; i < report.items.size(); ++i) {
    std::visit([&](const auto& what) { counts.add(report.items[i], what); },
               report.in_pool.outcomes[i]);
  }
  return counts;
}

std::string by_decoder(const Counts& counts) {
  std::string text;
  for (const auto& [decoder, files] : counts.decoders) {
    text += (text.empty() ? "" : ", ") + decoder + " " + with_commas(files);
  }
  return text;
}

void print_rows(std::ostream& out, const char* title, const examples::Table& rows, bool all) {
  if (rows.size() == 0) return;
  out << '\n' << title << ":\n";
  rows.print(out, all ? std::numeric_limits<std::size_t>::max() : kShownRows);
}

void print_counts(std::ostream& out, const Counts& counts, std::size_t files) {
  const bool complete = counts.total() == files;
  examples::Table table;
  table.add({"done", with_commas(counts.done), by_decoder(counts)});
  table.add({"refused", with_commas(counts.refused.size()),
             counts.refused.size() > 0 ? "an exception from the worker" : ""});
  table.add({"killed their worker", with_commas(counts.killed.size()),
             counts.killed.size() > 0 ? plural(kRetries + 1, "attempt") + " each" : ""});
  table.add({"files", with_commas(files),
             complete ? "every file is accounted for"
                      : "NOT ACCOUNTED FOR: " + with_commas(files - counts.total())});
  table.print(out, table.size());
}

std::string pool_text(const Report& report, const Counts& counts) {
  const Run& run = report.in_pool;
  return "never stopped: " + with_commas(run.at_the_end) + " of " + std::to_string(run.places) +
         " workers alive at the end; processes that brought results: " +
         with_commas(counts.processes.size());
}

std::string time_text(const Report& report) {
  const Run& run = report.in_pool;
  const std::string text =
      examples::seconds(run.time) + " in " + plural(std::size_t(run.places), "worker");
  if (!report.serial) return text;
  return text + ", " + examples::seconds(report.serial->time) +
         " in one process (undamaged files only): " +
         examples::fixed(report.serial->time / run.time, 2) + " times as fast";
}

std::string sheet_text(const Report& report) {
  if (!report.serial) return "not compared with a serial run (--no-serial)";
  return report.same_sheet ? "undamaged files: identical to the serial sheet, byte for byte"
                           : "undamaged files: DIFFERS from the serial sheet";
}

void print_summary(std::ostream& out, const Report& report, const Counts& counts) {
  examples::Table table;
  if (report.options.chaos > 0) {
    table.add({"chaos", "SIGKILL to " + plural(report.in_pool.chaos_kills, "worker") +
                            " while it ran; their files were done again"});
  }
  table.add({"pool", pool_text(report, counts)});
  table.add({"time", time_text(report)});
  table.add({"sheet", report.options.common.out.string() + "; " + sheet_text(report)});
  out << '\n';
  table.print(out, table.size());
}

}  // namespace

bool all_is_well(const Report& report) {
  return count(report).total() == report.items.size() && report.same_sheet;
}

void print(std::ostream& out, const Report& report) {
  const Counts counts = count(report);
  print_counts(out, counts, report.items.size());
  print_rows(out, "refused", counts.refused, report.options.verbose);
  print_rows(out, "killed their worker", counts.killed, report.options.verbose);
  print_summary(out, report, counts);
}

}  // namespace thumbs
