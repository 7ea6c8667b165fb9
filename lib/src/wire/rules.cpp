#include "wire/rules.hpp"

#include <cstring>

#include "os/memory.hpp"
#include "wire/messages.hpp"

namespace procpool::inline v0::wire {

os::Fd write_rules(const Rules& rules) {
  if (!rules.sandboxed && !rules.limits.any()) return {};
  std::string paths;
  for (const std::string& path : rules.readable) paths.append(path).push_back('\0');
  const RulesHeader header{rules.limits, rules.sandboxed ? 1U : 0U,
                           static_cast<std::uint32_t>(rules.readable.size()), rules.filter.size(),
                           paths.size()};
  os::Fd memory =
      os::make_memory("procpool-rules", sizeof header + rules.filter.size() + paths.size());
  {
    const os::Mapping mapping(memory, os::Access::read_write);
    std::byte* to = mapping.data();
    std::memcpy(to, &header, sizeof header);
    to += sizeof header;
    if (!rules.filter.empty()) std::memcpy(to, rules.filter.data(), rules.filter.size());
    to += rules.filter.size();
    if (!paths.empty()) std::memcpy(to, paths.data(), paths.size());
  }
  os::seal_against_writers(memory);
  return memory;
}

Rules read_rules(std::span<const std::byte> memory) {
  if (memory.empty()) return {};
  const auto header = *read<RulesHeader>(memory);
  memory = memory.subspan(sizeof header);
  Rules rules{header.limits, header.sandboxed != 0, {}, {}};
  const auto filter = memory.first(header.filter_bytes);
  rules.filter.assign(filter.begin(), filter.end());
  const auto paths = memory.subspan(header.filter_bytes, header.path_bytes);
  const char* text = reinterpret_cast<const char*>(paths.data());
  for (std::uint32_t i = 0; i != header.paths; ++i) {
    rules.readable.emplace_back(text);
    text += rules.readable.back().size() + 1;
  }
  return rules;
}

}  // namespace procpool::inline v0::wire
