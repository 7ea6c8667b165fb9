#include <procpool/hook.hpp>

#include <procpool/detail/encode.hpp>

namespace procpool::inline v0::detail {

std::shared_ptr<const HookCode> encode_hook(const Descriptor& descriptor,
                                            void (*save)(SpanOut&, const void*), const void* f) {
  auto code = std::make_shared<HookCode>();
  code->descriptor = &descriptor;
  std::byte first[256];
  HeapSink sink;
  SpanOut out(first, sink);
  encode_by(out, [&](SpanOut& to) { save(to, f); });
  code->bytes.assign(out.bytes().begin(), out.bytes().end());
  code->attachments = out.take_attachments();
  return code;
}

}  // namespace procpool::inline v0::detail
