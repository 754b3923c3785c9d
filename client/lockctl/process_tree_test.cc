// Tests of who descends from whom.
#include "client/lockctl/process_tree.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "client/lockctl/pidfd.h"
#include "client/lockctl/pipe.h"

namespace {

bool has_pidfds = true;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables): what the system can do

}  // namespace

/// In place of the C library's: as in a system or a sandbox that refuses it, where a test says so.
extern "C" int pidfd_open(pid_t id, unsigned flags) noexcept {
  if (has_pidfds) return static_cast<int>(::syscall(SYS_pidfd_open, id, flags));
  errno = ENOSYS;
  return -1;
}

namespace lockd::lockctl {

namespace {

class WithoutPidfds : public testing::Test {
 public:
  WithoutPidfds() { has_pidfds = false; }
  ~WithoutPidfds() override { has_pidfds = true; }
};

[[noreturn]] void sleep_until_killed() {
  for (;;) ::pause();
}

/// The signal that has ended a child: this one, unless it had come to its end before.
int ended_by(pid_t child, int otherwise) {
  ::kill(child, otherwise);
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WTERMSIG(status);
}

std::vector<pid_t> ids(const std::vector<ProcessStat>& found) {
  std::vector<pid_t> ids;
  for (const ProcessStat& each : found) ids.push_back(each.id);
  return ids;
}

}  // namespace

TEST(LockctlProcessTree, a_line_of_proc) {
  const auto stat = parse_stat("42 (a) b) (c) S 7 8 9 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 12345 678");
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->id, 42);
  EXPECT_EQ(stat->state, 'S');
  EXPECT_EQ(stat->parent, 7);
  EXPECT_EQ(stat->group, 8);
  EXPECT_EQ(stat->session, 9);
  EXPECT_EQ(stat->start, 12345U);
}

TEST(LockctlProcessTree, no_line_of_proc) {
  for (const char* line : {"", "42", "42 (a", "42 (a) S", "42 (a) S x 8 9", "(a) S 1 2 3", "42 (a) S 7 8 9 0 -1"}) {
    EXPECT_FALSE(parse_stat(line)) << line;
  }
}

TEST(LockctlProcessTree, descendants) {
  const std::vector<ProcessStat> all = {
      {14, 'S', 12, 10, 10},                                                                       // in no order
      {10, 'S', 1, 10, 10},  {11, 'S', 10, 10, 10}, {12, 'S', 11, 10, 10}, {13, 'Z', 11, 10, 10},  // has ended
      {15, 'S', 11, 15, 15},                                                                       // a daemon
      {16, 'S', 15, 16, 10}, {17, 'S', 1, 10, 10},                                                 // not below
      {18, 'S', 10, 18, 18},  // in the session that is asked for, too
  };
  EXPECT_EQ(ids(descendants(all, 10, 18)), (std::vector<pid_t>{14, 11, 12, 16, 18}));
  EXPECT_EQ(ids(descendants(all, 12, -1)), (std::vector<pid_t>{14}));
  EXPECT_EQ(ids(descendants(all, 14, -1)), std::vector<pid_t>());
}

TEST(LockctlProcessTree, who_descends_from_whom) {
  const std::vector<ProcessStat> all = {
      {14, 'S', 12, 10, 10}, {10, 'S', 1, 10, 10}, {12, 'S', 10, 10, 10}, {20, 'S', 21, 1, 1}, {21, 'S', 20, 1, 1}};
  EXPECT_TRUE(descends(all, 10, 10));
  EXPECT_TRUE(descends(all, 14, 10));
  EXPECT_FALSE(descends(all, 10, 14));
  EXPECT_FALSE(descends(all, 99, 10));
  EXPECT_FALSE(descends(all, 20, 10)) << "a circle, as two moments can make one";
}

TEST(LockctlProcessTree, who_is_a_job_of_a_shell) {
  const ProcessStat shell = {10, 'S', 1, 10, 10};
  const ProcessStat script = {12, 'S', 10, 12, 10};
  const ProcessStat self = {14, 'S', 12, 12, 10};
  const ProcessStat reaper = {1, 'S', 0, 1, 1};
  EXPECT_TRUE(is_a_job({self, script, shell, reaper}, 14));
  EXPECT_TRUE(is_a_job({self, script, shell, reaper}, 12));
  EXPECT_FALSE(is_a_job({self, script, shell, reaper}, 10)) << "a leader of its session";
  EXPECT_FALSE(is_a_job({self, {12, 'S', 1, 12, 10}, reaper}, 14)) << "its shell has gone";
  EXPECT_FALSE(is_a_job({self, script}, 14));
  EXPECT_FALSE(is_a_job({}, 14));
  EXPECT_FALSE(is_a_job({{20, 'S', 21, 1, 1}, {21, 'S', 20, 1, 1}}, 20)) << "a circle, as two moments can make one";
}

TEST(LockctlProcessTree, a_number_that_is_anothers_since_is_not_signalled) {
  const std::vector<ProcessStat> all = processes();
  ProcessStat self = *std::ranges::find(all, ::getpid(), &ProcessStat::id);
  EXPECT_TRUE(signal_process(self, 0));
  ++self.start;
  EXPECT_FALSE(signal_process(self, SIGKILL));
  self.id = 0;
  EXPECT_FALSE(signal_process(self, SIGKILL));
}

TEST_F(WithoutPidfds, a_child_is_signalled_by_its_number) {
  const pid_t child = ::fork();
  if (child == 0) sleep_until_killed();
  EXPECT_TRUE(signal_descendants(-1, SIGTERM));
  EXPECT_EQ(ended_by(child, SIGKILL), SIGTERM);
}

TEST_F(WithoutPidfds, whose_number_may_be_anothers_is_not_signalled_and_nobody_says_so) {
  const Pipe pipe;
  const pid_t child = ::fork();
  if (child == 0) {
    const pid_t grandchild = ::fork();
    if (grandchild == 0) sleep_until_killed();
    ::setsid();  // so that the other alone is one of those who are looked for
    [[maybe_unused]] const ssize_t written = ::write(pipe.write_end.get(), &grandchild, sizeof grandchild);
    sleep_until_killed();
  }
  pid_t grandchild = 0;
  ASSERT_EQ(::read(pipe.read_end.get(), &grandchild, sizeof grandchild), ssize_t{sizeof grandchild});
  EXPECT_TRUE(has_descendants(-1));
  EXPECT_FALSE(signal_descendants(-1, SIGTERM));
  EXPECT_EQ(::kill(grandchild, SIGKILL), 0);
  EXPECT_EQ(ended_by(child, SIGKILL), SIGKILL);
}

TEST(LockctlProcessTree, this_process_is_there) {
  const std::vector<ProcessStat> all = processes();
  const auto self = std::ranges::find(all, ::getpid(), &ProcessStat::id);
  ASSERT_NE(self, all.end());
  EXPECT_EQ(self->parent, ::getppid());
  EXPECT_EQ(self->group, ::getpgrp());
  EXPECT_EQ(self->session, ::getsid(0));
}

}  // namespace lockd::lockctl
