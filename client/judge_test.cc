// Each reply of the protocol as a value, and garbage as what it is.
#include "client/judge.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace lockd {
namespace {

constexpr auto exclusive = Mode::exclusive;
constexpr auto shared = Mode::shared;

struct Yes {
  Family family;
  Mode mode;
  std::string_view line;
  std::uint64_t number;
};

TEST(Judge, X1_X2_X3_W8_T2_H1_H2_H3_each_yes_has_its_number) {
  const std::vector<Yes> all = {
      {Family::get, exclusive, "1 Lock Get Success: a key", 1},
      {Family::release, exclusive, "1 Lock Release Success: a key", 1},
      {Family::inspect, exclusive, "1 Lock Is Locked: a key", 1},
      {Family::inspect, exclusive, "0 Lock Not Locked: a key", 0},
      {Family::waiters, exclusive, "0 Lock Waiters: a key", 0},
      {Family::waiters, exclusive, "17 Lock Waiters: a key", 17},
      {Family::token, exclusive, "9007199254740991 Lock Token: a key", 9007199254740991},
      {Family::get, shared, "20 Shared Lock Get Success: a key", 20},
      {Family::release, shared, "1 Shared Lock Release Success: a key", 1},
      {Family::inspect, shared, "3 Shared Lock Is Locked: a key", 3},
      {Family::inspect, shared, "0 Shared Lock Not Locked: a key", 0},
      {Family::waiters, shared, "2 Shared Lock Waiters: a key", 2},
      {Family::token, shared, "5 Shared Lock Token: a key", 5},
  };
  for (const auto& [family, mode, line, number] : all) {
    const auto judged = judge(family, mode, "a key", line);
    ASSERT_TRUE(judged) << line << ": " << judged.error().text;
    EXPECT_EQ(*judged, number) << line;
  }
}

struct Refused {
  Family family;
  Mode mode;
  std::string_view line;
  Cause cause;
  std::string_view text;
};

TEST(Judge, X1_W1_W6_W7_W9_S5_T1_each_no_has_its_cause) {
  const std::string_view get_out_of_tokens = "\"k\" cannot be had: the server has no token for it";
  const std::vector<Refused> all = {
      {Family::get, exclusive, "0 Lock Get Failure: k", Cause::unavailable, "\"k\" is held by others"},
      {Family::get, exclusive, "0 Lock Get Timeout: k", Cause::timed_out, "\"k\" could not be had in time"},
      {Family::get, exclusive, "0 Lock Get Deadlock: k", Cause::deadlock,
       "\"k\" would close a circle of clients that wait for one another"},
      {Family::get, exclusive, "0 Lock Get Canceled: k", Cause::canceled,
       "\"k\" is not waited for any more: the wait was canceled"},
      {Family::get, exclusive, "0 Too Many Locks: k", Cause::too_many_locks,
       "\"k\" is one more than a client of this server may hold"},
      {Family::get, exclusive, "0 Too Many Waiters: k", Cause::too_many_waiters,
       "\"k\" has as many waiters as the server allows"},
      {Family::get, exclusive, "0 Out Of Tokens: k", Cause::out_of_tokens, get_out_of_tokens},
      {Family::get, shared, "0 Out Of Tokens: k", Cause::out_of_tokens, get_out_of_tokens},
      {Family::get, shared, "0 Shared Lock Get Failure: k", Cause::unavailable, "\"k\" is held by others"},
      {Family::get, shared, "0 Shared Lock Get Timeout: k", Cause::timed_out, "\"k\" could not be had in time"},
      {Family::get, shared, "0 Shared Lock Get Canceled: k", Cause::canceled,
       "\"k\" is not waited for any more: the wait was canceled"},
      {Family::release, exclusive, "0 Lock Release Failure: k", Cause::not_held, "\"k\" is not held by this client"},
      {Family::release, shared, "0 Shared Lock Release Failure: k", Cause::not_held,
       "\"k\" is not held by this client"},
      {Family::token, exclusive, "0 Lock Not Held: k", Cause::not_held, "\"k\" is not held by this client"},
      {Family::token, shared, "0 Shared Lock Not Held: k", Cause::not_held, "\"k\" is not held by this client"},
  };
  for (const auto& [family, mode, line, cause, text] : all) {
    const auto judged = judge(family, mode, "k", line);
    ASSERT_TRUE(judged.failed_by(cause)) << line;
    EXPECT_EQ(judged.error().text, text) << line;
  }
}

TEST(Judge, F6_F8_F9_L4_S4_what_any_request_may_get) {
  EXPECT_EQ(refusal("0 disabled").cause, Cause::disabled);
  EXPECT_EQ(refusal("0 Too Many Connections").cause, Cause::too_many_connections);
  EXPECT_EQ(refusal("0 Line Too Long: limit 100 bytes").cause, Cause::refused);
  EXPECT_EQ(refusal("0 Unknown Command: gw").text, "the server says \"0 Unknown Command: gw\"");
  EXPECT_EQ(refusal("0 Bad Arguments: gw MILLISECONDS KEY").cause, Cause::refused);
}

TEST(Judge, anything_else_is_no_reply) {
  const std::vector<std::string_view> garbage = {
      "",
      "1",
      "1 ",
      "Lock Get Success: k",
      "1 Lock Get Success: other",
      "1 Lock Get Success: k ",
      "1 Lock Get Success:k",
      "0 Lock Get Success: k",
      "1 Lock Get Failure: k",
      "-1 Lock Get Success: k",
      "1  Lock Get Success: k",
      "99999999999999999999 Lock Get Success: k",
      "1 Shared Lock Get Success: k",
      "1 Lock Release Success: k",
      "0 Lock Release Failure: k",
      "1 pong",
      "HTTP/1.1 400 Bad Request",
      "SSH-2.0-OpenSSH_9.2",
  };
  for (const std::string_view line : garbage)
    EXPECT_TRUE(judge(Family::get, exclusive, "k", line).failed_by(Cause::protocol_error)) << line;
  for (const std::string_view line : {"1 Lock Get Success: k", "0 Lock Get Timeout: k"})
    EXPECT_TRUE(judge(Family::get, shared, "k", line).failed_by(Cause::protocol_error)) << line;
  EXPECT_TRUE(judge(Family::release, exclusive, "k", "0 Too Many Locks: k").failed_by(Cause::protocol_error));
  EXPECT_TRUE(judge(Family::token, exclusive, "k", "0 Lock Token: k").failed_by(Cause::protocol_error));
}

TEST(Judge, E1_how_many_were_released) {
  EXPECT_EQ(judge_released("12 Locks Released").value(), 12U);
  EXPECT_EQ(judge_released("0 Locks Released").value(), 0U);
  EXPECT_TRUE(judge_released("Locks Released").failed_by(Cause::protocol_error));
  EXPECT_TRUE(judge_released("1 Lock Released").failed_by(Cause::protocol_error));
}

TEST(Judge, E2_a_line_of_list) {
  const auto held = parse_listed(R"(x held 1500 42 worker\x20one\x5C a: key with blanks)");
  ASSERT_TRUE(held);
  EXPECT_EQ(held->mode, Mode::exclusive);
  EXPECT_FALSE(held->waiting);
  EXPECT_EQ(held->age, std::chrono::milliseconds(1500));
  EXPECT_EQ(held->token, 42U);
  EXPECT_EQ(held->holder, "worker one\\");
  EXPECT_EQ(held->key, "a: key with blanks");
  const auto waiting = parse_listed("s waiting 0 0 127.0.0.1:4 ");
  ASSERT_TRUE(waiting);
  EXPECT_EQ(waiting->mode, Mode::shared);
  EXPECT_TRUE(waiting->waiting);
  EXPECT_EQ(waiting->key, "");
}

TEST(Judge, E2_no_line_of_list) {
  for (const std::string_view line :
       {"", "x", "y held 1 2 a k", "x gone 1 2 a k", "x held -1 2 a k", "x held 1 b a k", "x held 12", "x held 1 2",
        "x held 1 2 a", R"(x held 1 2 a\x2 k)", R"(x held 1 2 a\x2g k)", R"(x held 1 2 a\xg2 k)", R"(x held 1 2 \ k)",
        R"(x held 1 2 \y20 k)"})
    EXPECT_FALSE(parse_listed(line)) << line;
}

TEST(Judge, L1_R3_L3_lines_with_a_colon) {
  EXPECT_EQ(parse_holder("a: b: 127.0.0.1:5", "")->key, "a: b");
  EXPECT_EQ(parse_holder("a: b: 127.0.0.1:5", "")->holder, "127.0.0.1:5");
  EXPECT_EQ(parse_holder("a: b: c", "a")->holder, "b: c");
  EXPECT_FALSE(parse_holder("a: b: c", "b"));
  EXPECT_FALSE(parse_holder("ab: c", "a"));
  EXPECT_FALSE(parse_holder("no colon", ""));
  EXPECT_EQ(parse_identity("[::1]:7: a: name")->address, "[::1]:7");
  EXPECT_EQ(parse_identity("[::1]:7: a: name")->name, "a: name");
  EXPECT_FALSE(parse_identity("0 disabled"));
  EXPECT_EQ(parse_counter("command_g: 18446744073709551615")->second, 18446744073709551615U);
  for (const std::string_view line : {"", "a", "a: ", "a: b", "a: 1 ", "a: -1", "a: 18446744073709551616"})
    EXPECT_FALSE(parse_counter(line)) << line;
}

}  // namespace
}  // namespace lockd
