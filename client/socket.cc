#include "client/socket.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <future>
#include <memory>
#include <system_error>
#include <vector>

#include "client/thread.h"

namespace lockd {

using std::chrono::ceil;
using std::chrono::milliseconds;

namespace {

/// An address of a host as the kernel takes it.
struct Endpoint {
  sockaddr_storage storage{};
  socklen_t size = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

struct Resolved {
  int error = 0;  // of getaddrinfo
  std::vector<Endpoint> endpoints;
};

Error unreachable(const std::string& uri, const std::string& why) { return {Cause::unreachable, uri + ": " + why}; }

milliseconds left_until(Clock::time_point deadline) {
  return std::max(milliseconds(0), ceil<milliseconds>(deadline - Clock::now()));
}

Resolved look_up(const std::string& host, const std::string& port, int flags) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  Resolved resolved{.error = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found), .endpoints = {}};
  if (resolved.error != 0) return resolved;
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, ::freeaddrinfo);
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    Endpoint& endpoint = resolved.endpoints.emplace_back();
    endpoint.size = each->ai_addrlen;
    std::memcpy(&endpoint.storage, each->ai_addr, each->ai_addrlen);
  }
  return resolved;
}

/// Asking a name server can take as long as it likes, and can't be stopped: then its thread is left to itself.
std::optional<Resolved> look_up_name(const Address& address, Clock::time_point deadline) {
  const auto promise = std::make_shared<std::promise<Resolved>>();
  std::future<Resolved> resolved = promise->get_future();
  auto thread = start_thread([address, promise] { promise->set_value(look_up(address.host, address.port, 0)); });
  if (!thread) return Resolved{.error = EAI_MEMORY, .endpoints = {}};
  thread->detach();
  if (resolved.wait_until(deadline) != std::future_status::ready) return std::nullopt;
  return resolved.get();
}

Result<std::vector<Endpoint>> resolve_tcp(const Address& address, Clock::time_point deadline, const std::string& uri) {
  const Resolved numeric = look_up(address.host, address.port, AI_NUMERICHOST);
  if (numeric.error == 0) return numeric.endpoints;
  const auto named = look_up_name(address, deadline);
  if (!named) return unreachable(uri, "the name server did not answer in time");
  if (named->error != 0) return unreachable(uri, ::gai_strerror(named->error));
  return named->endpoints;
}

Result<std::vector<Endpoint>> resolve_unix(const Address& address, const std::string& uri) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (address.path.size() >= sizeof name.sun_path)
    return Error{Cause::bad_argument, uri + ": the path is too long for a socket"};
  std::memcpy(name.sun_path, address.path.data(), address.path.size());
  Endpoint endpoint;
  endpoint.size = sizeof name;
  std::memcpy(&endpoint.storage, &name, sizeof name);
  return std::vector{endpoint};
}

int wait_for_connection(int socket, Clock::time_point deadline) {
  pollfd ready{.fd = socket, .events = POLLOUT, .revents = 0};
  while (true) {
    const int count = ::poll(&ready, 1, static_cast<int>(left_until(deadline).count()));
    if (count == 0) return ETIMEDOUT;
    if (count < 0 && errno != EINTR) return errno;
    if (count > 0) break;
  }
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  return error;
}

/// A Unix socket connects at once, or stands in the line of one that accepts nothing: that wait is the kernel's, and
/// has an end only where the socket blocks.
int connect_unix(int socket, const Endpoint& endpoint, Clock::time_point deadline) {
  const auto left_ms = std::max<std::int64_t>(1, left_until(deadline).count());
  const timeval patience{.tv_sec = left_ms / 1000, .tv_usec = left_ms % 1000 * 1000};
  if (::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0) return errno;
  int error = EINTR;
  while (error == EINTR) error = ::connect(socket, endpoint.get(), endpoint.size) == 0 ? 0 : errno;
  if (error == 0 && ::fcntl(socket, F_SETFL, O_NONBLOCK) != 0) return errno;
  return error == EAGAIN ? ETIMEDOUT : error;
}

int connect_tcp(int socket, const Endpoint& endpoint, Clock::time_point deadline) {
  if (::fcntl(socket, F_SETFL, O_NONBLOCK) != 0) return errno;
  if (::connect(socket, endpoint.get(), endpoint.size) == 0) return 0;
  return errno == EINPROGRESS || errno == EINTR ? wait_for_connection(socket, deadline) : errno;
}

/// A socket connected to this endpoint; none, and why in errno.
Descriptor connect_endpoint(const Endpoint& endpoint, Clock::time_point deadline) {
  const int family = endpoint.storage.ss_family;
  Descriptor socket = beyond_standard_streams(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return socket;
  errno = family == AF_UNIX ? connect_unix(socket.get(), endpoint, deadline)
                            : connect_tcp(socket.get(), endpoint, deadline);
  return errno == 0 ? std::move(socket) : Descriptor();
}

void set_option(int socket, int level, int name, int value) {
  ::setsockopt(socket, level, name, &value, sizeof value);  // one that fails is one of a connection that is gone
}

bool is_tcp(int socket) {
  int protocol = 0;
  socklen_t size = sizeof protocol;
  return ::getsockopt(socket, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) == 0 && protocol == IPPROTO_TCP;
}

}  // namespace

Descriptor beyond_standard_streams(int descriptor) {
  if (descriptor < 0 || descriptor > STDERR_FILENO) return Descriptor(descriptor);
  const Descriptor low(descriptor);
  return Descriptor(::fcntl(descriptor, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
}

Result<Descriptor> connect_socket(const Address& address, Clock::time_point deadline, const std::string& uri) {
  const auto endpoints = address.is_unix ? resolve_unix(address, uri) : resolve_tcp(address, deadline, uri);
  if (!endpoints) return endpoints.error();
  int error = ETIMEDOUT;
  std::size_t untried = endpoints->size();
  for (const Endpoint& endpoint : *endpoints) {
    const auto share =
        (deadline - Clock::now()) / untried--;  // so that one that does not answer leaves time for others
    Descriptor socket = connect_endpoint(endpoint, Clock::now() + share);
    if (socket) return socket;
    error = errno;
  }
  return unreachable(uri, error == ETIMEDOUT ? "no connection in time" : system_text(error));
}

void set_peer_options(int socket, milliseconds peer_timeout) {
  if (!is_tcp(socket)) return;
  const auto seconds = static_cast<int>(peer_timeout.count() / 1000);
  set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(socket, IPPROTO_TCP, TCP_KEEPIDLE, std::max(1, seconds / 2));
  set_option(socket, IPPROTO_TCP, TCP_KEEPINTVL, std::max(1, seconds / 10));
  set_option(socket, IPPROTO_TCP, TCP_KEEPCNT, 20);  // not what decides: silence() is
  set_option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(peer_timeout.count()));
}

std::optional<milliseconds> silence(int socket) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (!is_tcp(socket) || ::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return std::nullopt;
  return milliseconds(info.tcpi_last_ack_recv);
}

std::string system_text(int error) { return std::generic_category().message(error); }

}  // namespace lockd
