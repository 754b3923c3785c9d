// Sockets over the system's calls.
#include "bench/socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace lockd::bench {

void throw_errno(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) throw_errno("getrlimit");
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) throw_errno("setrlimit");
}

Socket::Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

Socket& Socket::operator=(Socket&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

Socket Socket::connect_to(std::uint16_t port) {
  Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket.fd() < 0) throw_errno("socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(socket.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) throw_errno("connect");
  const int on = 1;
  if (setsockopt(socket.fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0) throw_errno("TCP_NODELAY");
  return socket;
}

void Socket::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

void Socket::reset() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  if (setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)) != 0) throw_errno("SO_LINGER");
  close();
}

void Socket::abandon() noexcept {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  if (fd_ >= 0) setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  close();
}

void Socket::ask(std::string_view request, std::string_view reply) const {
  if (::send(fd_, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size()))
    throw_errno("send");
  std::string got(reply.size(), '\0');
  const ssize_t received = recv(fd_, got.data(), got.size(), MSG_WAITALL);
  if (received < 0) throw_errno("recv");
  if (got != reply) throw std::runtime_error("a server that was asked " + std::string(request) + "said " + got);
}

Channel::Channel(Socket socket) : socket_(std::move(socket)) {
  if (fcntl(socket_.fd(), F_SETFL, O_NONBLOCK) != 0) throw_errno("O_NONBLOCK");
}

void Channel::send(std::string_view bytes) {
  if (unsent_.empty()) {
    const ssize_t sent = ::send(socket_.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) throw_errno("send");
    if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
    if (bytes.empty()) return;
  }
  unsent_.append(bytes);
  flush();
}

void Channel::flush() {
  while (!unsent_.empty()) {
    const ssize_t sent = ::send(socket_.fd(), unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN) return;
    if (sent < 0) throw_errno("send");
    unsent_.erase(0, static_cast<std::size_t>(sent));
  }
}

std::string_view Channel::receive(std::span<char> buffer) {
  const ssize_t received = recv(socket_.fd(), buffer.data(), buffer.size(), 0);
  if (received < 0 && errno == EAGAIN) return {};
  if (received < 0) throw_errno("recv");
  if (received == 0) throw std::runtime_error("the server closed a connection");
  return {buffer.data(), static_cast<std::size_t>(received)};
}

LineClient::LineClient(std::uint16_t port) : socket_(Socket::connect_to(port)) {
  const timeval patience{.tv_sec = 60, .tv_usec = 0};
  if (setsockopt(socket_.fd(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) != 0) throw_errno("SO_RCVTIMEO");
  send("ping\n");
  if (const std::string reply = read_line(); reply != "1 pong") throw std::runtime_error("ping was answered: " + reply);
}

void LineClient::send(std::string_view request) {
  const ssize_t sent = ::send(socket_.fd(), request.data(), request.size(), MSG_NOSIGNAL);
  if (sent < 0) throw_errno("send");
  if (static_cast<std::size_t>(sent) != request.size()) throw std::runtime_error("a request was sent in part");
}

bool LineClient::readable_by(std::chrono::steady_clock::time_point deadline) const {
  if (!unread_.empty()) return true;
  const auto left = std::max<std::chrono::nanoseconds>(deadline - std::chrono::steady_clock::now(), {});
  const auto seconds = std::chrono::floor<std::chrono::seconds>(left);
  const timespec timeout{.tv_sec = seconds.count(), .tv_nsec = (left - seconds).count()};
  pollfd readable{.fd = socket_.fd(), .events = POLLIN, .revents = 0};
  return ppoll(&readable, 1, &timeout, nullptr) > 0;
}

std::string LineClient::read_line() {
  std::string line;
  for (;;) {
    const std::size_t end = unread_.find('\n');
    line.append(unread_.substr(0, end));
    if (end != std::string_view::npos) {
      unread_.remove_prefix(end + 1);
      return line;
    }
    const ssize_t received = recv(socket_.fd(), buffer_.data(), buffer_.size(), 0);
    if (received < 0) throw_errno("recv");
    if (received == 0) throw std::runtime_error("the server closed a connection");
    unread_ = {buffer_.data(), static_cast<std::size_t>(received)};
  }
}

}  // namespace lockd::bench
