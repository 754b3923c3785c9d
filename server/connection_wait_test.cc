// Connections that wait: the timer, the wake-up, and that a peer which goes away meanwhile is noticed at once.
#include <gtest/gtest.h>

#include <chrono>
#include <deque>
#include <string>
#include <string_view>
#include <thread>

#include "server/test_connection.h"

namespace lockd::server {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

class ConnectionWaitTest : public testing::Test, protected LoopbackWorker {
 protected:
  ConnectionWaitTest() : holder_(context()), waiter_(context()) {
    serve(holder_);
    serve(waiter_);
    exchange(holder_, "g k\n", 1);
  }

  std::uint64_t waiters() const { return server_.table.totals()[LockKind::exclusive].waiters; }

  // It sends this and is in line then.
  void stand_in_line(Peer& peer, std::string_view requests = "gw 60000 k\n") {
    const std::uint64_t before = waiters();
    exchange(peer, requests, 0);
    ASSERT_TRUE(run_until([&] { return waiters() == before + 1; }));
  }

  static std::string helps(int count) {
    std::string requests;
    for (int i = 0; i < count; ++i) requests += "help\n";
    return requests;
  }

  std::string received(Peer& peer, std::size_t bytes) {
    run_until([&] {
      peer.read();
      return peer.received.size() >= bytes || peer.ended;
    });
    return peer.received;
  }

