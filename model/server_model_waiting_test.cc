// Waiting as clients see it: replies that come later, what is kept meanwhile, `cancel`, and the ends of connections.
#include <gtest/gtest.h>

#include "model/server_model.h"

namespace lockd::model {
namespace {

// Clients 1 to 4 have the addresses A1 to A4.
class ServerModelWaiting : public testing::Test {
 protected:
  void start(const ServerOptions& options) {
    server_ = ReferenceServer(options);
    for (const std::uint64_t client : {1U, 2U, 3U, 4U}) {
      server_.connect(SessionId{client}, "A" + std::to_string(client));
    }
  }

  void SetUp() override { start({}); }

  // The client sends these bytes, and the model must expect just that output to it, in this moment.
  void expect(std::uint64_t client, std::string_view bytes, std::string_view output) {
    const auto why = server_.receive(SessionId{client}, bytes).mismatch(output);
    EXPECT_EQ(why, std::nullopt) << "after " << ExpectedOutput::escaped(bytes);
  }

  // Others have made the server send this to the client.
  void expect_later(std::uint64_t client, std::string_view output) {
    EXPECT_EQ(server_.take_output(SessionId{client}).mismatch(output), std::nullopt);
  }

  void expect_timeout(std::uint64_t client, std::string_view output) {
    EXPECT_EQ(server_.time_out(SessionId{client}).mismatch(output), std::nullopt);
  }

  // Client 1 holds `k`, client 2 waits for it.
  void let_2_wait_for_k() {
    expect(1, "g k\n", "1 Lock Get Success: k\n");
    expect(2, "gw 1000 k\n", "");
  }

  bool is_live(std::uint64_t client) const { return server_.is_live(SessionId{client}); }
  bool waits(std::uint64_t client) const { return server_.waits(SessionId{client}); }
  std::uint64_t statistic(const std::string& name) const { return server_.statistics().at(name); }

