// A whole supervisor over one worker that writes anything into its memory and says anything on its
// socket: the supervisor lives, every call ends exactly once, and a pool whose worker was ended
// goes on with another.
#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include <procpool/detail/batch.hpp>
#include <procpool/detail/descriptor.hpp>

#include "fuzz.hpp"
#include "supervisor/supervisor.hpp"
#include "support/raw_worker.hpp"

namespace procpool {

// A template made by fork goes on in the worker's code, which is not linked here.
inline namespace v0 {
[[noreturn]] void enter_template(int) noexcept { std::abort(); }
}  // namespace v0

namespace fuzz {

namespace {

using detail::Ref;
using test::RawMachine;
using test::RawWorker;

enum class Step : std::uint8_t {
  submit,          // a call
  submit_map,      // a chunk of several
  publish,         // a record with this kind, call, element and payload
  write_anywhere,  // into the control page, the claims or the ring
  set_claim,
  set_tail,
  say,        // a control packet of the right size
  say_bytes,  // or of any
  ring,
  cancel,
  wait,
  submit_soft,  // a call whose stack is wanted at once
  tell_stack,   // of that one, and of this size
  count
};

const detail::Descriptor task{[](detail::Invocation&) {},
                              [](std::span<const std::byte>) { return std::string("task()"); },
                              nullptr};

struct Call final : detail::Node {
  explicit Call(std::uint32_t retries_left) {
    descriptor = &task;
    retries = retries_left;
    payload.adopt(8, nullptr);
  }
};
struct Map final : detail::Batch {
  explicit Map(std::uint32_t size) {
    descriptor = &task;
    chunk = size;
    const std::uint64_t element = 5;
    for (std::uint32_t i = 0; i != size; ++i) {
      elements.add(std::as_bytes(std::span<const std::uint64_t, 1>(&element, 1)));
    }
  }
};

class Play {
 public:
  Play() {
    core_->start();
    worker_ = machine_.next();
  }
  ~Play() {
    core_->terminate();
    for (const auto& call : calls_) {
      require(core_->wait(*call, never), "every call ends");
      require(call->outcome != detail::Outcome::none, "and has an outcome");
    }
    core_->abandon_pool(true);
  }
  Play(const Play&) = delete;
  Play& operator=(const Play&) = delete;

  void step(Input& input) {
    if (worker_->dead()) worker_ = machine_.next();
    switch (static_cast<Step>(input.take<std::uint8_t>() % static_cast<int>(Step::count))) {
      case Step::submit:
        return submit(Ref<detail::Node>::adopt(new Call(input.take<std::uint8_t>() % 3)));
      case Step::submit_map:
        return submit_map(1 + input.take<std::uint8_t>() % 9U);
      case Step::publish:
        return publish(input);
      case Step::write_anywhere:
        return write_anywhere(input);
      case Step::set_claim: {
        auto& claims = worker_->results().claims;
        claims[input.take<std::uint8_t>() % shm::slot_count] = input.take<std::uint64_t>();
        return;
      }
      case Step::set_tail:
        worker_->results().header.tail = input.take<std::uint64_t>();
        return worker_->ring();
      case Step::say: {
        const auto kind = static_cast<wire::ControlKind>(input.take<std::uint8_t>());
        const auto number = input.take<std::uint32_t>();
        worker_->say(kind, number, input.take<std::uint64_t>());
        return;
      }
      case Step::say_bytes: {
        const auto bytes = input.take_bytes(1 + input.take<std::uint8_t>() % 40U);
        if (!bytes.empty()) worker_->say(bytes);
        return;
      }
      case Step::ring:
        return worker_->ring();
      case Step::cancel:
        if (!calls_.empty()) core_->cancel(*calls_[input.take<std::uint8_t>() % calls_.size()]);
        return;
      case Step::submit_soft:
        return submit_soft();
      case Step::tell_stack:
        return tell_stack(input);
      default:
        look();
    }
  }

