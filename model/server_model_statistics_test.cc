// What the extended verbs show: tokens (T), `ra`, `list` and `stats` (E1, E2, E3).
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "model/reference_printer.h"
#include "model/server_model.h"

namespace lockd::model {
namespace {

// Clients 1 to 4 have the addresses A1 to A4.
class ServerModelStatistics : public testing::Test {
 protected:
  void start(const ServerOptions& options) {
    server_ = ReferenceServer(options);
    for (const std::uint64_t client : {1U, 2U, 3U, 4U}) {
      server_.connect(SessionId{client}, "A" + std::to_string(client));
    }
  }

  void SetUp() override { start({}); }

  ExpectedOutput send(std::uint64_t client, std::string_view bytes) {
    return server_.receive(SessionId{client}, bytes);
  }

  void expect(std::uint64_t client, std::string_view bytes, std::string_view output) {
    const auto why = send(client, bytes).mismatch(output);
    EXPECT_EQ(why, std::nullopt) << "after " << ExpectedOutput::escaped(bytes);
  }

  void expect_any(std::uint64_t client, std::string_view bytes, const std::vector<std::string>& right,
                  const std::vector<std::string>& wrong) {
    const auto output = send(client, bytes);
    for (const auto& bytes_sent : right) EXPECT_EQ(output.mismatch(bytes_sent), std::nullopt);
    for (const auto& bytes_sent : wrong) EXPECT_NE(output.mismatch(bytes_sent), std::nullopt) << bytes_sent;
  }

  std::uint64_t statistic(const std::string& name) const { return server_.statistics().at(name); }

  // These counters have counted up by so much since the last call; `command_X` is left out, and so is what is 0.
  using Changes = std::map<std::string, std::uint64_t>;
  Changes changes() {
    Changes changed;
    for (const auto& [name, number] : server_.statistics()) {
      if (!name.starts_with("command_") && number != before_[name]) changed[name] = number - before_[name];
    }
    before_ = server_.statistics();
    return changed;
  }

