// What the HTTP listener does to peers that are slow, silent, or many. No test depends on how fast the machine is.
#include <gtest/gtest.h>

#include <deque>
#include <string>

#include "server/http/test_http_server.h"

namespace lockd::server {
namespace {

using namespace std::chrono_literals;

constexpr const char* begun_request = "GET /healthz HTTP/1.1\r\nHost: x\r\nX: ";

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
  peer.send(begun_request + std::string(9'000, 'x') + "\r\n\r\n");
  EXPECT_EQ(status_line(peer.to_end()), "HTTP/1.1 431 Request Header Fields Too Large");
  HttpClient almost = client();
  almost.send(begun_request + std::string(8'000, 'x') + "\r\n\r\n");
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
  serve_with_threads({.connections_max = 2, .idle_time = 1h, .grace_time = 1ms});
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
  serve_with_threads({.connections_max = 2, .idle_time = 1h, .request_time = 1h, .grace_time = 1ms});
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
  serve({.idle_time = 1h, .grace_time = 1ms});
  HttpClient scraper = client();
  begin_scrape(scraper);
  std::deque<HttpClient> crowd;
  for (int i = 0; i < 50; ++i) crowd.emplace_back(address());
  EXPECT_EQ(crowd.front().to_end(), "");
  end_scrape();
  EXPECT_EQ(status_line(scraper.response()), "HTTP/1.1 200 OK");
}

TEST_F(HttpLimitsTest, a_request_on_its_way_outlives_any_number_of_connects) {
  serve_with_threads({.connections_max = 2, .idle_time = 1h, .grace_time = 1h});
  HttpClient scraper = client();
  HttpClient gone = client();
  EXPECT_EQ(status_line(gone.get("/healthz")), "HTTP/1.1 200 OK");
  std::deque<HttpClient> crowd;
  for (int i = 0; i < 50; ++i) crowd.emplace_back(address());
  EXPECT_EQ(status_line(scraper.get("/healthz")), "HTTP/1.1 200 OK");
  EXPECT_TRUE(gone.is_open());
}

TEST_F(HttpLimitsTest, whose_connection_ends_makes_room_at_once) {
  serve_with_threads({.connections_max = 1, .idle_time = 1h, .grace_time = 1h});
  std::optional<HttpClient> first(address());
  EXPECT_EQ(status_line(first->get("/healthz")), "HTTP/1.1 200 OK");
  HttpClient next = client();
  next.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  first.reset();
  EXPECT_EQ(status_line(next.response()), "HTTP/1.1 200 OK");
}

TEST_F(HttpLimitsTest, who_asks_without_pause_gives_way_with_a_response) {
  serve_with_threads({.connections_max = 1, .idle_time = 1h, .grace_time = 1h, .goodbye_time = 1ms});
  HttpClient busy = client();
  EXPECT_EQ(busy.get("/").find("Connection: close"), std::string::npos);
  HttpClient next = client();
  next.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  bool is_last = false;
  for (int i = 0; i < 100'000 && !is_last; ++i) is_last = busy.get("/").find("Connection: close") != std::string::npos;
  ASSERT_TRUE(is_last);
  EXPECT_EQ(busy.to_end(), "");
  EXPECT_EQ(status_line(next.response()), "HTTP/1.1 200 OK");
}

TEST_F(HttpLimitsTest, where_all_are_busy_others_wait_and_are_not_turned_away) {
  serve({.connections_max = 1, .idle_time = 1h, .grace_time = 1ms});
  HttpClient scraper = client();
  begin_scrape(scraper);
  std::deque<HttpClient> newcomers;
  for (int i = 0; i < 3; ++i) {
    newcomers.emplace_back(address());
    newcomers.back().send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  end_scrape();
  EXPECT_EQ(status_line(scraper.response()), "HTTP/1.1 200 OK");
  for (HttpClient& newcomer : newcomers) EXPECT_EQ(status_line(newcomer.response()), "HTTP/1.1 200 OK");
  EXPECT_EQ(scraper.to_end(), "");
}

}  // namespace
}  // namespace lockd::server
