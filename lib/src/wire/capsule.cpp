#include "wire/capsule.hpp"

#include <procpool/detail/archive.hpp>

#include <algorithm>
#include <array>
#include <string_view>

#include "wire/hooks.hpp"
#include "wire/messages.hpp"

namespace procpool::inline v0::wire {
namespace {

constexpr std::array<char, 16> magic{'p', 'r', 'o', 'c', 'p', 'o', 'o', 'l',
                                     ' ', 'c', 'a', 'p', 's', 'u', 'l', 'e'};

struct Head {
  std::array<char, 16> magic;
  std::uint32_t version;
  std::uint32_t reserved;
};

void check(bool good, std::string_view what) {
  if (!good) detail::throw_decoding_error(what);
}

void check_hook(const CapsuleHook& hook) {
  check(hook.kind <= static_cast<std::uint64_t>(HookKind::initializer),
        "a capsule has a hook of no known kind");
}

void check_content(const CapsuleTask& task) {
  check(task.content <= Content::shared_state, "a capsule's content is of no known kind");
  const std::uint64_t here = task.callable.size() + task.arguments.size();
  check(here == (task.content == Content::whole ? task.bytes : 0),
        "a capsule does not hold as many bytes as it says");
  check(task.is_element || task.callable.empty(), "a capsule's call has its callable twice");
}

}  // namespace

std::vector<unsigned char> blob_of(std::span<const std::byte> bytes) {
  const auto* const first = reinterpret_cast<const unsigned char*>(bytes.data());
  return {first, first + bytes.size()};
}

std::vector<std::byte> serialise(const Capsule& capsule) {
  std::array<std::byte, 512> first;
  detail::HeapSink sink;
  detail::SpanOut out(first, sink);
  const Head head{magic, capsule_version, 0};
  out.write(&head, sizeof head);
  detail::encode(out, capsule);
  return {out.bytes().begin(), out.bytes().end()};
}

Capsule parse_capsule(std::span<const std::byte> bytes) {
  const auto head = read<Head>(bytes);
  check(head && head->magic == magic, "this is no capsule");
  check(head->version == capsule_version,
        "this capsule is of format " + std::to_string(head->version) + ", and this program reads " +
            std::to_string(capsule_version));
  check(head->reserved == 0, "a capsule's head is damaged");
  detail::SpanIn in(bytes.subspan(sizeof *head));
  auto capsule = detail::decode<Capsule>(in);
  in.expect_end();
  check(capsule.failure <= Failure::exception, "a capsule's failure is of no known kind");
  check(capsule.pool.start_method >= StartMethod::forkserver &&
            capsule.pool.start_method <= StartMethod::spawn,
        "a capsule's start method is of no known kind");
  std::ranges::for_each(capsule.pool.hooks, check_hook);
  check_content(capsule.task);
  return capsule;
}

const std::string& title_of(const CapsuleTask& task) {
  return task.name.empty() ? task.code : task.name;
}

}  // namespace procpool::inline v0::wire
