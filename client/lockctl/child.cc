#include "client/lockctl/child.h"

#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <system_error>

#include "client/lockctl/pidfd.h"

namespace lockd::lockctl {

namespace {

std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

/// This process's environment, with what is added in place of what has the same name.
std::vector<std::string> environment_with(const std::vector<std::pair<std::string, std::string>>& added) {
  std::vector<std::string> entries;
  for (char** entry = ::environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    bool replaced = false;
    for (const auto& [name, value] : added) replaced = replaced || text.starts_with(name + "=");
    if (!replaced) entries.emplace_back(text);
  }
  for (const auto& [name, value] : added) entries.push_back(name + "=" + value);
  return entries;
}

/// The child's life until exec: from here on only what is async-signal-safe, as the parent has threads.
[[noreturn]] void become(char** arguments, char** environment, const CallerSignals& caller, pid_t parent, int go,
                         int failure) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(0);  // it ended before the line above
  char byte = 0;
  ssize_t got = 0;
  do {
    got = ::read(go, &byte, 1);
  } while (got < 0 && errno == EINTR);
  if (got != 1) ::_exit(0);  // it has ended, or thought better of it
  caller.restore();
  ::execvpe(arguments[0], arguments, environment);
  const int error = errno;
  [[maybe_unused]] const ssize_t written = ::write(failure, &error, sizeof error);
  ::_exit(0);
}

}  // namespace

Child::Child(const Program& program, const CallerSignals& caller) {
  std::vector<std::string> words = program.arguments;
  std::vector<std::string> entries = environment_with(program.environment);
  const std::vector<char*> arguments = pointers_to(words);
  const std::vector<char*> environment = pointers_to(entries);
  const pid_t parent = ::getpid();
  id_ = ::fork();
  if (id_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (id_ == 0) {
    ::close(go_.write_end.get());  // so that it sees the end of the pipe when the parent ends
    become(const_cast<char**>(arguments.data()), const_cast<char**>(environment.data()), caller, parent,
           go_.read_end.get(), failure_.write_end.get());
  }
  go_.read_end.close();
  failure_.write_end.close();
  pidfd_ = Descriptor(::pidfd_open(id_, 0));
  if (pidfd_.get() < 0) throw std::system_error(errno, std::generic_category(), "pidfd_open");
}

int Child::execute() {
  const char byte = 0;
  [[maybe_unused]] const ssize_t written = ::write(go_.write_end.get(), &byte, 1);
  go_.write_end.close();
  int error = 0;
  ssize_t got = 0;
  do {
    got = ::read(failure_.read_end.get(), &error, sizeof error);
  } while (got < 0 && errno == EINTR);
  return got == sizeof error ? error : 0;
}

}  // namespace lockd::lockctl
