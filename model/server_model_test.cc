// The server as its clients see it. Expected bytes are written out from the protocol; clients 1, 2, 3 have the
// addresses A1, A2, A3.
#include "model/server_model.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace lockd::model {
namespace {

class ServerModelTest : public testing::Test {
 protected:
  void start(const ServerOptions& options) {
    server_ = ReferenceServer(options);
    for (const std::uint64_t client : {1U, 2U, 3U}) server_.connect(SessionId{client}, "A" + std::to_string(client));
  }

  void SetUp() override { start({}); }

  // The client sends these bytes, and the model must expect just that output.
  void expect(std::uint64_t client, std::string_view bytes, std::string_view output) {
    const auto why = server_.receive(SessionId{client}, bytes).mismatch(output);
    EXPECT_EQ(why, std::nullopt) << "after " << ExpectedOutput::escaped(bytes);
  }

  // It must accept each of these outputs and reject those.
  void expect_any(std::uint64_t client, std::string_view bytes, const std::vector<std::string>& right,
                  const std::vector<std::string>& wrong) {
    const auto output = server_.receive(SessionId{client}, bytes);
    for (const auto& bytes_sent : right) EXPECT_EQ(output.mismatch(bytes_sent), std::nullopt);
    for (const auto& bytes_sent : wrong) EXPECT_NE(output.mismatch(bytes_sent), std::nullopt) << bytes_sent;
  }

  bool is_live(std::uint64_t client) const { return server_.is_live(SessionId{client}); }

  ReferenceServer server_;
};

TEST_F(ServerModelTest, F1_a_request_waits_for_its_LF) {
  expect(1, "g ", "");
  expect(1, "k", "");
  expect(2, "i k\n", "0 Lock Not Locked: k\n");
  expect(1, "ey\r", "");
  expect(1, "\ni key", "1 Lock Get Success: key\n");
  expect(1, "\n", "1 Lock Is Locked: key\n");
}

TEST_F(ServerModelTest, F1_an_unterminated_request_is_discarded_at_FIN) {
  expect(1, "g a\ng b", "1 Lock Get Success: a\n");
  server_.finish(SessionId{1});
  expect(2, "i b\n", "0 Lock Not Locked: b\n");
  EXPECT_EQ(server_.statistics().at("command_g"), 1U);
}

TEST_F(ServerModelTest, F4_blank_lines_count_nowhere) {
  const auto before = server_.statistics();
  expect(1, "\n \t\r\n\n", "");
  EXPECT_EQ(server_.statistics(), before);
}

TEST_F(ServerModelTest, F5_every_cut_of_a_pipeline_gives_the_same) {
  const std::string stream = "g a\r\nsg b c\nfoo\n\ni a\nquit x\nping\n";
  const std::string replies =
      "1 Lock Get Success: a\n1 Shared Lock Get Success: b c\n0 Unknown Command: foo\n1 Lock Is Locked: a\n"
      "0 Bad Arguments: quit\n1 pong\n";
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    start({});
    ExpectedOutput output = server_.receive(SessionId{1}, stream.substr(0, cut));
    output.append(server_.receive(SessionId{1}, stream.substr(cut)));
    EXPECT_EQ(output.mismatch(replies), std::nullopt) << "cut at " << cut;
  }
}

TEST_F(ServerModelTest, F6_a_long_line_is_answered_once_at_its_LF) {
  start({.line_bytes_max = 4});
  expect(1, "g abcdefgh", "");
  expect(1, "ijk", "");
  EXPECT_EQ(server_.statistics().at("lines_too_long"), 0U);
  expect(1, "\ng ab\n", "0 Line Too Long: limit 4 bytes\n1 Lock Get Success: ab\n");
  EXPECT_EQ(server_.statistics().at("lines_too_long"), 1U);
  EXPECT_EQ(server_.statistics().at("invalid_commands"), 0U);
  EXPECT_EQ(server_.statistics().at("command_g"), 1U);
}

TEST_F(ServerModelTest, F6_the_default_limit_is_8192) {
  const std::string key(8190, 'k');
  expect(1, "i " + key + "\r\n", "0 Lock Not Locked: " + key + "\n");
  expect(1, "i  " + key + "\n", "0 Line Too Long: limit 8192 bytes\n");
}

TEST_F(ServerModelTest, F8_unknown_verbs_are_answered_and_counted) {
  expect(1, "foo bar\n", "0 Unknown Command: foo\n");
  EXPECT_EQ(server_.statistics().at("invalid_commands"), 1U);
}

