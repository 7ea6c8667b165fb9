#pragma once

// What a worker throws for code that it does not have, and what the program makes of it: only the
// program knows the name of the module, only the worker its own.

#include <string>

#include <procpool/detail/callable.hpp>
#include <procpool/errors.hpp>

namespace procpool::inline v0::wire {

class UnknownCode : public UnknownTask {
 public:
  UnknownCode(detail::CodeAddress where, std::string program);

  detail::CodeAddress where() const { return where_; }
  /// "worker (build id 5ac0…)".
  const std::string& program() const { return program_; }

 private:
  detail::CodeAddress where_;
  std::string program_;
};

}  // namespace procpool::inline v0::wire
