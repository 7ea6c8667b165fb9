// P-CRASH-01…N: every way of dying at every place where a task's code runs, under every start method.
// Where no task runs yet (initializer, preload) is matrix_hooks_test.cpp, what the exception tells
// report_test.cpp. Cells that cannot be:
//   a callback            runs in the program itself, whose death it is
//   the OOM kill          needs a memory limit of one's own, and the kernel's word for it: neither is to be
//                         had without privileges. From home it is the row SIGKILL, with a cause more; the
//                         counters that are its evidence are read in tests/unit/os_oom_test.cpp
//   preload under spawn   has no template: it runs in each worker, and is tested there
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cereal/access.hpp>
#include <cereal/types/string.hpp>

#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include <procpool/procpool.hpp>

#include "crash/room.hpp"
#include "crash/ways.hpp"
#include "support/census.hpp"
#include "support/processes.hpp"

namespace procpool::test {
namespace {

enum class Place { decoding, task, destroying, encoding, committed, idle };
constexpr Place all_places[] = {Place::decoding, Place::task,      Place::destroying,
                                Place::encoding, Place::committed, Place::idle};

const char* name_of(Place place) {
  constexpr const char* names[] = {"decoding", "task",      "destroying",
                                   "encoding", "committed", "idle"};
  return names[static_cast<int>(place)];
}

// ---- a task that dies at a place -------------------------------------------------------------

struct Plan {
  Way way{};
  Place place{};
  std::string room;
};

/// Holds a plan; the plan is carried out by one object only, however often it is moved.
class Charge {
 public:
  Charge() = default;
  explicit Charge(Plan plan) : plan_(std::move(plan)), armed_(true) {}
  Charge(Charge&& other) noexcept : plan_(other.plan_), armed_(std::exchange(other.armed_, false)) {}
  Charge& operator=(Charge&& other) noexcept {
    plan_ = other.plan_;
    armed_ = std::exchange(other.armed_, false);
    return *this;
  }
  Charge(const Charge&) = default;

  void at(Place place) const {
    if (armed_ && in_worker() && plan_.place == place) die(plan_.way, plan_.room);
  }
  const Plan& plan() const { return plan_; }

  template <class Archive>
  void save(Archive& archive) const {
    archive(plan_.way, plan_.place, plan_.room);
  }
  template <class Archive>
  void load(Archive& archive) {
    archive(plan_.way, plan_.place, plan_.room);
    armed_ = true;
  }

 private:
  Plan plan_;
  bool armed_ = false;
};

/// An argument.
struct Argument {
  Charge charge;

  Argument() = default;
  explicit Argument(Plan plan) : charge(std::move(plan)) {}
  Argument(Argument&&) = default;
  Argument(const Argument&) = default;
  ~Argument() { charge.at(Place::destroying); }

  template <class Archive>
  void save(Archive& archive) const {
    charge.save(archive);
  }
  template <class Archive>
  void load(Archive& archive) {
    charge.load(archive);
    charge.at(Place::decoding);
  }
};

/// A result.
struct Product {
  Charge charge;
  int number = 0;

  template <class Archive>
  void save(Archive& archive) const {
    charge.at(Place::encoding);
    archive(number);
  }
  template <class Archive>
  void load(Archive& archive) {
    archive(number);
  }
};

/// A callable: it is destroyed when its outcome is committed.
struct Bomb {
  Charge charge;

  Bomb() = default;
  explicit Bomb(Plan plan) : charge(std::move(plan)) {}
  Bomb(Bomb&&) = default;
  Bomb(const Bomb&) = default;
  ~Bomb() { charge.at(Place::committed); }