TEST_F(ServerModelTest, F8_classic_is_silent_and_counts_all_the_same) {
  start({.line_bytes_max = 8, .classic = true});
  expect(1, "foo bar\nping\nping x\n123456789\n", "1 pong\n0 Bad Arguments: ping\n0 Line Too Long: limit 8 bytes\n");
  EXPECT_EQ(server_.statistics().at("invalid_commands"), 1U);
}

TEST_F(ServerModelTest, F9_bad_arguments_are_counted_apart) {
  expect(1, "version 1\n", "0 Bad Arguments: version\n");
  EXPECT_EQ(server_.statistics().at("bad_arguments"), 1U);
  EXPECT_EQ(server_.statistics().at("invalid_commands"), 0U);
}

TEST_F(ServerModelTest, F11_a_browser_is_shown_out) {
  for (const bool classic : {false, true}) {
    start({.classic = classic});
    expect(1, "g a\nPOST / HTTP/1.1\r\nHost: x\r\n\r\ng b\n", "1 Lock Get Success: a\n");
    EXPECT_FALSE(is_live(1));
    expect(2, "i a\ni b\n", "0 Lock Not Locked: a\n0 Lock Not Locked: b\n");
    EXPECT_EQ(server_.statistics().at("orphans"), 1U);
  }
}

TEST_F(ServerModelTest, S1_an_id_is_never_used_again) {
  server_.connect(SessionId{1}, "other");
  expect(1, "me\n", "1 A1 A1\n");
  server_.finish(SessionId{1});
  server_.connect(SessionId{1}, "A1");
  EXPECT_FALSE(is_live(1));
  server_.connect(SessionId::nobody, "A0");
  EXPECT_FALSE(is_live(0));
  EXPECT_EQ(server_.statistics().at("connections"), 2U);
}

TEST_F(ServerModelTest, S2_every_end_releases_counts_and_forgets) {
  for (const int way : {0, 1, 2}) {
    start({});
    expect(1, "iam x\ng a\ng b\nsg a\n",
           "1 ok\n1 Lock Get Success: a\n1 Lock Get Success: b\n1 Shared Lock Get Success: a\n");
    if (way == 0) server_.finish(SessionId{1});
    if (way == 1) server_.reset(SessionId{1});
    if (way == 2) expect(1, "quit\n", "");
    EXPECT_FALSE(is_live(1));
    expect(2, "i a\ni b\nsi a\nwho\n", "0 Lock Not Locked: a\n0 Lock Not Locked: b\n0 Shared Lock Not Locked: a\n");
    EXPECT_EQ(server_.statistics().at("orphans"), 2U);
    EXPECT_EQ(server_.statistics().at("shared_orphans"), 1U);
    EXPECT_EQ(server_.statistics().at("connections"), 2U);
  }
}

TEST_F(ServerModelTest, S2_nothing_is_executed_after_the_end_nor_ended_twice) {
  expect(1, "g a\nquit\ng b\n", "1 Lock Get Success: a\n");
  const auto before = server_.statistics();
  expect(1, "g c\n", "");
  server_.finish(SessionId{1});
  server_.reset(SessionId{1});
  server_.finish(SessionId{9});
  expect(9, "g c\n", "");
  EXPECT_EQ(server_.statistics(), before);
  EXPECT_EQ(server_.locks().keys_held(LockKind::exclusive), 0U);
}

TEST_F(ServerModelTest, S3_what_came_whole_before_FIN_is_executed) {
  expect(1, "g a\ni a\n", "1 Lock Get Success: a\n1 Lock Is Locked: a\n");
  server_.finish(SessionId{1});
  expect(2, "g a\n", "1 Lock Get Success: a\n");
}

TEST_F(ServerModelTest, S5_the_bound_is_the_option) {
  start({.max_locks = 1});
  expect(1, "g a\nsg b\ng a\nr a\nsg b\n",
         "1 Lock Get Success: a\n0 Too Many Locks: b\n1 Lock Get Success: a\n1 Lock Release Success: a\n"
         "1 Shared Lock Get Success: b\n");
}

