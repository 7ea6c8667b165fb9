#include <procpool/detail/lazy_text.hpp>

#include <exception>
#include <mutex>
#include <utility>

namespace procpool::inline v0::detail {

struct LazyText::State {
  std::once_flag once;
  std::unique_ptr<Source> source;
  std::string text;
};

LazyText::LazyText(std::unique_ptr<Source> source) : state_(std::make_shared<State>()) {
  state_->source = std::move(source);
}

const std::string& LazyText::text() const noexcept {
  static const std::string none;
  if (!state_) return none;
  std::call_once(state_->once, [&state = *state_] {
    try {
      state.text = state.source->compose();
    } catch (...) {
      state.text = "(no text)";  // short enough to need no memory
    }
    state.source.reset();
  });
  return state_->text;
}

}  // namespace procpool::inline v0::detail
