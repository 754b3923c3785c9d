#include "server/http/http_connection.h"

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <ctime>
#include <string_view>
#include <utility>

namespace lockd::server {

namespace asio = boost::asio;
namespace http = boost::beast::http;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

/// After a last response so much of what still comes is read and dropped: to close with input unread would make the
/// kernel reset the connection, and the peer might lose the response.
constexpr std::size_t dropped_bytes_max = 64 * 1024;

/// RFC 9110, 5.6.7.
std::string http_date(std::time_t now) {
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &utc)};
}

http::response<http::string_body> response_of(PageText page, unsigned version) {
  http::response<http::string_body> response(http::int_to_status(page.status), version);
  response.set(http::field::date, http_date(std::time(nullptr)));
  response.set(http::field::server, "lockd");
  response.set(http::field::content_type, page.content_type);
  response.set(http::field::cache_control, "no-store");
  response.body() = std::move(page.body);
  return response;
}

PageText error_page(unsigned status, std::string line) { return {.status = status, .body = std::move(line) + "\n"}; }

bool is_answered(http::verb method) { return method == http::verb::get || method == http::verb::head; }

/// RFC 9112, 3.2: one host, which may be empty; none is needed in HTTP/1.0.
bool names_its_host(const http::request_header<>& header) {
  constexpr std::string_view signs =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-._~%!$&'()*+,;=:[]";
  const auto hosts = header.count(http::field::host);
  if (hosts == 0) return header.version() < 11;
  return hosts == 1 && header[http::field::host].find_first_not_of(signs) == std::string_view::npos;
}

bool is_http_error(const boost::system::error_code& error) {
  return error.category() == http::make_error_code(http::error::bad_method).category();
}

}  // namespace

HttpConnection::HttpConnection(Socket socket, const HttpLimits& limits, const Pages& pages)
    : stream_(std::move(socket)), buffer_(2 * limits.header_bytes_max), limits_(limits), pages_(pages) {}

asio::awaitable<void> HttpConnection::serve() {
  bool goes_on = true;  // GCC 12 makes an illegal instruction of a co_await in the loop's condition
  while (goes_on) goes_on = co_await serve_one();
}

/// False where none does. The next one may have come with the one before.
asio::awaitable<bool> HttpConnection::request_begins() {
  if (buffer_.size() > 0) co_return true;
  stream_.expires_after(limits_.idle_time);
  const auto [error, bytes] = co_await stream_.async_read_some(buffer_.prepare(limits_.header_bytes_max), as_result);
  buffer_.commit(bytes);
  co_return !error;
}

/// A request and its response. False when that was the last.
asio::awaitable<bool> HttpConnection::serve_one() {
  if (!co_await request_begins()) co_return false;
  Parser parser;
  parser.header_limit(static_cast<std::uint32_t>(limits_.header_bytes_max));
  stream_.expires_after(limits_.request_time);
  const auto [error, bytes] = co_await http::async_read_header(stream_, buffer_, parser, as_result);
  if (error) co_return co_await refuse(error);

  idle_since_ = Clock::time_point::max();
  PageText page = co_await answer(parser);
  Response response = response_of(std::move(page), parser.get().version());
  const bool goes_on = parser.keep_alive() && parser.is_done() && !is_wanted_;  // a body is left unread
  response.keep_alive(goes_on);
  if (!is_answered(parser.get().method())) response.set(http::field::allow, "GET, HEAD");
  response.prepare_payload();
  if (parser.get().method() == http::verb::head) response.body().clear();  // its length is still told
  if (!co_await send(response)) co_return false;
  if (!goes_on) co_await say_goodbye();
  co_return goes_on;
}

asio::awaitable<PageText> HttpConnection::answer(const Parser& parser) {
  if (!names_its_host(parser.get())) co_return error_page(400, "the request does not name its one host");
  if (!is_answered(parser.get().method())) co_return error_page(405, "only GET and HEAD are answered here");
  std::string target(parser.get().target());
  co_return co_await pages_(std::move(target));
}

/// What can't be read as a request. A peer that left, or took too long, is told nothing.
asio::awaitable<bool> HttpConnection::refuse(const boost::system::error_code& error) {
  if (!is_http_error(error) || error == http::error::end_of_stream || error == http::error::partial_message)
    co_return false;
  const bool too_long = error == http::error::header_limit || error == http::error::buffer_overflow;
  const bool too_large = error == http::error::body_limit;
  PageText page = too_long    ? error_page(431, "the header of the request is too long")
                  : too_large ? error_page(413, "no request here has a body")
                              : error_page(400, "this is no HTTP request: " + error.message());
  Response response = response_of(std::move(page), 11);
  response.keep_alive(false);
  response.prepare_payload();
  if (co_await send(response)) co_await say_goodbye();
  co_return false;
}

asio::awaitable<bool> HttpConnection::send(Response& response) {
  idle_since_ = Clock::time_point::max();
  stream_.expires_after(limits_.request_time);
  const auto [error, bytes] = co_await http::async_write(stream_, response, as_result);
  idle_since_ = Clock::now();
  co_return !error;
}

asio::awaitable<void> HttpConnection::say_goodbye() {
  boost::system::error_code ignored;
  stream_.socket().shutdown(Socket::shutdown_send, ignored);
  stream_.expires_after(limits_.goodbye_time);
  std::array<char, 4096> dropped;
  for (std::size_t total = 0; total < dropped_bytes_max;) {
    const auto [error, bytes] = co_await stream_.async_read_some(asio::buffer(dropped), as_result);
    if (error) co_return;
    total += bytes;
  }
}

}  // namespace lockd::server
