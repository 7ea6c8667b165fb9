#include "thumbs/thumbnail.hpp"

#include <unistd.h>

#include <procpool/procpool.hpp>

#include "thumbs/decode.hpp"
#include "thumbs/scale.hpp"

namespace thumbs {
namespace {

[[maybe_unused]] const bool registered =
    procpool::register_exception<DecodeError>() && procpool::register_exception<UnknownFormat>();

}  // namespace

Thumbnail make_thumbnail(int box, const std::string& file) {
  const Decoded decoded = decode(file);
  return {fit(decoded.image, box), decoded.decoder, ::getpid()};
}

}  // namespace thumbs
