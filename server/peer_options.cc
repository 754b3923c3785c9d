#include "server/peer_options.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>

namespace lockd::server {

namespace {

/// An option that fails is one that a peer who is gone already took with it: the first read says so.
void set_option(Socket& socket, int level, int name, int value) {
  ::setsockopt(socket.native_handle(), level, name, &value, sizeof value);
}

}  // namespace

void set_peer_options(Socket& socket, std::chrono::seconds peer_timeout) {
  boost::system::error_code error;
  const auto local = socket.local_endpoint(error);
  if (error || local.protocol().family() == AF_UNIX) return;
  const int timeout_s = static_cast<int>(peer_timeout.count());
  set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(socket, IPPROTO_TCP, TCP_KEEPIDLE, std::max(1, timeout_s / 2));
  set_option(socket, IPPROTO_TCP, TCP_KEEPINTVL, std::max(1, timeout_s / 4));
  set_option(socket, IPPROTO_TCP, TCP_KEEPCNT, 9);  // not what decides: the user timeout is shorter
  set_option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, 1000 * timeout_s);
}

}  // namespace lockd::server