TEST_F(ServerModelTest, X1_X2_X3_H1_H2_H3_F7_replies) {
  expect(1, "g k\n", "1 Lock Get Success: k\n");
  expect(2, "g  k \ni k\nr k\n", "0 Lock Get Failure: k\n1 Lock Is Locked: k\n0 Lock Release Failure: k\n");
  expect(1, "r k\ni k\n", "1 Lock Release Success: k\n0 Lock Not Locked: k\n");
  expect(1, "sg a  b\n", "1 Shared Lock Get Success: a b\n");
  expect(2, "sg a b\nsi a\tb\n", "2 Shared Lock Get Success: a b\n2 Shared Lock Is Locked: a b\n");
  expect(1, "sr a b\nsr a b\n", "1 Shared Lock Release Success: a b\n0 Shared Lock Release Failure: a b\n");
  expect(2, "sr a b\nsi a b\n", "1 Shared Lock Release Success: a b\n0 Shared Lock Not Locked: a b\n");
}

TEST_F(ServerModelTest, L1_one_key_or_all_in_any_order) {
  expect(1, "d\nd a\n", "");
  expect(1, "g a\ng \niam me me\n", "1 Lock Get Success: a\n1 Lock Get Success: \n1 ok\n");
  expect(2, "g b\n", "1 Lock Get Success: b\n");
  expect_any(3, "d\n", {"a: me me\n: me me\nb: A2\n", "b: A2\n: me me\na: me me\n"},
             {"a: me me\nb: A2\n", "a: A1\n: A1\nb: A2\n", ""});
  expect(3, "d b\nd c\n", "b: A2\n");
  expect(3, "sd\n", "");
}

TEST_F(ServerModelTest, L1_holders_of_one_key_in_the_order_of_taking) {
  expect(2, "sg k\nsg l\n", "1 Shared Lock Get Success: k\n1 Shared Lock Get Success: l\n");
  expect(1, "sg k\niam one\n", "2 Shared Lock Get Success: k\n1 ok\n");
  expect_any(3, "sd\n", {"k: A2\nk: one\nl: A2\n", "l: A2\nk: A2\nk: one\n"},
             {"k: one\nk: A2\nl: A2\n", "k: A2\nl: A2\nk: one\n"});
  expect(3, "sd k\nsd none\n", "k: A2\nk: one\n");
  expect(3, "d k\n", "");
}

TEST_F(ServerModelTest, L2_dump_shows_addresses) {
  expect(1, "dump\ndump shared\n", "{}\n{}\n");
  expect(1, "iam one\ng a\"\\\ng \xC3\xA9\xFF\n",
         "1 ok\n1 Lock Get Success: a\"\\\n1 Lock Get Success: \xC3\xA9\xFF\n");
  expect_any(
      2, "dump\n",
      {"{\"a\\\"\\\\\":\"A1\",\"\xC3\xA9\\u00ff\":\"A1\"}\n", "{\"\xC3\xA9\\u00ff\":\"A1\",\"a\\\"\\\\\":\"A1\"}\n"},
      {"{\"a\\\"\\\\\":\"A1\", \"\xC3\xA9\\u00ff\":\"A1\"}\n", "{}\n"});
}

TEST_F(ServerModelTest, L2_dump_shared_and_any_other_word) {
  expect(2, "sg k\n", "1 Shared Lock Get Success: k\n");
  expect(1, "sg k\ng x\n", "2 Shared Lock Get Success: k\n1 Lock Get Success: x\n");
  expect(3, "dump   shared \n", "{\"k\":[\"A2\",\"A1\"]}\n");
  expect(3, "dump Shared\ndump all\n", "{\"x\":\"A1\"}\n{\"x\":\"A1\"}\n");
}

TEST_F(ServerModelTest, L2_keys_that_look_alike_come_twice) {
  expect(1, "g \xFF\ng \xFE\n", "1 Lock Get Success: \xFF\n1 Lock Get Success: \xFE\n");
  expect(1, "r \xFE\ng \\u00ff\n", "1 Lock Release Success: \xFE\n1 Lock Get Success: \\u00ff\n");
  expect_any(2, "dump\n", {"{\"\\u00ff\":\"A1\",\"\\\\u00ff\":\"A1\"}\n"}, {"{\"\\u00ff\":\"A1\"}\n"});
}

