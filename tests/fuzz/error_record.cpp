// Error records: anything is a DecodingError or an exception that can be thrown, and what was
// understood says the same when it is written again.
#include <exception>
#include <stdexcept>
#include <system_error>

#include <procpool/detail/core.hpp>
#include <procpool/errors.hpp>

#include "fuzz.hpp"
#include "wire/error_record.hpp"
#include "wire/exception_codec.hpp"

namespace procpool::fuzz {

namespace {

template <class Throw>
Seed thrown(Throw what) {
  try {
    what();
  } catch (...) {
    return seed_of(
        wire::encode_current_exception({.task_name = "task", .pid = 1, .task = 2, .attempt = 1}));
  }
  return {};
}

void check(std::span<const std::byte> bytes) {
  wire::ErrorRecord record;
  try {
    record = wire::parse(bytes);
  } catch (const DecodingError&) {
    require(detail::rebuild_error(bytes) != nullptr, "what is no record is an error, too");
    return;
  }
  require(wire::parse(wire::serialise(record)) == record, "what was understood can be said again");
  try {
    std::rethrow_exception(wire::rebuild(record));
  } catch (const std::exception& error) {
    require(error.what() != nullptr, "an error has words");
  } catch (...) {
  }
}

}  // namespace

std::vector<Seed> seeds() {
  return {thrown([] { throw std::out_of_range("no such row"); }), thrown([] {
            try {
              throw std::system_error(std::make_error_code(std::errc::io_error), "disk");
            } catch (...) {
              std::throw_with_nested(std::runtime_error("row 7"));
            }
          }),
          thrown([] { throw WorkerCrashed({.text = "it crashed"}); }),
          thrown([] { throw std::bad_alloc(); }), thrown([] { throw 7; })};
}

}  // namespace procpool::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  procpool::fuzz::check(procpool::fuzz::as_bytes(data, size));
  return 0;
}
