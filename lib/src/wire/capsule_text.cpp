// A capsule for people.

#include <array>
#include <chrono>
#include <string>
#include <string_view>

#include "wire/capsule.hpp"
#include "wire/hooks.hpp"

namespace procpool::inline v0::wire {
namespace {

constexpr std::size_t label_width = 14;

/// A terminal obeys control characters. Those of UTF-8 beyond ASCII stay as they are.
std::string plain(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string safe;
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if ((code < ' ' && c != '\n' && c != '\t') || code == 0x7f) {
      safe.append("\\x").append(1, digits[code >> 4]).append(1, digits[code & 15]);
    } else {
      safe += c;
    }
  }
  return safe;
}

std::string two(unsigned number) { return (number < 10 ? "0" : "") + std::to_string(number); }

/// "2026-11-28 08:01:02 UTC"
std::string time_text(std::int64_t when) {
  using namespace std::chrono;
  const auto at = floor<seconds>(sys_time<nanoseconds>(nanoseconds(when)));
  const auto day = floor<days>(at);
  const year_month_day date(day);
  const hh_mm_ss time(at - day);
  return std::to_string(int(date.year())) + '-' + two(unsigned(date.month())) + '-' +
         two(unsigned(date.day())) + ' ' + two(static_cast<unsigned>(time.hours().count())) + ':' +
         two(static_cast<unsigned>(time.minutes().count())) + ':' +
         two(static_cast<unsigned>(time.seconds().count())) + " UTC";
}

std::string_view method_text(StartMethod method) {
  switch (method) {
    case StartMethod::fork:
      return "fork";
    case StartMethod::spawn:
      return "spawn";
    default:
      return "forkserver";
  }
}

std::string_view failure_text(Failure failure) {
  switch (failure) {
    case Failure::crash:
      return "its worker died";
    case Failure::timeout:
      return "it ran longer than its timeout";
    default:
      return "it threw";
  }
}

std::string arguments_text(const CapsuleTask& task) {
  const std::string size = std::to_string(task.bytes) + " bytes, callable included";
  switch (task.content) {
    case Content::too_large:
      return size + ": not kept, too large for a capsule";
    case Content::shared_state:
      return size + ": not kept, they name shared state";
    default:
      return size;
  }
}

class Lines {
 public:
  void add(std::string_view label, std::string_view value) {
    text_ += label;
    text_.append(label.size() < label_width ? label_width - label.size() : 1, ' ');
    text_ += plain(value);
    text_ += '\n';
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

}  // namespace

std::string describe(const Capsule& capsule) {
  const CapsuleTask& task = capsule.task;
  Lines lines;
  lines.add("task", task.code);
  if (!task.name.empty()) lines.add("name", task.name);
  if (task.is_element) lines.add("index", std::to_string(task.number));
  lines.add("attempt", std::to_string(task.attempt));
  if (task.timeout != 0) {
    const std::chrono::duration<double> timeout = std::chrono::nanoseconds(task.timeout);
    lines.add("timeout", std::to_string(timeout.count()) + " s");
  }
  lines.add("arguments", arguments_text(task));
  lines.add("program", capsule.pool.program);
  lines.add("file", capsule.pool.file);
  lines.add("code in", task.module_name.empty() ? "any program that exports it" : task.module_name);
  lines.add("start method", method_text(capsule.pool.start_method));
  for (const std::string& module : capsule.pool.modules) lines.add("module", module);
  for (const CapsuleHook& hook : capsule.pool.hooks) {
    lines.add("runs first", std::string(name_of(hook_kind(hook.kind))) + " (" +
                                std::to_string(hook.callable.size()) + " bytes)");
  }
  lines.add("failed", time_text(capsule.when) + ": " + std::string(failure_text(capsule.failure)));
  return lines.take() + '\n' + plain(capsule.report) + '\n';
}

}  // namespace procpool::inline v0::wire
