#include "worker/modules.hpp"

#include <filesystem>
#include <stdexcept>
#include <string>

#include "os/modules.hpp"
#include "wire/exports.hpp"

namespace procpool::inline v0::worker {

namespace {

bool load(const std::filesystem::path& file) try {
  return os::load_module(file);
} catch (const std::runtime_error& error) {
  std::string text = error.what();
  if (const std::string name = file.string() + ": "; text.starts_with(name)) {
    text.erase(0, name.size());
  }
  if (text.find("undefined symbol") != std::string::npos &&
      text.find("procpool") != std::string::npos) {
    text += ": link the program that loads it with ENABLE_EXPORTS (-rdynamic), and build both with "
            "one version of procpool";
  }
  throw std::runtime_error("the task module " + file.string() + " cannot be loaded: " + text);
}

void load_one(const std::filesystem::path& file) {
  const wire::ModuleRegistration registration;
  const wire::Export* const before = wire::first_export();
  const bool fresh = load(file);
  if (!registration.refusal().empty()) {
    throw std::runtime_error("the task module " + file.string() + " cannot be used: " +
                             registration.refusal());
  }
  if (fresh && wire::first_export() == before) {
    throw std::runtime_error(
        "the task module " + file.string() +
        " exports no task: write procpool::export_task(name, f) at namespace scope, and link it "
        "without a copy of the library (CMake: procpool_add_module)");
  }
}

}  // namespace

void load_modules(const std::vector<std::string>& files) {
  for (const auto& file : files) load_one(file);
}

}  // namespace procpool::inline v0::worker
