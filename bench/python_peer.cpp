#include "bench/python_peer.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <set>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "bench/child.hpp"

namespace bench {
namespace {

std::array<int, 2> make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0)
    throw std::system_error(errno, std::generic_category(), "pipe");
  return ends;
}

/// Debian's, so that it is the one for which packages were installed.
void run_script(const std::string& kind, int workers) {
  const std::string count = std::to_string(workers);
  execl("/usr/bin/python3", "python3", PROCPOOL_BENCH_PEERS "/pool_peer.py", kind.c_str(),
        count.c_str(), nullptr);
  _exit(3);
}

}  // namespace

std::shared_ptr<PythonPeer> PythonPeer::start(const std::string& kind, int workers) {
  std::signal(SIGPIPE, SIG_IGN);
  const auto requests = make_pipe();
  const auto answers = make_pipe();
  const pid_t pid = fork_child([&] {
    std::signal(SIGPIPE, SIG_DFL);
    dup2(requests[0], STDIN_FILENO);
    dup2(answers[1], STDOUT_FILENO);
    run_script(kind, workers);
  });
  close(requests[0]);
  close(answers[1]);
  std::shared_ptr<PythonPeer> peer(
      new PythonPeer(pid, fdopen(requests[1], "w"), fdopen(answers[0], "r")));
  return peer->line() == "ready\n" ? peer : nullptr;
}

/// Its end of file is the script's end: its workers are its own to end.
PythonPeer::~PythonPeer() {
  std::fclose(to_);
  std::fclose(from_);
  wait_for(pid_);
}

std::string PythonPeer::line() {
  std::string text;
  for (int c = std::getc(from_); c != EOF; c = std::getc(from_)) {
    text.push_back(static_cast<char>(c));
    if (c == '\n') break;
  }
  return text;
}

double PythonPeer::seconds(const std::string& request) {
  std::fputs((request + '\n').c_str(), to_);
  std::fflush(to_);
  const std::string answer = line();
  if (answer.empty()) throw std::runtime_error("the Python peer has ended");
  return std::strtod(answer.c_str(), nullptr);
}

void add_python(Sides& sides, const PythonKind& kind, int workers, const std::string& request,
                std::optional<double> goal, std::function<double(double)> figure) {
  static std::set<std::string> missing;
  if (missing.contains(kind.kind)) return;
  const std::shared_ptr<PythonPeer> peer = PythonPeer::start(kind.kind, workers);
  if (!peer) {
    missing.insert(kind.kind);
    std::cerr << "procpool_bench: no " << kind.name << " here: its rows are left out\n";
    return;
  }
  sides.peers.push_back({kind.kind, kind.name, goal, [=, figure = std::move(figure)] {
                           return figure(peer->seconds(request));
                         }});
}

}  // namespace bench
