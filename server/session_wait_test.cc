// Sessions that wait: what they answer when, what they keep meanwhile, and how `cancel` finds its way past it. Expected
// bytes are written out from the protocol.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <string>
#include <string_view>

#include "server/session.h"
#include "server/test_server.h"

namespace lockd::server {
namespace {

class SessionWaitTest : public testing::Test {
 protected:
  // All that the session has written for a client without being asked.
  static std::string heard(TestClient& client) { return client.take_output(); }

  TestServer<> server_;
  TestClient ada_{server_, 1};
  TestClient bob_{server_, 2};
  TestClient eve_{server_, 3};
};

// ---- W1, C2: a get that waits ----

TEST_F(SessionWaitTest, W1_what_can_be_had_is_had_at_once) {
  EXPECT_EQ(ada_.ask("gw 100 k\n"), "1 Lock Get Success: k\n");
  EXPECT_EQ(ada_.ask("gw 100 k\n"), "1 Lock Get Success: k\n");
  EXPECT_EQ(bob_.ask("sgw 1 100 k\n"), "1 Shared Lock Get Success: k\n");
  EXPECT_EQ(ada_.next, Next::read);
}

TEST_F(SessionWaitTest, W1_0_ms_is_one_real_attempt) {
  EXPECT_EQ(ada_.ask("gw 0 k\n"), "1 Lock Get Success: k\n");
  EXPECT_EQ(bob_.ask("gw 0 k\n"), "0 Lock Get Timeout: k\n");
  EXPECT_EQ(ada_.ask("sgw 1 0 k\n"), "1 Shared Lock Get Success: k\n");
  EXPECT_EQ(bob_.ask("sgw 1 0 k\n"), "0 Shared Lock Get Timeout: k\n");
  EXPECT_EQ(bob_.ask("sgl 1 k\n"), "0 Shared Lock Get Failure: k\n");
}

TEST_F(SessionWaitTest, W1_C2_1_ms_is_a_wait) {
  ada_.ask("g k\nsg k\n");
  EXPECT_EQ(bob_.ask("gw 1 k\n"), "");
  EXPECT_EQ(eve_.ask("sgw 1 1 k\n"), "");
  EXPECT_EQ(ada_.ask("iw k\nsiw k\n"), "1 Lock Waiters: k\n1 Shared Lock Waiters: k\n");
}

TEST_F(SessionWaitTest, W1_that_a_wait_has_begun_is_said_to_who_keeps_the_time) {
  ada_.ask("gw 100 k\n");
  EXPECT_FALSE(server_.turn.wait_begun);
  bob_.ask("gw 100 k\n");
  EXPECT_TRUE(server_.turn.wait_begun);
}

TEST_F(SessionWaitTest, W1_the_reply_comes_with_the_lock) {
  ada_.ask("g k\n");
  EXPECT_EQ(bob_.ask("gw 100 k\n"), "");
  EXPECT_EQ(bob_.next, Next::wait);
  EXPECT_EQ(ada_.ask("r k\n"), "1 Lock Release Success: k\n");
  EXPECT_EQ(heard(bob_), "1 Lock Get Success: k\n");
  EXPECT_EQ(bob_.next, Next::read);
  EXPECT_EQ(bob_.ask("r k\n"), "1 Lock Release Success: k\n");
}

TEST_F(SessionWaitTest, W1_or_with_the_deadline_and_not_before) {
  ada_.ask("g k\nsg s\n");
  server_.turn.now = 5000;
  EXPECT_EQ(bob_.ask("gw 100 k\n"), "");
  EXPECT_EQ(bob_.session.deadline(), 5101U);  // the clock counts whole milliseconds, and 5000 may be 5000.9
  bob_.time_out();
  EXPECT_EQ(heard(bob_), "0 Lock Get Timeout: k\n");
  EXPECT_EQ(bob_.ask("sgw 1 2147483647 s\n"), "");
  EXPECT_EQ(bob_.session.deadline(), server_.turn.now + 2147483647 + 1);
  bob_.time_out();
  EXPECT_EQ(heard(bob_), "0 Shared Lock Get Timeout: s\n");
  EXPECT_EQ(ada_.ask("iw k\nsiw s\n"), "0 Lock Waiters: k\n0 Shared Lock Waiters: s\n");
}

TEST_F(SessionWaitTest, W5_a_deadline_behind_the_hand_over_is_none) {
  ada_.ask("g k\n");
  bob_.ask("gw 100 k\n");
  ada_.receive("r k\n");  // and the Wakeup is on its way
  bob_.time_out();
  EXPECT_EQ(heard(bob_), "");
  EXPECT_EQ(bob_.next, Next::wait);
  server_.bring_wakeups();
  EXPECT_EQ(heard(bob_), "1 Lock Get Success: k\n");
}

TEST_F(SessionWaitTest, W5_who_leaves_lets_others_through) {
  ada_.ask("sg k\n");
  bob_.ask("sgw 1 100 k\n");
  EXPECT_EQ(eve_.ask("sgw 2 100 k\n"), "");
  bob_.time_out();
  server_.bring_wakeups();
  EXPECT_EQ(heard(eve_), "2 Shared Lock Get Success: k\n");
}

TEST_F(SessionWaitTest, W3_W4_a_chain_is_served_one_after_the_other) {
  std::deque<TestClient> clients;
  ada_.ask("g k\n");
  for (std::uint64_t i = 10; i < 10 + 15'000; ++i) clients.emplace_back(server_, i).ask("gw 1000 k\nr k\n");
  EXPECT_EQ(ada_.ask("iw k\n"), "15000 Lock Waiters: k\n");
  ada_.ask("r k\n");
  EXPECT_TRUE(std::ranges::all_of(clients, [](TestClient& client) {
    return client.take_output() == "1 Lock Get Success: k\n1 Lock Release Success: k\n";
  }));
  EXPECT_EQ(ada_.ask("iw k\ni k\n"), "0 Lock Waiters: k\n0 Lock Not Locked: k\n");
}

TEST_F(SessionWaitTest, W6_a_circle_is_refused) {
  ada_.ask("g a\n");
  bob_.ask("g b\ngw 1000 a\n");
  EXPECT_EQ(ada_.ask("gw 1000 b\nping\n"), "0 Lock Get Deadlock: b\n1 pong\n");
  EXPECT_EQ(eve_.ask("iw a\niw b\n"), "1 Lock Waiters: a\n0 Lock Waiters: b\n");
}

// ---- W2: what a session keeps while it waits ----

TEST_F(SessionWaitTest, W2_requests_behind_it_are_executed_after_its_reply) {
  ada_.ask("g k\n");
  EXPECT_EQ(bob_.ask("g mine\ngw 100 k\ni k\nr k\npi"), "1 Lock Get Success: mine\n");
  EXPECT_EQ(bob_.ask("ng\nr mi"), "");
  EXPECT_EQ(eve_.ask("i mine\n"), "1 Lock Is Locked: mine\n");
  ada_.ask("r k\n");
  EXPECT_EQ(heard(bob_), "1 Lock Get Success: k\n1 Lock Is Locked: k\n1 Lock Release Success: k\n1 pong\n");
  EXPECT_EQ(bob_.ask("ne\n"), "1 Lock Release Success: mine\n");
}

TEST_F(SessionWaitTest, W2_they_may_wait_again) {
  ada_.ask("g k\ng l\n");
  bob_.ask("gw 100 k\ngw 200 l\nping\n");
  server_.turn.now = 50;
  ada_.ask("r k\n");
  EXPECT_EQ(heard(bob_), "1 Lock Get Success: k\n");
  EXPECT_EQ(bob_.next, Next::wait);
  EXPECT_GE(bob_.session.deadline(), 250U);
  ada_.ask("r l\n");
  EXPECT_EQ(heard(bob_), "1 Lock Get Success: l\n1 pong\n");
}

class SessionInputBound : public SessionWaitTest {
 protected:
  SessionInputBound() {
    ada_.ask("g k\n");
    server_.settings.input_bytes_max = 20;
  }
};

TEST_F(SessionInputBound, W2_so_much_is_kept) {
  EXPECT_EQ(bob_.ask("gw 100 k\nping\nping\nping\nping\n"), "");
  EXPECT_EQ(bob_.next, Next::wait);
  ada_.ask("r k\n");
  EXPECT_EQ(heard(bob_), "1 Lock Get Success: k\n1 pong\n1 pong\n1 pong\n1 pong\n");
}

TEST_F(SessionInputBound, W2_and_no_more) {
  bob_.ask("g mine\ngw 100 k\nping\nping\nping\nping\n");
  EXPECT_EQ(bob_.ask("x"), "0 Too Much Input: limit 20 bytes\n");
  EXPECT_EQ(eve_.ask("i mine\niw k\n"), "0 Lock Not Locked: mine\n0 Lock Waiters: k\n");
  EXPECT_NE(eve_.ask("stats\n").find("\ntoo_much_input: 1\n"), std::string::npos);
}

TEST_F(SessionInputBound, W2_in_one_piece_with_the_wait_too) {
  EXPECT_EQ(bob_.ask("gw 100 k\nping\nping\nping\nping\nx"), "0 Too Much Input: limit 20 bytes\n");
}

TEST_F(SessionInputBound, W9_a_cancel_within_the_bound_acts_before_it) {
  EXPECT_EQ(bob_.ask("gw 100 k\nping\nping\n   cancel\nping\nping\nping\n"),
            "0 Lock Get Canceled: k\n1 pong\n1 pong\n1 Canceled\n1 pong\n1 pong\n1 pong\n");
}

TEST_F(SessionInputBound, W9_one_beyond_it_comes_too_late) {
  EXPECT_EQ(bob_.ask("gw 100 k\nping\nping\nping\ncancel\n"), "0 Too Much Input: limit 20 bytes\n");
}

TEST_F(SessionWaitTest, S3_W2_the_end_of_the_input_drops_the_wait_and_what_follows) {
  ada_.ask("g k\n");
  bob_.ask("g mine\ngw 100 k\ng other\n");
  EXPECT_EQ(bob_.session.finish(), Next::end);
  bob_.end();
  EXPECT_EQ(heard(bob_), "");
  EXPECT_EQ(eve_.ask("i mine\ni other\niw k\n"),
            "0 Lock Not Locked: mine\n0 Lock Not Locked: other\n0 Lock Waiters: k\n");
}

TEST_F(SessionWaitTest, S2_W5_an_end_passes_on_a_lock_that_was_just_handed_over) {
  ada_.ask("g k\n");
  bob_.ask("gw 100 k\n");
  eve_.ask("gw 100 k\n");
  ada_.receive("r k\n");  // handed to bob, who does not know yet
  bob_.end();
  server_.bring_wakeups();
  EXPECT_EQ(heard(bob_), "");
  EXPECT_EQ(heard(eve_), "1 Lock Get Success: k\n");
  EXPECT_EQ(server_.table.totals()[LockKind::exclusive].orphans, 1U);
}

// ---- W9: cancel ----

TEST_F(SessionWaitTest, W9_there_is_nothing_to_cancel) {
  EXPECT_EQ(ada_.ask("cancel\n"), "0 Nothing To Cancel\n");
  EXPECT_EQ(ada_.ask("cancel now\n"), "0 Bad Arguments: cancel\n");
  EXPECT_EQ(ada_.ask("gw 100 k\ncancel\n"), "1 Lock Get Success: k\n0 Nothing To Cancel\n");
}

TEST_F(SessionWaitTest, W9_acts_at_once_and_is_answered_in_its_turn) {
  ada_.ask("g k\n");
  bob_.ask("gw 100 k\nping\n");
  EXPECT_EQ(bob_.ask("version\ncancel\nping\n"),
            "0 Lock Get Canceled: k\n1 pong\n1 lockd " LOCKD_VERSION "\n1 Canceled\n1 pong\n");
  EXPECT_EQ(ada_.ask("iw k\n"), "0 Lock Waiters: k\n");
}

TEST_F(SessionWaitTest, W9_of_a_shared_line) {
  ada_.ask("sg k\n");
  EXPECT_EQ(bob_.ask("sgw 1 100 k\ncancel\n"), "0 Shared Lock Get Canceled: k\n1 Canceled\n");
}

TEST_F(SessionWaitTest, W9_a_cancel_with_words_or_in_a_line_too_long_is_none) {
  server_.settings.line_bytes_max = 20;
  TestClient client(server_, 9);
  ada_.ask("g k\n");
  EXPECT_EQ(client.ask("gw 100 k\ncancel it\nCANCEL\ncancel               \n"), "");
  EXPECT_EQ(client.next, Next::wait);
  EXPECT_EQ(client.ask("  cancel\r\n"),
            "0 Lock Get Canceled: k\n0 Bad Arguments: cancel\n0 Unknown Command: CANCEL\n"
            "0 Line Too Long: limit 20 bytes\n1 Canceled\n");
}

TEST_F(SessionWaitTest, W9_comes_too_late_when_the_lock_was_handed_over) {
  ada_.ask("g k\n");
  bob_.ask("gw 100 k\n");
  ada_.receive("r k\n");  // and the Wakeup is on its way
  EXPECT_EQ(bob_.take_output(), "");
  bob_.receive("gw 100 l\ncancel\n");
  server_.bring_wakeups();
  EXPECT_EQ(heard(bob_), "1 Lock Get Success: k\n1 Lock Get Success: l\n0 Nothing To Cancel\n");
}

// What came before the hand-over became known does not cancel the wait that comes after it.
TEST_F(SessionWaitTest, W9_comes_too_late_for_the_next_wait_also) {
  ada_.ask("g k\ng l\n");
  bob_.ask("gw 100 k\n");
  ada_.receive("r k\n");
  bob_.receive("gw 100 l\ncancel\n");
  server_.bring_wakeups();
  EXPECT_EQ(heard(bob_), "1 Lock Get Success: k\n");
  EXPECT_EQ(bob_.next, Next::wait);
  ada_.ask("r l\n");
  EXPECT_EQ(heard(bob_), "1 Lock Get Success: l\n0 Nothing To Cancel\n");
}

// However the bytes are cut: each `cancel` ends the wait in which it comes.
TEST_F(SessionWaitTest, W9_F5_several_in_every_cut) {
  const std::string requests = "gw 100 k\nping\ncancel\ngw 100 l\ncancel\ncancel\nsgw 1 100 s\nping\ncancel\nping\n";
  const std::string replies =
      "0 Lock Get Canceled: k\n1 pong\n1 Canceled\n0 Lock Get Canceled: l\n1 Canceled\n0 Nothing To Cancel\n"
      "0 Shared Lock Get Canceled: s\n1 pong\n1 Canceled\n1 pong\n";
  ada_.ask("g k\ng l\nsg s\n");
  for (std::size_t first = 0; first <= requests.size(); ++first) {
    for (std::size_t second = first; second <= requests.size(); ++second) {
      std::string got = bob_.ask(requests.substr(0, first));
      got += bob_.ask(requests.substr(first, second - first));
      got += bob_.ask(requests.substr(second));
      ASSERT_EQ(got, replies) << "cut at " << first << " and " << second;
    }
  }
}

TEST_F(SessionWaitTest, W9_a_wait_behind_a_cancel_that_has_acted_goes_on) {
  ada_.ask("g k\ng l\n");
  EXPECT_EQ(bob_.ask("gw 100 k\ngw 100 l\n"), "");
  EXPECT_EQ(bob_.ask("cancel\n"), "0 Lock Get Canceled: k\n");
  EXPECT_EQ(bob_.next, Next::wait);
  ada_.ask("r l\n");
  EXPECT_EQ(heard(bob_), "1 Lock Get Success: l\n1 Canceled\n");
}

// A hostile client's thousands of cancels are neither nested calls nor quadratic work that anybody would notice.
TEST_F(SessionWaitTest, W9_F6_the_tail_of_a_line_too_long_is_no_cancel_of_the_next_wait_either) {
  ada_.ask("g a\ng b\n");
  bob_.ask("gw 60000 a\n");
  bob_.ask("gw 60000 b\n" + std::string(9000, 'x'));
  ada_.ask("r a\n");
  EXPECT_EQ(heard(bob_), "1 Lock Get Success: a\n");
  EXPECT_EQ(bob_.ask("cancel\n"), "");
  EXPECT_EQ(bob_.next, Next::wait);
  ada_.ask("r b\n");
  EXPECT_EQ(heard(bob_), "1 Lock Get Success: b\n0 Line Too Long: limit 8192 bytes\n");
}

TEST_F(SessionWaitTest, W9_thousands_of_them) {
  ada_.ask("g k\n");
  std::string requests;
  for (int i = 0; i < 5'000; ++i) requests += "gw 9 k\ncancel\n";
  EXPECT_EQ(std::ranges::count(bob_.ask(requests), '\n'), 10'000);
  EXPECT_EQ(bob_.next, Next::read);
}

// ---- F5: with replies that nobody takes ----

TEST_F(SessionWaitTest, F5_W4_a_reply_beyond_the_bound_holds_up_what_was_kept) {
  server_.settings.output_bytes_max = 10;
  ada_.ask("g k\n");
  bob_.receive("gw 100 k\nping\nping\n");
  ada_.receive("r k\n");
  bob_.wake(server_.turn.woken.at(0).answer);
  server_.turn.woken.clear();
  EXPECT_EQ(bob_.next, Next::drain);
  EXPECT_EQ(heard(bob_), "1 Lock Get Success: k\n");
  EXPECT_EQ(bob_.finish_asking(), "1 pong\n1 pong\n");
}

// A chain of 3000 sessions, each waiting for the next one's key: whoever would close the circle is refused after a walk
// along all of it, and thousands of such requests fit into one read.
TEST_F(SessionWaitTest, W6_F5_few_long_walks_are_one_turn) {
  std::deque<TestClient> chain;
  for (std::size_t i = 0; i < 3000; ++i) chain.emplace_back(server_, 10 + i).ask("g k" + std::to_string(i) + "\n");
  for (std::size_t i = 0; i + 1 < 3000; ++i) chain[i].ask("gw 60000 k" + std::to_string(i + 1) + "\n");
  std::string requests;
  std::string replies;
  for (int i = 0; i < 100; ++i) {
    requests += "gw 60000 k0\n";
    replies += "0 Lock Get Deadlock: k0\n";
  }
  TestClient& last = chain.back();
  const std::uint64_t walked_before = last.session.edges_walked();
  last.receive(requests);
  EXPECT_EQ(last.next, Next::turn);
  EXPECT_LT(last.session.edges_walked() - walked_before, 2U * 3000);
  EXPECT_EQ(last.finish_asking(), replies);
}

// Ada is waited for along a chain of `length`; each time that she asks for its end, all of it is walked.
TEST_F(SessionWaitTest, W6_F5_a_turn_walks_1024_steps_and_no_request_less) {
  for (const std::size_t length : {32U, 31U}) {
    std::deque<TestClient> chain;
    ada_.ask("g k0\n");
    for (std::size_t i = 1; i <= length; ++i) {
      chain.emplace_back(server_, 10 + i).ask("g k" + std::to_string(i) + "\n");
      chain.back().ask("gw 60000 k" + std::to_string(i - 1) + "\n");
    }
    std::string requests;
    for (int i = 0; i < 40; ++i) requests += "gw 60000 k" + std::to_string(length) + "\n";
    const std::uint64_t walked_before = ada_.session.edges_walked();
    ada_.receive(requests);
    EXPECT_EQ(ada_.next, Next::turn);
    EXPECT_EQ(ada_.session.edges_walked() - walked_before, length == 32 ? 32 * 32 : 34 * 31);
    ada_.finish_asking();
    for (TestClient& client : chain) client.end();
  }
}

TEST_F(SessionWaitTest, W1_F5_a_wait_behind_a_long_walk_is_a_wait) {
  std::deque<TestClient> chain;
  for (std::size_t i = 0; i < 2000; ++i) chain.emplace_back(server_, 10 + i).ask("g k" + std::to_string(i) + "\n");
  for (std::size_t i = 0; i + 1 < 2000; ++i) chain[i].ask("gw 60000 k" + std::to_string(i + 1) + "\n");
  eve_.receive("gw 60000 k0\nping\n");
  EXPECT_EQ(eve_.next, Next::wait);
  chain.front().end();
  server_.bring_wakeups();
  EXPECT_EQ(heard(eve_), "1 Lock Get Success: k0\n1 pong\n");
}

// ---- C, T, E ----

TEST_F(SessionWaitTest, C1_C2_the_limit) {
  EXPECT_EQ(ada_.ask("sgl 1 k\nsgl 1 k\n"), "1 Shared Lock Get Success: k\n1 Shared Lock Get Success: k\n");
  EXPECT_EQ(bob_.ask("sgl 1 k\nsgl 2 k\n"), "0 Shared Lock Get Failure: k\n2 Shared Lock Get Success: k\n");
  EXPECT_EQ(eve_.ask("sgw 2 100 k\n"), "");
  EXPECT_EQ(ada_.ask("siw k\nsr k\n"), "1 Shared Lock Waiters: k\n1 Shared Lock Release Success: k\n");
  EXPECT_EQ(heard(eve_), "2 Shared Lock Get Success: k\n");
}

TEST_F(SessionWaitTest, T2_tokens) {
  EXPECT_EQ(ada_.ask("t k\nst k\n"), "0 Lock Not Held: k\n0 Shared Lock Not Held: k\n");
  ada_.ask("g k\nsg k\n");
  const std::string tokens = ada_.ask("t k\nst k\n");
  EXPECT_EQ(tokens, ada_.ask("g k\nsg k\nt k\nst k\n")
                        .substr(std::string("1 Lock Get Success: k\n").size() +
                                std::string("1 Shared Lock Get Success: k\n").size()));
  EXPECT_EQ(bob_.ask("t k\nst k\n"), "0 Lock Not Held: k\n0 Shared Lock Not Held: k\n");
}

TEST_F(SessionWaitTest, E1_all_locks_are_released_and_others_let_through) {
  ada_.ask("g a\ng b\nsg c\n");
  bob_.ask("gw 100 b\n");
  EXPECT_EQ(ada_.ask("ra\nra\n"), "3 Locks Released\n0 Locks Released\n");
  EXPECT_EQ(heard(bob_), "1 Lock Get Success: b\n");
  EXPECT_EQ(server_.table.totals()[LockKind::exclusive].orphans, 0U);
}

TEST_F(SessionWaitTest, E1_many_are_released_in_turns) {
  std::string gets;
  for (int i = 0; i < 5'000; ++i) gets += "g " + std::to_string(i) + "\n";
  ada_.ask(gets);
  ada_.receive("ra\nping\n");
  EXPECT_EQ(ada_.next, Next::turn);
  EXPECT_EQ(heard(ada_), "");
  EXPECT_EQ(ada_.finish_asking(), "5000 Locks Released\n1 pong\n");
}

TEST_F(SessionWaitTest, E2_list) {
  server_.turn.now = 1000;
  ada_.ask("iam a\\b\tc\ng k 1\nsg k 2\n");
  server_.turn.now = 1500;
  bob_.ask("gw 900 k 1\n");
  server_.turn.now = 2000;
  const auto token = [&](const std::string& request) {
    const std::string reply = ada_.ask(request);
    return reply.substr(0, reply.find(' '));
  };
  EXPECT_EQ(eve_.ask("list k 1\n"),
            "x held 1000 " + token("t k 1\n") + " a\\x5Cb\\x20c k 1\nx waiting 500 0 A2 k 1\nEND\n");
  EXPECT_EQ(eve_.ask("list k 2\n"), "s held 1000 " + token("st k 2\n") + " a\\x5Cb\\x20c k 2\nEND\n");
  EXPECT_EQ(eve_.ask("list other\n"), "END\n");
  EXPECT_EQ(std::ranges::count(eve_.ask("list k\n"), '\n'), 4);
  EXPECT_EQ(std::ranges::count(eve_.ask("list\n"), '\n'), 4);
}

TEST_F(SessionWaitTest, E2_who_came_after_this_turn_began_is_of_no_age) {
  server_.turn.now = 1000;
  ada_.ask("g k\n");
  server_.turn.now = 990;  // another thread's clock, read before and used after
  EXPECT_TRUE(eve_.ask("list k\n").starts_with("x held 0 "));
}

TEST_F(SessionWaitTest, L4_list_is_disabled_with_the_others) {
  server_.settings.dump = false;
  EXPECT_EQ(ada_.ask("list\n"), "0 disabled\n");
}

TEST_F(SessionWaitTest, E3_what_time_makes) {
  ada_.ask("g k\n");
  server_.turn.now = 40;
  bob_.ask("gw 1000 k\n");
  server_.turn.now = 100;
  EXPECT_NE(eve_.ask("stats\n").find("\noldest_waiter_ms: 60\n"), std::string::npos);
  server_.turn.now = 500;
  ada_.ask("r k\n");
  const std::string stats = eve_.ask("stats\n");
  for (const char* line : {"hold_ms_le_100: 0", "hold_ms_le_1000: 1", "hold_ms_le_inf: 1", "hold_ms_sum: 500",
                           "wait_ms_le_100: 0", "wait_ms_le_1000: 1", "wait_ms_sum: 460", "oldest_waiter_ms: 0",
                           "waiters: 0", "waits: 1", "grants: 2", "holders: 1"}) {
    EXPECT_NE(stats.find(std::string("\n") + line + "\n"), std::string::npos) << line << " in\n" << stats;
  }
  EXPECT_TRUE(stats.ends_with("\nEND\n"));
}

}  // namespace
}  // namespace lockd::server
