#include "wire/error_record.hpp"

#include <procpool/detail/archive.hpp>

#include <algorithm>
#include <array>
#include <cstring>

#include "os/stack.hpp"
#include "os/stack_text.hpp"

namespace procpool::inline v0::wire {
namespace {

void check(bool good, std::string_view what) {
  if (!good) detail::throw_decoding_error(what);
}

/// A note follows text that was cut.
constexpr std::size_t room_for_note = 64;

void check_link(const ErrorLink& link) {
  check(link.message.size() <= max_error_text + room_for_note, "an error's message is too long");
  check(link.type_name.size() <= max_type_name + room_for_note, "an error's type name is too long");
  check(link.type.size() <= max_type_name, "an error's type is too long");
  check(link.fields.size() <= max_error_fields, "an error has too many fields");
}

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

}  // namespace

std::vector<std::byte> serialise(const ErrorRecord& record) {
  std::array<std::byte, 512> first;
  detail::HeapSink sink;
  detail::SpanOut out(first, sink);
  detail::encode(out, record);
  return {out.bytes().begin(), out.bytes().end()};
}

ErrorRecord parse(std::span<const std::byte> bytes) {
  detail::SpanIn in(bytes);
  auto record = detail::decode<ErrorRecord>(in);
  in.expect_end();
  check(!record.chain.empty(), "an error record names no error");
  check(record.chain.size() <= max_error_links, "an error record has too many links");
  check(record.trace.size() <= max_error_text + room_for_note, "an error's trace is too long");
  check(record.stack.size() <= os::max_stack_bytes, "an error's stack is too large");
  std::ranges::for_each(record.chain, check_link);
  return record;
}

std::string traceback_text(const ErrorRecord& record) {
  const std::string frames = os::stack_text(std::as_bytes(std::span(record.stack)));
  return frames.empty() ? record.trace : frames + '\n' + record.trace;
}

std::string whole_text(const ErrorRecord& record) {
  std::string text = record.trace + '\n';
  std::string_view before;
  for (const ErrorLink& link : record.chain) {
    text.append(before).append(link.type_name);
    if (!link.message.empty()) text.append(": ").append(link.message);
    text += '\n';
    before = "caused by ";
  }
  return text;
}

void add_to_trace(ErrorRecord& record, std::string_view line) {
  const std::size_t room = max_error_text - std::min(max_error_text, line.size() + 1);
  if (record.trace.size() > room) {
    bool truncated = false;
    const std::size_t note = std::min(room, room_for_note);
    record.trace = truncate(record.trace.c_str(), room - note, truncated);
  }
  if (!record.trace.empty()) record.trace += '\n';
  record.trace += line.substr(0, max_error_text);
}

std::string truncate(const char* text, std::size_t limit, bool& truncated) {
  const std::size_t size = std::strlen(text);
  truncated = size > limit;
  if (!truncated) return {text, size};
  std::size_t end = limit;
  while (end != 0 && limit - end < 3 && continues_character(text[end])) --end;
  return std::string(text, end) + "… (truncated, " + std::to_string(size) + " bytes)";
}

}  // namespace procpool::inline v0::wire