  ReferenceServer server_;
};

TEST_F(ServerModelWaiting, W1_the_reply_comes_later_and_once) {
  let_2_wait_for_k();
  EXPECT_TRUE(waits(2));
  expect_later(2, "");
  expect(1, "r k\n", "1 Lock Release Success: k\n");
  EXPECT_FALSE(waits(2));
  expect_later(2, "1 Lock Get Success: k\n");
  expect_later(2, "");
  expect_timeout(2, "");
  expect(2, "r k\n", "1 Lock Release Success: k\n");
}

TEST_F(ServerModelWaiting, W1_or_the_timeout_comes_and_once) {
  let_2_wait_for_k();
  expect_timeout(2, "0 Lock Get Timeout: k\n");
  EXPECT_FALSE(waits(2));
  expect_timeout(2, "");
  expect(1, "r k\n", "1 Lock Release Success: k\n");
  expect_later(2, "");
  expect(2, "i k\n", "0 Lock Not Locked: k\n");
}

TEST_F(ServerModelWaiting, W1_0_is_answered_at_once) {
  expect(1, "gw 0 k\n", "1 Lock Get Success: k\n");
  expect(2, "gw 0 k\nping\n", "0 Lock Get Timeout: k\n1 pong\n");
  EXPECT_EQ(statistic("waits"), 0U);
}

TEST_F(ServerModelWaiting, F5_W2_what_follows_is_kept_and_executed_after_the_reply) {
  let_2_wait_for_k();
  expect(2, "i k\ng other\nfoo\n\ngw x\n", "");
  expect(3, "i other\n", "0 Lock Not Locked: other\n");
  EXPECT_EQ(statistic("command_i"), 1U) << "not counted before it is executed";
  expect(1, "r k\nping\n", "1 Lock Release Success: k\n1 pong\n");
  expect_later(2,
               "1 Lock Get Success: k\n1 Lock Is Locked: k\n1 Lock Get Success: other\n0 Unknown Command: foo\n"
               "0 Bad Arguments: gw MILLISECONDS KEY\n");
}

TEST_F(ServerModelWaiting, W2_what_was_kept_is_executed_after_a_timeout_too) {
  let_2_wait_for_k();
  expect(2, "ping\ngw 5 k\nversion\n", "");
  expect_timeout(2, "0 Lock Get Timeout: k\n1 pong\n");
  EXPECT_TRUE(waits(2)) << "again, in its second wait";
  expect_timeout(2, "0 Lock Get Timeout: k\n1 lockd 0.1.0\n");
  EXPECT_FALSE(waits(2));
}

TEST_F(ServerModelWaiting, W2_a_line_may_come_partly_before_and_partly_after_the_reply) {
  let_2_wait_for_k();
  expect(2, "pi", "");
  expect(1, "r k\n", "1 Lock Release Success: k\n");
  expect_later(2, "1 Lock Get Success: k\n");
  expect(2, "ng\n", "1 pong\n");
}

TEST_F(ServerModelWaiting, W2_what_is_kept_has_a_bound_of_N_bytes) {
  for (const bool terminated : {false, true}) {
    start({.input_bytes_max = 20});
    let_2_wait_for_k();
    expect(2, terminated ? "ping\n\nping\nping\n1\r \n" : "ping\nping\nping\nping ", "");
    EXPECT_TRUE(is_live(2)) << "exactly N";
    expect(2, "\n", "0 Too Much Input: limit 20 bytes\n");
    EXPECT_FALSE(is_live(2)) << "N + 1";
    expect(1, "r k\ni k\n", "1 Lock Release Success: k\n0 Lock Not Locked: k\n");
    EXPECT_EQ(statistic("too_much_input"), 1U);
    EXPECT_EQ(statistic("command_ping"), 0U);
  }
}

TEST_F(ServerModelWaiting, W2_the_default_bound_is_64_KiB) {
  start({.line_bytes_max = 100000});
  let_2_wait_for_k();
  expect(2, std::string(65536, ' '), "");
  expect(2, " ", "0 Too Much Input: limit 65536 bytes\n");
}

TEST_F(ServerModelWaiting, S2_W2_too_much_input_is_an_end) {
  start({.input_bytes_max = 4});
  expect(2, "iam two\ng mine\n", "1 ok\n1 Lock Get Success: mine\n");
  let_2_wait_for_k();
  expect(3, "gw 1000 mine\n", "");
  expect(2, "ping\nping\n", "0 Too Much Input: limit 4 bytes\n");
  expect_later(3, "1 Lock Get Success: mine\n");
  expect(3, "iw k\nwho\n", "0 Lock Waiters: k\n");
  EXPECT_EQ(statistic("orphans"), 1U);
  expect(2, "ping\n", "");
}

TEST_F(ServerModelWaiting, W2_the_bound_is_on_what_is_kept_now) {
  start({.input_bytes_max = 10});
  let_2_wait_for_k();
  expect(2, "ping\nping\n", "");
  expect_timeout(2, "0 Lock Get Timeout: k\n1 pong\n1 pong\n");
  expect(2, "me\nme\nme\nme\nme\ngw 5 k\nping\nping\n", "1 A2 A2\n1 A2 A2\n1 A2 A2\n1 A2 A2\n1 A2 A2\n");
  EXPECT_TRUE(is_live(2)) << "who does not wait has no bound, and each wait has all of it";
  expect(2, "p", "0 Too Much Input: limit 10 bytes\n");
}

TEST_F(ServerModelWaiting, W2_what_is_kept_through_two_waits_counts_in_both) {
  start({.input_bytes_max = 20});
  let_2_wait_for_k();
  expect(2, "gw 5 k\nping\nping\n12", "");  // 19 bytes, of which 7 go
  expect_timeout(2, "0 Lock Get Timeout: k\n");
  expect(2, "34567890", "");
  expect(2, "1", "0 Too Much Input: limit 20 bytes\n");
}

TEST_F(ServerModelWaiting, W2_quit_and_browsers_end_the_session_in_their_turn) {
  for (const std::string last : {"quit\n", "GET / HTTP/1.1\r\n"}) {
    start({});
    let_2_wait_for_k();
    expect(2, "ping\n" + last + "ping\n", "");
    EXPECT_TRUE(is_live(2));
    expect(1, "r k\n", "1 Lock Release Success: k\n");
    expect_later(2, "1 Lock Get Success: k\n1 pong\n");
    EXPECT_FALSE(is_live(2));
    expect(1, "i k\n", "0 Lock Not Locked: k\n");
    EXPECT_EQ(statistic("orphans"), 1U);
  }
}

TEST_F(ServerModelWaiting, W4_the_woken_have_their_turn_in_the_order_of_the_line) {
  let_2_wait_for_k();
  expect(3, "gw 1000 k\n", "");
  expect(4, "gw 1000 k\n", "");
  expect(2, "r k\nr k\n", "");
  expect(3, "r k\ni k\n", "");
  expect(1, "r k\n", "1 Lock Release Success: k\n");
  expect_later(2, "1 Lock Get Success: k\n1 Lock Release Success: k\n0 Lock Release Failure: k\n");
  expect_later(3, "1 Lock Get Success: k\n1 Lock Release Success: k\n1 Lock Is Locked: k\n");
  expect_later(4, "1 Lock Get Success: k\n");
}

TEST_F(ServerModelWaiting, W4_who_wakes_others_goes_on_before_they_do) {
  let_2_wait_for_k();
  expect(2, "r k\n", "");
  expect(1, "r k\ng k\ngw 1000 k\nping\n",
         "1 Lock Release Success: k\n0 Lock Get Failure: k\n1 Lock Get Success: k\n1 pong\n");
  expect_later(2, "1 Lock Get Success: k\n1 Lock Release Success: k\n");
}

TEST_F(ServerModelWaiting, C2_W4_several_are_let_through_by_one) {
  expect(1, "sg k\n", "1 Shared Lock Get Success: k\n");
  expect(2, "sgw 1 1000 k\n", "");
  expect(3, "sgw 2 1000 k\n", "");
  expect(4, "sgw 2 1000 k\n", "");
  expect(4, "ping\n", "");
  expect(1, "sr k\nsiw k\n", "1 Shared Lock Release Success: k\n1 Shared Lock Waiters: k\n");
  expect_later(2, "1 Shared Lock Get Success: k\n");
  expect_later(3, "2 Shared Lock Get Success: k\n");
  expect_later(4, "");
  expect_timeout(4, "0 Shared Lock Get Timeout: k\n1 pong\n");
}

TEST_F(ServerModelWaiting, C2_W4_of_several_woken_the_first_in_line_goes_on_first) {
  expect(1, "sg k\n", "1 Shared Lock Get Success: k\n");
  expect(2, "sgw 1 1000 k\ng x\n", "");
  expect(3, "sgw 2 1000 k\ng x\n", "");
  server_.reset(SessionId{1});
  expect_later(3, "2 Shared Lock Get Success: k\n0 Lock Get Failure: x\n");
  expect_later(2, "1 Shared Lock Get Success: k\n1 Lock Get Success: x\n");
}

TEST_F(ServerModelWaiting, W5_a_timeout_in_a_shared_line_wakes_those_behind) {
  expect(1, "sg k\n", "1 Shared Lock Get Success: k\n");
  expect(2, "sgw 1 1000 k\n", "");
  expect(3, "sgw 2 1000 k\nping\n", "");
  expect_timeout(2, "0 Shared Lock Get Timeout: k\n");
  expect_later(3, "2 Shared Lock Get Success: k\n1 pong\n");
}

TEST_F(ServerModelWaiting, W6_W7_W8_C1_C2_refusals) {
  start({.max_waiters = 1});
  let_2_wait_for_k();
  expect(2, "cancel\ng l\ngw 1000 k\n", "0 Lock Get Canceled: k\n1 Canceled\n1 Lock Get Success: l\n");
  expect(1, "gw 1000 l\n", "0 Lock Get Deadlock: l\n");
  expect(3, "gw 1000 k\niw k\niw l\n", "0 Too Many Waiters: k\n1 Lock Waiters: k\n0 Lock Waiters: l\n");
  expect(3, "sgl 1 s\n", "1 Shared Lock Get Success: s\n");
  expect(4, "sgl 1 s\nsgw 1 0 s\nsgl 0 s\nsiw s\n",
         "0 Shared Lock Get Failure: s\n0 Shared Lock Get Timeout: s\n0 Bad Arguments: sgl LIMIT KEY\n"
         "0 Shared Lock Waiters: s\n");
}

TEST_F(ServerModelWaiting, W9_cancel_acts_at_once) {
  let_2_wait_for_k();
  expect(2, "cancel\n", "0 Lock Get Canceled: k\n1 Canceled\n");
  EXPECT_FALSE(waits(2));
  expect(1, "iw k\nr k\ni k\n", "0 Lock Waiters: k\n1 Lock Release Success: k\n0 Lock Not Locked: k\n");
  expect_later(2, "");
}

TEST_F(ServerModelWaiting, W9_a_shared_wait_has_its_own_words) {
  expect(1, "sg k\n", "1 Shared Lock Get Success: k\n");
  expect(2, "sgw 1 1000 k\n", "");
  expect(2, " \tcancel \r\n", "0 Shared Lock Get Canceled: k\n1 Canceled\n");
}

TEST_F(ServerModelWaiting, W9_what_was_kept_comes_before_its_answer) {
  let_2_wait_for_k();
  expect(2, "ping\ni k\n", "");
  expect(2, "cancel\nversion\n", "0 Lock Get Canceled: k\n1 pong\n1 Lock Is Locked: k\n1 Canceled\n1 lockd 0.1.0\n");
}

TEST_F(ServerModelWaiting, W9_nothing_to_cancel) {
  expect(1, "cancel\n", "0 Nothing To Cancel\n");
  expect(1, "g k\ncancel\n", "1 Lock Get Success: k\n0 Nothing To Cancel\n");
  expect(2, "gw 0 k\ncancel\n", "0 Lock Get Timeout: k\n0 Nothing To Cancel\n");
  EXPECT_EQ(statistic("cancels"), 0U);
}

TEST_F(ServerModelWaiting, W9_after_the_grant_or_the_timeout_there_is_nothing_to_cancel) {
  let_2_wait_for_k();
  expect(1, "r k\n", "1 Lock Release Success: k\n");
  expect(2, "cancel\ni k\n", "1 Lock Get Success: k\n0 Nothing To Cancel\n1 Lock Is Locked: k\n");
  expect(3, "gw 5 k\n", "");
  expect_timeout(3, "0 Lock Get Timeout: k\n");
  expect(3, "cancel\n", "0 Nothing To Cancel\n");
}

TEST_F(ServerModelWaiting, W9_a_second_cancel_finds_no_wait) {
  let_2_wait_for_k();
  expect(2, "cancel\ncancel\n", "0 Lock Get Canceled: k\n1 Canceled\n0 Nothing To Cancel\n");
  EXPECT_EQ(statistic("cancels"), 1U);
  EXPECT_EQ(statistic("command_cancel"), 2U);
}

TEST_F(ServerModelWaiting, W9_one_cancel_for_each_of_two_waits) {
  let_2_wait_for_k();
  expect(2, "gw 1000 k\nping\ncancel\n", "0 Lock Get Canceled: k\n");
  EXPECT_TRUE(waits(2)) << "what was kept has to wait itself, and the answer to cancel behind it";
  expect(2, "cancel\n", "0 Lock Get Canceled: k\n1 pong\n1 Canceled\n1 Canceled\n");
}

TEST_F(ServerModelWaiting, W9_a_cancel_that_has_acted_is_answered_after_a_grant_too) {
  let_2_wait_for_k();
  expect(2, "gw 1000 k\ncancel\n", "0 Lock Get Canceled: k\n");
  expect(1, "r k\n", "1 Lock Release Success: k\n");
  expect_later(2, "1 Lock Get Success: k\n1 Canceled\n");
}

TEST_F(ServerModelWaiting, W9_what_is_no_cancel_acts_in_its_turn) {
  start({.line_bytes_max = 12});
  let_2_wait_for_k();
  expect(2, "cancel now\nCancel\ncancelx\ncancel         \ncance", "");
  EXPECT_TRUE(waits(2));
  expect(2, "l\n",
         "0 Lock Get Canceled: k\n0 Bad Arguments: cancel\n0 Unknown Command: Cancel\n0 Unknown Command: cancelx\n"
         "0 Line Too Long: limit 12 bytes\n1 Canceled\n");
}

TEST_F(ServerModelWaiting, W2_W9_cancel_beyond_the_bound_does_not_act) {
  start({.input_bytes_max = 6});
  let_2_wait_for_k();
  expect(2, "cancel\n", "0 Too Much Input: limit 6 bytes\n");
  start({.input_bytes_max = 7});
  let_2_wait_for_k();
  expect(2, "cancel\n", "0 Lock Get Canceled: k\n1 Canceled\n");
}

TEST_F(ServerModelWaiting, W9_cancel_wakes_those_behind_after_its_own_turn) {
  expect(1, "sg k\n", "1 Shared Lock Get Success: k\n");
  expect(2, "sgw 1 1000 k\nsi k\n", "");
  expect(3, "sgw 2 1000 k\nsr k\n", "");
  expect(2, "cancel\n", "0 Shared Lock Get Canceled: k\n2 Shared Lock Is Locked: k\n1 Canceled\n");
  expect_later(3, "2 Shared Lock Get Success: k\n1 Shared Lock Release Success: k\n");
}

TEST_F(ServerModelWaiting, F5_W9_every_cut_gives_the_same) {
  const std::string stream =
      "cancel\ngw 50 k\nping\ncancel\n cancel\r\ngw 50 k\ngw 50 k\ncancel\ncancel x\ncancel\nsgl 1 s\ncancel\n";
  const std::string replies =
      "0 Nothing To Cancel\n0 Lock Get Canceled: k\n1 pong\n1 Canceled\n0 Nothing To Cancel\n0 Lock Get Canceled: k\n"
      "0 Lock Get Canceled: k\n1 Canceled\n0 Bad Arguments: cancel\n1 Canceled\n1 Shared Lock Get Success: s\n"
      "0 Nothing To Cancel\n";
  for (std::size_t first = 0; first <= stream.size(); ++first) {
    for (std::size_t second = first; second <= stream.size(); ++second) {
      start({});
      expect(1, "g k\n", "1 Lock Get Success: k\n");
      ExpectedOutput output = server_.receive(SessionId{2}, stream.substr(0, first));
      output.append(server_.receive(SessionId{2}, stream.substr(first, second - first)));
      output.append(server_.receive(SessionId{2}, stream.substr(second)));
      ASSERT_EQ(output.mismatch(replies), std::nullopt) << "cut at " << first << " and " << second;
    }
  }
}

TEST_F(ServerModelWaiting, S2_the_end_of_a_waiter_is_seen_at_once) {
  for (const bool by_reset : {false, true}) {
    start({});
    let_2_wait_for_k();
    expect(2, "iam two\n", "");
    if (by_reset) {
      server_.reset(SessionId{2});
    } else {
      server_.finish(SessionId{2});
    }
    EXPECT_FALSE(is_live(2));
    expect_later(2, "");
    expect(1, "iw k\nwho\nr k\ni k\n", "0 Lock Waiters: k\n1 Lock Release Success: k\n0 Lock Not Locked: k\n");
    EXPECT_EQ(statistic("orphans"), 0U);
  }
}

TEST_F(ServerModelWaiting, S2_W4_the_end_of_a_holder_wakes_the_line) {
  for (const int way : {0, 1, 2}) {
    start({});
    let_2_wait_for_k();
    expect(2, "ping\n", "");
    if (way == 0) server_.finish(SessionId{1});
    if (way == 1) server_.reset(SessionId{1});
    if (way == 2) expect(1, "quit\n", "");
    expect_later(2, "1 Lock Get Success: k\n1 pong\n");
    EXPECT_EQ(statistic("orphans"), 1U);
  }
}

TEST_F(ServerModelWaiting, S3_what_came_before_FIN_is_executed_up_to_the_first_wait) {
  expect(1, "g k\n", "1 Lock Get Success: k\n");
  expect(2, "ping\ngw 1000 k\ng l\n", "1 pong\n");
  server_.finish(SessionId{2});
  expect_later(2, "");
  expect(1, "r k\ni k\ni l\n", "1 Lock Release Success: k\n0 Lock Not Locked: k\n0 Lock Not Locked: l\n");
}

TEST_F(ServerModelWaiting, S3_what_was_answered_before_the_end_stays_to_be_sent) {
  let_2_wait_for_k();
  expect(1, "r k\n", "1 Lock Release Success: k\n");
  server_.finish(SessionId{2});
  expect_later(2, "1 Lock Get Success: k\n");
}

TEST_F(ServerModelWaiting, S6_no_waiter_is_answered_when_the_server_stops) {
  let_2_wait_for_k();
  expect(3, "gw 1000 k\nping\n", "");
  server_.shut_down();
  for (const std::uint64_t client : {1U, 2U, 3U, 4U}) {
    EXPECT_FALSE(is_live(client));
    expect_later(client, "");
    expect_timeout(client, "");
    expect(client, "ping\n", "");
  }
  EXPECT_TRUE(server_.locks().locks.empty());
  EXPECT_EQ(server_.locks().grants, 1U);
  EXPECT_EQ(statistic("connections"), 0U);
}

TEST_F(ServerModelWaiting, F10_a_client_that_asked_nothing_hears_nothing) {
  let_2_wait_for_k();
  expect(1, "r k\n", "1 Lock Release Success: k\n");
  server_.reset(SessionId{2});
  expect_later(1, "");
  expect_later(3, "");
  expect_later(99, "");
}

}  // namespace
}  // namespace lockd::model
