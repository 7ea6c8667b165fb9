// What a task's options are checked for, and how a stop request reaches it.

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include <procpool/detail/core.hpp>
#include <procpool/errors.hpp>
#include <procpool/options.hpp>

namespace procpool::inline v0::detail {

/// Calls Core::cancel when a stop is requested. A node that is on its way out waits in its destructor
/// for a callback that has begun.
class StopWatch {
 public:
  void start(Node& node, const std::stop_token& token) {
    callback_.emplace(token, [&node] {
      if (!node.retain_if_alive(Share::library)) return;
      const auto kept = LibraryRef<Node>::adopt(&node);
      if (!node.done()) node.core->cancel(node);
    });
  }

 private:
  std::optional<std::stop_callback<std::function<void()>>> callback_;
};

Extras::Extras() = default;
Extras::~Extras() = default;

namespace {

constexpr std::size_t longest_name = 0xffff;

void check_not_negative(Duration grace, const char* name) {
  if (grace >= Duration::zero()) return;
  throw Misuse(std::string("CancelOptions::") + name + " must not be negative");
}

std::string seconds(std::chrono::duration<double> time) { return std::to_string(time.count()) + " s"; }

}  // namespace

std::shared_ptr<const TaskOptions> share_options(TaskOptions options) {
  if (options.timeout && *options.timeout <= Duration::zero()) {
    throw Misuse("TaskOptions::timeout must be more than zero: leave it empty for no limit");
  }
  if (options.soft_timeout && *options.soft_timeout <= Duration::zero()) {
    throw Misuse("TaskOptions::soft_timeout must be more than zero: leave it empty for no report");
  }
  if (options.soft_timeout && options.timeout && *options.soft_timeout >= *options.timeout) {
    throw Misuse("TaskOptions::soft_timeout (" + seconds(*options.soft_timeout) +
                 ") must be less than timeout (" + seconds(*options.timeout) +
                 "), which ends the task: lower it, or leave it empty");
  }
  check_not_negative(options.cancel.stop_grace, "stop_grace");
  check_not_negative(options.cancel.term_grace, "term_grace");
  if (options.name.size() > longest_name) {
    throw Misuse("TaskOptions::name must not be longer than 65535 bytes (it has " +
                 std::to_string(options.name.size()) + ")");
  }
  return std::make_shared<const TaskOptions>(std::move(options));
}

void set_options(Node& node, const std::shared_ptr<const TaskOptions>& options) {
  Extras& extras = node.more();
  extras.options = options;
  if (options->stop.stop_possible()) extras.stop = std::make_unique<StopWatch>();
  node.options = options.get();
  node.retries = options->retries;
}

void watch_stop(Node& node) {
  StopWatch* const watch = node.extras->stop.get();  // made before others knew the node
  if (watch != nullptr) watch->start(node, node.options->stop);
}

}  // namespace procpool::inline v0::detail
