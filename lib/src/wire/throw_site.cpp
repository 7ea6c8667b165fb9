#include "wire/throw_site.hpp"

#include <array>
#include <typeinfo>

#include "os/stack.hpp"

namespace procpool::inline v0::wire {
namespace {

struct Site {
  std::array<std::uintptr_t, os::max_frames> frames;
  std::size_t count = 0;
};

constinit thread_local Site site{};

}  // namespace

// With a linkage, which what is in an unnamed namespace has not.
class Interceptor final : public std::type_info {
 public:
  Interceptor() : std::type_info("N8procpool2v04wire9ThrowSiteE") {}

  bool __do_catch(const std::type_info*, void**, unsigned) const override {
    site.count = os::capture_stack(site.frames);
    return false;
  }
};

/// typeid(ThrowSite), by the name that the compiler gives it. Before every other object, as one may
/// throw while it is made; after its destruction it is a type_info that matches nothing.
extern const Interceptor interceptor asm("_ZTIN8procpool2v04wire9ThrowSiteE");
[[gnu::init_priority(101), gnu::used]] const Interceptor interceptor;

std::span<const std::uintptr_t> throw_site() noexcept {
  return std::span(site.frames).first(site.count);
}

}  // namespace procpool::inline v0::wire