TEST_F(ServerModelTest, L3_the_nineteen_lines) {
  expect(1, "g a\nsg b\nsg c\nfoo\niam x\nme\nping\nhelp 1\n",
         "1 Lock Get Success: a\n1 Shared Lock Get Success: b\n1 Shared Lock Get Success: c\n"
         "0 Unknown Command: foo\n1 ok\n1 A1 x\n1 pong\n0 Bad Arguments: help\n");
  expect(2, "sg b\nr a\ni a\nsi b\nsr c\nd a\nsd c\ndump\nwho\n",
         "2 Shared Lock Get Success: b\n0 Lock Release Failure: a\n1 Lock Is Locked: a\n2 Shared Lock Is Locked: b\n"
         "0 Shared Lock Release Failure: c\na: x\nc: x\n{\"a\":\"A1\"}\nA1: x\n");
  server_.reset(SessionId{3});
  expect(2, "q ignored\n",
         "command_d: 1\ncommand_dump: 1\ncommand_g: 1\ncommand_i: 1\ncommand_iam: 1\ncommand_me: 1\ncommand_q: 1\n"
         "command_r: 1\ncommand_sd: 1\ncommand_sg: 3\ncommand_si: 1\ncommand_sr: 1\ncommand_who: 1\nconnections: 2\n"
         "invalid_commands: 1\nlocks: 1\norphans: 0\nshared_locks: 2\nshared_orphans: 0\n");
  server_.finish(SessionId{1});
  EXPECT_EQ(server_.statistics().at("orphans"), 1U);
  EXPECT_EQ(server_.statistics().at("shared_orphans"), 2U);
  EXPECT_EQ(server_.statistics().at("shared_locks"), 1U);
  EXPECT_EQ(server_.classic_counters().size(), 19U);
}

TEST_F(ServerModelTest, L4_no_dump) {
  start({.dump_enabled = false});
  expect(1, "g a\nd\nd a\nsd\ndump\ndump shared\nlist\nlist a\nwho\n",
         "1 Lock Get Success: a\n0 disabled\n0 disabled\n0 disabled\n0 disabled\n0 disabled\n0 disabled\n0 disabled\n"
         "0 disabled\n");
  expect(1, "iam x\nme\n", "1 ok\n1 A1 x\n");
  EXPECT_EQ(server_.statistics().at("command_d"), 2U) << "counted when disabled too";
  EXPECT_EQ(server_.statistics().at("command_list"), 2U);
  EXPECT_EQ(server_.statistics().at("command_who"), 1U);
}

TEST_F(ServerModelTest, L4_no_registry) {
  start({.registry_enabled = false});
  expect(1, "iam x\nwho\nme\ng a\nd a\n", "0 disabled\n0 disabled\n1 A1 A1\n1 Lock Get Success: a\na: A1\n");
}

TEST_F(ServerModelTest, R1_me_shows_address_and_name) {
  expect(2, "me\niam two  words\nme\niam\nme\n", "1 A2 A2\n1 ok\n1 A2 two words\n1 ok\n1 A2 A2\n");
}

TEST_F(ServerModelTest, R2_R3_names_in_the_order_of_setting) {
  expect(2, "iam x\n", "1 ok\n");
  expect(1, "iam y\n", "1 ok\n");
  expect(3, "iam x\n", "1 ok\n");
  expect(1, "who\n", "A2: x\nA1: y\nA3: x\n");
  expect(2, "iam x\nwho\n", "1 ok\nA1: y\nA3: x\nA2: x\n");
  expect(1, "who x\nwho z\n", "A3: x\nA2: x\n");
}

TEST_F(ServerModelTest, R2_an_emptied_name_leaves_no_trace) { expect(1, "iam x\niam \nwho\nwho x\n", "1 ok\n1 ok\n"); }

TEST_F(ServerModelTest, E4_ping_version_quit) {
  start({.version = "7.8.9"});
  expect(1, "ping\nversion\nquit\nping\n", "1 pong\n1 lockd 7.8.9\n");
  EXPECT_FALSE(is_live(1));
}

TEST_F(ServerModelTest, E4_help_has_a_line_for_each_verb) {
  const std::string lines =
      "g KEY\ngw MILLISECONDS KEY\nr KEY\ni KEY\niw KEY\nt KEY\nsg KEY\nsgl LIMIT KEY\nsgw LIMIT MILLISECONDS KEY\n"
      "sr KEY\nsi KEY\nsiw KEY\nst KEY\nra\ncancel\nd [KEY]\nsd [KEY]\ndump [shared]\nlist [PREFIX]\nq\nstats\nme\n"
      "iam [NAME]\nwho [NAME]\nping\nversion\nhelp\n";
  expect_any(1, "help\n", {lines + "quit\nEND\n", lines + "quit  ends the session\nEND\n"},
             {lines + "END\n", lines + "quit\n", lines + "quits\nEND\n"});
}

TEST_F(ServerModelTest, a_copy_goes_its_own_way) {
  const ReferenceServer before = server_;
  expect(1, "g a\n", "1 Lock Get Success: a\n");
  server_ = before;
  expect(2, "g a\n", "1 Lock Get Success: a\n");
}

}  // namespace
}  // namespace lockd::model
