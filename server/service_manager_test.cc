// What a service manager has to pass, and what is refused: in processes of their own, whose descriptors from 3 on may
// be replaced.
#include "server/service_manager.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

namespace lockd::server {
namespace {

// A socket of the kind, listening where it can: its descriptor.
int listening(int domain, int type) {
  const int fd = ::socket(domain, type, 0);
  ::listen(fd, 1);
  return fd;
}

// Ends the process: prints what passed_sockets() gives where just these are passed, or throws.
[[noreturn]] void tell(const std::vector<int>& fds, const std::string& count, const char* names = nullptr) {
  constexpr int first = 3;  // as sd_listen_fds(3) says
  std::vector<int> out_of_the_way;
  for (const int fd : fds) out_of_the_way.push_back(::fcntl(fd, F_DUPFD, 100));
  for (std::size_t i = 0; i < fds.size(); ++i) ::dup2(out_of_the_way[i], first + static_cast<int>(i));
  ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
  ::setenv("LISTEN_FDS", count.c_str(), 1);
  if (names != nullptr) ::setenv("LISTEN_FDNAMES", names, 1);
  std::string text;
  try {
    for (const PassedSocket& each : passed_sockets()) {
      const bool is_inherited = (::fcntl(each.fd, F_GETFD) & FD_CLOEXEC) == 0;
      text += std::to_string(each.fd) + " " + each.name + (is_inherited ? ", inherited; " : "; ");
    }
    text += std::to_string(passed_sockets().size()) + " left";
  } catch (const std::exception& error) {
    text = error.what();
  }
  ::dprintf(STDERR_FILENO, "%s\n", text.c_str());
  std::exit(0);
}

class PassedSocketsDeathTest : public testing::Test {
 protected:
  static void expect(const std::vector<int>& fds, const std::string& text, const char* names = nullptr) {
    EXPECT_EXIT(tell(fds, std::to_string(fds.size()), names), testing::ExitedWithCode(0), "^" + text + "\n$");
    for (const int fd : fds) ::close(fd);
  }
};

TEST_F(PassedSocketsDeathTest, are_taken_once_with_their_names_and_go_to_no_program) {
  expect({listening(AF_INET, SOCK_STREAM), listening(AF_INET6, SOCK_STREAM)}, "3 web; 4 six; 0 left", "web:six");
}

TEST_F(PassedSocketsDeathTest, need_no_names) { expect({listening(AF_INET, SOCK_STREAM)}, "3 unknown; 0 left"); }

TEST_F(PassedSocketsDeathTest, that_do_not_listen_for_streams_are_refused) {
  const std::string refusal = "LISTEN_FDS: descriptor 3 .unknown.: no listening TCP or Unix stream socket .*";
  expect({::open("/dev/null", O_RDONLY)}, refusal);
  expect({::socket(AF_INET, SOCK_STREAM, 0)}, refusal);
  expect({listening(AF_INET, SOCK_DGRAM)}, refusal);
  expect({listening(AF_UNIX, SOCK_SEQPACKET)}, refusal);
}

TEST_F(PassedSocketsDeathTest, whose_port_could_be_shared_are_refused) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  const int yes = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes);
  ::listen(fd, 1);
  expect({fd}, "LISTEN_FDS: descriptor 3 .unknown.: with SO_REUSEPORT .*");
}

TEST_F(PassedSocketsDeathTest, of_a_number_that_is_none_are_refused) {
  EXPECT_EXIT(tell({}, "many"), testing::ExitedWithCode(0), "LISTEN_FDS: Invalid argument");
}

}  // namespace
}  // namespace lockd::server
