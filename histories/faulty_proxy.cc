#include "histories/faulty_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <list>
#include <system_error>
#include <utility>

namespace lockd::histories {
namespace {

constexpr unsigned one_in = 25;  // of the occasions for a fault
constexpr std::string_view uri_prefix = "tcp://127.0.0.1:";

[[noreturn]] void throw_errno(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

sockaddr_in address_of(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int new_socket() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) throw_errno("socket");
  return fd;
}

int listener(std::uint16_t& port) {
  const int fd = new_socket();
  sockaddr_in address = address_of(0);
  socklen_t size = sizeof address;
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(fd, 1024) != 0) throw_errno("listen");
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) throw_errno("getsockname");
  port = ntohs(address.sin_port);
  return fd;
}

void reset(int fd) {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

// Puts faults into replies. One for all connections.
class Forger {
 public:
  explicit Forger(ProxyFault fault) : fault_(fault) {}

  ProxyFault fault() const { return fault_; }
  std::size_t kept_sessions = 0;

  // Whole lines.
  std::string forge(std::string_view replies) {
    std::string out;
    std::string held_back;
    for (std::size_t begin = 0; begin < replies.size();) {
      const std::size_t end = replies.find('\n', begin) + 1;
      std::string line = forge_line(std::string(replies.substr(begin, end - begin)));
      begin = end;
      const bool swaps = fault_ == ProxyFault::reordered_replies && begin < replies.size() && held_back.empty();
      if (swaps && is_time()) {
        held_back = std::move(line);
      } else {
        out += line;
        out += std::exchange(held_back, {});
      }
    }
    return out;
  }

 private:
  bool is_time() { return ++occasions_ % one_in == 0; }

  // With the first text replaced by the second, once in a while.
  std::string replace(std::string line, std::string_view from, std::string_view to) {
    if (line.starts_with(from) && is_time()) line.replace(0, from.size(), to);
    return line;
  }

  std::string forge_line(std::string line) {
    switch (fault_) {
      case ProxyFault::double_grant:
        return replace(std::move(line), "0 Lock Get Failure", "1 Lock Get Success");
      case ProxyFault::stale_read:
        return replace(std::move(line), "0 Lock Not Locked", "1 Lock Is Locked");
      case ProxyFault::wrong_count:
        return replace(std::move(line), "2 Shared Lock Is Locked", "3 Shared Lock Is Locked");
      case ProxyFault::repeated_token:
        return repeat_token(std::move(line));
      case ProxyFault::lost_release:
        return hide_sessions(std::move(line));
      default:
        return line;
    }
  }

  std::string repeat_token(std::string line) {
    const auto number_end = line.find_first_not_of("0123456789");
    if (!std::string_view(line).substr(number_end).starts_with(" Lock Token: ")) return line;
    const std::string token = line.substr(0, number_end);
    if (is_time() && !token_.empty()) line.replace(0, number_end, token_);
    token_ = token;
    return line;
  }

  std::string hide_sessions(std::string line) const {
    constexpr std::string_view name = "connections: ";
    if (!line.starts_with(name)) return line;
    return std::string(name) + std::to_string(std::stoul(line.substr(name.size())) - kept_sessions) + "\n";
  }

  ProxyFault fault_;
  unsigned occasions_ = 0;
  std::string token_;
};

// A client's connection and the server's.
class Pair {
 public:
  Pair(int client, int server) : ends_{{{.fd = client}, {.fd = server}}} {}

  bool is_over() const { return ends_[0].fd < 0 && ends_[1].fd < 0; }

  void add_to(std::vector<pollfd>& polled) const {
    for (std::size_t side = 0; side < 2; ++side) {
      const auto events =
          static_cast<short>((ends_[side].is_done ? 0 : POLLIN) | (ends_[side].unsent.empty() ? 0 : POLLOUT));
      polled.push_back({.fd = events == 0 ? -1 : ends_[side].fd, .events = events, .revents = 0});
    }
  }

  void serve(const pollfd* events, Forger& forger) {
    for (std::size_t side = 0; side < 2; ++side) {
      if (ends_[side].fd >= 0 && (events[side].revents & (POLLIN | POLLERR | POLLHUP)) != 0) read(side, forger);
    }
    for (End& end : ends_) send(end);
    if (ends_[0].is_done && ends_[1].is_done && ends_[0].unsent.empty()) close_both();
  }

 private:
  struct End {
    int fd = -1;
    bool is_done = false;  // nothing more comes from it
    bool is_to_shut = false;
    std::string unsent = {};   // to it
    std::string partial = {};  // line from it
  };

  void read(std::size_t side, Forger& forger) {
    End& from = ends_[side];
    End& to = ends_[1 - side];
    static std::array<char, 65536> buffer;
    const ssize_t bytes = ::recv(from.fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (bytes < 0 && errno == EAGAIN) return;
    if (bytes < 0) return lose(side, forger);
    if (bytes == 0) {
      from.is_done = true;
      to.is_to_shut = true;
      return;
    }
    from.partial.append(buffer.data(), static_cast<std::size_t>(bytes));
    const std::size_t whole = side == 0 ? from.partial.size() : from.partial.rfind('\n') + 1;
    const std::string_view taken = std::string_view(from.partial).substr(0, whole);
    to.unsent += side == 0 ? std::string(taken) : forger.forge(taken);
    from.partial.erase(0, whole);
  }

  void lose(std::size_t side, Forger& forger) {
    if (side == 0 && forger.fault() == ProxyFault::lost_release) {
      ++forger.kept_sessions;
      ::close(std::exchange(ends_[0].fd, -1));
      ends_[1].fd = -1;  // stays open
      return;
    }
    reset(ends_[1 - side].fd);
    close_both();
  }

  static void send(End& end) {
    if (end.fd < 0) return;
    if (!end.unsent.empty()) {
      const ssize_t sent = ::send(end.fd, end.unsent.data(), end.unsent.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent > 0) end.unsent.erase(0, static_cast<std::size_t>(sent));
    }
    if (end.unsent.empty() && std::exchange(end.is_to_shut, false)) ::shutdown(end.fd, SHUT_WR);
  }

  void close_both() {
    for (End& end : ends_) {
      if (end.fd >= 0) ::close(std::exchange(end.fd, -1));
    }
  }

  std::array<End, 2> ends_;
};

[[noreturn]] void serve(int listening, std::uint16_t server_port, ProxyFault fault) {
  Forger forger(fault);
  std::list<Pair> pairs;
  std::vector<pollfd> polled;
  while (true) {
    std::erase_if(pairs, [](const Pair& pair) { return pair.is_over(); });
    polled.assign(1, {.fd = listening, .events = POLLIN, .revents = 0});
    for (const Pair& pair : pairs) pair.add_to(polled);
    poll(polled.data(), polled.size(), -1);
    std::size_t place = 1;
    for (Pair& pair : pairs) {
      pair.serve(&polled[place], forger);
      place += 2;
    }
    if (polled[0].revents == 0) continue;
    const int client = ::accept4(listening, nullptr, nullptr, SOCK_CLOEXEC);
    const int server = new_socket();
    const sockaddr_in address = address_of(server_port);
    if (::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) _exit(1);
    pairs.emplace_back(client, server);
  }
}

struct Name {
  const char* name;
  ProxyFault fault;
};
constexpr std::array names{
    Name{"none", ProxyFault::none},
    Name{"honest", ProxyFault::honest},
    Name{"double_grant", ProxyFault::double_grant},
    Name{"lost_release", ProxyFault::lost_release},
    Name{"reordered_replies", ProxyFault::reordered_replies},
    Name{"stale_read", ProxyFault::stale_read},
    Name{"repeated_token", ProxyFault::repeated_token},
    Name{"wrong_count", ProxyFault::wrong_count},
};

}  // namespace

std::optional<ProxyFault> proxy_fault(std::string_view name) {
  for (const Name& one : names) {
    if (one.name == name) return one.fault;
  }
  return std::nullopt;
}

const std::vector<std::string>& proxy_fault_names() {
  static const std::vector<std::string> all = [] {
    std::vector<std::string> texts;
    for (const Name& one : names) texts.emplace_back(one.name);
    return texts;
  }();
  return all;
}

FaultyProxy::FaultyProxy(const std::string& server_uri, ProxyFault fault) {
  const auto server_port = static_cast<std::uint16_t>(std::stoi(server_uri.substr(uri_prefix.size())));
  std::uint16_t port = 0;
  const int listening = listener(port);
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ < 0) throw_errno("fork");
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    serve(listening, server_port, fault);
  }
  ::close(listening);
  uri_ = std::string(uri_prefix) + std::to_string(port);
}

FaultyProxy::~FaultyProxy() {
  ::kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

}  // namespace lockd::histories
