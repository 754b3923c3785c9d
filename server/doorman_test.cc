// Who comes in and who is told that there are too many; by whom they are served, and what is counted.
#include "server/doorman.h"

#include <gtest/gtest.h>

#include <boost/asio/local/stream_protocol.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "server/descriptors.h"
#include "server/test_connection.h"
#include "server/test_limits.h"
#include "server/test_log.h"

namespace lockd::server {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Mutex = engine::NullMutex;

constexpr std::string_view too_many = "0 Too Many Connections\n";
constexpr std::size_t farewells_max = 32;  // refused connections that are given time to read; as in doorman.cc

// A doorman, and two workers which run only when a test lets them.
class DoormanTest : public testing::Test {
 protected:
  DoormanTest() {
    for (std::uint32_t home : {0U, 1U})
      workers_.push_back(std::make_unique<Worker<Mutex>>(server_.services, std::chrono::seconds(1), home));
    for (const auto& worker : workers_) worker->team = {workers_[0].get(), workers_[1].get()};
  }

  // As a listener does: what it accepted there is the doorman's. policy: of a listener for WebSockets.
  void let_in(Peer& peer, const WebSocketPolicy* policy = nullptr) {
    const AcceptHooks hooks = doorman_.hooks(policy);
    peer.connect(acceptor_.local_endpoint());
    tcp::endpoint from;
    const int accepted = acceptor_.accept(from).release();
    hooks.accepted(Socket(hooks.next_context(), StreamProtocol(AF_INET, IPPROTO_TCP), accepted), from);
  }

  // Over a Unix socket, whose address tells the session's number.
  void let_in_unix(Peer& peer) {
    const AcceptHooks hooks = doorman_.hooks(nullptr);
    peer.connect(acceptor_.local_endpoint());
    const int accepted = acceptor_.accept().release();
    hooks.accepted(Socket(hooks.next_context(), StreamProtocol(AF_INET, IPPROTO_TCP), accepted),
                   asio::local::stream_protocol::endpoint());
  }

  std::vector<std::unique_ptr<Peer>> let_in_many(std::size_t count) {
    std::vector<std::unique_ptr<Peer>> peers;
    for (std::size_t i = 0; i < count; ++i) let_in(*peers.emplace_back(std::make_unique<Peer>(context_)));
    return peers;
  }

  template <class Condition>
  bool run_until(Condition condition, std::size_t first = 0, std::size_t last = 1) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition() && std::chrono::steady_clock::now() < deadline) {
      for (std::size_t i = first; i <= last; ++i) {
        workers_[i]->context.restart();
        workers_[i]->context.run_one_for(std::chrono::milliseconds(1));
      }
    }
    return condition();
  }

  std::string ask(Peer& peer, std::string_view request) {
    peer.received.clear();
    peer.send_some(request);
    run_until([&] { return peer.read(), peer.received.ends_with('\n'); });
    return peer.received;
  }

  // All that it is ever sent.
  std::string read_to_end(Peer& peer) {
    EXPECT_TRUE(run_until([&] { return peer.read(), peer.ended; }));
    EXPECT_FALSE(peer.was_reset);
    return peer.received;
  }

  // No connection is left when all peers have gone.
  void TearDown() override {
    EXPECT_TRUE(run_until([&] { return doorman_.served() == 0; }));
  }

  const DescriptorLimit limit_;  // which limit() raises
  TestServer<> server_;
  asio::io_context context_;
  tcp::acceptor acceptor_{context_, {asio::ip::address_v4::loopback(), 0}};
  Doorman<Mutex> doorman_{workers_, std::chrono::seconds(1)};
  Doorman<Mutex>::Workers workers_;
};

TEST_F(DoormanTest, connections_are_handed_to_the_workers_in_turn) {
  doorman_.limit(10, 0);
  const auto peers = let_in_many(4);
  for (const auto& peer : peers) peer->send_some("ping\n");
  const auto replied = [&](std::size_t at) { return peers[at]->read(), peers[at]->received == "1 pong\n"; };
  EXPECT_TRUE(run_until([&] { return replied(0) && replied(2); }, 0, 0));
  EXPECT_TRUE(!replied(1) && !replied(3)) << "their worker has not run yet";
  EXPECT_TRUE(run_until([&] { return replied(1) && replied(3); }, 1, 1));
}

TEST_F(DoormanTest, S1_numbers_are_not_used_again_and_those_refused_take_none) {
  doorman_.limit(1, 0);
  for (const char* reply : {"1 unix:1 unix:1\n", "1 unix:2 unix:2\n"}) {
    Peer peer(context_);
    let_in_unix(peer);
    EXPECT_EQ(ask(peer, "me\n"), reply);
    Peer refused(context_);
    let_in_unix(refused);
    EXPECT_EQ(read_to_end(refused), too_many);
    peer.socket.close();
    ASSERT_TRUE(run_until([&] { return doorman_.served() == 0; }));
  }
  EXPECT_EQ(doorman_.served_total(), 2U);
  EXPECT_EQ(doorman_.refused_total(), 2U);
}