 private:
  void submit(Ref<detail::Node> call) {
    core_->submit(*call, detail::Admission::wait);
    calls_.push_back(std::move(call));
  }
  void submit_soft() {
    static const auto options = detail::share_options({.soft_timeout = std::chrono::nanoseconds(1)});
    auto call = Ref<detail::Node>::adopt(new Call(0));
    detail::set_options(*call, options);
    submit(std::move(call));
    core_->on_progress(*calls_.back(), [](const TaskUpdate&) {});
    look();
  }
  void tell_stack(Input& input) {
    auto& record = worker_->results().stack;
    record.size = input.take<std::uint32_t>() % 5000;
    const auto bytes = input.take_bytes(input.take<std::uint8_t>());
    std::ranges::copy(bytes, record.bytes);
    record.of = worker_->tasks().header.stack_wanted.load();
    worker_->ring();
    look();
  }
  void submit_map(std::uint32_t size) {
    auto map = Ref<Map>::adopt(new Map(size));
    core_->submit_batch(*map);
    calls_.push_back(Ref<detail::Node>::adopt(map.give_up()));
  }
  void publish(Input& input) {
    struct {
      wire::OutcomeHeader header;
      std::array<std::byte, 64> payload{};
    } record;
    const auto kind = static_cast<std::uint32_t>(input.take<std::int8_t>());
    record.header = {input.take<std::uint8_t>(), input.take<std::uint8_t>()};
    const auto bytes = input.take_bytes(input.take<std::uint8_t>() % record.payload.size());
    std::ranges::copy(bytes, record.payload.begin());
    auto& header = worker_->results().header;
    const std::uint64_t tail = header.tail;
    if (tail % 8 != 0 || tail % shm::ring_bytes > shm::ring_bytes - 256) return;
    worker_->publish(kind, wire::bytes_of(record).first(sizeof record.header + bytes.size()));
    look();
  }
  void write_anywhere(Input& input) {
    auto& results = worker_->results();
    const auto all = std::as_writable_bytes(std::span(&results, 1));
    const std::size_t at = input.take<std::uint16_t>() % all.size();
    const auto bytes = input.take_bytes(input.take<std::uint8_t>());
    std::ranges::copy(bytes.first(std::min(bytes.size(), all.size() - at)), all.data() + at);
    worker_->ring();
  }
  /// A turn.
  void look() {
    if (!calls_.empty()) core_->wait(*calls_.back(), Clock::now());
  }

  RawMachine machine_;
  supervisor::Supervisor* core_ =
      new supervisor::Supervisor({.processes = 1,
                                  .make_launcher = [this] { return machine_.make_launcher(); },
                                  .on_callback_error = {},
                                  .hooks = {}});
  std::shared_ptr<RawWorker> worker_;
  std::vector<Ref<detail::Node>> calls_;
};

Output& record(Output& out, wire::RecordKind kind, std::uint8_t call, std::uint8_t element,
               std::uint8_t bytes) {
  out.put(Step::publish).put(static_cast<std::uint8_t>(kind)).put(call).put(element).put(bytes);
  for (std::uint8_t i = 0; i != bytes; ++i) out.put(i);
  return out;
}

}  // namespace

std::vector<Seed> seeds() {
  Output honest, slab, chunk, early, claims, talk, soft;
  honest.put(Step::submit).put(std::uint8_t{0});
  record(honest, wire::RecordKind::progress, 1, 0, 16);
  record(honest, wire::RecordKind::value, 1, 0, 8).put(Step::submit).put(std::uint8_t{2});
  record(honest, wire::RecordKind::error, 2, 0, 20);
  slab.put(Step::submit).put(std::uint8_t{1}).put(Step::say);
  slab.put(static_cast<std::uint8_t>(wire::ControlKind::need_slab)).put(0U).put(std::uint64_t{100});
  slab.put(Step::wait);
  record(slab, wire::RecordKind::slab_value, 1, 0, 16);
  chunk.put(Step::submit_map).put(std::uint8_t{3});
  for (std::uint8_t i = 0; i != 4; ++i) record(chunk, wire::RecordKind::value, 1, i, 8);
  early.put(Step::submit)
      .put(std::uint8_t{0})
      .put(Step::cancel)
      .put(std::uint8_t{0})
      .put(Step::wait);
  record(early, wire::RecordKind::start_error, 0, 0, 30);
  claims.put(Step::submit_map).put(std::uint8_t{5}).put(Step::set_claim).put(std::uint8_t{1});
  claims.put(shm::Claim{1, 6, 2}.pack()).put(Step::set_tail).put(~std::uint64_t{7}).put(Step::wait);
  talk.put(Step::say).put(static_cast<std::uint8_t>(wire::ControlKind::grown)).put(0U).put(0ULL);
  talk.put(Step::say_bytes).put(std::uint8_t{3}).put(std::uint32_t{9}).put(Step::wait);
  soft.put(Step::set_claim).put(std::uint8_t{1}).put(shm::Claim{1, 1, 1}.pack());
  soft.put(Step::submit_soft).put(Step::wait).put(Step::wait);
  soft.put(Step::tell_stack).put(16U).put(std::uint8_t{16});
  for (const std::uint32_t word : {0x4b545350U, 0x10001U, 0U, 0xffffU}) soft.put(word);
  soft.put(Step::tell_stack).put(4999U).put(std::uint8_t{0}).put(Step::wait);
  return {honest.seed(), slab.seed(), chunk.seed(), early.seed(), claims.seed(), talk.seed(),
          soft.seed()};
}

}  // namespace fuzz
}  // namespace procpool

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  procpool::fuzz::Play play;
  procpool::fuzz::Input input(data, size);
  for (int steps = 0; steps != 60 && !input.empty(); ++steps) play.step(input);
  return 0;
}
