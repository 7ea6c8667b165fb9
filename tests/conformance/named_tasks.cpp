// Exported tasks. Compiled into the tests' own program, into a worker program that knows nothing of the
// tests, and, with a prefix to their names, into a task module.
#include "conformance/named_tasks.hpp"

#include <signal.h>
#include <unistd.h>

#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#ifndef NAMED_TASKS_PREFIX
#define NAMED_TASKS_PREFIX ""
#endif

namespace procpool::test {
namespace {

int add(int a, int b) { return a + b; }
std::size_t length(const std::string& text) { return text.size(); }
std::string_view first_word(std::string_view text) { return text.substr(0, text.find(' ')); }
double sum(std::span<const double> numbers) noexcept {
  return std::accumulate(numbers.begin(), numbers.end(), 0.0);
}
double scaled_sum(std::span<const double> numbers, double factor) { return factor * sum(numbers); }
std::string join(const char* separator, std::span<const std::string> words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : separator) + word;
  return text;
}
Point shift(Point point, const Point& by) { return {point.x + by.x, point.y + by.y}; }
int take(std::unique_ptr<int>&& number) { return *number; }
void reject(const std::string& text, int code) { throw Rejected(text, code); }
int own_process() { return getpid(); }
void die() { raise(SIGKILL); }

struct Turned {
  Colour operator()(Colour colour) const {
    return colour == Colour::red ? Colour::green : Colour::red;
  }
};

std::string name(std::string_view base) { return NAMED_TASKS_PREFIX + std::string(base); }

const bool rejected_is_registered = register_exception<Rejected>();
const bool exported[] = {
    export_task(name("add"), add),
    export_task(name("add"), &add),  // the same again
    export_task(name("length"), length),
    export_task(name("first_word"), first_word),
    export_task(name("sum"), sum),
    export_task(name("scaled_sum"), scaled_sum),
    export_task(name("join"), join),
    export_task(name("shift"), shift),
    export_task(name("take"), take),
    export_task(name("reject"), reject),
    export_task(name("own_process"), own_process),
    export_task(name("die"), die),
    export_task(name("turn"), Turned{}),
    export_task(name("negate"), [](long long x) { return -x; }),
};

}  // namespace
}  // namespace procpool::test
