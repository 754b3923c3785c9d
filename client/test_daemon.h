// The real daemon, started for a test.
#ifndef LOCKD_CLIENT_TEST_DAEMON_H_
#define LOCKD_CLIENT_TEST_DAEMON_H_

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <string>
#include <utility>
#include <vector>

#include "client/socket.h"
#include "lockd/client.h"

namespace lockd {

class Daemon {
 public:
  /// Starts it on a free port, with these flags, and waits until it serves.
  explicit Daemon(std::vector<std::string> flags = {}) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    const Descriptor reading(ends[0]);
    start(std::move(flags), Descriptor(ends[1]));
    std::string line;
    for (char byte = 0; ::read(reading.get(), &byte, 1) == 1 && byte != '\n';) line.push_back(byte);
    uri_ = line.substr(line.rfind(' ') + 1);
  }
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;
  ~Daemon() { stop(); }

  const std::string& uri() const { return uri_; }

  Client connect(const Options& options = {}) const { return Client::connect(uri_, options).value(); }

  void send_signal(int number) const { ::kill(pid_, number); }

  void stop() {
    if (pid_ <= 0) return;
    send_signal(SIGCONT);
    send_signal(SIGTERM);
    int status = 0;
    EXPECT_EQ(::waitpid(std::exchange(pid_, -1), &status, 0) > 0 ? status : -1, 0);
  }

 private:
  void start(std::vector<std::string> flags, const Descriptor& output) {
    std::vector<std::string> words = {LOCKD_DAEMON, "--listen", "tcp://127.0.0.1:0", "--log-level", "off"};
    words.insert(words.end(), flags.begin(), flags.end());
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, output.get(), STDOUT_FILENO);
    EXPECT_EQ(::posix_spawn(&pid_, LOCKD_DAEMON, &actions, nullptr, pointers.data(), environ), 0);
    ::posix_spawn_file_actions_destroy(&actions);
  }

  pid_t pid_ = -1;
  std::string uri_;
};

}  // namespace lockd

#endif  // LOCKD_CLIENT_TEST_DAEMON_H_
