#pragma once

// The three ways to a child. Each ends in worker/serve.cpp with one control socket, on which it is told
// what to run only when this process can wait for it: a child that nobody knows runs nothing.

#include <memory>
#include <string>

#include <procpool/detail/process_call.hpp>
#include <procpool/options.hpp>

#include "process/child.hpp"

namespace procpool::inline v0::process {

/// Throws PoolBroken and std::system_error; then there is no child.
std::unique_ptr<Child> start_child(StartMethod method, const detail::ProcessCall& call,
                                   const std::string& name);

}  // namespace procpool::inline v0::process