  Product operator()(const Argument& argument) const {
    argument.charge.at(Place::task);
    return {Charge(argument.charge.plan()), 7};
  }
  template <class Archive>
  void save(Archive& archive) const {
    charge.save(archive);
  }
  template <class Archive>
  void load(Archive& archive) {
    charge.load(archive);
  }
};

/// Leaves a thread behind that dies when the gate opens: in a worker that is idle by then.
int plant(Way way, std::string room) {
  std::thread([way, room = std::move(room)] {
    struct AtEnd {
      const std::string& room;
      ~AtEnd() { report(room, 0); }
    } const tell{room};
    await_gate(room);
    die(way, room);
  }).detach();
  return 7;
}

int twice(int number) { return 2 * number; }
int own_pid() { return getpid(); }
int number_of(const Product& product) { return product.number; }

// ---- the table ---------------------------------------------------------------------------------

struct Exception {
  Way way;
  Place place;
  Ending ending;
  const char* why;
};

// Where a cell is not what the same way is in a task.
constexpr Exception exceptions[] = {
    {Way::throw_error, Place::destroying, {Ending::Kind::signal, SIGABRT},
     "a destructor is noexcept: the throw is std::terminate"},
    {Way::throw_error, Place::encoding, {Ending::Kind::encoding_error, 0},
     "what a result's own serialisation throws is an EncodingError that names the type"},
    {Way::exit_thread, Place::destroying, {Ending::Kind::signal, SIGABRT},
     "the forced unwinding of pthread_exit meets a noexcept destructor: std::terminate"},
};

Ending expected(Way way, Place place) {
  if (place == Place::committed || place == Place::idle) return {Ending::Kind::value, 7};
  for (const Exception& row : exceptions) {
    if (row.way == way && row.place == place) return row.ending;
  }
  Ending ending = ending_in_task(way);
  if (ending.kind == Ending::Kind::value) ending.number = 7;
  return ending;
}

// ---- the test ----------------------------------------------------------------------------------

using Cell = std::tuple<StartMethod, Way, Place>;

class P_CRASH_01_Matrix : public Census, public testing::WithParamInterface<Cell> {};

void kill_reported(Room& room, pid_t worker) {
  const auto reported = room.next_report();
  ASSERT_EQ(reported, worker);
  kill(worker, SIGKILL);
}

/// Nobody hears of it, but it happens before the next task is submitted.
void die_idle(Room& room, Way way, pid_t worker) {
  room.open_gate();
  if (way == Way::killed_from_outside) kill_reported(room, worker);
  if (survives_in_thread(way)) {
    room.next_report();
  } else {
    EXPECT_TRUE(ended_within(worker, std::chrono::seconds(20)));
  }
}

std::string ending_of_bomb(const Future<Product>& bomb) {
  try {
    return "value " + std::to_string(number_of(bomb.get()));
  } catch (...) {
    return ending_of_current_exception();
  }
}

TEST_P(P_CRASH_01_Matrix, OneTaskHearsOfIt) {
  const auto [method, way, place] = GetParam();
  Room room;
  Pool pool(PoolOptions{.processes = 1, .start_method = method});
  const pid_t worker = pool.apply(own_pid);
  const Plan plan{way, place, room.path()};
  std::string ending;
  std::vector<Future<int>> behind;
  const auto queue_behind = [&] {
    for (int i = 0; i < 20; ++i) behind.push_back(pool.submit(twice, i));
  };
  if (place == Place::idle) {
    ending = ending_of(pool.submit(plant, way, room.path()));
    die_idle(room, way, worker);
    queue_behind();
  } else {
    const auto bomb = pool.submit(Bomb(plan), Argument(plan));
    queue_behind();
    if (way == Way::killed_from_outside) kill_reported(room, worker);
    ending = ending_of_bomb(bomb);
  }
  EXPECT_EQ(ending, describe(expected(way, place), worker));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(behind[static_cast<std::size_t>(i)].get(), 2 * i);
  EXPECT_EQ(pool.apply(twice, 21), 42);
}

std::vector<Way> all_ways() {
  std::vector<Way> ways;
  for (int way = 0; way < static_cast<int>(Way::count); ++way) ways.push_back(Way(way));
  return ways;
}

std::string cell_name(const testing::TestParamInfo<Cell>& info) {
  const auto [method, way, place] = info.param;
  return std::string(test::name_of(method)) + "_" + name_of(way) + "_" + name_of(place);
}

INSTANTIATE_TEST_SUITE_P(Cells, P_CRASH_01_Matrix,
                         testing::Combine(testing::ValuesIn(all_methods),
                                          testing::ValuesIn(all_ways()),
                                          testing::ValuesIn(all_places)),
                         cell_name);

}  // namespace
}  // namespace procpool::test
