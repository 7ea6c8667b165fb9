// Where workers come from, what they hold, and what reaches them.
#include <fcntl.h>
#include <pty.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <filesystem>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include "conformance/conformance.hpp"
#include "conformance/programs.hpp"

namespace procpool::test {
namespace {

namespace fs = std::filesystem;

// ---- where they come from
// ------------------------------------------------------------------------

std::atomic<int> told = 0;

struct Origin {
  pid_t parent;
  int told;
  std::size_t threads;
};
Origin origin() {
  const auto threads = fs::directory_iterator("/proc/self/task");
  return {getppid(), told, static_cast<std::size_t>(std::distance(begin(threads), end(threads)))};
}

// A worker that was just forked has its name, too. Those in `others` were there before: the one that
// a program keeps for its Processes.
std::vector<pid_t> template_processes(const std::vector<pid_t>& others = {}) {
  std::vector<pid_t> found;
  for (const auto& process : descendants(getpid())) {
    if (process.parent == getpid() && process.name.starts_with("procpool-templ") &&
        std::ranges::find(others, process.pid) == others.end()) {
      found.push_back(process.pid);
    }
  }
  return found;
}

// `told` says of which moment of this program a worker is a copy: of the pool's making under fork,
// of none else.
TEST_P(Conformance, P_START_03_replacements_come_from_the_template_never_from_this_program) {
  const bool spawned = method() == StartMethod::spawn;
  std::atomic<bool> over = false;
  const std::jthread another([&] { over.wait(false); });
  const auto others = template_processes();
  told = 1;
  const Pool pool = make_pool(1);
  told = 2;
  const auto templates = template_processes(others);
  ASSERT_EQ(templates.size(), spawned ? 0U : 1U);
  std::set<pid_t> pids;
  for (int round = 0; round != 4; ++round) {
    const Origin of = pool.apply(origin);
    EXPECT_EQ(of.parent, spawned ? getpid() : templates.front());
    EXPECT_EQ(of.told, method() == StartMethod::fork ? 1 : 0);
    EXPECT_EQ(of.threads, 1U);
    EXPECT_TRUE(pids.insert(pool.apply(own_pid)).second);
    EXPECT_THROW(pool.apply(crash), WorkerCrashed);
  }
  EXPECT_EQ(template_processes(others), templates);
  over = true;
  over.notify_all();
}

// ---- what they hold
// ------------------------------------------------------------------------------

using Descriptors = std::map<int, std::string>;

Descriptors descriptors_of(pid_t pid) {
  Descriptors found;
  for (const auto& entry : fs::directory_iterator("/proc/" + std::to_string(pid) + "/fd")) {
    found[std::stoi(entry.path().filename())] = fs::read_symlink(entry.path());
  }
  return found;
}
// "socket", "pipe", "anon_inode:[eventfd]", … of those that the user does not hold.
std::multiset<std::string> kinds_beside(const Descriptors& users, const Descriptors& held) {
  std::multiset<std::string> kinds;
  for (const auto& [fd, target] : held) {
    const auto found = users.find(fd);
    if (fd <= 2 || (found != users.end() && found->second == target)) continue;
    kinds.insert(target.starts_with("anon_inode") ? target : target.substr(0, target.find(":[")));
  }
  return kinds;
}

// The control socket, two doorbells, the lifeline.
const std::multiset<std::string> of_a_worker{"socket", "anon_inode:[eventfd]",
                                             "anon_inode:[eventfd]", "pipe"};

// A pipe of the user's, one end of which is not close-on-exec.
class UsersPipe {
 public:
  UsersPipe() {
    if (pipe2(ends_, O_CLOEXEC) == 0) fcntl(ends_[1], F_SETFD, 0);
    name_ = fs::read_symlink("/proc/self/fd/" + std::to_string(ends_[0]));
  }
  UsersPipe(const UsersPipe&) = delete;
  UsersPipe& operator=(const UsersPipe&) = delete;
  ~UsersPipe() {
    for (const int fd : ends_) close(fd);
  }
  bool is_open_in(const Descriptors& held) const {
    return std::ranges::all_of(ends_, [&](int fd) {
      const auto found = held.find(fd);
      return found != held.end() && found->second == name_;
    });
  }