  Peer holder_;
  Peer waiter_;
};

constexpr std::string_view success = "1 Lock Get Success: k\n";

TEST_F(ConnectionWaitTest, W1_W4_the_wake_up_brings_the_reply) {
  stand_in_line(waiter_, "gw 60000 k\nping\n");
  exchange(holder_, "r k\n", 1);
  EXPECT_EQ(received(waiter_, success.size() + 7), std::string(success) + "1 pong\n");
  EXPECT_TRUE(worker_.waiting.empty());
}

TEST_F(ConnectionWaitTest, W1_the_timer_brings_it_otherwise_and_never_early) {
  const auto asked = Clock::now();
  stand_in_line(waiter_, "gw 30 k\n");
  EXPECT_EQ(received(waiter_, 1), "0 Lock Get Timeout: k\n");
  EXPECT_GE(Clock::now() - asked, 30ms);
  EXPECT_TRUE(worker_.waiting.empty());
}

TEST_F(ConnectionWaitTest, W1_a_timer_of_a_wait_that_is_over_ends_no_other) {
  stand_in_line(waiter_, "gw 300 k\n");
  exchange(waiter_, "cancel\n", 1);
  stand_in_line(waiter_, "gw 60000 k\n");
  context().run_for(400ms);  // beyond the first one's time
  EXPECT_EQ(waiters(), 1U);
}

// Both are there before the event loop looks: the `cancel` comes first, and the timer has fired.
TEST_F(ConnectionWaitTest, W1_W9_a_timer_that_fired_for_a_wait_that_is_over_ends_no_other) {
  stand_in_line(waiter_, "gw 20 k\n");
  waiter_.send_some("cancel\ngw 60000 k\n");
  std::this_thread::sleep_until(Clock::now() + 50ms);
  const std::string replies = "0 Lock Get Canceled: k\n1 Canceled\n";
  EXPECT_EQ(received(waiter_, replies.size()), replies);
  context().poll();
  EXPECT_EQ(waiters(), 1U);
}

TEST_F(ConnectionWaitTest, W1_W9_a_wait_that_follows_another_at_once_has_its_own_time) {
  stand_in_line(waiter_, "gw 100 k\n");
  const std::string replies = "0 Lock Get Canceled: k\n1 Canceled\n";
  EXPECT_EQ(exchange(waiter_, "cancel\ngw 60000 k\n", replies.size()), replies);
  context().run_for(200ms);  // beyond the first one's time
  EXPECT_EQ(waiters(), 1U);
}

TEST_F(ConnectionWaitTest, W2_S2_a_peer_that_closes_leaves_the_line) {
  stand_in_line(waiter_);
  waiter_.socket.close();
  EXPECT_TRUE(run_until([&] { return waiters() == 0; }));
  EXPECT_TRUE(run_until([&] { return connection_count_ == 1; }));
  EXPECT_TRUE(worker_.waiting.empty());
}

TEST_F(ConnectionWaitTest, W2_S2_a_peer_that_resets_leaves_the_line) {
  stand_in_line(waiter_);
  waiter_.reset();
  EXPECT_TRUE(run_until([&] { return waiters() == 0; }));
  EXPECT_TRUE(run_until([&] { return connection_count_ == 1; }));
}

TEST_F(ConnectionWaitTest, W2_S3_a_half_close_ends_the_wait_without_a_reply) {
  stand_in_line(waiter_, "ping\ngw 60000 k\nping\n");
  waiter_.socket.shutdown(boost::asio::ip::tcp::socket::shutdown_send);
  ASSERT_TRUE(run_until([&] {
    waiter_.read();
    return waiter_.ended;
  }));
  EXPECT_EQ(waiter_.received, "1 pong\n");
  EXPECT_EQ(waiters(), 0U);
}

TEST_F(ConnectionWaitTest, W2_too_much_input_ends_the_session) {
  server_.settings.input_bytes_max = 10;
  stand_in_line(waiter_);
  EXPECT_EQ(exchange(waiter_, "0123456789x", 1), "0 Too Much Input: limit 10 bytes\n");
  EXPECT_TRUE(run_until([&] {
    waiter_.read();
    return waiter_.ended;
  }));
}

TEST_F(ConnectionWaitTest, S2_W4_the_end_of_the_holder_lets_the_waiter_through) {
  stand_in_line(waiter_);
  holder_.reset();
  EXPECT_EQ(received(waiter_, success.size()), success);
}

TEST_F(ConnectionWaitTest, S2_W5_the_end_of_one_who_was_just_let_through_lets_the_next_through) {
  Peer next(context());
  serve(next);
  stand_in_line(waiter_);
  stand_in_line(next);
  waiter_.reset();
  holder_.reset();
  EXPECT_EQ(received(next, success.size()), success);
}

// More than a turn's output was asked for while it waited; and its read is still pending when it has turns to take.
TEST_F(ConnectionWaitTest, F5_W2_W4_what_comes_while_a_woken_session_has_turns_to_take_is_read_later) {
  stand_in_line(waiter_, "gw 60000 k\n" + helps(200));
  exchange(holder_, "r k\n", 1);
  waiter_.send_some("me\n");
  ASSERT_TRUE(run_until([&] {
    waiter_.read();
    return waiter_.received.ends_with("\n1 A2 A2\n") || waiter_.ended;
  }));
  EXPECT_FALSE(waiter_.ended);
}

TEST_F(ConnectionWaitTest, F5_W2_W5_nor_is_what_comes_after_a_timeout) {
  stand_in_line(waiter_, "gw 1 k\n" + helps(2000));
  ASSERT_TRUE(run_until([&] { return waiters() == 0; }));
  waiter_.send_some("me\n");
  ASSERT_TRUE(run_until([&] {
    waiter_.read();
    return waiter_.received.ends_with("\n1 A2 A2\n") || waiter_.ended;
  }));
  EXPECT_FALSE(waiter_.ended);
}

TEST_F(ConnectionWaitTest, S3_W2_W4_a_fin_that_comes_while_a_woken_session_has_turns_to_take_ends_it_behind_them) {
  stand_in_line(waiter_, "gw 60000 k\n" + helps(200) + "me\n");
  exchange(holder_, "r k\n", 1);
  waiter_.socket.shutdown(boost::asio::ip::tcp::socket::shutdown_send);
  ASSERT_TRUE(run_until([&] {
    waiter_.read();
    return waiter_.ended;
  }));
  EXPECT_FALSE(waiter_.was_reset);
  EXPECT_TRUE(waiter_.received.ends_with("\n1 A2 A2\n"));
  EXPECT_EQ(keys(), 0U);
}

// Who has waited is read from until its connection is closed: its end may come before all replies have left.
TEST_F(ConnectionWaitTest, S3_a_fin_behind_a_quit_loses_no_reply_that_is_still_on_its_way) {
  stand_in_line(waiter_, "gw 60000 k\n" + helps(200) + "me\nquit\n");
  exchange(holder_, "r k\n", 1);
  ASSERT_TRUE(run_until([&] { return keys() == 0; })) << "it has quit";
  waiter_.socket.shutdown(boost::asio::ip::tcp::socket::shutdown_send);
  for (int pass = 0; pass < 10; ++pass) context().poll();  // the server sees that before the peer reads on
  ASSERT_TRUE(run_until([&] {
    waiter_.read();
    return waiter_.ended;
  }));
  EXPECT_FALSE(waiter_.was_reset);
  EXPECT_TRUE(waiter_.received.ends_with("\n1 A2 A2\n"));
}

TEST_F(ConnectionWaitTest, W4_a_wait_that_is_over_has_no_timer_even_while_its_replies_are_not_taken) {
  server_.settings.output_bytes_max = 1000;
  stand_in_line(waiter_, "gw 60000 k\n" + helps(2000));
  exchange(holder_, "r k\n", 1);
  ASSERT_TRUE(run_until([&] { return worker_.waiting.empty(); }));
  EXPECT_EQ(keys(), 1U);
}

TEST_F(ConnectionWaitTest, W4_a_chain_of_many_passes_the_lock_on) {
  std::deque<Peer> chain;
  for (int i = 0; i < 200; ++i) {
    Peer& peer = chain.emplace_back(context());
    serve(peer);
    stand_in_line(peer, "gw 60000 k\nr k\n");
  }
  exchange(holder_, "r k\n", 1);
  for (Peer& peer : chain) EXPECT_EQ(received(peer, 46), std::string(success) + "1 Lock Release Success: k\n");
  EXPECT_EQ(keys(), 0U);
}

}  // namespace
}  // namespace lockd::server
