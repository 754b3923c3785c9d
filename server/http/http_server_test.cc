// The HTTP listener as its peers see it, over real sockets.
#include "server/http/http_server.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>

namespace lockd::server {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

/// A blocking client.
class HttpClient {
 public:
  explicit HttpClient(const StreamProtocol::endpoint& endpoint) : socket_(context_) { socket_.connect(endpoint); }

  void send(const std::string& bytes) {
    boost::system::error_code ignored;  // of a peer that has had enough
    asio::write(socket_, asio::buffer(bytes), ignored);
  }

  /// The head of a response, and as much of a body as it promises.
  std::string response(bool with_body = true) {
    const std::size_t head_bytes = asio::read_until(socket_, asio::dynamic_buffer(received_), "\r\n\r\n");
    const std::string length = "Content-Length: ";
    std::size_t bytes = head_bytes;
    if (with_body) bytes += std::stoul(received_.substr(received_.find(length) + length.size()));
    if (received_.size() < bytes)
      asio::read(socket_, asio::dynamic_buffer(received_), asio::transfer_exactly(bytes - received_.size()));
    std::string response = received_.substr(0, bytes);
    received_.erase(0, bytes);
    return response;
  }

  std::string get(const std::string& target) {
    send("GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n");
    return response();
  }

  /// All that still comes, up to the end; a reset is an end too.
  std::string to_end() {
    boost::system::error_code end;
    asio::read(socket_, asio::dynamic_buffer(received_), end);
    return std::exchange(received_, {});
  }

 private:
  asio::io_context context_;
  asio::basic_stream_socket<StreamProtocol> socket_;
  std::string received_;
};

std::string status_line(const std::string& response) { return response.substr(0, response.find("\r\n")); }

Snapshot seven_connections() {
  Snapshot snapshot;
  snapshot.connections = 7;
  return snapshot;
}

class HttpServerTest : public testing::Test {
 protected:
  ~HttpServerTest() override { end_threads(); }

  /// As the server does before it lets go of its HTTP.
  void end_threads() {
    for (asio::io_context& thread : threads_) thread.stop();
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

  void run(asio::io_context& thread) {
    running_.emplace_back([&thread] {
      const auto work = asio::make_work_guard(thread);
      thread.run();
    });
  }

  void serve_with_threads(const HttpLimits& limits = {}) {
    for (asio::io_context& thread : threads_) run(thread);
    serve(limits);
  }

  HttpClient client() const {
    const std::string uri = server_->uris().at(0);
    const auto port = static_cast<std::uint16_t>(std::stoul(uri.substr(uri.rfind(':') + 1)));
    return HttpClient(asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), port));
  }

  std::chrono::milliseconds patience_ = 20s;
  std::array<Statistics, 2> statistics_;
  std::array<asio::io_context, 2> threads_;
  std::vector<std::jthread> running_;
  std::optional<HttpServer> server_;
};

TEST_F(HttpServerTest, several_requests_on_one_connection) {
  serve_with_threads();
  HttpClient peer = client();
  for (int i = 0; i < 3; ++i) {
    const std::string response = peer.get("/metrics");
    EXPECT_EQ(status_line(response), "HTTP/1.1 200 OK");
    EXPECT_NE(response.find("\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"), std::string::npos);
    EXPECT_NE(response.find("\nlockd_connections 7\n"), std::string::npos);
  }
  peer.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(peer.response().ends_with("\r\n\r\nok\n"));
  EXPECT_TRUE(peer.to_end().ends_with("\r\n\r\nok\n"));
}

