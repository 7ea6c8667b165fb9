// Claim words: whatever a worker writes there, home takes back only what lies between what it had
// left and what was settled, and believes only progress within its own ledger.
#include "shm/claim.hpp"
#include "fuzz.hpp"
#include "shm/element.hpp"
#include "shm/layout.hpp"

namespace procpool::fuzz {

namespace {

struct Forged {
  std::uint64_t word;
  std::uint64_t sequence;
  std::uint32_t count;
  std::uint32_t limit;
  std::uint32_t keep;
  std::uint64_t running;
};

void check(const Forged& given) {
  const std::uint32_t count = given.count % shm::max_elements + 1;
  const std::uint32_t limit = given.limit % (count + 1);
  const std::uint32_t keep = given.keep % (limit + 1);
  const std::uint16_t lap = shm::lap_of(given.sequence, shm::slot_count);
  require(lap != 0, "no lap is that of fresh memory");
  shm::Word64 word = given.word;

  const auto started = shm::claim::started(word, lap, count, limit);
  require(!started || *started <= limit, "no more was started than there was");
  const std::uint32_t lowered = shm::claim::lower_limit(word, lap, count, limit, keep);
  require(lowered <= limit && (lowered == limit || lowered >= keep), "what is kept is kept");
  require(lowered == limit || (started && lowered >= *started),
          "what was started is not taken back");
  require(lowered == limit || shm::claim::started(word, lap, count, lowered) == started,
          "what was taken back leaves the rest legal");

  shm::Word64 taken_from = given.word;
  const bool taken_before = (given.running & 1) != 0;
  const shm::Range range =
      shm::claim::take(taken_from, lap, count, taken_before, 1 + given.keep % 64);
  require(range.first <= range.last && range.size() <= 64, "a worker takes at most a block");

  if (shm::is_of_slot(given.running, given.sequence)) {
    require(shm::element_of(given.running) < (1U << shm::element_bits), "an element has its bits");
  }
  require(shm::is_of_slot(shm::element_word(given.sequence, keep), given.sequence),
          "a word is its slot's");
}

}  // namespace

std::vector<Seed> seeds() {
  std::vector<Seed> all;
  for (const Forged& each :
       {Forged{shm::Claim{1, 3, 1}.pack(), 5, 2, 3, 1, 0}, Forged{0, 0, 0, 1, 0, 0},
        Forged{shm::Claim{1, 3, 9}.pack(), 5, 2, 3, 0, shm::element_word(5, 2)},
        Forged{~std::uint64_t{0}, ~std::uint64_t{0}, ~0U, ~0U, ~0U, ~std::uint64_t{0}}}) {
    all.push_back(Output().put(each).seed());
  }
  return all;
}

}  // namespace procpool::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  procpool::fuzz::Input input(data, size);
  procpool::fuzz::check(input.take<procpool::fuzz::Forged>());
  return 0;
}
