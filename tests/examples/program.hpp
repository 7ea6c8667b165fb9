// Runs an example program as a user does and looks at what it leaves.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "support/census.hpp"

namespace procpool::test {

// How a program ended, and what it wrote.
struct Ended {
  int status = -1;  // exit status; -1 after a signal
  int signal = 0;
  std::string out;
  std::string err;
};

// How often `part` stands in `text`.
std::size_t count(const std::string& text, const std::string& part);

// A test with a directory of its own. The programs that it runs get an empty TMPDIR there, which
// must be empty again at the end of each. Processes that outlive the program become children of
// the test, and must not be there either.
class Example : public Census {
 protected:
  Example();
  ~Example() override;

  Ended run(const std::string& program, const std::vector<std::string>& arguments);
  // The same with a terminal as its stderr; `err` is what came to it.
  Ended run_on_terminal(const std::string& program, const std::vector<std::string>& arguments);
  std::string path(const std::string& name) const { return folder_ / name; }
  // The bytes of a file there.
  std::string bytes(const std::string& name) const;

 private:
  pid_t start(const std::string& program, const std::vector<std::string>& arguments,
              const std::string& err);
  Ended end_of(pid_t child);

  std::filesystem::path folder_;
};

}  // namespace procpool::test
