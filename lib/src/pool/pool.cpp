#include <procpool/pool.hpp>

#include <utility>

#include <procpool/errors.hpp>

namespace procpool::inline v0 {

namespace {

detail::Core& usable(detail::Core* core) {
  if (core == nullptr) detail::throw_misuse("this pool was moved from: use the one it was moved to");
  return *core;
}

}  // namespace

Pool::Pool() : Pool(PoolOptions{}) {}
Pool::Pool(PoolOptions options) : core_(detail::make_core(options)) {}

Pool::~Pool() {
  if (core_ != nullptr) core_->abandon_pool(std::uncaught_exceptions() > unwinding_);
}

void Pool::close() noexcept {
  if (core_ != nullptr) core_->close();
}
void Pool::terminate() { usable(core_).terminate(); }
void Pool::join() { usable(core_).join(detail::forever); }
bool Pool::join_until(detail::Time until) { return usable(core_).join(until); }
void Pool::shutdown(ShutdownOptions options) {
  detail::Core& core = usable(core_);
  core.close();
  if (options.cancel_futures) core.cancel_waiting();
  if (options.wait) core.join(detail::forever);
}
void Pool::resize(int processes) {
  detail::Core& core = usable(core_);
  detail::check_processes(processes);
  core.resize(processes);
}
PoolStats Pool::stats() const { return usable(core_).stats(); }
int Pool::processes() const { return usable(core_).processes(); }
std::vector<pid_t> Pool::pids() const { return usable(core_).pids(); }
detail::Core& Pool::submission_core() const { return usable(core_); }

}  // namespace procpool::inline v0
