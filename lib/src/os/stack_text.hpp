#pragma once

// A stack in words, by whoever wants to read it: any process, also when the one whose it was is
// gone.

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "os/stack.hpp"

namespace procpool::inline v0::os {

/// A frame a line, innermost first, no line feed at the end: "square(int) at /src/square.cpp:7";
/// without debug information "square(int) [program+0x12ab]"; without a name "program+0x12ab". What
/// throws, and what runs a task, is left out at the two ends, unless nothing were left.
/// Opens the modules' files and reads them: a tenth of a second and more for large ones. Throws std::bad_alloc only.
std::string stack_text(const Stack&);

/// The same of what `write_stack` wrote; empty, if it is not that.
std::string stack_text(std::span<const std::byte>);

/// The same for several stacks: files that were read stay open, until it goes.
class StackReader {
 public:
  StackReader();
  StackReader(const StackReader&) = delete;
  StackReader& operator=(const StackReader&) = delete;
  ~StackReader();

  std::string text(const Stack&);
  std::string text(std::span<const std::byte>);

 private:
  struct Known;
  class Reading;

  std::vector<std::unique_ptr<Known>> known_;
};

}  // namespace procpool::inline v0::os
