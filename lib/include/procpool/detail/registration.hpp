#pragma once

// What a program tells the library before init: exported tasks and exception types.

namespace procpool::inline v0::detail {

/// Still before init?
bool registration_open() noexcept;
/// Called by init. Everything registered so far is known on both sides of the process boundary.
void close_registration() noexcept;
/// By whoever loads modules, whose static initialisers register; closed again afterwards.
void reopen_registration() noexcept;
/// Throws Misuse when init has been called; `what` names the call.
void require_registration_open(const char* what);

}  // namespace procpool::inline v0::detail
