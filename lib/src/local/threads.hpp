#pragma once

// Backend::thread: places are threads of a boost::asio::thread_pool. A place that is called takes work
// until there is none; so many are called as there is work for.

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <memory>
#include <thread>
#include <vector>

#include "local/core.hpp"

namespace procpool::inline v0::local {

class Threads final : public LocalCore {
 public:
  explicit Threads(Settings settings);

 private:
  struct Asio;
  ~Threads() override;

  void start_places() override;
  void resize_places(Lock& lock, int count) override;
  void call_places(std::size_t work) override;
  void supply(Lock& lock, detail::Node& node) override;
  void supply_later(Lock& lock, detail::Node& node) override { supply(lock, node); }
  void end_places() override;
  void join_places() override;
  std::size_t places() const override { return threads_.size() + joined_; }

  void add_threads(std::size_t count);
  void live();
  void work();

  std::unique_ptr<Asio> asio_;
  std::vector<std::thread> threads_;  // under the lock
  std::size_t joined_ = 0;
  std::size_t starting_ = 0;  // have not run the initializer yet
  std::condition_variable started_one_;
  std::exception_ptr failed_;  // the first initializer's error
};

}  // namespace procpool::inline v0::local
