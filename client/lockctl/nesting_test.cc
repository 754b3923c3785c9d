// Tests of what is said to a lockctl in the command of another one.
#include "client/lockctl/nesting.h"

#include <gtest/gtest.h>

namespace lockd::lockctl {

namespace {

Options request(const std::string& key) {
  Options options;
  options.command = Command::run;
  options.key = key;
  return options;
}

}  // namespace

TEST(LockctlNesting, a_wait_for_its_own_caller_is_told) {
  Options options = request("a b");
  EXPECT_EQ(nesting_warning(options, "a b", "exclusive"),
            "lockctl run: warning: LOCKD_KEY says that this command runs under the lock a b already: at the same "
            "server it waits for itself, for ever; -n and -w don't");
  options.command = Command::get;
  EXPECT_TRUE(nesting_warning(options, "a b", "exclusive").starts_with("lockctl get: warning: "));
}

TEST(LockctlNesting, what_can_be_had_or_ends_is_not) {
  EXPECT_EQ(nesting_warning(request("k"), nullptr, nullptr), "");
  EXPECT_EQ(nesting_warning(request("k"), "k", nullptr), "");
  EXPECT_EQ(nesting_warning(request("k"), "kk", "exclusive"), "");
  EXPECT_EQ(nesting_warning(request("k"), "k", "shared"), "");
  Options options = request("k");
  options.lock.mode = Mode::shared;
  EXPECT_EQ(nesting_warning(options, "k", "exclusive"), "");
  options = request("k");
  options.lock.wait = std::chrono::milliseconds(0);
  EXPECT_EQ(nesting_warning(options, "k", "exclusive"), "");
}

}  // namespace lockd::lockctl
