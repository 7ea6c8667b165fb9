#include "support/fake_launcher.hpp"

#include <csignal>
#include <chrono>
#include <cstring>
#include <system_error>
#include <utility>

namespace procpool::test {

using supervisor::LaunchEvent;
using supervisor::Ticket;

namespace {

constexpr pid_t first_pid = 1 << 23;  // beyond every pid of a real process
constexpr int sigkill = 9;

}  // namespace

// Between the machine and one launcher.
struct FakeMachine::Line {
  std::mutex mutex;
  std::deque<LaunchEvent> events;
  os::Fd bell = os::make_event();
  bool lost = false;

  void post(LaunchEvent event) {
    const std::lock_guard lock(mutex);
    events.push_back(std::move(event));
    os::ring(bell.get());
  }
};

struct FakeMachine::Body {
  int number = 0;
  pid_t pid = 0;
  std::shared_ptr<Line> line;
  os::Fd exit = os::make_event();
  std::thread thread;
  std::atomic<bool> killed = false;
  const shm::Word32* wake = nullptr;  // under the machine's mutex
  bool over = false;                  // likewise
  os::ExitStatus status = {os::ExitStatus::How::exited, 0};
};

class FakeMachine::Link final : public supervisor::Launcher {
 public:
  Link(FakeMachine& machine, std::shared_ptr<Line> line)
      : machine_(&machine), line_(std::move(line)) {}

  void launch(Ticket ticket, os::Fd control) override;
  int socket() const override {
    return machine_->script_.has_socket ? line_->bell.get() : -1;
  }
  std::optional<LaunchEvent> next() override {
    const std::lock_guard lock(line_->mutex);
    if (!line_->events.empty()) {
      LaunchEvent event = std::move(line_->events.front());
      line_->events.pop_front();
      return event;
    }
    if (line_->lost) return LaunchEvent{.why = "lost"};
    return std::nullopt;
  }
  std::optional<os::ExitStatus> status(pid_t pid, int) override {
    if (machine_->script_.status != Script::Status::at_once) return std::nullopt;
    const std::lock_guard lock(machine_->mutex_);
    const Body& body = *machine_->bodies_[static_cast<std::size_t>(pid - first_pid)];
    return body.over ? std::optional(body.status) : std::nullopt;
  }
  void kill(pid_t pid, int) override { machine_->kill(pid - first_pid); }
  void finish() override {}

 private:
  FakeMachine* machine_;
  std::shared_ptr<Line> line_;
};

FakeMachine::FakeMachine(Script script) : script_(std::move(script)) {
  undertaker_ = std::thread([this] { wake_the_killed(); });
}

FakeMachine::~FakeMachine() {
  for (const auto& body : bodies_) kill(*body);
  for (const auto& body : bodies_) body->thread.join();
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
    changed_.notify_all();
  }
  undertaker_.join();
}

std::unique_ptr<supervisor::Launcher> FakeMachine::make_launcher() {
  const std::lock_guard lock(mutex_);
  ++launchers_;
  line_ = std::make_shared<Line>();
  return std::make_unique<Link>(*this, line_);
}

int FakeMachine::launched() const {
  const std::lock_guard lock(mutex_);
  return static_cast<int>(bodies_.size());
}

int FakeMachine::launchers_made() const {
  const std::lock_guard lock(mutex_);
  return launchers_;
}

int FakeMachine::alive() const {
  const std::lock_guard lock(mutex_);
  int count = 0;
  for (const auto& body : bodies_) count += body->over ? 0 : 1;
  return count;
}

void FakeMachine::kill(int worker) {
  Body* body = nullptr;
  {
    const std::lock_guard lock(mutex_);
    body = bodies_[static_cast<std::size_t>(worker)].get();
  }
  kill(*body);
}

void FakeMachine::kill(Body& body) {
  const std::lock_guard lock(mutex_);
  body.killed = true;
  changed_.notify_all();
}

void FakeMachine::lose_launcher() {
  const std::lock_guard lock(mutex_);
  const std::lock_guard line_lock(line_->mutex);
  line_->lost = true;
  os::ring(line_->bell.get());
}

void FakeMachine::Link::launch(Ticket ticket, os::Fd control) {
  {
    const std::lock_guard lock(line_->mutex);
    if (line_->lost) throw std::system_error(EPIPE, std::generic_category(), "sendmsg");
  }
  machine_->script_.before_launch(machine_->launched());
  const std::lock_guard lock(machine_->mutex_);
  auto& body = *machine_->bodies_.emplace_back(std::make_unique<Body>());
  body.number = static_cast<int>(machine_->bodies_.size()) - 1;
  body.pid = first_pid + body.number;
  body.line = line_;
  body.thread = std::thread([machine = machine_, &body, fd = std::move(control)]() mutable {
    machine->live(body, std::move(fd));
  });
  line_->post({.kind = LaunchEvent::Kind::started,
               .ticket = ticket,
               .pid = body.pid,
               .pidfd = os::duplicate(body.exit.get())});
}

