// What a file costs in examples/thumbs: its row in the report, whatever was thrown.
#include <stdexcept>

#include "thumbs/outcome_of.hpp"

namespace thumbs {
namespace {

template <class Error>
Refused refused(Error error) {
  const Outcome outcome = outcome_of([&]() -> Thumbnail { throw error; });
  const auto* row = std::get_if<Refused>(&outcome);
  return row == nullptr ? Refused{"no row", ""} : *row;
}

TEST(Outcome, AnyExceptionOfAFileIsARow) {
  EXPECT_EQ(refused(std::length_error("too long")).type, "std::length_error");
  EXPECT_EQ(refused(std::length_error("too long")).text, "too long");
  EXPECT_EQ(refused(std::bad_alloc()).type, "std::bad_alloc");
  EXPECT_EQ(refused(DecodeError("f.png", "libpng", "no")).text, "libpng: no");
}

TEST(Outcome, AnErrorOfThePoolIsNobodysRow) {
  EXPECT_THROW(refused(procpool::PoolBroken("no workers")), procpool::PoolBroken);
}

}  // namespace
}  // namespace thumbs
