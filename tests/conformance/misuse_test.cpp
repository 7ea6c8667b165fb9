// What is wrong of a caller, of every call that can be wrong in that way.
#include <functional>
#include <future>
#include <string>
#include <utility>
#include <vector>

#include "conformance/conformance.hpp"

namespace procpool::test {
namespace {

struct Call {
  const char* name;
  std::function<void(Pool&)> make;
};

const std::vector<std::pair<int, int>> pairs = {{1, 2}};
int product(int a, int b) { return a * b; }

// Each way of giving a pool work.
const std::vector<Call> submissions = {
    {"apply", [](Pool& pool) { (void)pool.apply(square, 1); }},
    {"submit", [](Pool& pool) { (void)pool.submit(square, 1); }},
    {"apply_async", [](Pool& pool) { (void)pool.apply_async(square, 1); }},
    {"try_submit", [](Pool& pool) { (void)pool.try_submit(square, 1); }},
    {"map", [](Pool& pool) { (void)pool.map(square, {1}); }},
    {"map_async", [](Pool& pool) { (void)pool.map_async(square, {1}); }},
    {"map_settled", [](Pool& pool) { (void)pool.map_settled(square, {1}); }},
    {"starmap", [](Pool& pool) { (void)pool.starmap(product, pairs); }},
    {"starmap_async", [](Pool& pool) { (void)pool.starmap_async(product, pairs); }},
    {"imap", [](Pool& pool) { (void)pool.imap(square, {1}); }},
    {"imap_unordered", [](Pool& pool) { (void)pool.imap_unordered(square, {1}); }},
    {"with(task).submit", [](Pool& pool) { (void)pool.with({.retries = 1}).submit(square, 1); }},
    {"with(map).map", [](Pool& pool) { (void)pool.with({.chunksize = 1}).map(square, {1}); }},
};

// What else can be said to one.
const std::vector<Call> orders = {
    {"terminate", [](Pool& pool) { pool.terminate(); }},
    {"join", [](Pool& pool) { pool.join(); }},
    {"join_for", [](Pool& pool) { (void)pool.join_for(1ms); }},
    {"shutdown", [](Pool& pool) { pool.shutdown(); }},
    {"resize", [](Pool& pool) { pool.resize(2); }},
    {"processes", [](Pool& pool) { (void)pool.processes(); }},
    {"pids", [](Pool& pool) { (void)pool.pids(); }},
    {"stats", [](Pool& pool) { (void)pool.stats(); }},
};

TEST_P(Conformance, P_POOL_every_member_of_a_moved_from_pool_is_misuse) {
  Pool pool = make_pool(1);
  Pool other = std::move(pool);
  for (const auto* calls : {&submissions, &orders}) {
    for (const Call& call : *calls) {
      EXPECT_TRUE(contains(error_of<Misuse>([&] { call.make(pool); }), "moved from")) << call.name;
    }
  }
  pool.close();  // does nothing
  EXPECT_EQ(other.apply(square, 3), 9);
  pool = std::move(other);
  EXPECT_EQ(pool.apply(square, 4), 16);
}

TEST_P(Conformance, P_POOL_05_every_submission_to_a_closed_pool_is_refused) {
  Pool pool = make_pool(1);
  pool.close();
  for (const Call& call : submissions) {
    EXPECT_TRUE(contains(error_of<PoolClosed>([&] { call.make(pool); }), "closed")) << call.name;
  }
  EXPECT_FALSE(pool.stats().open);
  EXPECT_EQ(pool.stats().submitted, 0U);
  pool.join();
}

TEST_P(Conformance, P_POOL_06_every_submission_to_a_terminated_pool_is_refused) {
  Pool pool = make_pool(1);
  EXPECT_TRUE(pool.stats().open);
  pool.terminate();
  for (const Call& call : submissions) {
    EXPECT_TRUE(contains(error_of<PoolTerminated>([&] { call.make(pool); }), "terminated"))
        << call.name;
  }
  EXPECT_FALSE(pool.stats().open);
  pool.join();
}

TEST_P(Conformance, P_MAP_02_a_negative_chunksize_is_misuse) {
  const Pool pool = make_pool(1);
  const MapOptions negative{.chunksize = -1};
  const std::vector<std::pair<const char*, std::function<void()>>> calls = {
      {"map", [&] { (void)pool.map(square, {1}, negative); }},
      {"map of nothing", [&] { (void)pool.map(square, std::vector<int>(), negative); }},
      {"map_async", [&] { (void)pool.map_async(square, {1}, negative); }},
      {"map_settled", [&] { (void)pool.map_settled(square, {1}, negative); }},
      {"starmap", [&] { (void)pool.starmap(product, pairs, negative); }},
      {"starmap_async", [&] { (void)pool.starmap_async(product, pairs, negative); }},
      {"imap", [&] { (void)pool.imap(square, {1}, negative); }},
      {"imap_unordered", [&] { (void)pool.imap_unordered(square, {1}, negative); }},
      {"with", [&] { (void)pool.with(negative).map(square, {1}); }},
  };
  for (const auto& [name, call] : calls) {
    EXPECT_TRUE(contains(error_of<Misuse>(call), "chunksize must not be negative")) << name;
  }
  EXPECT_THROW((void)pool.imap(square, {1}, {.chunksize = python_chunks}), Misuse);
  EXPECT_EQ(pool.map(square, {4}), std::vector{16});
}

TEST_P(Conformance, P_FUT_every_member_of_an_empty_future_is_misuse) {
  const Pool pool = make_pool(1);
  Future<int> moved = pool.submit(square, 2);
  const Future<int> there = std::move(moved);
  const std::vector<std::pair<const char*, std::function<void(const Future<int>&)>>> calls = {
      {"get", [](const auto& f) { (void)f.get(); }},
      {"move and get", [](auto f) { (void)std::move(f).get(); }},
      {"get_for", [](const auto& f) { (void)f.get_for(1ms); }},
      {"wait", [](const auto& f) { f.wait(); }},
      {"wait_for", [](const auto& f) { (void)f.wait_for(1ms); }},
      {"ready", [](const auto& f) { (void)f.ready(); }},
      {"successful", [](const auto& f) { (void)f.successful(); }},
      {"exception", [](const auto& f) { (void)f.exception(); }},
      {"remote_traceback", [](const auto& f) { (void)f.remote_traceback(); }},
      {"running", [](const auto& f) { (void)f.running(); }},
      {"cancel", [](const auto& f) { (void)f.cancel(); }},
      {"cancelled", [](const auto& f) { (void)f.cancelled(); }},
      {"on_progress", [](const auto& f) { f.on_progress([](const TaskUpdate&) {}); }},
      {"on_done", [](const auto& f) { f.on_done([](Future<int>&) {}); }},
      {"wait of several", [](const auto& f) { (void)wait({f}); }},
      {"as_completed", [](const auto& f) { (void)as_completed(std::vector{f}); }},
      {"gather", [](const auto& f) { (void)gather(f); }},
      {"as an argument", [&](const auto& f) { (void)pool.submit(square, f); }},
  };
  for (const auto& [name, call] : calls) {
    EXPECT_THROW(call(Future<int>()), Misuse) << name;
    EXPECT_THROW(call(moved), Misuse) << name;
  }
  EXPECT_FALSE(moved.valid());
  EXPECT_EQ(there.get(), 4);
}

TEST_P(Conformance, P_POOL_07_a_shutdown_that_waits_for_itself_is_misuse) {
  Pool pool = make_pool(1);
  Gate gate(file("gate"));
  std::promise<std::string> said;
  pool.submit(wait_at, gate.path(), 1).on_done([&](auto&) {
    try {
      pool.shutdown();
      said.set_value("nothing");
    } catch (const Misuse& error) {
      said.set_value(error.what());
    }
  });
  gate.open();
  EXPECT_TRUE(contains(said.get_future().get(), "callback"));
  EXPECT_THROW((void)pool.submit(square, 2), PoolClosed);
  pool.join();
}

TEST_P(Conformance, P_POOL_a_worker_program_needs_spawn) {
  if (method() == StartMethod::spawn) GTEST_SKIP() << "here it may have one: bad_input_test.cpp";
  const std::string text = error_of<Misuse>(
      [] { Pool({.start_method = method(), .worker_executable = "/usr/bin/true"}); });
  EXPECT_TRUE(contains(text, "needs start_method = StartMethod::spawn")) << text;
}

}  // namespace
}  // namespace procpool::test