void FakeMachine::live(Body& body, os::Fd control) {
  body.status = {os::ExitStatus::How::exited, channel::exit_not_started};
  if (script_.says_hello(body.number)) {
    channel::FirstWord start = channel::receive_first_word(control);
    channel::Attachment attachment = channel::attach(std::move(control), std::move(start));
    auto* const results = reinterpret_cast<shm::ResultMemory*>(attachment.results.data());
    {
      const std::lock_guard lock(mutex_);
      body.wake = &reinterpret_cast<shm::TaskMemory*>(attachment.tasks.data())->header.wake;
    }
    channel::WorkerEnd end(std::move(attachment));
    end.say_hello(script_.identity);
    serve(body, end, results);
    const std::lock_guard lock(mutex_);
    body.wake = nullptr;
  }
  ended(body);
}

namespace {

void announce_crash(const std::atomic<bool>& killed, channel::WorkerEnd& end) {
  shm::CrashRecord& record = end.crash_record();
  if (record.words.signal == 0) record.words.signal = SIGSEGV;
  record.state = shm::CrashRecord::announced;
  os::ring(end.leader_bell());
  os::ring(end.background_bell());
  while (!killed) std::this_thread::yield();
}

void publish_large(channel::WorkerEnd& end, const wire::OutcomeHeader& header, std::uint64_t id) {
  int reason = 0;
  const auto room = end.room({}, large_bytes, false, reason);
  if (!room) std::terminate();
  for (std::size_t at = 0; at + sizeof id <= large_bytes; at += sizeof id) {
    std::memcpy(room->bytes.data() + at, &id, sizeof id);
  }
  const wire::SlabOutcome where{room->number, 0, large_bytes};
  const auto record = end.reserve(sizeof header + sizeof where);
  std::memcpy(record.data(), &header, sizeof header);
  std::memcpy(record.data() + sizeof header, &where, sizeof where);
  end.send_room(where);
  end.publish(wire::RecordKind::slab_value, sizeof header + sizeof where);
}

}  // namespace

void FakeMachine::serve(Body& body, channel::WorkerEnd& end, shm::ResultMemory* results) {
  body.status = {os::ExitStatus::How::signaled, sigkill};
  while (end.wait_for_slot(&body.killed) && !body.killed) {
    const wire::CallHeader header = end.header();
    if (header.kind == wire::CallKind::stop) {
      body.status = {os::ExitStatus::How::exited, 0};
      return;
    }
    if (header.kind == wire::CallKind::bind) {
      end.pass_slot(false);
    } else {
      script_.before_call(body.number, body.killed);
      if (body.killed || !serve_slot(body, end, header, results)) return;
    }
  }
}

bool FakeMachine::serve_slot(Body& body, channel::WorkerEnd& end, const wire::CallHeader& header,
                             shm::ResultMemory* results) {
  const std::size_t at = header.kind == wire::CallKind::chunk ? sizeof(wire::ChunkHeader) : 0;
  std::span<const std::byte> payload;
  std::optional<std::uint32_t> last;
  for (;;) {
    const shm::Range taken = end.take(header.count(), last.has_value());
    if (taken.empty()) break;
    const std::optional<std::uint32_t> element = taken.first;
    if (!last) payload = end.payload(header).subspan(at);
    last = element;
    std::uint64_t id = 0;
    std::memcpy(&id, payload.data() + *element * sizeof id, sizeof id);
    const Act act = script_.run({.id = id,
                                 .attempt = header.attempt,
                                 .index = *element,
                                 .worker = body.number,
                                 .killed = &body.killed,
                                 .results = results,
                                 .sequence = end.call()});
    if (act == Act::announce) announce_crash(body.killed, end);
    if (act == Act::die || body.killed) return false;
    if (act == Act::large) {
      publish_large(end, {end.call(), *element}, id);
      continue;
    }
    const wire::OutcomeHeader outcome{end.call(), *element + (act == Act::misplace ? 1 : 0)};
    const auto room = end.reserve(sizeof outcome + sizeof id);
    std::memcpy(room.data(), &outcome, sizeof outcome);
    std::memcpy(room.data() + sizeof outcome, &id, sizeof id);
    end.publish(wire::RecordKind::value, sizeof outcome + sizeof id);
    if (act == Act::publish_and_die) return false;
  }
  end.pass_slot(last && *last + 1 == header.count());
  return true;
}

void FakeMachine::ended(Body& body) {
  const std::lock_guard lock(mutex_);
  body.over = true;
  os::ring(body.exit.get());
  if (script_.status == Script::Status::later) {
    body.line->post(
        {.kind = LaunchEvent::Kind::exited, .pid = body.pid, .status = body.status});
  }
}

// A kill between a sleeper's last look and its sleep would be missed: so it is repeated.
void FakeMachine::wake_the_killed() {
  std::unique_lock lock(mutex_);
  while (!over_) {
    bool any = false;
    for (const auto& body : bodies_) {
      if (!body->killed || body->over) continue;
      any = true;
      if (body->wake != nullptr) os::futex_wake(*body->wake, 1, os::Scope::shared);
    }
    if (any) {
      changed_.wait_for(lock, std::chrono::milliseconds(1));
    } else {
      changed_.wait(lock);
    }
  }
}

}  // namespace procpool::test
