// The form of what is logged, for a terminal and for the journal.
#include "server/log.h"

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <regex>
#include <string>
#include <utility>

#include "engine/check.h"

namespace lockd::server {
namespace {

// What some lines of each level look like.
std::string logged(const std::string& level, bool to_journal) {
  const auto before = spdlog::default_logger();
  testing::internal::CaptureStderr();
  set_up_log(level, to_journal);
  spdlog::debug("at {}", 1);
  spdlog::info("at {}", 2);
  spdlog::warn("at {}", 3);
  spdlog::error("at {}", 4);
  spdlog::set_default_logger(before);
  return testing::internal::GetCapturedStderr();
}

TEST(LogTest, the_journal_gets_priorities_and_no_time) {
  EXPECT_EQ(logged("debug", true), "<7>at 1\n<6>at 2\n<4>at 3\n<3>at 4\n");
  EXPECT_EQ(logged("warning", true), "<4>at 3\n<3>at 4\n");
  EXPECT_EQ(logged("off", true), "");
}

void set_up_and_fail(bool to_journal) {
  set_up_log("off", to_journal);
  LOCKD_CHECK(false, "it must not be");
}

TEST(LogDeathTest, a_check_that_fails_is_critical_to_the_journal) {
  EXPECT_DEATH(set_up_and_fail(true), "^<2>[^\n]*log_test.cc:[0-9]+: check failed: it must not be");
  EXPECT_DEATH(set_up_and_fail(false), "^[^<\n]*log_test.cc:[0-9]+: check failed: it must not be");
}

TEST(LogTest, others_get_time_and_level) {
  const std::string time = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{3}[+-][0-9]{2}:[0-9]{2}";
  const std::regex form(time + " warning: at 3\n" + time + " error: at 4\n");
  EXPECT_TRUE(std::regex_match(logged("warning", false), form)) << logged("warning", false);
}

TEST(LogTest, what_steers_a_terminal_is_escaped) {
  const auto before = spdlog::default_logger();
  testing::internal::CaptureStderr();
  set_up_log("info", true);
  spdlog::warn("LOCKD_{} sets nothing", "\x1B[31m\n<0>");
  spdlog::set_default_logger(before);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "<4>LOCKD_\\x1B[31m\\x0A<0> sets nothing\n");
}

TEST(LogTest, the_journal_is_the_stream_that_is_named) {
  struct stat found{};
  ASSERT_EQ(::fstat(STDERR_FILENO, &found), 0);
  const std::string device = std::to_string(found.st_dev);
  const std::string inode = std::to_string(found.st_ino);
  ::unsetenv("JOURNAL_STREAM");  // NOLINT(concurrency-mt-unsafe): no other thread, here and below
  EXPECT_FALSE(is_journal(STDERR_FILENO));
  for (const auto& [stream, is_it] :
       {std::pair{device + ":" + inode, true}, std::pair{device + ":" + inode + "1", false},
        std::pair{"1" + device + ":" + inode, false}, std::pair{std::string(), false}}) {
    ::setenv("JOURNAL_STREAM", stream.c_str(), 1);
    EXPECT_EQ(is_journal(STDERR_FILENO), is_it) << stream;
    EXPECT_FALSE(is_journal(-1));
  }
  ::unsetenv("JOURNAL_STREAM");
}

/// As sd-daemon(3) numbers them.
TEST(LogTest, each_level_has_a_priority) {
  using spdlog::level::level_enum;
  for (const auto& [level, prefix] :
       {std::pair{level_enum::trace, "<7>"}, std::pair{level_enum::debug, "<7>"}, std::pair{level_enum::info, "<6>"},
        std::pair{level_enum::warn, "<4>"}, std::pair{level_enum::err, "<3>"}, std::pair{level_enum::critical, "<2>"}})
    EXPECT_STREQ(priority_prefix(level), prefix);
}

}  // namespace
}  // namespace lockd::server
