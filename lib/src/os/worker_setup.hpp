#pragma once

// What a fresh worker or template process does to itself before anything else.

#include <sys/types.h>

#include "os/fd.hpp"

namespace procpool::inline v0::os {

/// Default signal dispositions (but for handlers of crashes, which stay) and an empty mask, SIGINT and
/// SIGPIPE ignored (Ctrl-C is the program's), stdin from /dev/null, own process group (and group leader), thread name.
void become_worker(const char* name);

/// The same for the template process: also the subreaper of orphans.
void become_template(const char* name);

/// The group too, by the parent of a fresh fork: whichever of the two comes first.
void let_lead_group(pid_t child) noexcept;

/// What ps and top call this process: the first 15 bytes.
void name_process(const char* name);

/// Closes every descriptor >= 3 that is not in `keep` (close_range).
void close_all_but(const int* keep, int count) noexcept;

/// The supervisor's side of the lifeline of a pool: a pipe whose write end it alone holds.
struct Lifeline {
  Fd hold;    // write end, supervisor
  Fd tether;  // read end, sent
};
Lifeline make_lifeline();

/// In a worker: from now on the kernel kills this process's whole group (SIGKILL) when the last
/// write end of the lifeline is gone, also while a task blocks all signals. Opens its own
/// description of the pipe (the owner of an O_ASYNC description is one group). Falls back to a
/// watching thread where the kernel refuses. Checks, after arming, that the end is still held.
/// The returned descriptor must stay open.
Fd tether_to(const Fd& tether);

/// Children still alive whose parent is this process (adopted orphans of a template) are killed
/// and reaped, except those that `is_known` accepts.
void kill_orphans(bool (*is_known)(pid_t, void*), void* context) noexcept;

}  // namespace procpool::inline v0::os
