#pragma once

// The peer that most programs would use: boost::asio::thread_pool with std::packaged_task, as its
// users write it.

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstddef>
#include <future>
#include <type_traits>
#include <utility>

namespace bench {

inline constexpr const char* asio_name = "asio + packaged_task";

class ThreadPool {
 public:
  explicit ThreadPool(std::size_t threads) : pool_(threads) {}
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  ~ThreadPool() { pool_.join(); }

  template <class F>
  std::future<std::invoke_result_t<F&>> submit(F f) {
    std::packaged_task<std::invoke_result_t<F&>()> task(std::move(f));
    auto future = task.get_future();
    boost::asio::post(pool_, std::move(task));
    return future;
  }

 private:
  boost::asio::thread_pool pool_;
};

}  // namespace bench
