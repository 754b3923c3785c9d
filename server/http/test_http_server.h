// An HTTP server over I/O threads that do nothing else, and a client, for its tests.
#ifndef LOCKD_SERVER_HTTP_TEST_HTTP_SERVER_H_
#define LOCKD_SERVER_HTTP_TEST_HTTP_SERVER_H_

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "server/http/http_server.h"

namespace lockd::server {

/// A blocking client.
class HttpClient {
 public:
  explicit HttpClient(const StreamProtocol::endpoint& endpoint) : socket_(context_) { socket_.connect(endpoint); }

  void send(const std::string& bytes) {
    boost::system::error_code ignored;  // of a peer that has had enough
    boost::asio::write(socket_, boost::asio::buffer(bytes), ignored);
  }

  /// The head of a response, and as much of a body as it promises.
  std::string response(bool with_body = true) {
    const std::size_t head_bytes = boost::asio::read_until(socket_, boost::asio::dynamic_buffer(received_), "\r\n\r\n");
    const std::string length = "Content-Length: ";
    std::size_t bytes = head_bytes;
    if (with_body) bytes += std::stoul(received_.substr(received_.find(length) + length.size()));
    if (received_.size() < bytes)
      boost::asio::read(socket_, boost::asio::dynamic_buffer(received_),
                        boost::asio::transfer_exactly(bytes - received_.size()));
    std::string response = received_.substr(0, bytes);
    received_.erase(0, bytes);
    return response;
  }

  std::string get(const std::string& target) {
    send("GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n");
    return response();
  }

  /// Whether the server has not ended it yet. Nothing of what may have come is taken.
  bool is_open() {
    char next = 0;
    return ::recv(socket_.native_handle(), &next, 1, MSG_PEEK | MSG_DONTWAIT) > 0 || errno == EAGAIN;
  }

  /// All that still comes, up to the end; a reset is an end too.
  std::string to_end() {
    boost::system::error_code end;
    boost::asio::read(socket_, boost::asio::dynamic_buffer(received_), end);
    return std::exchange(received_, {});
  }

 private:
  boost::asio::io_context context_;
  boost::asio::basic_stream_socket<StreamProtocol> socket_;
  std::string received_;
};

inline std::string status_line(const std::string& response) { return response.substr(0, response.find("\r\n")); }

inline Snapshot seven_connections() {
  Snapshot snapshot;
  snapshot.connections = 7;
  return snapshot;
}

class HttpServerTest : public testing::Test {
 protected:
  ~HttpServerTest() override { end_threads(); }

  /// As the server does before it lets go of its HTTP.
  void end_threads() {
    for (boost::asio::io_context& thread : threads_) thread.stop();
    running_.clear();
  }

  HttpServer& serve(const HttpLimits& limits = {}, const std::string& uri = "tcp://127.0.0.1:0") {
    HttpSources sources{.threads = {&threads_[0], &threads_[1]},
                        .take = [] { return seven_connections(); },
                        .statistics = statistics_,
                        .patience = patience_};
    server_.emplace(uri, 0600U, std::move(sources), limits);
    server_->start();
    return *server_;
  }

  void run(boost::asio::io_context& thread) {
    running_.emplace_back([&thread] {
      const auto work = boost::asio::make_work_guard(thread);
      thread.run();
    });
  }

  void serve_with_threads(const HttpLimits& limits = {}) {
    for (boost::asio::io_context& thread : threads_) run(thread);
    serve(limits);
  }

  StreamProtocol::endpoint address() const {
    const std::string uri = server_->uris().at(0);
    const auto port = static_cast<std::uint16_t>(std::stoul(uri.substr(uri.rfind(':') + 1)));
    return boost::asio::ip::tcp::endpoint(boost::asio::ip::address_v4::loopback(), port);
  }

  HttpClient client() const { return HttpClient(address()); }

  std::chrono::milliseconds patience_ = std::chrono::hours(1);
  std::array<Statistics, 2> statistics_;
  std::array<boost::asio::io_context, 2> threads_;
  std::vector<std::jthread> running_;
  std::optional<HttpServer> server_;
};

}  // namespace lockd::server

#endif  // LOCKD_SERVER_HTTP_TEST_HTTP_SERVER_H_
