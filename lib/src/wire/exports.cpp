// The table of exported tasks. It is filled while static objects are made, in any order, so it needs no
// initialisation; like the other tables it only grows, and looking something up takes no lock.

#include "wire/exports.hpp"

#include <procpool/detail/archive.hpp>
#include <procpool/detail/registration.hpp>
#include <procpool/errors.hpp>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <memory>
#include <string>
#include <utility>

namespace procpool::inline v0 {

using wire::Export;

namespace {

constinit std::atomic<const Export*> first{nullptr};
constinit wire::ModuleRegistration* loading = nullptr;  // of the one thread that loads modules

void add(std::unique_ptr<Export> fresh) {
  fresh->next = first;
  do {
    for (const Export* each = fresh->next; each != nullptr; each = each->next) {
      if (each->name() != fresh->name()) continue;
      if (each->title == fresh->title && each->code == fresh->code) return;
      throw Misuse("export_task: two tasks are named " + wire::in_quotes(fresh->name()) + ": " +
                   std::string(each->signature()) + " and " + std::string(fresh->signature()) +
                   ", of different code: give one of them another name");
    }
  } while (!first.compare_exchange_weak(fresh->next, fresh.get()));
  static_cast<void>(fresh.release());
}

// A task runs its calls one after the other, mostly of one name.
const Export* find(std::string_view title) {
  thread_local const Export* last = nullptr;
  if (last != nullptr && last->title == title) return last;
  for (const Export* each = first; each != nullptr; each = each->next)
    if (each->title == title) return last = each;
  return nullptr;
}

}  // namespace

namespace detail {

void call_by_name(Invocation& invocation) {
  SpanIn& callable = invocation.callable();
  const std::string_view title = load_view(callable);
  const Export* const task = find(title);
  if (task == nullptr) wire::throw_unknown_name(title);
  task->code.run(invocation, callable, task->code.function);
}

void check_task_name(std::string_view name, const char* call) {
  const auto visible = [](unsigned char c) { return c > ' ' && c != 0x7f; };
  if (!name.empty() && std::ranges::all_of(name, visible)) return;
  throw Misuse(std::string(call) + ": " + wire::in_quotes(name) +
               " cannot be the name of a task: write one without blanks, as \"resize\"");
}

void add_export(std::string_view name, std::string_view signature, ExportedCode code) try {
  const std::string call = "export_task(" + wire::in_quotes(name) + ")";
  require_registration_open(call.c_str());
  check_task_name(name, "export_task");
  auto fresh = std::make_unique<Export>();
  fresh->title = std::string(name) + ' ' + std::string(signature);
  fresh->name_size = name.size();
  fresh->code = code;
  add(std::move(fresh));
} catch (const Misuse& error) {
  if (!wire::ModuleRegistration::keep(error.what())) throw;
}

void save_title(SpanOut& out, std::string_view name, std::string_view signature) {
  check_task_name(name, "remote");
  encode(out, std::uint64_t{name.size() + 1 + signature.size()});
  out.write(name.data(), name.size());
  out.write(" ", 1);
  out.write(signature.data(), signature.size());
}

std::string named_task_name(std::span<const std::byte> callable) {
  try {
    SpanIn in(callable);
    const std::string_view title = load_view(in);
    return std::string(title.substr(0, title.find(' ')));
  } catch (const DecodingError&) {
    return "?";
  }
}

void throw_called_here(const std::string& name) {
  throw Misuse("the task " + wire::in_quotes(name) +
               " is another program's: pass it to a pool, as pool.apply(task, arguments...)");
}

}  // namespace detail

namespace wire {

const Export* first_export() noexcept { return first; }

std::vector<std::string> exported_titles() {
  std::vector<std::string> titles;
  for (const Export* each = first; each != nullptr; each = each->next)
    if (!each->title.starts_with(own_prefix)) titles.push_back(each->title);
  std::ranges::sort(titles);
  return titles;
}

ModuleRegistration::ModuleRegistration() noexcept {
  loading = this;
  detail::reopen_registration();
}
ModuleRegistration::~ModuleRegistration() {
  detail::close_registration();
  loading = nullptr;
}

bool ModuleRegistration::keep(const std::string& refusal) {
  if (loading == nullptr) return false;
  if (loading->refusal_.empty()) loading->refusal_ = refusal;
  return true;
}

}  // namespace wire
}  // namespace procpool::inline v0
