#include "proptests/scenario_socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "proptests/scenario_daemon.h"

namespace lockd::proptests {
namespace {

constexpr std::string_view tcp_prefix = "tcp://127.0.0.1:";
constexpr std::string_view websocket_prefix = "ws://127.0.0.1:";
constexpr std::string_view unix_prefix = "unix://";

[[noreturn]] void throw_errno(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

sockaddr_in tcp_address(const std::string& port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<in_port_t>(std::stoi(port)));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

sockaddr_un unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw std::runtime_error("too long for a socket: " + path);
  path.copy(address.sun_path, path.size());
  return address;
}

template <class Address>
int connected(const Address& address) {
  const auto* const any = reinterpret_cast<const sockaddr*>(&address);
  const int fd = ::socket(any->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || ::connect(fd, any, sizeof address) != 0) throw_errno("connect");
  return fd;
}

}  // namespace

ClientSocket::ClientSocket(const std::string& uri) {
  if (uri.starts_with(unix_prefix)) {
    fd_ = connected(unix_address(uri.substr(unix_prefix.size())));
    return;
  }
  const bool is_websocket = uri.starts_with(websocket_prefix);
  if (!is_websocket && !uri.starts_with(tcp_prefix)) throw std::runtime_error("where is " + uri + "?");
  const std::string port = uri.substr((is_websocket ? websocket_prefix : tcp_prefix).size());
  fd_ = connected(tcp_address(port.substr(0, port.find('/'))));
  const int on = 1;
  if (setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) throw_errno("TCP_NODELAY");
  if (is_websocket) shake_hands("127.0.0.1:" + port);
}

void ClientSocket::shake_hands(std::string_view host) {
  constexpr std::string_view end_of_headers = "\r\n\r\n";
  send_all(web_socket_handshake(host));
  while (received_.find(end_of_headers) == std::string::npos && !ended_) {
    wait(POLLIN);
    read_some();
  }
  if (!received_.starts_with(web_socket_accepted)) throw std::runtime_error("no WebSocket, but " + received_);
  received_.clear();
  frames_.emplace();
}

ClientSocket::ClientSocket(ClientSocket&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      ended_(other.ended_),
      received_(std::move(other.received_)),
      frames_(std::move(other.frames_)),
      unframed_(std::move(other.unframed_)),
      has_closed_(other.has_closed_) {}

ClientSocket::~ClientSocket() { close(); }

std::string ClientSocket::local_address() const {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  if (getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) != 0) throw_errno("getsockname");
  return "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
}

void ClientSocket::send(std::string_view bytes) { send_all(frames_ ? framed(bytes) : std::string(bytes)); }

std::string ClientSocket::framed(std::string_view bytes) {
  unframed_ += bytes;
  std::string frames;
  for (std::size_t line_feed = 0; (line_feed = unframed_.find('\n')) != std::string::npos;) {
    frames += client_frame(std::string_view(unframed_).substr(0, line_feed));
    unframed_.erase(0, line_feed + 1);
  }
  return frames;
}

void ClientSocket::send_all(std::string_view bytes) {
  while (!bytes.empty()) {
    const short events = wait(ended_ ? POLLOUT : POLLIN | POLLOUT);
    if ((events & POLLIN) != 0) read_some();
    if ((events & (POLLOUT | POLLERR | POLLHUP)) == 0) continue;
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN) throw_errno("send");
    if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::string ClientSocket::line() {
  std::size_t line_feed = 0;
  while ((line_feed = received_.find('\n')) == std::string::npos && !ended_) {
    wait(POLLIN);
    read_some();
  }
  const std::string first = received_.substr(0, line_feed == std::string::npos ? line_feed : line_feed + 1);
  received_.erase(0, first.size());
  return first;
}

std::string ClientSocket::rest() {
  while (!ended_) {
    wait(POLLIN);
    read_some();
  }
  return std::exchange(received_, {});
}

std::string ClientSocket::at_hand() {
  while (!ended_ && read_some()) continue;
  return std::exchange(received_, {});
}

bool ClientSocket::has_come() {
  while (!ended_ && read_some()) continue;
  return ended_ || !received_.empty();
}

void ClientSocket::await() {
  while (!has_come()) wait(POLLIN);
}

void ClientSocket::finish() const {
  if (::shutdown(fd_, SHUT_WR) != 0) throw_errno("shutdown");
}

void ClientSocket::reset() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  if (setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) != 0) throw_errno("SO_LINGER");
  close();
}

void ClientSocket::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

short ClientSocket::wait(short events) const {
  pollfd descriptor{.fd = fd_, .events = events, .revents = 0};
  const auto patience = std::chrono::milliseconds(daemon_patience).count();
  if (poll(&descriptor, 1, static_cast<int>(patience)) < 1) throw std::runtime_error("the daemon does not answer");
  return descriptor.revents;
}

// Takes what is there. False if there is nothing, or nothing more.
bool ClientSocket::read_some() {
  std::array<char, 65536> buffer;
  const ssize_t bytes = ::recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (bytes < 0 && errno == EAGAIN) return false;
  if (bytes < 0) throw_errno("recv");
  ended_ = bytes == 0;
  const std::string_view read(buffer.data(), static_cast<std::size_t>(bytes));
  if (!frames_) {
    received_ += read;
  } else if (frames_->read(read, received_) && !std::exchange(has_closed_, true)) {
    const std::string answer = client_close_frame();
    ::send(fd_, answer.data(), answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  return bytes > 0;
}

}  // namespace lockd::proptests
