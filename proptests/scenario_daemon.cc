#include "proptests/scenario_daemon.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <stdexcept>
#include <string_view>
#include <system_error>

namespace lockd::proptests {
namespace {

constexpr int patience_ms = static_cast<int>(std::chrono::milliseconds(daemon_patience).count());

[[noreturn]] void throw_errno(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> all;
  for (std::string& word : words) all.push_back(word.data());
  all.push_back(nullptr);
  return all;
}

std::vector<char*> environment_without_settings() {
  std::vector<char*> kept;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (!std::string_view(*variable).starts_with("LOCKD_")) kept.push_back(*variable);
  }
  kept.push_back(nullptr);
  return kept;
}

// Between fork and exec: nothing here may allocate.
[[noreturn]] void become(char* const* arguments, char* const* environment, int output, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);  // the test ended before the line above
  dup2(output, STDOUT_FILENO);
  execve(arguments[0], arguments, environment);
  _exit(127);
}

}  // namespace

Daemon::Daemon(const std::string& binary, const std::string& uri, const std::vector<std::string>& flags) {
  std::vector<std::string> words{binary, "--listen", uri};
  words.insert(words.end(), flags.begin(), flags.end());
  const auto arguments = pointers(words);
  const auto environment = environment_without_settings();
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw_errno("pipe2");
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ == 0) become(arguments.data(), environment.data(), ends[1], parent);
  ::close(ends[1]);
  output_ = ends[0];
  if (pid_ < 0) throw_errno("fork");
  constexpr std::string_view ready = "listening on ";
  const std::string line = read_line();
  if (!line.starts_with(ready)) {
    stop();
    throw std::runtime_error(binary + " did not start, it says: " + line);
  }
  uri_ = line.substr(ready.size());
}

Daemon::~Daemon() {
  if (pid_ > 0) stop();
  if (output_ >= 0) ::close(output_);
}

// The LF left out; less at the end of the output, or of patience.
std::string Daemon::read_line() const {
  std::string line;
  pollfd readable{.fd = output_, .events = POLLIN, .revents = 0};
  for (char byte = 0; poll(&readable, 1, patience_ms) == 1 && read(output_, &byte, 1) == 1 && byte != '\n';) {
    line += byte;
  }
  return line;
}

int Daemon::stop() {
  if (exit_status_) return *exit_status_;
  // By number, for the header of Debian 12's C library does not declare its function for C++.
  const int handle = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  kill(pid_, SIGTERM);
  pollfd ended{.fd = handle, .events = POLLIN, .revents = 0};
  if (poll(&ended, 1, patience_ms) != 1) kill(pid_, SIGKILL);
  ::close(handle);
  int status = 0;
  waitpid(pid_, &status, 0);
  exit_status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return *exit_status_;
}

}  // namespace lockd::proptests
