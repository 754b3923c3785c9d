// Tests of what becomes of a command whose lock is lost before it starts.
#include "client/lockctl/supervisor.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>

#include "client/lockctl/exit_status.h"
#include "client/lockctl/process_tree.h"
#include "client/lockctl/warden.h"
#include "client/test_fake_server.h"

namespace lockd::lockctl {

namespace {

/// A program that says so once it runs.
Program saying_so(const Pipe& pipe) {
  const std::string end = "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(pipe.write_end.get());
  Program program;
  program.arguments = {"/bin/sh", "-c", "echo ran >" + end};
  return program;
}

/// What was written into the pipe until nobody had its other end any more.
std::string all_of(Pipe& pipe) {
  pipe.write_end.close();
  std::array<char, 16> buffer{};
  const ssize_t count = ::read(pipe.read_end.get(), buffer.data(), buffer.size());
  return {buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(count, 0))};
}

void wait_for(const Loss& loss) {
  pollfd watched{loss.descriptor(), POLLIN, 0};
  while (::poll(&watched, 1, -1) < 0 && errno == EINTR) {
  }
}

}  // namespace

TEST(LockctlSupervisor, a_lock_that_is_lost_before_the_command_starts_keeps_it_from_starting) {
  const FakeServer server([](Peer& peer) { peer.close(); });
  Client client = server.connect();
  const Loss loss(client, server.uri());
  wait_for(loss);
  const CallerSignals caller;
  SignalQueue signals;
  Pipe said;
  Child child(saying_so(said), caller);
  Ended ended;
  testing::internal::CaptureStderr();
  {
    const Warden warden(child);
    ended = Supervisor(child, signals, loss, std::chrono::seconds(5)).run("sh");
  }
  EXPECT_TRUE(ended.lost);
  EXPECT_EQ(ended.status, exit_status::lost);
  EXPECT_EQ(::waitpid(child.id(), nullptr, 0), child.id());
  EXPECT_EQ(all_of(said), "");
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(text.starts_with("lockctl: the lock was lost: " + server.uri() + ": ")) << text;
  EXPECT_TRUE(text.ends_with("; the command was not started\n")) << text;
}

}  // namespace lockd::lockctl
