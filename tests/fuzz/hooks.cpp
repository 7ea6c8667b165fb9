// What a worker runs before its first task, from a memory that says anything: an error that has
// words, or hooks that are known here.
#include <exception>
#include <string>

#include <procpool/errors.hpp>
#include <procpool/hook.hpp>

#include "fuzz.hpp"
#include "wire/hooks.hpp"

namespace procpool::fuzz {

namespace {

// No plain functions: their addresses travel, and are believed where code lies.
int ran = 0;
constexpr auto count = [] { ++ran; };
constexpr auto add = [](int number) { ran = number; };

void check(std::span<const std::byte> memory) {
  auto running = wire::HookKind::initializer;
  try {
    wire::run_hooks(memory, running);
  } catch (const std::exception&) {
    require(!wire::hook_failed(running, std::current_exception()).empty(), "a failure has words");
  }
  require(running <= wire::HookKind::sandbox, "what runs is one of the kinds");
}

}  // namespace

std::vector<Seed> seeds() {
  const std::pair<wire::HookKind, Hook> hooks[] = {
      {wire::HookKind::preload, Hook(count)}, {wire::HookKind::initializer, Hook(partial(add, 3))}};
  const os::Fd memory = wire::write_hooks(hooks);
  return {seed_of(os::read_memory(memory, 1024)), {0, 0, 0, 0}, {1, 0, 0, 0}};
}

}  // namespace procpool::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  procpool::fuzz::check(procpool::fuzz::as_bytes(data, size));
  return 0;
}