 private:
  int ends_[2] = {-1, -1};
  std::string name_;
};

// Also the ninth worker, the second pool's and a replacement's replacement.
TEST_P(Conformance, P_START_04_a_worker_holds_what_it_needs_and_no_more) {
  const UsersPipe pipe;
  const Descriptors users = descriptors_of(getpid());
  const Pool other = make_pool(2);
  const Pool pool = make_pool(9);
  const bool forked = method() == StartMethod::fork;
  const auto check = [&](pid_t pid) {
    const Descriptors held = descriptors_of(pid);
    EXPECT_EQ(held.at(0), "/dev/null");
    for (const int fd : {1, 2}) EXPECT_EQ(held.at(fd), users.at(fd));
    EXPECT_EQ(pipe.is_open_in(held), forked);
    EXPECT_EQ(kinds_beside(forked ? users : Descriptors(), held), of_a_worker)
        << testing::PrintToString(held);
  };
  for (const pid_t pid : pool.pids()) check(pid);
  for (int round = 0; round != 12; ++round) EXPECT_THROW(pool.apply(crash), WorkerCrashed);
  for (const pid_t pid : pool.pids()) check(pid);
  for (const pid_t pid : other.pids()) check(pid);
}

long read_stdin() {
  char byte = 0;
  return read(STDIN_FILENO, &byte, 1);
}

TEST_P(Conformance, P_START_04_stdin_gives_nothing) {
  EXPECT_EQ(make_pool(1).apply(read_stdin), 0);
}

// ---- what reaches them
// ---------------------------------------------------------------------------

// A program on a terminal of its own.
class OnTerminal {
 public:
  explicit OnTerminal(std::vector<std::string> words) {
    std::vector<char*> argv;
    for (auto& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    pid_ = forkpty(&terminal_, nullptr, nullptr, nullptr);
    if (pid_ == 0) {
      execv(argv.front(), argv.data());
      _exit(127);
    }
    fcntl(terminal_, F_SETFD, FD_CLOEXEC);
  }
  OnTerminal(const OnTerminal&) = delete;
  OnTerminal& operator=(const OnTerminal&) = delete;
  ~OnTerminal() {
    close(terminal_);
    while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) continue;
  }

  // Empty: it has ended.
  std::string line() {
    std::string text;
    for (char byte = 0; read(terminal_, &byte, 1) == 1 && byte != '\n';) {
      if (byte != '\r') text += byte;
    }
    return text;
  }
  void press_interrupt() const { EXPECT_EQ(write(terminal_, "\x03", 1), 1); }

 private:
  int terminal_ = -1;
  pid_t pid_ = -1;
};

TEST_P(Conformance, P_START_05_an_interrupt_at_the_terminal_reaches_the_program_only) {
  const std::string fifo = file("fifo");
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  OnTerminal run({program("interrupted"), name_of(method()), fifo});
  ASSERT_EQ(run.line(), "ready");
  run.press_interrupt();
  std::string line = run.line();
  if (line == "^C") line = run.line();
  if (line.starts_with("^C")) line.erase(0, 2);  // the terminal's echo
  EXPECT_EQ(line, "interrupted 1");
  EXPECT_EQ(run.line(), "task 42");
  EXPECT_EQ(run.line(), "ignored 1");
  EXPECT_EQ(run.line(), "same workers 1");
}

// ---- files on disk
// -------------------------------------------------------------------------------

TEST_P(Conformance, P_START_06_files_that_are_replaced_while_the_pool_runs) {
  fs::copy(program("replaced"), file("replaced"));
  fs::copy(program("build_1/libreplaced.so"), file("libreplaced.so"));
  fs::copy(program("other_build"), file("next_replaced"));
  fs::copy(program("build_2/libreplaced.so"), file("next_libreplaced.so"));
  const auto [text, status] = run("timeout -k 1 20 " + file("replaced") + " " + name_of(method()));
  EXPECT_EQ(status, 0) << text;
  if (method() != StartMethod::spawn) {
    EXPECT_EQ(text, "1\n1\n4\n9\n1\n");
    return;
  }
  // The program stays what it was; a library is found by its name anew, and is refused.
  EXPECT_TRUE(text.starts_with("1\n1\n4\n9\nUnknownTask: ")) << text;
  EXPECT_TRUE(contains(text, "libreplaced.so (build id ")) << text;
}

}  // namespace
}  // namespace procpool::test
