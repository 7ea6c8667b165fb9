#include <cstdio>
#include <exception>
#include <future>
#include <optional>
#include <regex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio.hpp>
#include <boost/beast.hpp>

#include "sample_pages.hpp"

namespace asio = boost::asio;
namespace http = boost::beast::http;

asio::awaitable<std::string> download(std::string url) {
  static const std::regex form("http://([^:/]+):([0-9]+)(/.*)");
  std::smatch part;
  if (!std::regex_match(url, part, form)) throw std::invalid_argument("not http://host:port/path");
  boost::beast::tcp_stream stream(co_await asio::this_coro::executor);
  asio::ip::tcp::resolver resolver(co_await asio::this_coro::executor);
  const auto at = co_await resolver.async_resolve(part.str(1), part.str(2), asio::use_awaitable);
  co_await stream.async_connect(at, asio::use_awaitable);
  http::request<http::empty_body> request(http::verb::get, part.str(3), 11);
  request.set(http::field::host, part.str(1));
  co_await http::async_write(stream, request, asio::use_awaitable);
  boost::beast::flat_buffer buffer;
  http::response<http::string_body> response;
  co_await http::async_read(stream, buffer, response, asio::use_awaitable);
  if (response.result() != http::status::ok)
    throw std::runtime_error(std::string(response.reason()));
  co_return std::move(response.body());
}

int main(int argc, char** argv) {
  std::vector<std::string> urls(argv + 1, argv + argc);
  std::optional<loops::SamplePages> samples;
  if (urls.empty()) urls = samples.emplace(8).urls();

  asio::io_context loop;
  std::vector<std::future<std::string>> texts;
  for (const auto& url : urls) texts.push_back(co_spawn(loop, download(url), asio::use_future));
  loop.run();  // all at once, on this thread

  int failures = 0;
  for (std::size_t i = 0; i != urls.size(); ++i) {
    try {
      std::printf("%s: %zu bytes\n", urls[i].c_str(), texts[i].get().size());
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s: %s\n", urls[i].c_str(), error.what());
      ++failures;
    }
  }
  return failures == 0 ? 0 : 1;
}
