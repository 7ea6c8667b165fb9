#pragma once

// What is measured: contests. In a contest our library and its peers do the same work in turn
// (A B C A B C ...), so that whatever else happens on the machine happens to all of them.

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace bench {

/// Does the work once and says what it cost or gave, in the contest's unit.
using Sample = std::function<double()>;

enum class Better { lower, higher };

struct Peer {
  std::string slug;            // the last part of the row's name
  std::string name;            // for people
  std::optional<double> goal;  // for ours / peer
  Sample sample;
};

/// The contestants; what they need (pools, children, buffers) lives in their closures.
struct Sides {
  Sample ours;
  std::vector<Peer> peers = {};
};

struct Contest {
  std::string name;
  std::string unit;
  Better better = Better::lower;
  int rounds = 15;
  std::function<Sides()> set_up;
  std::optional<double> goal = {};  // without peers: for our value
};

struct Quartiles {
  double low = 0;
  double median = 0;
  double high = 0;
};

/// Ours beside one peer, or alone.
struct Row {
  std::string name;
  std::string unit;
  Quartiles ours = {};
  std::optional<Quartiles> peer = {};
  std::string peer_name = {};
  std::optional<Quartiles> ratio = {};  // of the rounds' ratios
  std::optional<double> goal = {};
  std::optional<bool> met = {};
  int runs = 0;
};

/// Every sample of every side, by round.
struct Record {
  std::vector<double> ours;
  std::vector<std::vector<double>> peers;
};

std::vector<Row> rows_of(const Contest& contest, const Sides& sides, const Record& record);

}  // namespace bench
