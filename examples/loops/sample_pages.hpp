// Pages to download: an HTTP server on loopback.
#pragma once

#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio.hpp>
#include <boost/beast.hpp>

namespace loops {

// Serves as long as it lives, by a thread of its own with a coroutine for each connection.
class SamplePages {
  using Tcp = boost::asio::ip::tcp;

 public:
  // So many pages, at /1, /2, …; the i-th is 1,000 i bytes long. Nothing else is found.
  explicit SamplePages(int count) : count_(count) {
    boost::asio::co_spawn(context_, accept(), boost::asio::detached);
    thread_ = std::thread([this] { context_.run(); });
  }
  SamplePages(const SamplePages&) = delete;
  SamplePages& operator=(const SamplePages&) = delete;
  ~SamplePages() {
    context_.stop();
    thread_.join();
  }

  std::string url(int page) const {
    const int port = acceptor_.local_endpoint().port();
    return "http://127.0.0.1:" + std::to_string(port) + "/" + std::to_string(page);
  }
  std::vector<std::string> urls() const {
    std::vector<std::string> all;
    for (int i = 1; i <= count_; ++i) all.push_back(url(i));
    return all;
  }

 private:
  boost::asio::awaitable<void> accept() {
    for (;;) {
      Tcp::socket client = co_await acceptor_.async_accept(boost::asio::use_awaitable);
      boost::asio::co_spawn(context_, serve(std::move(client)), boost::asio::detached);
    }
  }

  // An exception ends it when the client has closed.
  boost::asio::awaitable<void> serve(Tcp::socket client) {
    namespace http = boost::beast::http;
    boost::beast::flat_buffer buffer;
    for (bool more = true; more;) {
      http::request<http::empty_body> request;
      co_await http::async_read(client, buffer, request, boost::asio::use_awaitable);
      more = request.keep_alive();
      http::response<http::string_body> response = page_of(std::string(request.target()));
      response.keep_alive(more);
      response.prepare_payload();
      co_await http::async_write(client, response, boost::asio::use_awaitable);
    }
  }

  boost::beast::http::response<boost::beast::http::string_body> page_of(
      const std::string& path) const {
    namespace http = boost::beast::http;
    for (int i = 1; i <= count_; ++i) {
      if (path != "/" + std::to_string(i)) continue;
      return {http::status::ok, 11, std::string(1'000 * static_cast<std::size_t>(i), 'x')};
    }
    return {http::status::not_found, 11};
  }

  const int count_;
  boost::asio::io_context context_;
  Tcp::acceptor acceptor_{context_, {boost::asio::ip::address_v4::loopback(), 0}};
  std::thread thread_;
};

}  // namespace loops
