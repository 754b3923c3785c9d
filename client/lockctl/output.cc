#include "client/lockctl/output.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <system_error>

#include "client/lockctl/text.h"

namespace lockd::lockctl {

namespace {

/// The errno of the first write that failed, 0 while none has.
int first_error = 0;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables): as stdout itself is

void note_error() {
  if (first_error == 0) first_error = errno;
}

}  // namespace

void occupy_closed_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(stream, F_GETFD) >= 0) continue;
    const int mode = stream == STDIN_FILENO ? O_WRONLY : O_RDONLY;
    ::open("/dev/null", mode | O_CLOEXEC);  // takes the lowest number that is free, which is this one
  }
}

void print(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) note_error();
}

Failure flush() {
  if (std::fflush(stdout) != 0) note_error();
  if (first_error == 0) return {};
  if (first_error == EPIPE) return {exit_status::signal_base + SIGPIPE, ""};  // as where the signal is not ignored
  return {exit_status::output_error, "lockctl: can't write to stdout: " + std::generic_category().message(first_error)};
}

void complain(const std::string& text) {
  if (!text.empty()) std::fprintf(stderr, "%s\n", text.c_str());
}

int report(const Failure& failure) {
  complain(failure.text);
  return failure.status;
}

int finish(int status) {
  const Failure failure = flush();
  return failure.status == exit_status::success ? status : report(failure);
}

std::string for_stdout(std::string_view bytes) {
  return ::isatty(STDOUT_FILENO) != 0 ? printable(bytes) : std::string(bytes);
}

}  // namespace lockd::lockctl
