// The floor that bench/load measures lockd against: the least that a server for these requests can cost. A bare epoll
// loop that answers each line of a read with the bytes that lockd would send for a success, in one write, and keeps no
// lock, no session, no statistics. It knows `g`, `r` and `ping`; a client must read what it asked for, or is closed.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <string>
#include <vector>

#include "bench/floor_replies.h"
#include "bench/program.h"
#include "bench/socket.h"

namespace lockd::bench {
namespace {

// A line that a read cut in two waits here for its rest; most reads end with a line.
using CutLines = std::vector<std::string>;

// Reads once and writes once. False at the end of the connection.
bool serve(int connection, std::string& cut) {
  static std::array<char, 65536> buffer;
  static std::string replies;
  const ssize_t received = recv(connection, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (received <= 0) return false;
  answer_lines({buffer.data(), static_cast<std::size_t>(received)}, cut, replies);
  const ssize_t sent = send(connection, replies.data(), replies.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  return sent == static_cast<ssize_t>(replies.size());
}

Socket listener() {
  Socket socket(::socket(AF_INET, SOCK_STREAM, 0));
  if (socket.fd() < 0) throw_errno("socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  if (bind(socket.fd(), any, size) != 0 || listen(socket.fd(), SOMAXCONN) != 0) throw_errno("bind and listen");
  if (getsockname(socket.fd(), any, &size) != 0) throw_errno("getsockname");
  std::printf("listening on tcp://127.0.0.1:%d\n", ntohs(address.sin_port));
  std::fflush(stdout);
  return socket;
}

void watch(int epoll, int fd) {
  epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) throw_errno("epoll_ctl");
}

void accept_one(int listening, int epoll, CutLines& cut_lines) {
  const int connection = accept4(listening, nullptr, nullptr, SOCK_CLOEXEC);
  if (connection < 0 && errno == ECONNABORTED) return;  // the client has left already
  if (connection < 0) throw_errno("accept4");
  const int on = 1;
  setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  const auto place = static_cast<std::size_t>(connection);
  if (cut_lines.size() <= place) cut_lines.resize(place + 1);
  cut_lines[place].clear();
  watch(epoll, connection);
}

// Until a signal ends the process.
[[noreturn]] int serve_all() {
  const Socket listening = listener();
  const Socket epoll(epoll_create1(EPOLL_CLOEXEC));
  watch(epoll.fd(), listening.fd());
  CutLines cut_lines;
  std::array<epoll_event, 256> events{};
  for (;;) {
    const int count = epoll_wait(epoll.fd(), events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (fd == listening.fd()) {
        accept_one(fd, epoll.fd(), cut_lines);
      } else if (!serve(fd, cut_lines[static_cast<std::size_t>(fd)])) {
        close(fd);
      }
    }
  }
}

}  // namespace
}  // namespace lockd::bench

int main() { return lockd::bench::run_program("floor", lockd::bench::serve_all); }
