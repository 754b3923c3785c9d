// The HTTP listener as its peers see it, over real sockets.
#include "server/http/http_server.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/asio/local/stream_protocol.hpp>
#include <cstdlib>
#include <ctime>
#include <regex>
#include <stdexcept>
#include <string>
#include <vector>

#include "server/http/test_http_server.h"

namespace lockd::server {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

std::string undated(const std::string& response) {
  return std::regex_replace(response, std::regex("\r\nDate: [^\r]*"), "");
}

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
  const std::string whole = undated(peer.get("/healthz"));
  peer.send("HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(undated(peer.response(false)) + "ok\n", whole);
  EXPECT_EQ(undated(peer.get("/healthz")), whole);
}

/// RFC 9110, 6.6.1.
TEST_F(HttpServerTest, a_response_is_dated) {
  serve_with_threads();
  HttpClient peer = client();
  for (const char* const target : {"/healthz", "/nothing"}) {
    const std::string response = peer.get(target);
    std::tm date{};
    const std::size_t at = response.find("\r\nDate: ");
    ASSERT_NE(at, std::string::npos) << response;
    const char* const rest = ::strptime(response.c_str() + at, "\r\nDate: %a, %d %b %Y %H:%M:%S GMT", &date);
    ASSERT_TRUE(rest != nullptr && rest[0] == '\r') << response;
    EXPECT_LE(std::abs(::timegm(&date) - std::time(nullptr)), 3600);
  }
}

/// OpenMetrics and compression are offers, which need not be taken.
TEST_F(HttpServerTest, what_a_scraper_would_rather_have_changes_nothing) {
  serve_with_threads();
  HttpClient peer = client();
  peer.send(
      "GET /metrics HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\nAccept: application/openmetrics-text;"
      "version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,"
      "*/*;q=0.2\r\n\r\n");
  const std::string response = peer.response();
  EXPECT_NE(response.find("\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"), std::string::npos);
  EXPECT_EQ(response.find("Content-Encoding"), std::string::npos);
  EXPECT_NE(response.find("\nlockd_connections 7\n"), std::string::npos);
}

TEST_F(HttpServerTest, an_http_1_0_client_is_told_the_end_by_the_end) {
  serve_with_threads();
  HttpClient peer = client();
  peer.send("GET /healthz HTTP/1.0\r\n\r\n");
  const std::string response = peer.to_end();
  EXPECT_EQ(status_line(response), "HTTP/1.0 200 OK");
  EXPECT_TRUE(response.ends_with("\r\n\r\nok\n"));
}

TEST_F(HttpServerTest, an_http_1_0_client_may_keep_its_connection) {
  serve_with_threads();
  HttpClient peer = client();
  peer.send("GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_NE(peer.response().find("\r\nConnection: keep-alive\r\n"), std::string::npos);
  EXPECT_EQ(status_line(peer.get("/healthz")), "HTTP/1.1 200 OK");
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

/// RFC 9112, 3.2.
TEST_F(HttpServerTest, a_request_names_its_one_host) {
  serve_with_threads();
  HttpClient peer = client();
  for (const std::string headers :
       {"", "X: y\r\n", "Host: a\r\nHost: a\r\n", "Host: a\r\nX: y\r\nhost: b\r\n", "Host: a/b\r\n", "Host: a b\r\n"}) {
    peer.send("GET /metrics HTTP/1.1\r\n" + headers + "\r\n");
    const std::string response = peer.response();
    EXPECT_EQ(status_line(response), "HTTP/1.1 400 Bad Request") << headers;
    EXPECT_TRUE(response.ends_with("\r\n\r\nthe request does not name its one host\n")) << response;
  }
  for (const std::string host : {"", " x", "lockd.example:9180", "127.0.0.1:9180", "[::1]:9180", "a%20b_c~"}) {
    peer.send("GET /healthz HTTP/1.1\r\nHost:" + host + "\r\n\r\n");
    EXPECT_EQ(status_line(peer.response()), "HTTP/1.1 200 OK") << host;
  }
  HttpClient old = client();
  old.send("GET /healthz HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n");
  EXPECT_EQ(status_line(old.to_end()), "HTTP/1.0 400 Bad Request");
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
  EXPECT_THROW(HttpServer(taken, 0600U, {.threads = {&threads_[0]}, .take = {}, .statistics = {}}),
               boost::system::system_error);
}

}  // namespace
}  // namespace lockd::server
