// Tests of what is said of timeouts that contradict one another.
#include "client/lockctl/patience.h"

#include <gtest/gtest.h>

namespace lockd::lockctl {

namespace {

using std::chrono::milliseconds;

std::string warning(Command command, int peer_timeout_ms, int kill_after_ms) {
  Options options;
  options.command = command;
  options.peer_timeout = milliseconds(peer_timeout_ms);
  options.kill_after = milliseconds(kill_after_ms);
  return overlap_warning(options);
}

}  // namespace

TEST(LockctlPatience, the_defaults_end_the_command_before_the_server_gives_the_lock_away) {
  Options options;
  for (const Command command : {Command::run, Command::get}) {
    options.command = command;
    EXPECT_EQ(overlap_warning(options), "");
  }
}

TEST(LockctlPatience, what_would_end_it_later_is_told) {
  EXPECT_EQ(warning(Command::run, 10000, 5999), "");
  EXPECT_EQ(warning(Command::run, 10000, 6000),
            "lockctl run: warning: if the network vanishes, another may get the lock before COMMAND is killed: "
            "0.9 x --peer-timeout 10 + --kill-after 6 should be less than 15 s, half of a server's usual "
            "--peer-timeout");
  EXPECT_EQ(warning(Command::run, 5000, 10499), "");
  EXPECT_NE(warning(Command::run, 5000, 10500), "");
  EXPECT_NE(warning(Command::run, 16667, 0), "");
  EXPECT_NE(warning(Command::run, 2000, 86400000).find("--kill-after 86400 should"), std::string::npos);
}

TEST(LockctlPatience, who_only_holds_it_has_nothing_to_kill) {
  EXPECT_EQ(warning(Command::get, 10000, 3600000), "");
  EXPECT_EQ(warning(Command::get, 17250, 0),
            "lockctl get: warning: if the network vanishes, another may get the lock before the loss is noticed: "
            "0.9 x --peer-timeout 17.25 should be less than 15 s, half of a server's usual --peer-timeout");
}

TEST(LockctlPatience, a_loss_that_is_noticed_before_the_server_acts_leaves_no_doubt) {
  Options options;
  EXPECT_TRUE(is_sure_of_its_lock(options));
  options.peer_timeout = milliseconds(16666);
  EXPECT_TRUE(is_sure_of_its_lock(options));
  options.peer_timeout = milliseconds(16667);
  EXPECT_FALSE(is_sure_of_its_lock(options));
  options.server = "unix:///run/lockd/lockd.sock";
  EXPECT_TRUE(is_sure_of_its_lock(options));
}

TEST(LockctlPatience, no_network_vanishes_under_a_unix_socket) {
  Options options;
  options.command = Command::run;
  options.kill_after = milliseconds(3600000);
  EXPECT_NE(overlap_warning(options), "");
  options.server = "unix:///run/lockd/lockd.sock";
  EXPECT_EQ(overlap_warning(options), "");
}

}  // namespace lockd::lockctl
