// procpool-worker: a program that is nothing but a worker, for `PoolOptions::worker_executable`. By
// hand it shows which tasks modules export, and runs capsules of tasks by name.

#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <procpool/program.hpp>

#include "wire/exports.hpp"
#include "worker/modules.hpp"
#include "worker/replay.hpp"

namespace {

constexpr const char* help =
    "procpool-worker: a pool starts this program (PoolOptions::worker_executable).\n"
    "\n"
    "By hand it shows what task modules export, one line each, name and signature:\n"
    "  procpool-worker --module FILE [--module FILE ...] --list\n"
    "It says what is in a capsule (PoolOptions::capsule_dir), and runs that task again, here, if it is\n"
    "one by name; the modules of its pool are loaded besides:\n"
    "  procpool-worker --describe FILE\n"
    "  procpool-worker [--module FILE ...] --replay FILE\n";

int fail(const char* what, const char* word) {
  std::fprintf(stderr, "procpool-worker: %s%s\n%s", what, word, help);
  return 2;
}

int list(const std::vector<std::string>& modules) try {
  procpool::worker::load_modules(modules);
  for (const auto& title : procpool::wire::exported_titles()) std::puts(title.c_str());
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "procpool-worker: %s\n", error.what());
  return 1;
}

int replay(const std::vector<std::string>& modules, const std::string& capsule) try {
  procpool::worker::load_modules(modules);
  return procpool::worker::replay(capsule);
} catch (const std::exception& error) {
  std::fprintf(stderr, "procpool-worker: %s\n", error.what());
  return procpool::worker::replay_impossible;
}

}  // namespace

int main(int argc, char** argv) {
  procpool::init(argc, argv);  // does not return when a pool started this process
  std::vector<std::string> modules;
  std::string capsule;
  bool wants_list = false;
  bool describes = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--help") return std::fputs(help, stdout), 0;
    if (word == "--list") {
      wants_list = true;
    } else if (word != "--module" && word != "--replay" && word != "--describe") {
      return fail("unknown argument: ", argv[i]);
    } else if (++i == argc) {
      return fail(argv[i - 1], " wants a FILE");
    } else if (word != "--module") {
      capsule = argv[i];
      describes = word == "--describe";
    } else {
      modules.push_back(std::filesystem::absolute(argv[i]).string());
    }
  }
  if (!capsule.empty()) {
    return describes ? procpool::worker::describe(capsule) : replay(modules, capsule);
  }
  if (!wants_list) return fail("it does nothing by hand but --list, --replay and --describe", "");
  return list(modules);
}
