// P-CRASH-57: the host forks without executing another program. The parent's pool is unharmed; the
// copy in the child is inert.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "crash/pool_of.hpp"
#include "crash/room.hpp"

namespace procpool::test {
namespace {

int twice(int number) { return 2 * number; }
int wait_at_gate(std::string room, int number) {
  report(room, number);
  await_gate(room);
  return number;
}

/// In the child: whether the call says Misuse.
template <class Call>
bool is_misuse(const char* name, Call call) {
  try {
    call();
    std::fprintf(stderr, "in the child: %s did not throw\n", name);
  } catch (const Misuse&) {
    return true;
  } catch (const std::exception& other) {
    std::fprintf(stderr, "in the child: %s threw %s\n", name, other.what());
  }
  return false;
}

/// Everything that can be called on a copy.
bool copy_is_inert(Pool& pool, const Future<int>& running) {
  bool inert = is_misuse("apply", [&] { pool.apply(twice, 1); });
  inert &= is_misuse("submit", [&] { pool.submit(twice, 1); });
  inert &= is_misuse("map", [&] { pool.map(twice, {1, 2}); });
  inert &= is_misuse("terminate", [&] { pool.terminate(); });
  inert &= is_misuse("join", [&] { pool.join(); });
  inert &= is_misuse("pids", [&] { pool.pids(); });
  inert &= is_misuse("wait", [&] { running.wait(); });
  inert &= is_misuse("on_done", [&] { running.on_done([](Future<int>&) {}); });
  pool.close();
  return inert;
}

int exit_code_of(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

class P_CRASH_57_HostForks : public OfEachMethod {
 protected:
  /// Forks while a task runs and others wait; all of them end as they should.
  void fork_amid_work(std::function<void()> in_child) {
    const auto running = pool_->submit(wait_at_gate, room_.path(), 5);
    room_.next_report();
    std::vector<Future<int>> queued;
    for (int i = 0; i < 200; ++i) queued.push_back(pool_->submit(twice, i));
    running_ = running;
    const pid_t child = fork();
    if (child == 0) {
      in_child();
      _exit(99);
    }
    EXPECT_EQ(exit_code_of(child), 0);
    room_.open_gate();
    EXPECT_EQ(running.get(), 5);
    for (int i = 0; i < 200; ++i) EXPECT_EQ(queued[static_cast<std::size_t>(i)].get(), 2 * i);
    EXPECT_EQ(pool_->map(twice, {1, 2, 3}), (std::vector<int>{2, 4, 6}));
  }

  Room room_;
  std::unique_ptr<Pool> pool_ = std::make_unique<Pool>(options_of(GetParam(), 2));
  Future<int> running_;
};
INSTANTIATE_TEST_SUITE_P(Of, P_CRASH_57_HostForks, testing::ValuesIn(all_methods), method_name);

TEST_P(P_CRASH_57_HostForks, AndTheChildDoesNothing) {
  fork_amid_work([] { _exit(0); });
}

TEST_P(P_CRASH_57_HostForks, AndTheChildUsesThePool) {
  fork_amid_work([this] { _exit(copy_is_inert(*pool_, running_) ? 0 : 1); });
}

TEST_P(P_CRASH_57_HostForks, AndTheChildDestroysThePool) {
  fork_amid_work([this] {
    pool_.reset();
    running_ = {};
    _exit(0);
  });
}

TEST_P(P_CRASH_57_HostForks, AndTheChildThrowsThroughThePool) {
  fork_amid_work([this] {
    try {
      const std::unique_ptr<Pool> going(std::move(pool_));
      throw 1;
    } catch (int) {
      _exit(0);
    }
  });
}

TEST_P(P_CRASH_57_HostForks, AndTheChildMakesAPoolOfItsOwn) {
  fork_amid_work([this] {
    Pool own(options_of(GetParam(), 1));
    const bool works = own.apply(twice, 21) == 42;
    own.close();
    own.join();
    _exit(works ? 0 : 1);
  });
}

TEST_P(P_CRASH_57_HostForks, AndTheChildOutlivesTheParentsPool) {
  const pid_t child = fork();
  if (child == 0) {
    await_gate(room_.path());
    _exit(0);
  }
  EXPECT_EQ(pool_->apply(twice, 21), 42);
  pool_->close();
  pool_->join();
  room_.open_gate();
  EXPECT_EQ(exit_code_of(child), 0);
}

TEST_P(P_CRASH_57_HostForks, WhileOtherThreadsUseThePool) {
  std::vector<std::thread> users;
  for (int i = 0; i < 3; ++i) {
    users.emplace_back([this] {
      for (int number = 0; number < 300; ++number) {
        EXPECT_EQ(pool_->apply(twice, number), 2 * number);
      }
    });
  }
  for (int i = 0; i < 20; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      const bool inert = is_misuse("submit", [&] { pool_->submit(twice, 1); });
      pool_.reset();
      _exit(inert ? 0 : 1);
    }
    EXPECT_EQ(exit_code_of(child), 0);
  }
  for (auto& user : users) user.join();
}

}  // namespace
}  // namespace procpool::test
