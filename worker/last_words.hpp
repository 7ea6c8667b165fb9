#pragma once

// What a worker says of its own death: to be found in its results' control page
// (shm/crash_record.hpp), announced by both of home's bells.

#include "shm/crash_record.hpp"

namespace procpool::inline v0::worker {

/// From now on exit, quick_exit and std::terminate leave word; with `crashes` the signals of
/// crashes too. Bells are descriptors. Once per process; everything must stay until its end.
void leave_last_words(shm::CrashRecord& record, int leader_bell, int background_bell, bool crashes);

/// Before this process ends for that reason.
void note_ending(shm::LastWords::Ending ending) noexcept;

}  // namespace procpool::inline v0::worker