TEST_F(DoormanTest, S4_one_too_many_is_told_so_and_a_place_that_is_free_again_is_given) {
  doorman_.limit(2, 0);
  const auto peers = let_in_many(2);
  for (const auto& peer : peers) EXPECT_EQ(ask(*peer, "ping\n"), "1 pong\n");
  EXPECT_EQ(doorman_.served(), 2U);
  Peer refused(context_);
  let_in(refused);
  EXPECT_EQ(read_to_end(refused), too_many);
  EXPECT_EQ(doorman_.served(), 2U) << "one that is refused takes no place";
  peers[0]->socket.close();
  ASSERT_TRUE(run_until([&] { return doorman_.served() == 1; }));
  Peer next(context_);
  let_in(next);
  EXPECT_EQ(ask(next, "ping\n"), "1 pong\n");
  EXPECT_EQ(doorman_.refused_total(), 1U);
  EXPECT_EQ(doorman_.served_total(), 3U);
}

// Of those that come in one moment each takes its place before it is served.
TEST_F(DoormanTest, S4_a_crowd_that_comes_at_once_gets_no_more_places_than_there_are) {
  doorman_.limit(3, 0);
  const auto peers = let_in_many(5);
  for (std::size_t i = 3; i < 5; ++i) EXPECT_EQ(read_to_end(*peers[i]), too_many);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(ask(*peers[i], "ping\n"), "1 pong\n");
}

TEST_F(DoormanTest, S4_in_a_browser_one_too_many_is_told_so_in_HTTP) {
  doorman_.limit(0, 0);
  const WebSocketPolicy policy;
  Peer refused(context_);
  let_in(refused, &policy);
  EXPECT_EQ(read_to_end(refused), too_many_connections_response);
}

TEST_F(DoormanTest, S4_a_handshake_takes_a_place) {
  doorman_.limit(1, 0);
  const WebSocketPolicy policy{.path = "/locks", .origins = {}};
  Peer browser(context_);
  let_in(browser, &policy);
  EXPECT_EQ(doorman_.served(), 1U);
  Peer refused(context_);
  let_in(refused);
  EXPECT_EQ(read_to_end(refused), too_many);
  browser.send_some("GET / HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(read_to_end(browser).starts_with("HTTP/1.1 404 ")) << "the listener's policy is the one that counts";
}

// They could take all descriptors by not reading.
TEST_F(DoormanTest, S4_of_a_crowd_that_is_too_many_some_are_given_time_to_read_and_to_all_it_is_said) {
  doorman_.limit(0, 0);
  const auto peers = let_in_many(farewells_max + 1);
  peers.back()->read();
  EXPECT_EQ(peers.back()->received, too_many) << "at once, for no worker has run";
  EXPECT_TRUE(peers.back()->ended);
  peers.front()->read();
  EXPECT_EQ(peers.front()->received, "");
  for (const auto& peer : peers) EXPECT_EQ(read_to_end(*peer), too_many);
  EXPECT_EQ(doorman_.refused_total(), farewells_max + 1);
}

// Clients could fill the log.
TEST_F(DoormanTest, S4_that_there_are_too_many_is_logged_once_for_a_crowd) {
  doorman_.limit(0, 0);
  const TestLog log;
  const auto peers = let_in_many(5);
  EXPECT_EQ(log.line_count(), 1U) << log.text();
  EXPECT_TRUE(log.says("0 connections: no more are served for now")) << log.text();
}

TEST_F(DoormanTest, S4_by_default_there_are_as_many_as_there_is_room_for) {
  doorman_.limit(std::nullopt, 0);
  const std::size_t room = doorman_.connections_max();
  EXPECT_GT(room, 0U);
  EXPECT_LE(room, raise_descriptor_limit() - 64);
  doorman_.limit(std::nullopt, 1'000);
  EXPECT_LE(doorman_.connections_max(), room - 900) << "what is reserved for others is theirs";
}

TEST_F(DoormanTest, S4_more_than_there_is_room_for_can_be_asked_for_and_the_log_warns) {
  const TestLog log;
  doorman_.limit(10, 0);
  EXPECT_EQ(log.text(), "");
  constexpr std::uint64_t asked = std::numeric_limits<std::uint64_t>::max();
  doorman_.limit(asked, 0);
  EXPECT_EQ(doorman_.connections_max(), asked);
  EXPECT_TRUE(log.says("--max-connections 18446744073709551615: the descriptor limit leaves room for")) << log.text();
}

TEST_F(DoormanTest, S4_without_any_room_there_is_no_server_unless_a_number_was_asked_for) {
  constexpr std::size_t all = std::numeric_limits<std::size_t>::max() / 2;
  try {
    doorman_.limit(std::nullopt, all);
    ADD_FAILURE() << "room for " << doorman_.connections_max();
  } catch (const std::runtime_error& error) {
    EXPECT_TRUE(std::string(error.what())
                    .ends_with("leaves no room for connections: raise it, by ulimit -n, or LimitNOFILE= in the unit"))
        << error.what();
  }
  const TestLog log;
  doorman_.limit(1, all);
  EXPECT_EQ(doorman_.connections_max(), 1U);
  EXPECT_TRUE(log.says("leaves room for 0")) << log.text();
}

}  // namespace
}  // namespace lockd::server
