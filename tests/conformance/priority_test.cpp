// TaskOptions::priority: which of what waits is run first.
#include <fstream>
#include <iterator>
#include <string>

#include "conformance/conformance.hpp"

namespace procpool::test {
namespace {

void note(const std::string& path, char letter) { std::ofstream(path, std::ios::app) << letter; }
int note_element(const std::string& path, int x) {
  note(path, 'm');
  return x;
}

TEST_P(Conformance, P_POOL_priorities_order_what_waits) {
  const Pool pool = make_pool(1);
  Gate gate(file("gate"));
  Bell bell(file("bell"));
  const auto running = pool.submit(ring_and_wait, bell.path(), gate.path(), 1);
  bell.wait();
  const std::string path = file("order");
  const auto at = [&](int priority) { return pool.with({.priority = priority}); };
  std::vector<Future<void>> all;
  all.push_back(pool.submit(note, path, 'c'));
  all.push_back(at(5).submit(note, path, 'a'));
  all.push_back(at(-3).submit(note, path, 'e'));
  all.push_back(at(5).submit(note, path, 'b'));
  const auto map = at(1).map_async(partial(note_element, path), first_numbers(3));
  all.push_back(pool.submit(note, path, 'd'));
  all.push_back(at(-2'000'000'000).submit(note, path, 'f'));
  gate.open();
  for (const auto& each : all) each.get();
  EXPECT_EQ(map.get(), first_numbers(3));
  std::ifstream order(path);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(order), {}), "abmmmcdef");
}

}  // namespace
}  // namespace procpool::test
