#include "wire/hooks.hpp"

#include <algorithm>
#include <cstring>

#include <procpool/detail/descriptor.hpp>
#include <procpool/detail/invocation.hpp>

#include "wire/messages.hpp"

namespace procpool::inline v0::wire {

namespace {

/// A call without arguments whose result nobody wants.
class HookCall final : public detail::Invocation {
 public:
  explicit HookCall(std::span<const std::byte> callable) : in_(callable) {}

 private:
  detail::SpanIn& callable() override { return in_; }
  detail::SpanIn& arguments() override { return in_; }
  detail::SpanOut& result() override { return out_; }
  void commit() override {}
  bool next() override { return false; }

  detail::SpanIn in_;
  detail::HeapSink sink_;
  detail::SpanOut out_{{}, sink_};
};

/// The next bytes, and what fills them up to a multiple of 16. Throws DecodingError.
std::span<const std::byte> take(std::span<const std::byte>& memory, std::uint64_t bytes) {
  if (bytes > memory.size()) detail::throw_decoding_error("the pool's hooks end too early");
  const auto taken = memory.first(bytes);
  memory = memory.subspan(std::min<std::uint64_t>(align16(bytes), memory.size()));
  return taken;
}

}  // namespace

std::string_view name_of(HookKind kind) {
  switch (kind) {
    case HookKind::modules: return "the pool's task modules";
    case HookKind::preload: return "the pool's preload";
    case HookKind::limits: return "the pool's limits";
    case HookKind::sandbox: return "the pool's sandbox";
    default: return "the pool's initializer";
  }
}

HookKind hook_kind(std::uint64_t number) {
  return std::min(static_cast<HookKind>(number), HookKind::sandbox);
}

std::string hook_failed(HookKind kind, const std::exception_ptr& error) {
  std::string text(name_of(kind));
  const bool of_the_user = kind == HookKind::preload || kind == HookKind::initializer;
  text += of_the_user ? " threw: " : " cannot be used: ";
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    return text + e.what();
  } catch (...) {
    return text + "something that is no std::exception";
  }
}

os::Fd write_hooks(std::span<const std::pair<HookKind, Hook>> hooks) {
  std::uint64_t size = 16;
  std::uint32_t count = 0;
  for (const auto& [kind, hook] : hooks) {
    if (!hook) continue;
    ++count;
    size += align16(sizeof(HookHeader)) + align16(hook.code()->bytes.size());
  }
  if (count == 0) return {};
  os::Fd memory = os::make_memory("procpool-hooks", size);
  {
    const os::Mapping mapping(memory, os::Access::read_write);
    std::byte* to = mapping.data();
    std::memcpy(to, &count, sizeof count);
    to += 16;
    for (const auto& [kind, hook] : hooks) {
      if (!hook) continue;
      const auto& bytes = hook.code()->bytes;
      const detail::CodeAddress code = detail::identify_code(hook.code()->descriptor);
      const HookHeader header{kind, code.module, code.offset, bytes.size()};
      std::memcpy(to, &header, sizeof header);
      to += align16(sizeof header);
      if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
      to += align16(bytes.size());
    }
  }
  os::seal_against_writers(memory);
  return memory;
}

void run_hooks(std::span<const std::byte> memory, HookKind& running) {
  const auto count = read<std::uint32_t>(take(memory, sizeof(std::uint32_t)));
  for (std::uint32_t i = 0; i != *count; ++i) {
    const auto header = read<HookHeader>(take(memory, sizeof(HookHeader)));
    running = hook_kind(static_cast<std::uint64_t>(header->kind));
    run_hook({header->module, header->offset}, take(memory, header->bytes));
  }
}

void run_hook(detail::CodeAddress code, std::span<const std::byte> callable) {
  const detail::Descriptor* const descriptor =
      detail::find_descriptor(detail::locate_code(code, false));
  if (descriptor == nullptr) detail::throw_unknown_task(code);
  HookCall call(callable);
  descriptor->thunk(call);
}

void run_hook(const Hook& hook) {
  if (!hook) return;
  HookCall call(hook.code()->bytes);
  hook.code()->descriptor->thunk(call);
}

}  // namespace procpool::inline v0::wire
