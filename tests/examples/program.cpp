#include "program.hpp"

#include <chrono>
#include <sched.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "support/processes.hpp"

namespace procpool::test {
namespace {

namespace fs = std::filesystem;

class Files {  // what a child has as stdout and stderr
 public:
  Files(const std::string& out, const std::string& err) {
    posix_spawn_file_actions_init(&actions_);
    add(STDIN_FILENO, "/dev/null", O_RDONLY);
    add(STDOUT_FILENO, out, O_WRONLY | O_CREAT | O_TRUNC);
    add(STDERR_FILENO, err, O_WRONLY | O_CREAT | O_TRUNC);
  }
  Files(const Files&) = delete;
  Files& operator=(const Files&) = delete;
  ~Files() { posix_spawn_file_actions_destroy(&actions_); }
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  void add(int descriptor, const std::string& file, int flags) {
    posix_spawn_file_actions_addopen(&actions_, descriptor, file.c_str(), flags, 0600);
  }
  posix_spawn_file_actions_t actions_;
};

// As execve wants them.
std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> result;
  for (std::string& word : words) result.push_back(word.data());
  result.push_back(nullptr);
  return result;
}

std::vector<std::string> environment_with(const std::string& name, const std::string& value) {
  std::vector<std::string> result{name + value};
  for (char** at = environ; *at != nullptr; ++at) {
    if (!std::string_view(*at).starts_with(name)) result.emplace_back(*at);
  }
  return result;
}

int wait_for(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

// Names and pids of what still runs below this process.
std::string left_running() {
  std::string text;
  for (const ProcessInfo& process : descendants(getpid())) {
    if (process.state != 'Z') text += process.name + " " + std::to_string(process.pid) + "; ";
  }
  return text;
}

}  // namespace

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

Example::Example() {
  std::string name = fs::path(testing::TempDir()) / "examples-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp " + name);
  folder_ = name;
  fs::create_directory(folder_ / "tmp");
  if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) throw std::runtime_error("prctl");
}

Example::~Example() { fs::remove_all(folder_); }

pid_t Example::start(const std::string& program, const std::vector<std::string>& arguments,
                     const std::string& err) {
  std::vector<std::string> words{program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<std::string> variables = environment_with("TMPDIR=", path("tmp"));
  pid_t child = 0;
  const Files files(path("out"), err);
  EXPECT_EQ(posix_spawn(&child, program.c_str(), files.get(), nullptr, pointers(words).data(),
                        pointers(variables).data()),
            0);
  return child;
}

Ended Example::end_of(pid_t child) {
  const int status = wait_for(child);
  // A template process ends when it sees that its program has: soon, that is within a second.
  const auto soon = std::chrono::steady_clock::now() + std::chrono::seconds(1);
  while (!left_running().empty() && std::chrono::steady_clock::now() < soon) sched_yield();
  EXPECT_EQ(left_running(), "") << "processes have outlived the program";
  EXPECT_TRUE(fs::is_empty(folder_ / "tmp")) << "files are left in TMPDIR";
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, WIFSIGNALED(status) ? WTERMSIG(status) : 0,
          bytes("out"), {}};
}

Ended Example::run(const std::string& program, const std::vector<std::string>& arguments) {
  Ended ended = end_of(start(program, arguments, path("err")));
  ended.err = bytes("err");
  return ended;
}

Ended Example::run_on_terminal(const std::string& program,
                               const std::vector<std::string>& arguments) {
  const int screen = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (screen < 0 || grantpt(screen) != 0 || unlockpt(screen) != 0) throw std::runtime_error("pty");
  const pid_t child = start(program, arguments, ptsname(screen));
  std::string text;
  char some[4096];
  // Until the last process that has the terminal is gone (EIO).
  for (ssize_t got = 0; (got = read(screen, some, sizeof some)) > 0;) {
    text.append(some, static_cast<std::size_t>(got));
  }
  close(screen);
  Ended ended = end_of(child);
  ended.err = std::move(text);
  return ended;
}

std::string Example::bytes(const std::string& name) const { return text_of(path(name)); }

}  // namespace procpool::test
