// One connection of the HTTP listener.
#ifndef LOCKD_SERVER_HTTP_HTTP_CONNECTION_H_
#define LOCKD_SERVER_HTTP_HTTP_CONNECTION_H_

#include <boost/asio/awaitable.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <string>

#include "server/edge.h"
#include "server/http/http_pages.h"

namespace lockd::server {

/// What a stranger may cost. A scraper asks for one page at a time, with a few hundred bytes of header.
struct HttpLimits {
  std::size_t connections_max = 16;  // 1 at least
  std::size_t header_bytes_max = 8192;
  std::chrono::milliseconds idle_time{300'000};    // before a request: a scraper keeps its connection for the next time
  std::chrono::milliseconds request_time{10'000};  // for a header that has begun; for the peer to take the response
  std::chrono::milliseconds grace_time{100};       // for a request to begin and come whole, where others want the place
  std::chrono::milliseconds goodbye_time{1'000};   // for the peer to close, after a response that was the last
};

/// Answers GET and HEAD, one request after the other, until the peer wants no more, takes too long, or sends what is no
/// HTTP, which is told so (as is one that does not name its host, RFC 9112, 3.2). No request has a body: after one that
/// does, the connection ends. On its context's thread.
class HttpConnection {
 public:
  using Clock = std::chrono::steady_clock;

  /// What a target's page says.
  using Pages = std::function<boost::asio::awaitable<PageText>(std::string target)>;

  HttpConnection(Socket socket, const HttpLimits& limits, const Pages& pages);
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;
  ~HttpConnection() = default;

  /// Until the connection is over. Called once; the object, the limits and the pages outlive it.
  boost::asio::awaitable<void> serve();

  /// Since when no response is owed to the peer: since it came, or its last one was sent. Clock::time_point::max()
  /// where a request has come whole, and its response is not sent yet.
  Clock::time_point idle_since() const { return idle_since_; }

  /// The next response is the last one: others want its place.
  void wind_up() { is_wanted_ = true; }

  /// Ends it at once, wherever it stands. Its descriptor is free then.
  void close() { stream_.close(); }

 private:
  using Stream = boost::beast::basic_stream<StreamProtocol, boost::asio::io_context::executor_type>;
  using Parser = boost::beast::http::request_parser<boost::beast::http::empty_body>;
  using Response = boost::beast::http::response<boost::beast::http::string_body>;

  boost::asio::awaitable<bool> request_begins();
  boost::asio::awaitable<bool> serve_one();
  boost::asio::awaitable<PageText> answer(const Parser& parser);
  boost::asio::awaitable<bool> refuse(const boost::system::error_code& error);
  boost::asio::awaitable<bool> send(Response& response);
  boost::asio::awaitable<void> say_goodbye();

  Stream stream_;
  boost::beast::flat_buffer buffer_;  // received, and not parsed yet
  Clock::time_point idle_since_ = Clock::now();
  bool is_wanted_ = false;  // its place
  const HttpLimits& limits_;
  const Pages& pages_;
};

}  // namespace lockd::server

#endif  // LOCKD_SERVER_HTTP_HTTP_CONNECTION_H_
