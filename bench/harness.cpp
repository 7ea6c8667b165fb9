#include "bench/harness.hpp"

#include <benchmark/benchmark.h>

#include <exception>
#include <map>
#include <utility>

namespace bench {
namespace {

using Results = std::map<std::string, std::vector<Row>>;

/// Google Benchmark's own tables have one line per benchmark; a contest is several.
class Reporter final : public benchmark::BenchmarkReporter {
 public:
  Reporter(Results& results, Listener& listener) : results_(results), listener_(listener) {}

  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      const std::string& name = run.run_name.function_name;
      if (run.error_occurred) {
        listener_.failed(name, run.error_message);
      } else {
        listener_.measured(results_[name]);
      }
    }
  }

 private:
  Results& results_;
  Listener& listener_;
};

void warm_up(const Sides& sides) {
  sides.ours();
  for (const Peer& peer : sides.peers) peer.sample();
}

void play_round(const Sides& sides, Record& record) {
  record.ours.push_back(sides.ours());
  for (std::size_t i = 0; i != sides.peers.size(); ++i) {
    record.peers[i].push_back(sides.peers[i].sample());
  }
}

std::vector<Row> play(const Contest& contest, benchmark::State& state) {
  const Sides sides = contest.set_up();
  Record record{.ours = {}, .peers = std::vector<std::vector<double>>(sides.peers.size())};
  warm_up(sides);
  for ([[maybe_unused]] auto round : state) {
    play_round(sides, record);
    state.SetIterationTime(record.ours.back());  // in the contest's unit: only for us to read
  }
  return rows_of(contest, sides, record);
}

void add(const Contest& contest, Results& results) {
  const auto body = [&contest, &results](benchmark::State& state) {
    try {
      results[contest.name] = play(contest, state);
    } catch (const std::exception& error) {
      state.SkipWithError(error.what());
    }
  };
  benchmark::RegisterBenchmark(contest.name.c_str(), body)
      ->Iterations(contest.rounds)
      ->UseManualTime();
}

}  // namespace

void run(const std::vector<Contest>& contests, Listener& listener) {
  Results results;
  for (const Contest& contest : contests) add(contest, results);
  Reporter reporter(results, listener);
  benchmark::RunSpecifiedBenchmarks(&reporter);
  benchmark::ClearRegisteredBenchmarks();
}

}  // namespace bench
