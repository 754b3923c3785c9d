// Starting, watching and stopping the server.
#include "bench/server_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string_view>

#include "bench/socket.h"

namespace lockd::bench {
namespace {

constexpr int patience_ms = 10'000;
constexpr std::string_view ready_text = "listening on tcp://127.0.0.1:";

bool stays_on_core(int core) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(core, &cores);
  return sched_setaffinity(0, sizeof(cores), &cores) == 0;
}

// Between fork and exec: nothing here may allocate.
[[noreturn]] void become(char* const* arguments, int output, std::optional<int> core, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);  // the benchmark ended before the line above
  if (core && !stays_on_core(*core)) _exit(127);
  dup2(output, STDOUT_FILENO);
  execv(arguments[0], arguments);
  _exit(127);
}

// A figure in kB of a file in /proc.
std::size_t kilobytes(pid_t pid, const std::string& file, const std::string& name) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/" + file);
  for (std::string word; in >> word;) {
    std::size_t value = 0;
    if (word == name && in >> value) return value * 1024;
  }
  throw std::runtime_error("no " + name + " in " + file + ": is the server gone?");
}

}  // namespace

ServerProcess::ServerProcess(const std::string& path, const std::vector<std::string>& flags, std::optional<int> core) {
  std::vector<std::string> words{path, "--listen", "tcp://127.0.0.1:0"};
  words.insert(words.end(), flags.begin(), flags.end());
  std::vector<char*> arguments(words.size() + 1, nullptr);
  std::ranges::transform(words, arguments.begin(), [](std::string& word) { return word.data(); });
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw_errno("pipe2");
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ == 0) become(arguments.data(), ends[1], core, parent);
  close(ends[1]);
  output_ = ends[0];
  if (pid_ < 0) throw_errno("fork");
  try {
    read_port();
  } catch (const std::exception& error) {
    stop();
    throw std::runtime_error(path + " did not start: " + error.what());
  }
}

void ServerProcess::read_port() {
  std::string line;
  pollfd readable{.fd = output_, .events = POLLIN, .revents = 0};
  while (!line.ends_with('\n')) {
    char byte = 0;
    if (poll(&readable, 1, patience_ms) <= 0) throw std::runtime_error("no word of it in time");
    if (read(output_, &byte, 1) != 1) throw std::runtime_error("it ended");
    line += byte;
  }
  if (!line.starts_with(ready_text)) throw std::runtime_error("it says: " + line);
  port_ = static_cast<std::uint16_t>(std::stoi(line.substr(ready_text.size())));
}

int ServerProcess::stop() {
  if (exit_status_) return *exit_status_;
  // By number, for the header of Debian 12's C library does not declare its function for C++.
  const int handle = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  kill(pid_, SIGTERM);
  pollfd ended{.fd = handle, .events = POLLIN, .revents = 0};
  if (poll(&ended, 1, patience_ms) != 1) kill(pid_, SIGKILL);
  close(handle);
  close(output_);
  int status = 0;
  waitpid(pid_, &status, 0);
  exit_status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return *exit_status_;
}

std::size_t ServerProcess::resident_bytes() const { return kilobytes(pid_, "smaps_rollup", "Rss:"); }

std::size_t ServerProcess::resident_bytes_max() const { return kilobytes(pid_, "status", "VmHWM:"); }

std::size_t ServerProcess::descriptors() const {
  const std::filesystem::directory_iterator all("/proc/" + std::to_string(pid_) + "/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

void pin_to_core(int core) {
  if (!stays_on_core(core)) throw_errno("sched_setaffinity");
}

std::string beside_this_program(const std::string& relative) {
  const auto folder = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  return (folder / relative).lexically_normal();
}

}  // namespace lockd::bench
