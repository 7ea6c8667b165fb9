#include <procpool/process.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <mutex>
#include <string>
#include <system_error>
#include <utility>

#include <procpool/errors.hpp>

#include "os/advice.hpp"
#include "os/fork.hpp"
#include "os/role.hpp"
#include "process/child.hpp"
#include "process/start.hpp"

namespace procpool::inline v0 {

namespace {

// Between SIGTERM and SIGKILL, in a destructor. Too short: a child cannot put its things in order; too
// long: an exception stands still while a deaf child lives on.
constexpr auto grace = std::chrono::seconds(3);

std::string name_or_next(std::string name) {
  static constinit std::atomic<unsigned> made = 0;
  const unsigned number = ++made;
  return name.empty() ? "Process-" + std::to_string(number) : std::move(name);
}

void check_main(StartMethod method) {
  if (os::initialised()) return;
  if (method != StartMethod::fork) {
    throw Misuse("procpool::init was not called: write procpool::init(argc, argv); as the first line "
                 "of main, or use StartMethod::fork");
  }
  if (!os::main_has_begun()) {
    throw Misuse("a Process cannot be started before main: make it there, start() it in main");
  }
}

}  // namespace

// Writers: child_ and call_, once, `start` under lock_. The child looks after itself.
class Process::State {
 public:
  State(ProcessOptions options, detail::ProcessCall call)
      : name_(name_or_next(std::move(options.name))),
        method_(options.start_method),
        daemon_(options.daemon),
        call_(std::move(call)) {
    os::watch_forks();
  }

  bool is_copy() const noexcept { return generation_ != os::fork_generation(); }
  const std::string& name() const noexcept { return name_; }

  void start() try {
    const std::lock_guard lock(lock_);
    if (child_) throw Misuse("this Process was started before: a Process starts once, make another");
    check_main(method_);
    child_ = process::start_child(method_, call_, name_);
    call_ = {};
  } catch (const std::system_error& error) {
    throw PoolBroken(std::string("the process cannot be started: ") + error.what() +
                     os::advice_on(error.what()));
  }
  process::Child* child_or_null() {
    const std::lock_guard lock(lock_);
    return child_.get();
  }
  process::Child& child() {
    if (process::Child* const child = child_or_null()) return *child;
    throw Misuse("this Process was not started: start() it first");
  }

  void finish(bool unwinding) noexcept {
    if (!child_) return;
    if (unwinding || daemon_) {
      child_->signal(SIGTERM);
      if (!child_->wait(deadline_after(grace))) child_->signal(SIGKILL);
    }
    child_->wait(never);
  }

 private:
  const std::string name_;
  const StartMethod method_;
  const bool daemon_;
  const unsigned generation_ = os::fork_generation();
  std::mutex lock_;
  detail::ProcessCall call_;
  std::unique_ptr<process::Child> child_;
};

Process::Process(ProcessOptions options, detail::ProcessCall&& call)
    : state_(std::make_unique<State>(std::move(options), std::move(call))) {}
Process::Process(Process&& other) noexcept : state_(std::move(other.state_)) {}
Process& Process::operator=(Process&& other) noexcept {
  std::swap(state_, other.state_);
  return *this;
}

// What a copy refers to belongs to the process that was copied: it is freed, without a lock.
Process::~Process() {
  if (state_ && !state_->is_copy()) state_->finish(std::uncaught_exceptions() > unwinding_);
}

Process::State& Process::usable() const {
  if (!state_) throw Misuse("this Process was moved from: use the one it was moved to");
  if (state_->is_copy()) {
    throw Misuse("this Process belongs to the process that a fork copied: make one here");
  }
  return *state_;
}

void Process::start() { usable().start(); }
void Process::join() { usable().child().wait(never); }
bool Process::join_until(detail::Time until) { return usable().child().wait(until); }
bool Process::is_alive() const {
  process::Child* const child = usable().child_or_null();
  return child != nullptr && !child->exit_code();
}
std::optional<int> Process::exit_code() const {
  process::Child* const child = usable().child_or_null();
  return child == nullptr ? std::nullopt : child->exit_code();
}
void Process::terminate() { usable().child().signal(SIGTERM); }
void Process::kill() { usable().child().signal(SIGKILL); }
int Process::sentinel() const { return usable().child().pidfd(); }
pid_t Process::pid() const { return usable().child().pid(); }
const std::string& Process::name() const {
  if (!state_) return usable().name();
  return state_->name();
}

}  // namespace procpool::inline v0
