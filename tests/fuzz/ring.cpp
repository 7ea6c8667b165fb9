// The result ring against a producer that writes anything: every record that is accepted lies
// within the ring, nothing is skipped for ever, and a violation is final.
#include "shm/ring.hpp"
#include "fuzz.hpp"
#include "shm/layout.hpp"
#include "wire/messages.hpp"

namespace procpool::fuzz {

namespace {

constexpr std::size_t ring_bytes = 256;

enum class Step : std::uint8_t { write_bytes, move_tail, set_tail, write_honestly, read };

void put_header(Output& out, std::uint8_t at, std::uint32_t size, std::uint32_t kind) {
  out.put(Step::write_bytes).put(at).put(std::uint8_t{8}).put(shm::RecordHeader{size, kind});
}

}  // namespace

std::vector<Seed> seeds() {
  Output honest, padded, forged;
  for (const unsigned size : {8, 40, 100, 17, 60})
    honest.put(Step::write_honestly).put(static_cast<std::uint8_t>(size)).put(Step::read);
  put_header(padded, 0, 16, 2);
  padded.put(Step::move_tail).put(std::uint8_t{3}).put(Step::read);
  put_header(padded, 24, 224, shm::padding_kind);
  padded.put(Step::move_tail).put(std::uint8_t{30}).put(Step::read);
  put_header(forged, 0, 0xffffffff, 1);
  forged.put(Step::set_tail).put(~std::uint64_t{7}).put(Step::read);
  return {honest.seed(), padded.seed(), forged.seed()};
}

namespace {

void play(Input input) {
  std::vector<std::byte> bytes(ring_bytes);
  shm::Word64 tail = 0, head = 0;
  shm::RingWriter<shm::Word64> writer(bytes, tail, head);
  shm::RingReader<shm::Word64> reader(bytes, tail, head);
  bool broken = false;
  unsigned sum = 0;
  while (!input.empty()) {
    switch (static_cast<Step>(input.take<std::uint8_t>() % 5)) {
      case Step::write_bytes: {
        const std::size_t at = input.take<std::uint8_t>();
        const auto some = input.take_bytes(input.take<std::uint8_t>());
        for (std::size_t i = 0; i != some.size(); ++i) bytes[(at + i) % ring_bytes] = some[i];
        break;
      }
      case Step::move_tail:
        tail += input.take<std::uint8_t>() * 8ULL;
        break;
      case Step::set_tail:
        tail = input.take<std::uint64_t>();
        break;
      case Step::write_honestly: {
        const std::uint32_t size = 1 + input.take<std::uint8_t>() % shm::max_payload(ring_bytes);
        if (!writer.reserve(size).empty()) writer.commit(1, size);
        break;
      }
      case Step::read: {
        shm::RingReader<shm::Word64>::Record record;
        const shm::Look look = reader.peek(record);
        require(!broken || look == shm::Look::violation, "a violation is final");
        broken = look == shm::Look::violation;
        if (look != shm::Look::record) break;
        const auto first = static_cast<std::size_t>(record.payload.data() - bytes.data());
        require(first <= ring_bytes && record.payload.size() <= ring_bytes - first,
                "a record lies within the ring");
        for (const std::byte each : record.payload) sum += static_cast<unsigned>(each);
        const auto header = wire::read<wire::OutcomeHeader>(record.payload);
        require(header.has_value() == (record.payload.size() >= sizeof(wire::OutcomeHeader)),
                "a header is there or it is not");
        const std::uint64_t before = head;
        reader.pop();
        require(reader.publish() && head > before && head - before <= 2 * ring_bytes,
                "each record brings the reader on");
      }
    }
  }
  [[maybe_unused]] const volatile unsigned read = sum;
}

}  // namespace

}  // namespace procpool::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  procpool::fuzz::play({data, size});
  return 0;
}
