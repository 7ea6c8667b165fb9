#include "supervisor/capsule_writer.hpp"

#include <algorithm>
#include <atomic>
#include <cctype>
#include <chrono>
#include <cstdio>
#include <exception>
#include <string_view>
#include <utility>

#include <procpool/detail/batch.hpp>
#include <procpool/detail/descriptor.hpp>
#include <procpool/options.hpp>

#include "os/modules.hpp"
#include "os/private_files.hpp"
#include "os/process.hpp"
#include "wire/error_record.hpp"

namespace procpool::inline v0::supervisor {

using detail::Assignment;
using detail::Chunk;
using detail::Node;

namespace {

constexpr std::string_view suffix = ".capsule";
constexpr std::string_view unfinished = ".capsule.tmp";
constexpr std::size_t time_digits = sizeof("20261128T080102.123456") - 1;
constexpr std::size_t longest_title = 60;  // in a file's name
/// What else than the call's bytes and the report is in a capsule: texts, paths.
constexpr std::size_t room_for_rest = 512 * 1024;
constexpr std::size_t most_report = 1024 * 1024;

const Chunk& chunk_of(const Assignment& work) { return static_cast<const Chunk&>(work); }
const Node& node_of(const Assignment& work) {
  return work.is_chunk ? *chunk_of(work).batch : static_cast<const Node&>(work);
}

std::span<const std::byte> callable_of(const Assignment& work) {
  if (work.is_chunk) return chunk_of(work).batch->elements.callable;
  return node_of(work).payload.bytes();
}

std::span<const std::byte> element_of(const Assignment& work) {
  return chunk_of(work).batch->elements.run(work.first, work.first + 1);
}

bool lies_in(std::span<const std::byte> part, const std::vector<std::byte>& whole) {
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

std::int64_t now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(since).count();
}

std::string digits(std::int64_t number, std::size_t width) {
  std::string text = std::to_string(number);
  return std::string(width - std::min(width, text.size()), '0') + text;
}

/// "20261128T080102.123456": names are in the order of time.
std::string time_part(std::int64_t when) {
  using namespace std::chrono;
  const sys_time<microseconds> at(duration_cast<microseconds>(nanoseconds(when)));
  const auto day = floor<days>(at);
  const year_month_day date(day);
  const hh_mm_ss time(at - day);
  return digits(int(date.year()), 4) + digits(unsigned(date.month()), 2) +
         digits(unsigned(date.day()), 2) + 'T' + digits(time.hours().count(), 2) +
         digits(time.minutes().count(), 2) + digits(time.seconds().count(), 2) + '.' +
         digits(time.subseconds().count(), 6);
}

/// Of a task's name what a shell takes as one word.
std::string title_part(std::string_view title) {
  std::string part;
  for (const char c : title) {
    const bool good = std::isalnum(static_cast<unsigned char>(c)) != 0;
    if (good) part += c;
    if (!good && !part.empty() && part.back() != '_') part += '_';
    if (part.size() == longest_title) break;
  }
  while (!part.empty() && part.back() == '_') part.pop_back();
  return part.empty() ? "task" : part;
}

/// Whether we gave a file this name: others' files are let alone.
bool is_ours(std::string_view name) {
  if (name.size() <= time_digits || (!name.ends_with(suffix) && !name.ends_with(unfinished))) {
    return false;
  }
  for (std::size_t i = 0; i != time_digits; ++i) {
    const char wanted = i == 8 ? 'T' : i == 15 ? '.' : '0';
    const bool digit = std::isdigit(static_cast<unsigned char>(name[i])) != 0;
    if (wanted == '0' ? !digit : name[i] != wanted) return false;
  }
  return name[time_digits] == '-';
}

/// The oldest go.
void thin_out(const os::Fd& folder) {
  std::vector<std::string> names = os::names_in(folder);
  std::erase_if(names, [](const std::string& name) { return !is_ours(name); });
  if (names.size() <= most_capsules) return;
  std::ranges::sort(names);
  names.resize(names.size() - most_capsules);
  for (const std::string& name : names) os::remove_file(folder, name);
}

}  // namespace

Failed failed(const Assignment& work, wire::Failure failure) {
  Failed all{.failure = failure, .work = &work};
  const Node& node = node_of(work);
  all.names_state = node.extras && !node.extras->attachments.empty();
  if (!work.is_chunk) return all;
  const auto element = element_of(work);
  // A caller whose map is cancelled meanwhile does not wait for us.
  all.was_borrowed = !lies_in(element, chunk_of(work).batch->elements.bytes);
  if (all.was_borrowed) all.element.assign(element.begin(), element.end());
  return all;
}

CapsuleWriter::CapsuleWriter(std::filesystem::path folder, wire::CapsulePool pool,
                             bool hooks_name_state)
    : folder_(std::move(folder)), pool_(std::move(pool)), hooks_name_state_(hooks_name_state) {
  for (const wire::CapsuleHook& hook : pool_.hooks) hook_bytes_ += hook.callable.size();
}

std::filesystem::path CapsuleWriter::write(const Failed& failed,
                                           const std::string& report) noexcept {
  try {
    const wire::Capsule made = capsule(failed, report);
    return folder_ / save(wire::serialise(made), made);
  } catch (const std::exception& error) {
    tell(error.what());
    return {};
  }
}

wire::Capsule CapsuleWriter::capsule(const Failed& failed, const std::string& report) const {
  const Assignment& work = *failed.work;
  const detail::CodeAddress code = detail::identify_code(work.descriptor);
  const auto callable = callable_of(work);
  wire::Capsule capsule{.pool = pool_, .failure = failed.failure, .when = now()};
  bool cut = false;
  capsule.report = wire::truncate(report.c_str(), most_report, cut);
  wire::CapsuleTask& task = capsule.task;
  task.code = work.descriptor->name(callable);
  if (code != detail::calls_by_name) task.module_name = os::module_name(code.module);
  task.module = code.module;
  task.offset = code.offset;
  task.attempt = work.attempt;
  if (work.options != nullptr) {
    task.name = work.options->name;
    if (work.options->timeout) task.timeout = work.options->timeout->count();
  }
  task.is_element = work.is_chunk;
  task.number = work.first;
  auto arguments = callable;
  if (work.is_chunk) {
    task.number += chunk_of(work).batch->elements.first_index;
    arguments = failed.was_borrowed ? std::span<const std::byte>(failed.element) : element_of(work);
  }
  task.bytes = arguments.size() + (work.is_chunk ? callable.size() : 0);
  if (failed.names_state || hooks_name_state_) {
    task.content = wire::Content::shared_state;
  } else if (task.bytes + hook_bytes_ + most_report + room_for_rest > wire::max_capsule_bytes) {
    task.content = wire::Content::too_large;
  } else {
    task.arguments = wire::blob_of(arguments);
    if (work.is_chunk) task.callable = wire::blob_of(callable);
  }
  if (task.content != wire::Content::whole) capsule.pool.hooks.clear();
  return capsule;
}

std::string CapsuleWriter::save(std::span<const std::byte> bytes,
                                const wire::Capsule& capsule) const {
  static constinit std::atomic<unsigned> last = 0;  // of this process
  const os::Fd folder = os::open_private_folder(folder_);
  std::string name;
  do {
    name = time_part(capsule.when) + '-' + std::to_string(os::this_pid()) + '-' +
           std::to_string(++last) + '-' + title_part(wire::title_of(capsule.task));
    name += suffix;
  } while (!os::write_private_file(folder, name, bytes));
  thin_out(folder);
  return name;
}

void CapsuleWriter::tell(const char* why) noexcept {
  if (std::exchange(told_, true)) return;
  std::fprintf(stderr, "procpool: no capsule could be left in %s: %s\n", folder_.c_str(), why);
}

}  // namespace procpool::inline v0::supervisor
