// What the HTTP listener does to peers that are slow, silent, or many. No test depends on how fast the machine is.
#include <gtest/gtest.h>

#include <deque>
#include <string>

#include "server/http/test_http_server.h"

namespace lockd::server {
namespace {

using namespace std::chrono_literals;

constexpr const char* begun_request = "GET /healthz HTTP/1.1\r\nX: ";

class HttpLimitsTest : public HttpServerTest {
 protected:
  /// Asks for the metrics, and comes back when the server is at it: its first I/O thread has answered, and the second
  /// does not run yet.
  void begin_scrape(HttpClient& scraper) {
    scraper.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    const auto work = boost::asio::make_work_guard(threads_[0]);
    threads_[0].run_one();
  }

  void end_scrape() {
    threads_[0].restart();
    for (boost::asio::io_context& thread : threads_) run(thread);
  }
};

// ---- bytes and time ----

TEST_F(HttpLimitsTest, a_header_is_bounded) {
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

/// From where its header begins; before that it has the time that is for silence.
TEST_F(HttpLimitsTest, who_is_slow_with_a_request_is_ended) {
  serve_with_threads({.idle_time = 1h, .request_time = 1ms});
  HttpClient silent = client();
  HttpClient slow = client();
  slow.send(begun_request);
  EXPECT_EQ(slow.to_end(), "");
  EXPECT_TRUE(silent.is_open());
}

TEST_F(HttpLimitsTest, who_asks_nothing_for_long_is_ended) {
  serve_with_threads({.idle_time = 1ms, .request_time = 1h});
  HttpClient silent = client();
  EXPECT_EQ(silent.to_end(), "");
  std::string response;
  while (response.empty()) {  // until the request comes in time
    HttpClient once = client();
    once.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    response = once.to_end();
  }
  EXPECT_EQ(status_line(response), "HTTP/1.1 200 OK");
}

// ---- too many connections ----

TEST_F(HttpLimitsTest, one_too_many_takes_the_place_of_the_most_silent) {
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

TEST_F(HttpLimitsTest, who_has_begun_a_request_long_ago_gives_way_too) {
  serve_with_threads({.connections_max = 2, .idle_time = 1h, .request_time = 1h});
  HttpClient slow = client();
  slow.send(begun_request);
  HttpClient other = client();
  EXPECT_EQ(status_line(other.get("/healthz")), "HTTP/1.1 200 OK");
  HttpClient third = client();
  EXPECT_EQ(status_line(third.get("/healthz")), "HTTP/1.1 200 OK");
  EXPECT_EQ(slow.to_end(), "");
  EXPECT_TRUE(other.is_open());
}

TEST_F(HttpLimitsTest, a_scrape_in_flight_outlives_any_number_of_connects) {
  serve({.idle_time = 1h});
  HttpClient scraper = client();
  begin_scrape(scraper);
  std::deque<HttpClient> crowd;
  for (int i = 0; i < 50; ++i) crowd.emplace_back(address());
  EXPECT_EQ(crowd.front().to_end(), "");
  end_scrape();
  EXPECT_EQ(status_line(scraper.response()), "HTTP/1.1 200 OK");
}

TEST_F(HttpLimitsTest, where_all_are_busy_one_more_is_turned_away) {
  serve({.connections_max = 1, .idle_time = 1h});
  HttpClient scraper = client();
  begin_scrape(scraper);
  HttpClient newcomer = client();
  const std::string response = newcomer.to_end();
  EXPECT_EQ(status_line(response), "HTTP/1.1 503 Service Unavailable");
  EXPECT_TRUE(response.ends_with("\r\n\r\nall connections here are busy: try again\n")) << response;
  end_scrape();
  EXPECT_EQ(status_line(scraper.response()), "HTTP/1.1 200 OK");
  EXPECT_EQ(status_line(scraper.get("/healthz")), "HTTP/1.1 200 OK");
}

}  // namespace
}  // namespace lockd::server
