// The ways of dying, and what each looks like from home when it happens in a task.
#pragma once

#include <optional>
#include <string>

#include <procpool/procpool.hpp>

namespace procpool::test {

enum class Way {
  throw_error,
  exit_3,
  exit_at_once_3,
  abort,
  quick_exit_3,
  exit_thread,
  fork_and_return,
  daemonise,
  close_descriptors,
  bad_access,
  bus_error,
  bad_instruction,
  bad_arithmetic,
  stack_overflow,
  terminate,
  wild_free,
  killed_from_outside,
  count,
};

/// Dies in this way; returns where the way allows that. `killed_from_outside` reports its pid to the
/// room and waits for the end.
void die(Way way, const std::string& room);

const char* name_of(Way way);

/// How a task ends.
struct Ending {
  enum class Kind { value, error, encoding_error, signal, exit_code } kind = Kind::value;
  int number = 0;
};

/// What happens when a task dies in this way.
Ending ending_in_task(Way way);
/// Whether the process survives when the thread that dies is not the one that runs tasks.
bool survives_in_thread(Way way);

/// The end of the future, in words: a crash is told with worker, and attempt and `started` where they
/// are not 1 and true.
std::string ending_of(const Future<int>& future);
std::string ending_of_current_exception();
std::string describe(const Ending& ending, pid_t worker);

const char* name_of(StartMethod method);
inline constexpr StartMethod all_methods[] = {StartMethod::forkserver, StartMethod::fork,
                                              StartMethod::spawn};

}  // namespace procpool::test
