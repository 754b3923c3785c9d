// Each call as what it sends and what it makes of the reply, against a server that plays a script.
#include "lockd/client.h"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "client/test_fake_server.h"

namespace lockd {
namespace {

using namespace std::chrono_literals;

// ---- what is sent, and what a good reply says ----

TEST(ClientCalls, X1_X2_X3_W1_W8_T2_about_exclusive_locks) {
  const FakeServer server(answers({{"g a b", "1 Lock Get Success: a b\n"},
                                   {"gw 1500 a b", "1 Lock Get Success: a b\n"},
                                   {"r a b", "1 Lock Release Success: a b\n"},
                                   {"i a b", "1 Lock Is Locked: a b\n"},
                                   {"i a b", "0 Lock Not Locked: a b\n"},
                                   {"iw a b", "3 Lock Waiters: a b\n"},
                                   {"t a b", "42 Lock Token: a b\n"}}));
  Client client = server.connect();
  EXPECT_TRUE(client.get("a b"));
  EXPECT_TRUE(client.get_wait("a b", 1500ms));
  EXPECT_TRUE(client.release("a b"));
  EXPECT_TRUE(client.is_locked("a b").value());
  EXPECT_FALSE(client.is_locked("a b").value());
  EXPECT_EQ(client.waiters("a b").value(), 3U);
  EXPECT_EQ(client.token("a b").value(), 42U);
}

TEST(ClientCalls, H1_H2_H3_C1_C2_W8_T2_about_shared_locks) {
  const FakeServer server(answers({{"sg k", "2 Shared Lock Get Success: k\n"},
                                   {"sgl 5 k", "3 Shared Lock Get Success: k\n"},
                                   {"sgw 5 60000 k", "4 Shared Lock Get Success: k\n"},
                                   {"sr k", "1 Shared Lock Release Success: k\n"},
                                   {"si k", "0 Shared Lock Not Locked: k\n"},
                                   {"siw k", "0 Shared Lock Waiters: k\n"},
                                   {"st k", "7 Shared Lock Token: k\n"}}));
  Client client = server.connect();
  EXPECT_EQ(client.get_shared("k").value(), 2U);
  EXPECT_EQ(client.get_shared_limited("k", 5).value(), 3U);
  EXPECT_EQ(client.get_shared_wait("k", 5, 1min).value(), 4U);
  EXPECT_TRUE(client.release_shared("k"));
  EXPECT_EQ(client.shared_holder_count("k").value(), 0U);
  EXPECT_EQ(client.shared_waiters("k").value(), 0U);
  EXPECT_EQ(client.shared_token("k").value(), 7U);
}

TEST(ClientCalls, L1_L2_L3_E2_E3_listings) {
  const FakeServer server(answers({{"list a", "x held 10 7 me a\ns waiting 5 0 b\\x20c a b\nEND\n"},
                                   {"d ", "a: me\nb: c: you\n"},
                                   {"ping", "1 pong\n"},
                                   {"sd a", ""},
                                   {"ping", "1 pong\n"},
                                   {"dump", "{\"a\":\"127.0.0.1:1\"}\n"},
                                   {"dump shared", "{}\n"},
                                   {"q ", "command_d: 1\nlocks: 2\n"},
                                   {"ping", "1 pong\n"},
                                   {"stats ", "grants: 12\nEND\n"}}));
  Client client = server.connect();
  const auto listed = client.list("a").value();
  ASSERT_EQ(listed.size(), 2U);
  EXPECT_EQ(listed[1].holder, "b c");
  const auto holders = client.holders().value();
  ASSERT_EQ(holders.size(), 2U);
  EXPECT_EQ(holders[1].key, "b: c");
  EXPECT_TRUE(client.shared_holders("a").value().empty());
  EXPECT_EQ(client.dump().value(), "{\"a\":\"127.0.0.1:1\"}");
  EXPECT_EQ(client.dump(Mode::shared).value(), "{}");
  EXPECT_EQ(client.counters().value().at("locks"), 2U);
  EXPECT_EQ(client.stats().value().at("grants"), 12U);
}

TEST(ClientCalls, R1_R2_R3_E1_E4_W9_the_rest) {
  const FakeServer server(answers({{"me", "1 [::1]:7 a name\n"},
                                   {"iam a name", "1 ok\n"},
                                   {"iam", "1 ok\n"},
                                   {"who ", "[::1]:7: a name\n"},
                                   {"ping", "1 pong\n"},
                                   {"ra", "2 Locks Released\n"},
                                   {"cancel", "0 Nothing To Cancel\n"},
                                   {"ping", "1 pong\n"},
                                   {"version", "1 lockd 1.2.3\n"},
                                   {"help ", "g KEY   take\nEND\n"},
                                   {"quit", ""}}));
  Client client = server.connect();
  EXPECT_EQ(client.me().value().address, "[::1]:7");
  EXPECT_TRUE(client.set_name("a name"));
  EXPECT_TRUE(client.clear_name());
  EXPECT_EQ(client.who().value().at(0).name, "a name");
  EXPECT_EQ(client.release_all().value(), 2U);
  EXPECT_FALSE(client.cancel().value());
  EXPECT_TRUE(client.ping());
  EXPECT_EQ(client.version().value(), "1.2.3");
  EXPECT_EQ(client.help().value().size(), 1U);
  EXPECT_TRUE(client.quit());
  EXPECT_FALSE(client.is_connected());
}

TEST(ClientCalls, a_lock_is_asked_for_with_its_token) {
  const FakeServer server([](Peer& peer) {
    peer.expect("gw 2147483647 k");
    peer.expect("t k");  // which is sent before the reply
    peer.send("1 Lock Get Success: k\n7 Lock Token: k\n");
    peer.expect("r k");
    peer.send("1 Lock Release Success: k\n");
    peer.expect_end();
  });
  Client client = server.connect();
  EXPECT_EQ(client.lock("k").value().token(), 7U);
}

// ---- what is refused ----

using Call = std::pair<const char*, std::function<Cause(Client&, std::string_view)>>;

template <class T>
Cause cause_of(const Result<T>& result) {
  return result ? Cause::refused : result.error().cause;
}

/// Each call that takes a key, a name or a prefix.
std::vector<Call> calls_with_a_text() {
  using Text = std::string_view;
  return {
      {"get", [](Client& c, Text k) { return cause_of(c.get(k)); }},
      {"get_wait", [](Client& c, Text k) { return cause_of(c.get_wait(k, 1ms)); }},
      {"release", [](Client& c, Text k) { return cause_of(c.release(k)); }},
      {"is_locked", [](Client& c, Text k) { return cause_of(c.is_locked(k)); }},
      {"waiters", [](Client& c, Text k) { return cause_of(c.waiters(k)); }},
      {"token", [](Client& c, Text k) { return cause_of(c.token(k)); }},
      {"get_shared", [](Client& c, Text k) { return cause_of(c.get_shared(k)); }},
      {"get_shared_limited", [](Client& c, Text k) { return cause_of(c.get_shared_limited(k, 1)); }},
      {"get_shared_wait", [](Client& c, Text k) { return cause_of(c.get_shared_wait(k, 1, 1ms)); }},
      {"release_shared", [](Client& c, Text k) { return cause_of(c.release_shared(k)); }},
      {"shared_holder_count", [](Client& c, Text k) { return cause_of(c.shared_holder_count(k)); }},
      {"shared_waiters", [](Client& c, Text k) { return cause_of(c.shared_waiters(k)); }},
      {"shared_token", [](Client& c, Text k) { return cause_of(c.shared_token(k)); }},
      {"list", [](Client& c, Text k) { return cause_of(c.list(k)); }},
      {"holders", [](Client& c, Text k) { return cause_of(c.holders(k)); }},
      {"shared_holders", [](Client& c, Text k) { return cause_of(c.shared_holders(k)); }},
      {"set_name", [](Client& c, Text k) { return cause_of(c.set_name(k)); }},
      {"who", [](Client& c, Text k) { return cause_of(c.who(k)); }},
      {"try_lock", [](Client& c, Text k) { return cause_of(c.try_lock(k)); }},
      {"lock", [](Client& c, Text k) { return cause_of(c.lock(k)); }},
      {"lock_for", [](Client& c, Text k) { return cause_of(c.lock_for(k, 1ms)); }},
      {"try_lock_shared", [](Client& c, Text k) { return cause_of(c.try_lock_shared(k, 1)); }},
      {"lock_shared", [](Client& c, Text k) { return cause_of(c.lock_shared(k, 1)); }},
      {"lock_shared_for", [](Client& c, Text k) { return cause_of(c.lock_shared_for(k, 1, 1ms)); }},
  };
}

TEST(ClientArguments, F1_no_text_brings_a_request_along) {
  const FakeServer server(answers({{"ping", "1 pong\n"}}));  // and nothing before it
  Client client = server.connect();
  for (const auto& [name, call] : calls_with_a_text()) {
    for (const std::string_view text : {"a\nr b", "a\n", "\n", "a\r", "a\r\nra", " a", "a ", "a\tb", "a  b"})
      EXPECT_EQ(call(client, text), Cause::bad_argument) << name;
  }
  EXPECT_TRUE(client.ping());
}

TEST(ClientArguments, F6_what_does_not_fit_into_a_line_is_not_sent) {
  const FakeServer server(
      answers({{"g " + std::string(8190, 'k'), "0 Lock Get Failure: " + std::string(8190, 'k') + "\n"}}));
  Client client = server.connect();
  for (const auto& [name, call] : calls_with_a_text())
    EXPECT_EQ(call(client, std::string(8192, 'k')), Cause::bad_argument) << name;
  EXPECT_TRUE(client.get(std::string(8191, 'k')).failed_by(Cause::bad_argument));
  EXPECT_TRUE(client.get(std::string(8190, 'k')).failed_by(Cause::unavailable));
}

TEST(ClientArguments, C1_W1_numbers_out_of_range_are_not_sent) {
  const FakeServer server(answers({}));
  Client client = server.connect();
  constexpr auto bad = Cause::bad_argument;
  EXPECT_TRUE(client.get_wait("k", -1ms).failed_by(bad));
  EXPECT_TRUE(client.get_wait("k", longest_wait + 1ms).failed_by(bad));
  EXPECT_TRUE(client.lock_for("k", -1ms).failed_by(bad));
  EXPECT_TRUE(client.get_shared_limited("k", 0).failed_by(bad));
  EXPECT_TRUE(client.get_shared_wait("k", 0, 1ms).failed_by(bad));
  EXPECT_TRUE(client.get_shared_wait("k", 1, -1ms).failed_by(bad));
  EXPECT_TRUE(client.try_lock_shared("k", 0).failed_by(bad));
  EXPECT_TRUE(client.lock_shared("k", 2147483648U).failed_by(bad));
  EXPECT_TRUE(client.lock_shared_for("k", 1, longest_wait + 1ms).failed_by(bad));
  EXPECT_TRUE(client.set_name("").failed_by(bad));
}

// ---- replies that are none ----

TEST(ClientReplies, garbage_ends_the_connection) {
  const FakeServer server(answers({{"g k", "1 Lock Get Success: l\n"}}));
  Client client = server.connect();
  const auto got = client.get("k");
  ASSERT_TRUE(got.failed_by(Cause::protocol_error));
  EXPECT_EQ(got.error().text, "this is no reply of lockd: \"1 Lock Get Success: l\"");
  EXPECT_FALSE(client.is_connected());
  EXPECT_TRUE(client.ping().failed_by(Cause::protocol_error)) << "all calls tell the reason";
}

TEST(ClientReplies, each_call_knows_garbage_when_it_sees_it) {
  for (const auto& [name, call] : calls_with_a_text()) {
    const FakeServer server([](Peer& peer) {
      peer.line();
      peer.send("garbage\ngarbage\nEND\n1 pong\n");
      peer.drain();
    });
    Client client = server.connect();
    EXPECT_EQ(call(client, "k"), Cause::protocol_error) << name;
    EXPECT_FALSE(client.is_connected()) << name;
  }
}

TEST(ClientReplies, L4_what_is_disabled_leaves_the_connection) {
  const FakeServer server(answers({{"list ", "0 disabled\n"},
                                   {"d ", "0 disabled\n"},
                                   {"ping", "1 pong\n"},
                                   {"iam me", "0 disabled\n"},
                                   {"dump", "0 disabled\n"},
                                   {"ping", "1 pong\n"}}));
  Client client = server.connect();
  EXPECT_TRUE(client.list().failed_by(Cause::disabled));
  EXPECT_TRUE(client.holders().failed_by(Cause::disabled));
  EXPECT_TRUE(client.set_name("me").failed_by(Cause::disabled));
  EXPECT_TRUE(client.dump().failed_by(Cause::disabled));
  EXPECT_TRUE(client.ping());
}

TEST(ClientReplies, a_reply_without_end_is_bounded) {
  const FakeServer server([](Peer& peer) {
    peer.expect("list ");
    for (int i = 0; i < 1000; ++i) peer.send(std::string(1000, 'x'));
    peer.expect_end();
  });
  Client client = server.connect({.reply_bytes_max = 100000});
  EXPECT_TRUE(client.list().failed_by(Cause::reply_too_long));
}

TEST(ClientReplies, come_byte_by_byte) {
  const FakeServer server([](Peer& peer) {
    peer.expect("g k");
    for (const char byte : std::string("1 Lock Get Success: k\n")) peer.send({&byte, 1});
    peer.expect_end();
  });
  Client client = server.connect();
  EXPECT_TRUE(client.get("k"));
}

}  // namespace
}  // namespace lockd
