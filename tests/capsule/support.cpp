#include "capsule/support.hpp"

#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "os/private_files.hpp"

namespace procpool::test {

void LeavesCapsules::SetUpTestSuite() {
  for (const auto method : {StartMethod::forkserver, StartMethod::fork, StartMethod::spawn}) {
    Pool({.processes = 1, .start_method = method}).apply([] {});
  }
}

std::vector<path> LeavesCapsules::left() const {
  std::vector<path> files;
  if (!std::filesystem::exists(folder())) return files;
  for (const auto& entry : std::filesystem::directory_iterator(folder())) {
    files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

path LeavesCapsules::only() const {
  const auto files = left();
  EXPECT_EQ(files.size(), 1U);
  return files.empty() ? path() : files.front();
}

wire::Capsule read(const path& file) {
  return wire::parse_capsule(os::read_whole(file, wire::max_capsule_bytes));
}

path named_in(std::string_view text) {
  constexpr std::string_view mark = "\ncapsule: ";
  const std::size_t at = text.rfind(mark);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = text.substr(at + mark.size());
  return rest.find('\n') == std::string_view::npos ? path(rest) : path();
}

Ran run(const std::string& command) {
  std::FILE* const pipe = popen(("exec " + command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return {"popen failed"};
  Ran ran;
  for (std::array<char, 4096> part; std::fgets(part.data(), part.size(), pipe) != nullptr;) {
    ran.text += part.data();
  }
  const int status = pclose(pipe);
  if (WIFEXITED(status)) ran.exited = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) ran.signal = WTERMSIG(status);
  return ran;
}

namespace {

std::string this_program() { return std::filesystem::read_symlink("/proc/self/exe"); }

}  // namespace

Ran replay(const path& capsule) {
  return run(this_program() + " --procpool-replay " + capsule.string());
}
Ran describe(const path& capsule) {
  return run(this_program() + " --procpool-describe " + capsule.string());
}
Ran replay_by_worker(const path& capsule) {
  return run(PROCPOOL_WORKER_PROGRAM " --replay " + capsule.string());
}

}  // namespace procpool::test