  ReferenceServer server_;
  Changes before_;
};

TEST_F(ServerModelStatistics, T2_the_token_is_the_servers_own) {
  expect(1, "g k\nsg k\n", "1 Lock Get Success: k\n1 Shared Lock Get Success: k\n");
  const auto output = send(1, "t k\nst k\n");
  const std::string right = "1234 Lock Token: k\n77 Shared Lock Token: k\n";
  EXPECT_EQ(output.mismatch(right), std::nullopt);
  EXPECT_NE(output.mismatch("1234 Lock Token: k\n77 Lock Token: k\n"), std::nullopt);
  EXPECT_NE(output.mismatch("1234 Lock Token: l\n77 Shared Lock Token: k\n"), std::nullopt);
  const auto tokens = output.tokens(right);
  ASSERT_EQ(tokens.size(), 2U);
  EXPECT_EQ(tokens[0].lock, (Lock{LockKind::exclusive, "k"}));
  EXPECT_EQ(tokens[0].grant, 1U);
  EXPECT_EQ(tokens[0].token, 1234U);
  EXPECT_EQ(tokens[1].lock, (Lock{LockKind::shared, "k"}));
  EXPECT_EQ(tokens[1].grant, 2U);
  EXPECT_EQ(tokens[1].token, 77U);
}

TEST_F(ServerModelStatistics, T2_who_does_not_hold_it_has_none) {
  expect(1, "g k\nsg l\n", "1 Lock Get Success: k\n1 Shared Lock Get Success: l\n");
  expect(1, "st k\nt l\n", "0 Shared Lock Not Held: k\n0 Lock Not Held: l\n");
  expect(2, "t k\nst l\n", "0 Lock Not Held: k\n0 Shared Lock Not Held: l\n");
}

TEST_F(ServerModelStatistics, T1_the_tokens_that_show_obey_the_rule) {
  TokenRule rule;
  send(1, "g k\n");
  EXPECT_EQ(rule.see(send(1, "t k\n").tokens("50 Lock Token: k\n")), std::nullopt);
  EXPECT_EQ(rule.see(send(1, "g k\nt k\n").tokens("1 Lock Get Success: k\n50 Lock Token: k\n")), std::nullopt);
  send(1, "r k\n");
  send(2, "g k\n");
  EXPECT_NE(rule.see(send(2, "t k\n").tokens("50 Lock Token: k\n")), std::nullopt);
  EXPECT_NE(rule.see(send(2, "list\n").tokens("x held 0 49 A2 k\nEND\n")), std::nullopt);
  EXPECT_EQ(rule.see(send(2, "list\n").tokens("x held 0 51 A2 k\nEND\n")), std::nullopt);
}

TEST_F(ServerModelStatistics, T1_out_of_tokens) {
  start({.max_grants = 1});
  expect(1, "g k\nsg l\ng k\n", "1 Lock Get Success: k\n0 Out Of Tokens: l\n1 Lock Get Success: k\n");
  expect(2, "gw 1000 k\ng k\n", "0 Out Of Tokens: k\n0 Lock Get Failure: k\n");
}

TEST_F(ServerModelStatistics, E1_all_of_both_kinds) {
  expect(1, "ra\n", "0 Locks Released\n");
  expect(1, "g a\nsg a\nsg b\n", "1 Lock Get Success: a\n1 Shared Lock Get Success: a\n1 Shared Lock Get Success: b\n");
  expect(2, "sg b\ngw 1000 a\nping\n", "2 Shared Lock Get Success: b\n");
  expect(1, "ra\ni a\nsi a\nsi b\n",
         "3 Locks Released\n1 Lock Is Locked: a\n0 Shared Lock Not Locked: a\n1 Shared Lock Is Locked: b\n");
  EXPECT_EQ(server_.take_output(SessionId{2}).mismatch("1 Lock Get Success: a\n1 pong\n"), std::nullopt);
  EXPECT_EQ(statistic("orphans"), 0U);
  EXPECT_EQ(statistic("shared_orphans"), 0U);
  expect(1, "ra x\n", "0 Bad Arguments: ra\n");
}

TEST_F(ServerModelStatistics, E2_holders_and_then_the_line_of_each_key) {
  send(1, "g k\niam two words\n");
  send(2, "sg k\n");
  send(1, "sg k\n");
  send(3, "gw 1000 k\n");
  send(4, "gw 1000 k\n");
  const std::string exclusive = "x held 5 901 two\\x20words k\nx waiting 4 0 A3 k\nx waiting 3 0 A4 k\n";
  const std::string shared = "s held 5 902 A2 k\ns held 4 903 two\\x20words k\n";
  expect_any(1, "list\n", {exclusive + shared + "END\n", shared + exclusive + "END\n"},
             {exclusive + shared, exclusive + "END\n", shared + "END\n", "END\n",
              "x held 5 901 two\\x20words k\nx waiting 3 0 A4 k\nx waiting 4 0 A3 k\n" + shared + "END\n",
              "x held 5 901 two words k\nx waiting 4 0 A3 k\nx waiting 3 0 A4 k\n" + shared + "END\n",
              exclusive + "s held 4 903 two\\x20words k\ns held 5 902 A2 k\nEND\n"});
}

TEST_F(ServerModelStatistics, E2_waiters_of_a_shared_line) {
  send(1, "sg k\n");
  send(2, "sgw 1 1000 k\n");
  expect_any(1, "list\n", {"s held 5 1 A1 k\ns waiting 0 0 A2 k\nEND\n"},
             {"s held 5 1 A1 k\nx waiting 0 0 A2 k\nEND\n"});
}

TEST_F(ServerModelStatistics, F3_E2_a_prefix) {
  send(1, "g a\ng ab\ng a b\ng b\nsg ab\ng \n");
  const auto line = [](const std::string& mode, const std::string& key) { return mode + " held 0 7 A1 " + key + "\n"; };
  const std::string of_ab = line("x", "ab") + line("s", "ab");
  expect_any(2, "list ab\n", {of_ab + "END\n"}, {line("x", "ab") + "END\n", of_ab + line("x", "a") + "END\n"});
  expect_any(2, "list a \t b\n", {line("x", "a b") + "END\n"}, {"END\n"});
  expect_any(2, "list a\n", {line("x", "a") + of_ab + line("x", "a b") + "END\n"}, {of_ab + "END\n"});
  expect_any(2, "list\n", {line("x", "") + line("x", "a") + line("x", "a b") + of_ab + line("x", "b") + "END\n"},
             {line("x", "a") + line("x", "a b") + of_ab + line("x", "b") + "END\n"});
  expect(2, "list c\nlist abc\n", "END\nEND\n");
}

TEST_F(ServerModelStatistics, E3_all_of_q_and_each_counter_of_ours) {
  const auto numbers = server_.statistics();
  for (const auto& [name, number] : server_.classic_counters()) EXPECT_EQ(numbers.at(name), number) << name;
  for (int verb = 0; verb < verb_count; ++verb) {
    EXPECT_TRUE(numbers.contains("command_" + spelling(static_cast<Verb>(verb))));
  }
  for (const char* name :
       {"bad_arguments", "browsers", "cancels", "deadlocks", "grants", "hold_ms_le_inf", "holders", "lines_too_long",
        "longest_line", "refusals", "timeouts", "too_much_input", "wait_ms_le_inf", "waiters", "waits"}) {
    EXPECT_EQ(numbers.at(name), 0U) << name;
  }
  EXPECT_EQ(numbers.size(), 6U + verb_count + 15U) << "those of `q` but its verbs, all verbs, ours";
}

TEST_F(ServerModelStatistics, L3_E3_q_shows_none_of_ours) {
  EXPECT_EQ(server_.classic_counters().size(), 19U);
  for (const auto& [name, number] : server_.classic_counters()) EXPECT_NE(name, "command_ping");
}

TEST_F(ServerModelStatistics, E3_the_lines_that_are_sent) {
  std::string first =
      "bad_arguments: 0\nbrowsers: 0\ncancels: 0\ncommand_cancel: 0\ncommand_d: 0\ncommand_dump: 0\ncommand_g: "
      "1\ncommand_gw: 1\n"
      "command_help: 0\ncommand_i: 0\ncommand_iam: 0\ncommand_iw: 0\ncommand_list: 0\ncommand_me: 0\ncommand_ping: 0\n"
      "command_q: 0\ncommand_quit: 0\ncommand_r: 1\ncommand_ra: 0\ncommand_sd: 0\ncommand_sg: 0\ncommand_sgl: 0\n"
      "command_sgw: 0\ncommand_si: 0\ncommand_siw: 0\ncommand_sr: 0\ncommand_st: 0\ncommand_stats: 1\ncommand_t: 0\n"
      "command_version: 0\ncommand_who: 0\nconnections: 4\ndeadlocks: 0\ngrants: 2\n";
  std::string histograms =
      "hold_ms_le_1: 0\nhold_ms_le_10: 0\nhold_ms_le_100: 1\nhold_ms_le_1000: 1\nhold_ms_le_10000: 1\n"
      "hold_ms_le_100000: 1\nhold_ms_le_1000000: 1\nhold_ms_le_inf: 1\nhold_ms_sum: 34\n";
  const std::string middle =
      "holders: 1\ninvalid_commands: 0\nlines_too_long: 0\nlocks: 1\nlongest_line: 0\noldest_waiter_ms: 0\norphans: 0\n"
      "refusals: 0\nshared_locks: 0\nshared_orphans: 0\ntimeouts: 0\ntoo_much_input: 0\n";
  const std::string last =
      "wait_ms_le_1: 1\nwait_ms_le_10: 1\nwait_ms_le_100: 1\nwait_ms_le_1000: 1\nwait_ms_le_10000: 1\n"
      "wait_ms_le_100000: 1\nwait_ms_le_1000000: 1\nwait_ms_le_inf: 1\nwait_ms_sum: 0\nwaiters: 0\nwaits: 1\n";
  send(1, "g k\n");
  send(2, "gw 1000 k\n");
  send(1, "r k\n");
  server_.take_output(SessionId{2});
  expect_any(3, "stats\n", {first + histograms + middle + last + "END\n"},
             {first + histograms + middle + last, first + middle + histograms + last + "END\n", "END\n",
              first + histograms + middle + "waiters: 0\nwaits: 1\nEND\n"});
  expect(3, "stats 1\n", "0 Bad Arguments: stats\n");
}

TEST_F(ServerModelStatistics, E3_where_nothing_was_counted_time_makes_nothing) {
  auto numbers = server_.statistics();
  numbers["command_stats"] = 1;
  for (const std::string histogram : {"hold_ms", "wait_ms"}) {
    for (const char* part :
         {"_le_1", "_le_10", "_le_100", "_le_1000", "_le_10000", "_le_100000", "_le_1000000", "_sum"}) {
      numbers[histogram + part] = 0;
    }
  }
  numbers["oldest_waiter_ms"] = 0;
  const auto lines = [&numbers] {
    std::string sent;
    for (const auto& [name, number] : numbers) sent += name + ": " + std::to_string(number) + "\n";
    return sent + "END\n";
  };
  const auto idle = send(1, "stats\n");
  EXPECT_EQ(idle.mismatch(lines()), std::nullopt);
  for (auto& [name, number] : numbers) {
    ++number;
    EXPECT_NE(idle.mismatch(lines()), std::nullopt) << name;
    --number;
  }
}

TEST_F(ServerModelStatistics, E3_grants_and_holds) {
  changes();
  send(1, "g a\ng a\nsg b\n");
  EXPECT_EQ(changes(), (Changes{{"grants", 2}, {"holders", 2}, {"locks", 1}, {"shared_locks", 1}}));
  send(2, "sg b\n");
  EXPECT_EQ(changes(), (Changes{{"grants", 1}, {"holders", 1}}));
  send(1, "r a\n");
  EXPECT_EQ(statistic("holders"), 2U);
  EXPECT_EQ(statistic("hold_ms_le_inf"), 1U);
  server_.reset(SessionId{1});
  send(2, "ra\n");
  EXPECT_EQ(statistic("holders"), 0U);
  EXPECT_EQ(statistic("hold_ms_le_inf"), 3U) << "released, orphaned and released by `ra`";
  EXPECT_EQ(statistic("grants"), 3U);
}

TEST_F(ServerModelStatistics, E3_waits_and_waiters) {
  send(1, "g a\nsg s\n");
  changes();
  send(2, "gw 1000 a\n");
  EXPECT_EQ(changes(), (Changes{{"waits", 1}, {"waiters", 1}, {"longest_line", 1}}));
  send(3, "sgw 1 1000 s\n");
  EXPECT_EQ(changes(), (Changes{{"waits", 1}, {"waiters", 1}}));
  send(4, "sgw 1 1000 s\n");
  EXPECT_EQ(changes(), (Changes{{"waits", 1}, {"waiters", 1}, {"longest_line", 1}}));
  server_.time_out(SessionId{3});
  send(4, "cancel\n");
  EXPECT_EQ(statistic("timeouts"), 1U);
  EXPECT_EQ(statistic("cancels"), 1U);
  EXPECT_EQ(statistic("waiters"), 1U);
  EXPECT_EQ(statistic("longest_line"), 1U) << "of now";
  EXPECT_EQ(statistic("wait_ms_le_inf"), 2U);
  server_.reset(SessionId{2});
  EXPECT_EQ(statistic("waiters"), 0U);
  EXPECT_EQ(statistic("wait_ms_le_inf"), 3U);
  EXPECT_EQ(statistic("waits"), 3U);
}

TEST_F(ServerModelStatistics, E3_each_refusal_is_counted_once) {
  start({.max_locks = 2, .max_waiters = 1, .max_grants = 6});
  send(1, "g a\nsg s\n");
  send(2, "g b\n");
  changes();
  send(2, "g a\n");
  EXPECT_EQ(changes(), (Changes{{"refusals", 1}})) << "X1";
  send(2, "sgl 1 s\n");
  EXPECT_EQ(changes(), (Changes{{"refusals", 1}})) << "C1";
  send(1, "g c\n");
  EXPECT_EQ(changes(), (Changes{{"refusals", 1}})) << "S5";
  send(2, "gw 0 a\nsgw 1 0 s\n");
  EXPECT_EQ(changes(), (Changes{{"timeouts", 2}})) << "W1, C2";
  send(3, "gw 1000 b\n");
  changes();
  send(4, "gw 1000 b\n");
  EXPECT_EQ(changes(), (Changes{{"refusals", 1}})) << "W7";
  send(2, "g d\n");
  changes();
  send(4, "sg e\nsg f\n");
  EXPECT_EQ(changes(), (Changes{{"grants", 1}, {"holders", 1}, {"refusals", 1}, {"shared_locks", 1}})) << "T1";
  send(1, "r x\nsr x\nt x\n");
  EXPECT_EQ(changes(), Changes{}) << "no get";
}

TEST_F(ServerModelStatistics, E3_deadlocks) {
  send(1, "g a\n");
  send(2, "g b\ngw 1000 a\n");
  changes();
  send(1, "gw 1000 b\n");
  EXPECT_EQ(changes(), (Changes{{"deadlocks", 1}}));
}

TEST_F(ServerModelStatistics, F8_F9_E3_what_is_no_command_is_counted_apart) {
  changes();
  send(1, "foo\ngw x\nra x\n");
  EXPECT_EQ(changes(), (Changes{{"bad_arguments", 2}, {"invalid_commands", 1}}));
  EXPECT_EQ(statistic("command_gw"), 0U);
}

TEST_F(ServerModelStatistics, F11_E3_browsers) {
  changes();
  send(1, "GET / HTTP/1.1\r\nHost: x\r\n");
  server_.connect(SessionId{9}, "A9");
  EXPECT_EQ(changes(), (Changes{{"browsers", 1}})) << "one ended, however many of its lines came";
}

}  // namespace
}  // namespace lockd::model
