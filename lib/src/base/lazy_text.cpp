#include <procpool/detail/lazy_text.hpp>

#include <exception>
#include <mutex>
#include <utility>

namespace procpool::inline v0::detail {

struct LazyText::State {
  std::once_flag once;
  std::function<std::string()> compose;
  std::string text;
};

LazyText::LazyText(std::function<std::string()> compose) : state_(std::make_shared<State>()) {
  state_->compose = std::move(compose);
}

const std::string& LazyText::text() const noexcept {
  static const std::string none;
  if (!state_) return none;
  std::call_once(state_->once, [&state = *state_] {
    try {
      state.text = state.compose();
    } catch (...) {
      state.text = "(no text)";  // short enough to need no memory
    }
    state.compose = nullptr;
  });
  return state_->text;
}

}  // namespace procpool::inline v0::detail