TEST_F(HttpServerTest, head_is_get_without_the_body) {
  serve_with_threads();
  HttpClient peer = client();
  const std::string whole = peer.get("/healthz");
  peer.send("HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(peer.response(false) + "ok\n", whole);
  EXPECT_EQ(peer.get("/healthz"), whole);
}

TEST_F(HttpServerTest, an_http_1_0_client_is_told_the_end_by_the_end) {
  serve_with_threads();
  HttpClient peer = client();
  peer.send("GET /healthz HTTP/1.0\r\n\r\n");
  const std::string response = peer.to_end();
  EXPECT_EQ(status_line(response), "HTTP/1.0 200 OK");
  EXPECT_TRUE(response.ends_with("\r\n\r\nok\n"));
}

TEST_F(HttpServerTest, pages_and_methods_that_there_are_not) {
  serve_with_threads();
  HttpClient peer = client();
  EXPECT_EQ(status_line(peer.get("/")), "HTTP/1.1 200 OK");
  EXPECT_EQ(status_line(peer.get("/nothing")), "HTTP/1.1 404 Not Found");
  peer.send("DELETE /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string response = peer.response();
  EXPECT_EQ(status_line(response), "HTTP/1.1 405 Method Not Allowed");
  EXPECT_NE(response.find("\r\nAllow: GET, HEAD\r\n"), std::string::npos);
  EXPECT_EQ(status_line(peer.get("/healthz")), "HTTP/1.1 200 OK");
}

/// The response comes, and what follows the request is no request.
TEST_F(HttpServerTest, a_body_ends_the_connection) {
  serve_with_threads();
  HttpClient peer = client();
  peer.send("POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 37\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string response = peer.to_end();
  EXPECT_EQ(status_line(response), "HTTP/1.1 405 Method Not Allowed");
  EXPECT_EQ(response.find("HTTP/1.1", 8), std::string::npos) << response;
  HttpClient large = client();
  large.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n");
  EXPECT_EQ(status_line(large.to_end()), "HTTP/1.1 413 Payload Too Large");
}

TEST_F(HttpServerTest, what_is_no_http_is_told_so) {
  serve_with_threads();
  for (const std::string request : {"g lock\n\n", "\r\n\r\n\r\n", "GET\r\n\r\n", "\x16\x03\x01\x02\x01 \x01\r\n\r\n"}) {
    HttpClient peer = client();
    peer.send(request);
    const std::string response = peer.to_end();
    EXPECT_EQ(status_line(response), "HTTP/1.1 400 Bad Request") << request;
    EXPECT_NE(response.find("this is no HTTP request"), std::string::npos);
  }
}

TEST_F(HttpServerTest, a_header_is_bounded) {
  serve_with_threads();
  for (const std::string& endless : {std::string(100'000, 'x'), "GET /" + std::string(100'000, 'x'),
                                     "GET / HTTP/1.1\r\nX: " + std::string(100'000, 'x')}) {
    HttpClient peer = client();
    peer.send(endless);
    const std::string status = status_line(peer.to_end());
    EXPECT_TRUE(status.empty() || status.starts_with("HTTP/1.1 4")) << status;  // nothing, where it was reset
  }
  HttpClient peer = client();
  peer.send("GET /healthz HTTP/1.1\r\nX: " + std::string(9'000, 'x') + "\r\n\r\n");
  EXPECT_EQ(status_line(peer.to_end()), "HTTP/1.1 431 Request Header Fields Too Large");
  HttpClient almost = client();
  almost.send("GET /healthz HTTP/1.1\r\nX: " + std::string(8'000, 'x') + "\r\n\r\n");
  EXPECT_EQ(status_line(almost.response()), "HTTP/1.1 200 OK");
}

TEST_F(HttpServerTest, who_is_slow_with_a_request_is_ended) {
  serve_with_threads({.idle_time = 1h, .request_time = 50ms});
  HttpClient silent = client();
  HttpClient slow = client();
  slow.send("GET /healthz HTTP/1.1\r\nX: ");
  EXPECT_EQ(slow.to_end(), "");
  EXPECT_EQ(status_line(silent.get("/healthz")), "HTTP/1.1 200 OK");
}

TEST_F(HttpServerTest, who_asks_nothing_for_long_is_ended) {
  serve_with_threads({.idle_time = 50ms, .request_time = 1h});
  HttpClient silent = client();
  EXPECT_EQ(silent.to_end(), "");
  HttpClient once = client();
  EXPECT_EQ(status_line(once.get("/healthz")), "HTTP/1.1 200 OK");
  EXPECT_EQ(once.to_end(), "");
}

/// Nobody is kept out by those who open connections and say nothing.
TEST_F(HttpServerTest, one_too_many_takes_the_place_of_the_most_silent) {
  serve_with_threads({.connections_max = 2, .idle_time = 1h});
  HttpClient first = client();
  EXPECT_EQ(status_line(first.get("/healthz")), "HTTP/1.1 200 OK");
  HttpClient second = client();
  EXPECT_EQ(status_line(second.get("/healthz")), "HTTP/1.1 200 OK");
  EXPECT_EQ(status_line(first.get("/healthz")), "HTTP/1.1 200 OK");
  HttpClient third = client();
  EXPECT_EQ(status_line(third.get("/healthz")), "HTTP/1.1 200 OK");
  EXPECT_EQ(second.to_end(), "");
  EXPECT_EQ(status_line(first.get("/healthz")), "HTTP/1.1 200 OK");
}

TEST_F(HttpServerTest, a_thread_that_is_stuck_is_unhealthy) {
  patience_ = 30ms;
  run(threads_[0]);
  serve();
  HttpClient peer = client();
  const std::string response = peer.get("/healthz");
  EXPECT_EQ(status_line(response), "HTTP/1.1 503 Service Unavailable");
  EXPECT_TRUE(response.ends_with("I/O thread 1 does not answer\n") ||
              response.ends_with("I/O thread 0 does not answer\n"));
}

TEST_F(HttpServerTest, S6_not_ready_once_it_stops) {
  serve_with_threads();
  HttpClient peer = client();
  EXPECT_EQ(status_line(peer.get("/readyz")), "HTTP/1.1 200 OK");
  server_->announce_stop();
  const std::string response = peer.get("/readyz");
  EXPECT_EQ(status_line(response), "HTTP/1.1 503 Service Unavailable");
  EXPECT_TRUE(response.ends_with("\r\n\r\nstopping\n"));
  EXPECT_EQ(status_line(peer.get("/healthz")), "HTTP/1.1 200 OK");
}

TEST_F(HttpServerTest, a_stop_ends_its_connections) {
  serve_with_threads();
  HttpClient idle = client();
  EXPECT_EQ(status_line(idle.get("/healthz")), "HTTP/1.1 200 OK");
  HttpClient unserved = client();
  unserved.send("GET /metr");
  end_threads();
  server_->stop();
  server_->stop();
  server_.reset();
  EXPECT_EQ(idle.to_end(), "");
  EXPECT_EQ(unserved.to_end(), "");
}

TEST_F(HttpServerTest, on_a_unix_socket) {
  const std::string path = testing::TempDir() + "http_server_test." + std::to_string(::getpid());
  for (asio::io_context& thread : threads_) run(thread);
  EXPECT_EQ(serve({}, "unix://" + path).uris(), std::vector<std::string>{"http+unix://" + path});
  HttpClient peer(asio::local::stream_protocol::endpoint{path});
  EXPECT_EQ(status_line(peer.get("/healthz")), "HTTP/1.1 200 OK");
  end_threads();
  server_.reset();
  ::unlink((path + ".lock").c_str());
}

TEST_F(HttpServerTest, beyond_the_loopback_only_where_the_address_is_written) {
  EXPECT_TRUE(serve({}, "tcp://localhost:0").uris().at(0).starts_with("http://"));
  EXPECT_TRUE(serve({}, "tcp://0.0.0.0:0").uris().at(0).starts_with("http://0.0.0.0:"));
  EXPECT_THROW(serve({}, "tcp://0:0"), std::runtime_error);  // a name for 0.0.0.0 to the resolver
}

TEST_F(HttpServerTest, S1_a_port_in_use) {
  serve_with_threads();
  const std::string taken = "tcp" + server_->uris().at(0).substr(4);
  EXPECT_THROW(HttpServer(taken, 0600U, {.threads = {}, .take = {}, .statistics = {}}), boost::system::system_error);
}

}  // namespace
}  // namespace lockd::server
