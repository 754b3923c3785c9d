// One session: framing, order, bounds, and its end. Expected bytes are written out from the protocol.
#include "server/session.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>
#include <vector>

#include "server/test_server.h"

namespace lockd::server {
namespace {

constexpr auto exclusive = LockKind::exclusive;

class SessionTest : public testing::Test {
 protected:
  std::uint64_t keys() const { return server_.table.key_count(exclusive); }

  TestServer<> server_;
  TestClient ada_{server_, 1};
  TestClient bob_{server_, 2};
};

TEST(Settings, F5_F6_W2_the_bounds_that_the_protocol_names) {
  EXPECT_EQ(Settings{}.line_bytes_max, 8192U);
  EXPECT_EQ(Settings{}.input_bytes_max, 65'536U);
  EXPECT_EQ(Settings{}.output_bytes_max, 1'048'576U);
}

// ---- each verb reaches what it names ----

TEST_F(SessionTest, X1_X2_X3_exclusive_locks) {
  EXPECT_EQ(ada_.ask("i a  b\n"), "0 Lock Not Locked: a b\n");
  EXPECT_EQ(ada_.ask("g a  b\n"), "1 Lock Get Success: a b\n");
  EXPECT_EQ(ada_.ask("g a b\n"), "1 Lock Get Success: a b\n");
  EXPECT_EQ(bob_.ask("g a b\n"), "0 Lock Get Failure: a b\n");
  EXPECT_EQ(bob_.ask("i a b\n"), "1 Lock Is Locked: a b\n");
  EXPECT_EQ(bob_.ask("r a b\n"), "0 Lock Release Failure: a b\n");
  EXPECT_EQ(ada_.ask("r a b\n"), "1 Lock Release Success: a b\n");
  EXPECT_EQ(bob_.ask("g a b\n"), "1 Lock Get Success: a b\n");
}

TEST_F(SessionTest, H1_H2_H3_shared_locks) {
  EXPECT_EQ(ada_.ask("si k\n"), "0 Shared Lock Not Locked: k\n");
  EXPECT_EQ(ada_.ask("sg k\n"), "1 Shared Lock Get Success: k\n");
  EXPECT_EQ(bob_.ask("sg k\n"), "2 Shared Lock Get Success: k\n");
  EXPECT_EQ(ada_.ask("sg k\n"), "2 Shared Lock Get Success: k\n");
  EXPECT_EQ(ada_.ask("si k\n"), "2 Shared Lock Is Locked: k\n");
  EXPECT_EQ(ada_.ask("i k\n"), "0 Lock Not Locked: k\n");
  EXPECT_EQ(ada_.ask("sr k\n"), "1 Shared Lock Release Success: k\n");
  EXPECT_EQ(ada_.ask("sr k\n"), "0 Shared Lock Release Failure: k\n");
  EXPECT_EQ(ada_.ask("si k\n"), "1 Shared Lock Is Locked: k\n");
}

TEST_F(SessionTest, L1_L2_looking) {
  ada_.ask("g x\nsg y\n");
  bob_.ask("sg y\niam bob\n");
  EXPECT_EQ(bob_.ask("d\n"), "x: A1\n");
  EXPECT_EQ(bob_.ask("d x\n"), "x: A1\n");
  EXPECT_EQ(bob_.ask("d y\n"), "");
  EXPECT_EQ(bob_.ask("sd\n"), "y: A1\ny: bob\n");
  EXPECT_EQ(bob_.ask("sd y\n"), "y: A1\ny: bob\n");
  EXPECT_EQ(bob_.ask("dump\n"), "{\"x\":\"A1\"}\n");
  EXPECT_EQ(bob_.ask("dump  shared \n"), "{\"y\":[\"A1\",\"A2\"]}\n");
  EXPECT_EQ(bob_.ask("dump locks\n"), "{\"x\":\"A1\"}\n");
}

TEST_F(SessionTest, R1_R2_R3_names) {
  EXPECT_EQ(ada_.ask("me\n"), "1 A1 A1\n");
  EXPECT_EQ(ada_.ask("iam  ada   l \nme\n"), "1 ok\n1 A1 ada l\n");
  EXPECT_EQ(bob_.ask("who\n"), "A1: ada l\n");
  EXPECT_EQ(bob_.ask("iam bob\nwho\nwho bob\nwho eve\n"), "1 ok\nA1: ada l\nA2: bob\nA2: bob\n");
  EXPECT_EQ(ada_.ask("iam\nme\nwho\n"), "1 ok\n1 A1 A1\nA2: bob\n");
}

TEST_F(SessionTest, E4_ping_and_version) {
  EXPECT_EQ(ada_.ask("ping\n"), "1 pong\n");
  EXPECT_EQ(ada_.ask("version\n"), "1 lockd " LOCKD_VERSION "\n");
}

TEST_F(SessionTest, E4_help_names_each_verb) {
  std::string expected;
  print_help(expected);
  EXPECT_EQ(ada_.ask("help\nping\n"), expected + "1 pong\n");
}

TEST_F(SessionTest, E4_quit_has_no_reply_and_ends_the_session) {
  ada_.receive("g k\nquit\ng after\nping\n");
  EXPECT_EQ(ada_.next, Next::end);
  EXPECT_EQ(ada_.output, "1 Lock Get Success: k\n");
  ada_.end();
  EXPECT_EQ(bob_.ask("i k\ni after\n"), "0 Lock Not Locked: k\n0 Lock Not Locked: after\n");
}

TEST_F(SessionTest, F9_quit_with_a_word_does_not_end_it) {
  EXPECT_EQ(ada_.ask("quit now\nping\n"), "0 Bad Arguments: quit\n1 pong\n");
  EXPECT_EQ(ada_.next, Next::read);
}

// ---- F: framing and what is no command ----

TEST_F(SessionTest, F1_requests_cut_into_chunks) {
  EXPECT_EQ(ada_.ask("g"), "");
  EXPECT_EQ(ada_.ask(" k"), "");
  EXPECT_EQ(keys(), 0U);
  EXPECT_EQ(ada_.ask("ey\r"), "");
  EXPECT_EQ(ada_.ask("\ni key\nr"), "1 Lock Get Success: key\n1 Lock Is Locked: key\n");
  EXPECT_EQ(ada_.ask(" key\n"), "1 Lock Release Success: key\n");
}

TEST_F(SessionTest, F4_blank_lines_are_neither_answered_nor_counted) {
  const std::string before = bob_.ask("q\n");
  EXPECT_EQ(ada_.ask("\n\r\n \t\v\f\r\n"), "");
  std::string after = bob_.ask("q\n");
  after.replace(after.find("command_q: 2"), 12, "command_q: 1");
  EXPECT_EQ(after, before);
}

TEST_F(SessionTest, F6_a_line_too_long_is_answered_once_at_its_LF) {
  EXPECT_EQ(ada_.ask("g k\n" + std::string(9000, 'x')), "1 Lock Get Success: k\n");
  EXPECT_EQ(ada_.ask(std::string(9000, 'x') + " g l"), "");
  EXPECT_EQ(ada_.ask("\ni k\ni l\n"), "0 Line Too Long: limit 8192 bytes\n1 Lock Is Locked: k\n0 Lock Not Locked: l\n");
  EXPECT_EQ(server_.statistics[0].lines_too_long.value(), 1U);
}

TEST_F(SessionTest, F6_names_the_limit_that_was_set) {
  TestServer<> server({.line_bytes_max = 10});
  TestClient client(server, 1);
  EXPECT_EQ(client.ask("g 23456789\r\ng 234567890\r\n"),
            "1 Lock Get Success: 23456789\n0 Line Too Long: limit 10 bytes\n");
}

TEST_F(SessionTest, F8_unknown_verbs_are_answered_and_counted) {
  EXPECT_EQ(ada_.ask("G k\nfrob\x01 k\n"), "0 Unknown Command: G\n0 Unknown Command: frob\\x01\n");
  EXPECT_EQ(server_.statistics[0].invalid_commands.value(), 2U);
}

TEST_F(SessionTest, F8_with_classic_only_unknown_verbs_are_met_with_silence) {
  TestServer<> server({.line_bytes_max = 10, .classic = true});
  TestClient client(server, 1);
  EXPECT_EQ(client.ask("G k\nfrob\nping\nping x\n0123456789x\ng k\n"),
            "1 pong\n0 Bad Arguments: ping\n0 Line Too Long: limit 10 bytes\n1 Lock Get Success: k\n");
  EXPECT_EQ(server.statistics[0].invalid_commands.value(), 2U);
}

TEST_F(SessionTest, F9_bad_arguments_are_answered_and_counted) {
  EXPECT_EQ(ada_.ask("ping x\nversion x\nhelp x\nquit x\n"),
            "0 Bad Arguments: ping\n0 Bad Arguments: version\n0 Bad Arguments: help\n0 Bad Arguments: quit\n");
  EXPECT_EQ(ada_.ask("me x\n"), "1 A1 A1\n");
  EXPECT_EQ(server_.statistics[0].bad_arguments.value(), 4U);
}

TEST_F(SessionTest, F10_a_new_session_says_nothing_by_itself) { EXPECT_EQ(ada_.output, ""); }

TEST_F(SessionTest, F11_a_browser_ends_its_session_at_once) {
  bob_.ask("g k\n");
  ada_.receive("ping\nPOST /g HTTP/1.1\r\nHost: x\r\n\r\ng evil\n");
  EXPECT_EQ(ada_.next, Next::end);
  EXPECT_EQ(ada_.output, "1 pong\n");
  EXPECT_EQ(keys(), 1U);
  EXPECT_EQ(server_.statistics[0].invalid_commands.value(), 0U);
}

// ---- F5: order and the bound of the output ----

TEST_F(SessionTest, F5_pipelined_requests_are_answered_in_order_however_they_were_cut) {
  const std::string_view requests = "g a\nsg b\r\n\nfrob\ni a\nd\nme\nr a\n\r\nr a\ndump shared\nping\n";
  const std::string_view replies =
      "1 Lock Get Success: a\n1 Shared Lock Get Success: b\n0 Unknown Command: frob\n1 Lock Is Locked: a\na: A1\n"
      "1 A1 A1\n1 Lock Release Success: a\n0 Lock Release Failure: a\n{\"b\":[\"A1\"]}\n1 pong\n";
  for (std::size_t i = 0; i <= requests.size(); ++i) {
    TestServer<> server;
    TestClient client(server, 1);
    const std::string first = client.ask(requests.substr(0, i));
    EXPECT_EQ(first + client.ask(requests.substr(i)), replies) << "cut at " << i;
  }
  TestServer<> server;
  TestClient client(server, 1);
  std::string all;
  for (const char byte : requests) all += client.ask({&byte, 1});
  EXPECT_EQ(all, replies);
}

TEST_F(SessionTest, F5_a_turn_ends_with_each_walk_and_what_follows_waits_for_the_next) {
  ada_.receive("g x\nd\ng y\ndump shared\ng z\n");
  EXPECT_EQ(ada_.next, Next::turn);
  EXPECT_EQ(ada_.take_output(), "1 Lock Get Success: x\nx: A1\n");
  EXPECT_EQ(bob_.ask("g y\n"), "1 Lock Get Success: y\n") << "others are served between";
  ada_.go_on();
  EXPECT_EQ(ada_.next, Next::turn);
  EXPECT_EQ(ada_.take_output(), "0 Lock Get Failure: y\n{}\n");
  EXPECT_EQ(bob_.ask("i z\n"), "0 Lock Not Locked: z\n");
  ada_.go_on();
  EXPECT_EQ(ada_.next, Next::read);
  EXPECT_EQ(ada_.take_output(), "1 Lock Get Success: z\n");
}

TEST_F(SessionTest, F5_a_turn_ends_when_64_KiB_are_written_and_no_request_earlier) {
  constexpr std::size_t turn = 64 * 1024;
  constexpr std::size_t pong = 7;
  const std::string around = "0 Lock Not Locked: \n";
  const auto inspect = [&](std::size_t reply) { return "i " + std::string(reply - around.size(), 'k') + "\n"; };
  std::string ahead;
  for (int i = 0; i < 16; ++i) ahead += inspect(4000);
  ada_.receive(ahead + inspect(turn - 64'000 - 1) + "ping\nping\n");
  EXPECT_EQ(ada_.next, Next::turn);
  EXPECT_EQ(ada_.output.size(), turn - 1 + pong);
  ada_.finish_asking();
  ada_.receive(ahead + inspect(turn - 64'000) + "ping\n");
  EXPECT_EQ(ada_.next, Next::turn);
  EXPECT_EQ(ada_.output.size(), turn);
}

TEST_F(SessionTest, F5_one_keys_lines_end_no_turn_unless_they_are_many) {
  ada_.receive("g x\nd x\nsd x\nd none\nping\n");
  EXPECT_EQ(ada_.next, Next::read);
  EXPECT_EQ(ada_.take_output(), "1 Lock Get Success: x\nx: A1\n1 pong\n");
  std::string expected;
  for (std::uint64_t i = 1001; i <= 13'000; ++i) {
    TestClient(server_, i).ask("sg k\n");
    expected += "k: A" + std::to_string(i) + "\n";
  }
  ada_.receive("sd k\nping\n");
  EXPECT_EQ(ada_.next, Next::turn);
  EXPECT_EQ(ada_.finish_asking(), expected + "1 pong\n");
}

TEST_F(SessionTest, F5_at_the_bound_execution_stops_until_the_output_drains) {
  TestServer<> server({.output_bytes_max = 50});
  TestClient client(server, 1);
  client.receive("g 1\ng 2\ng 3\ng 4\ng 5\n");  // 22 bytes for each reply
  EXPECT_EQ(client.next, Next::drain);
  EXPECT_EQ(client.output, "1 Lock Get Success: 1\n1 Lock Get Success: 2\n1 Lock Get Success: 3\n");
  EXPECT_EQ(server.table.key_count(exclusive), 3U) << "what was not answered was not executed";
  client.output.erase(0, 17);  // 49 bytes are left: less than the bound
  client.go_on();
  EXPECT_EQ(client.next, Next::drain);
  EXPECT_EQ(server.table.key_count(exclusive), 4U);
  client.output.clear();
  client.go_on();
  EXPECT_EQ(client.next, Next::read);
  EXPECT_EQ(client.output, "1 Lock Get Success: 5\n");
}

TEST_F(SessionTest, F5_the_bound_is_reached_at_its_last_byte) {
  TestServer<> server({.output_bytes_max = 14});
  TestClient client(server, 1);
  client.receive("ping\nping\n");  // 7 bytes for each reply
  EXPECT_EQ(client.next, Next::drain);
  TestServer<> wider({.output_bytes_max = 15});
  TestClient other(wider, 1);
  other.receive("ping\nping\n");
  EXPECT_EQ(other.next, Next::read);
}

TEST_F(SessionTest, F5_a_reader_of_any_slowness_gets_every_reply_once_and_in_order) {
  std::string requests;
  std::string expected;
  for (int i = 0; i < 300; ++i) {
    requests += "g " + std::to_string(i) + "\n" + (i % 7 == 0 ? "d " + std::to_string(i) + "\n" : "");
    expected += "1 Lock Get Success: " + std::to_string(i) + "\n";
    if (i % 7 == 0) expected += std::to_string(i) + ": A1\n";
  }
  for (const std::size_t bound : {1U, 10U, 100U, 1000U}) {
    TestServer<> server({.output_bytes_max = bound});
    TestClient client(server, 1);
    std::string replies;
    client.receive(requests);
    while (client.next != Next::read || !client.output.empty()) {
      ASSERT_LT(client.output.size(), bound + 30) << "no more than one reply beyond the bound";
      const std::size_t taken = std::min<std::size_t>(client.output.size(), 1 + replies.size() % 13);
      replies += client.output.substr(0, taken);
      client.output.erase(0, taken);
      if (client.next != Next::read && client.output.size() < bound) client.go_on();
    }
    EXPECT_EQ(replies, expected) << "with a bound of " << bound;
  }
}

TEST_F(SessionTest, F5_100000_requests_in_one_go) {
  std::string requests;
  for (int i = 0; i < 100'000; ++i) requests += "g k\n";
  ada_.receive(requests);
  EXPECT_EQ(ada_.next, Next::turn);
  EXPECT_LT(ada_.output.size(), 64U * 1024U + 30);
  while (ada_.next == Next::turn) ada_.go_on();  // and nobody takes the replies
  EXPECT_EQ(ada_.next, Next::drain);
  EXPECT_LT(ada_.output.size(), 1024U * 1024U + 30);
  const std::string replies = ada_.finish_asking();
  EXPECT_EQ(replies.size(), 100'000 * std::string_view("1 Lock Get Success: k\n").size());
  EXPECT_EQ(std::ranges::count(replies, '\n'), 100'000);
  EXPECT_EQ(ada_.next, Next::read);
}

TEST_F(SessionTest, F5_the_beginning_of_a_line_survives_a_drain) {
  TestServer<> server({.output_bytes_max = 1});
  TestClient client(server, 1);
  EXPECT_EQ(client.ask("ping\nping\ng lo"), "1 pong\n1 pong\n");
  EXPECT_EQ(client.ask("ng\nping\n"), "1 Lock Get Success: long\n1 pong\n");
}

// ---- copies ----

TEST(SessionWithoutTokens, T1_E3_a_get_is_refused_and_counted) {
  TestServer<> server({}, {.seed = {1, 2}, .tokens_end = 2});
  TestClient ada(server, 1);
  EXPECT_EQ(ada.ask("g a\ng b\n"), "1 Lock Get Success: a\n0 Out Of Tokens: b\n");
  EXPECT_NE(ada.ask("stats\n").find("\nrefusals: 1\n"), std::string::npos);
}

TEST_F(SessionTest, a_copy_goes_its_own_way) {
  TestServer<> server({.output_bytes_max = 1});
  TestClient client(server, 1);
  client.receive("g a\ng b\ng c");
  TestServer<> other_server(server);
  Session<engine::NullMutex> other(client.session);
  EXPECT_EQ(client.finish_asking(), "1 Lock Get Success: a\n1 Lock Get Success: b\n");
  EXPECT_EQ(client.ask("\n"), "1 Lock Get Success: c\n");
  EXPECT_EQ(other_server.table.key_count(exclusive), 1U);
  std::string output;
  EXPECT_EQ(other.go_on(other_server.services, output), Next::drain);
  EXPECT_EQ(output, "1 Lock Get Success: b\n");
  EXPECT_EQ(other_server.table.key_count(exclusive), 2U);
  EXPECT_TRUE(other.end_some(other_server.services, 10));
  EXPECT_EQ(server.table.key_count(exclusive), 3U);
}

using SessionDeathTest = SessionTest;

TEST_F(SessionDeathTest, it_is_driven_as_it_asks_to_be) {
  EXPECT_DEATH(ada_.go_on(), "a session goes on when it asks to");
  ada_.receive("d\n");
  EXPECT_DEATH(ada_.receive("ping\n"), "a session reads when it asks to");
  EXPECT_DEATH(ada_.session.finish(), "the end of the input is read like the input");
}

TEST_F(SessionDeathTest, S2_after_its_end_it_executes_nothing) {
  ada_.ask("g x\ng y\n");
  EXPECT_FALSE(ada_.end_some(1));
  EXPECT_DEATH(ada_.receive("ping\n"), "a session reads when it asks to");
  EXPECT_DEATH(ada_.go_on(), "a session goes on when it asks to");
}

}  // namespace
}  // namespace lockd::server
