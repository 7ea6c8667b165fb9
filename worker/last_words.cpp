#include "worker/last_words.hpp"

#include <cxxabi.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <span>
#include <typeinfo>

#include "os/crash_signals.hpp"
#include "os/event.hpp"
#include "os/process.hpp"
#include "os/stack.hpp"
#include "shm/atomics.hpp"

namespace procpool::inline v0::worker {

namespace {

using shm::CrashRecord;
using shm::LastWords;

// Never destroyed, never freed: the last thing that runs here may want it.
struct Words {
  CrashRecord* record = nullptr;
  int pid = 0;
  int leader_bell = -1;
  int background_bell = -1;
  std::terminate_handler terminate_before = nullptr;
  CrashRecord::State noted = CrashRecord::nothing;
};
Words words;

/// In copies that a task forked nothing is said: it is not their record.
bool is_mine() noexcept { return words.record != nullptr && os::this_pid() == words.pid; }

template <std::size_t size>
std::uint16_t copy_text(char (&to)[size], const char* from) noexcept {
  std::size_t length = 0;
  while (length != size && from[length] != 0) ++length;
  std::memcpy(to, from, length);
  return static_cast<std::uint16_t>(length);
}

void note_use() noexcept {
  words.record->words.peak_memory = os::own_peak_memory();
  words.record->words.cpu_time = os::own_cpu_time();
}

void publish(CrashRecord::State now) noexcept {
  if (now == CrashRecord::noted) words.noted = now;
  shm::store_release(words.record->state, static_cast<std::uint32_t>(now));
}

/// What std::terminate was called for. `what` may throw, and then this comes again.
void note_exception() noexcept {
  LastWords& record = words.record->words;
  const std::type_info* const type = abi::__cxa_current_exception_type();
  if (type == nullptr) return;
  record.type_bytes = copy_text(record.type, type->name());
  try {
    throw;
  } catch (const std::exception& error) {
    record.text_bytes = copy_text(record.text, error.what());
  } catch (...) {  // its type says all that there is to say
  }
}

[[noreturn]] void on_terminate() noexcept {
  if (is_mine() && words.record->words.ending != LastWords::terminated) {
    words.record->words.ending = LastWords::terminated;
    publish(CrashRecord::noted);
    note_exception();
  }
  if (words.terminate_before != nullptr) words.terminate_before();
  std::abort();
}

void on_exit_called(int code, void*) {
  if (!is_mine()) return;
  words.record->words.exit_code = code;
  note_ending(LastWords::called_exit);
}

void on_quick_exit() {
  if (is_mine()) note_ending(LastWords::called_quick_exit);
}

void note_abort_message() noexcept {
  const char* const said = os::abort_message();
  if (said != nullptr) words.record->words.text_bytes = copy_text(words.record->words.text, said);
}

/// May crash itself, where the stack is not one any more.
void note_stack(void* context) noexcept {
  LastWords& record = words.record->words;
  std::array<std::uintptr_t, os::max_frames> frames;
  const std::size_t count = os::capture_interrupted(frames, context, true);
  record.stack_bytes =
      static_cast<std::uint16_t>(os::write_stack(std::span(frames).first(count), record.stack));
}

void announce() noexcept {
  publish(CrashRecord::announced);
  os::ring(words.leader_bell);
  os::ring(words.background_bell);
}

void tell(const os::Crash& crash, bool told_later) noexcept {
  LastWords& record = words.record->words;
  if (crash.again) {
    record.flags = static_cast<std::uint8_t>(record.flags | LastWords::crashed_twice);
    return announce();
  }
  record.signal = crash.signal;
  record.code = crash.code;
  record.sender = crash.sender;
  record.call_number = crash.call_number;
  record.address = crash.address;
  record.instruction = crash.instruction;
  if (crash.stack_overflow) record.flags = LastWords::stack_overflow;
  note_use();
  if (crash.signal == SIGABRT && record.ending != LastWords::terminated) note_abort_message();
  note_stack(crash.context);
  if (told_later) return shm::store_release(words.record->state, std::uint32_t{CrashRecord::noted});
  announce();
}

void withdraw() noexcept {
  words.record->words.signal = 0;
  words.record->words.flags = 0;
  shm::store_release(words.record->state, static_cast<std::uint32_t>(words.noted));
}

}  // namespace

void note_ending(LastWords::Ending ending) noexcept {
  if (!is_mine()) return;
  words.record->words.ending = ending;
  note_use();
  publish(CrashRecord::noted);
}

void leave_last_words(CrashRecord& record, int leader_bell, int background_bell, bool crashes) {
  words = {&record, os::this_pid(), leader_bell, background_bell, nullptr, CrashRecord::nothing};
  ::on_exit(on_exit_called, nullptr);
  std::at_quick_exit(on_quick_exit);
  words.terminate_before = std::set_terminate(on_terminate);
  if (!crashes) return;
  os::find_abort_message();
  os::warm_up_unwinder();
  os::tell_crashes({tell, withdraw});
}

}  // namespace procpool::inline v0::worker
