#include "server/http/http_connection.h"

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <utility>

namespace lockd::server {

namespace asio = boost::asio;
namespace http = boost::beast::http;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

/// After a last response so much of what still comes is read and dropped: to close with input unread would make the
/// kernel reset the connection, and the peer might lose the response.
constexpr std::size_t dropped_bytes_max = 64 * 1024;

http::response<http::string_body> response_of(PageText page, unsigned version) {
  http::response<http::string_body> response(http::int_to_status(page.status), version);
  response.set(http::field::server, "lockd");
  response.set(http::field::content_type, page.content_type);
  response.set(http::field::cache_control, "no-store");
  response.body() = std::move(page.body);
  return response;
}

PageText error_page(unsigned status, std::string line) { return {.status = status, .body = std::move(line) + "\n"}; }

bool is_answered(http::verb method) { return method == http::verb::get || method == http::verb::head; }

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

  is_answering_ = true;
  PageText page = co_await answer(parser);
  Response response = response_of(std::move(page), parser.get().version());
  const bool goes_on = parser.keep_alive() && parser.is_done();  // a body is left unread
  response.keep_alive(goes_on);
  if (!is_answered(parser.get().method())) response.set(http::field::allow, "GET, HEAD");
  response.prepare_payload();
  if (parser.get().method() == http::verb::head) response.body().clear();  // its length is still told
  const bool is_sent = co_await send(response);
  is_answering_ = false;
  if (!is_sent) co_return false;
  if (!goes_on) co_await say_goodbye();
  co_return goes_on;
}

asio::awaitable<PageText> HttpConnection::answer(const Parser& parser) {
  if (!is_answered(parser.get().method())) co_return error_page(405, "only GET and HEAD are answered here");
  std::string target(parser.get().target());
  co_return co_await pages_(*this, std::move(target));
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
  stream_.expires_after(limits_.request_time);
  const auto [error, bytes] = co_await http::async_write(stream_, response, as_result);
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
