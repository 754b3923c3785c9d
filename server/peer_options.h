// What an accepted socket is told about its peer.
#ifndef LOCKD_SERVER_PEER_OPTIONS_H_
#define LOCKD_SERVER_PEER_OPTIONS_H_

#include <chrono>

#include "server/listener.h"

namespace lockd::server {

/// For TCP: replies are sent at once, and a host that has vanished is noticed. With replies on their way to it, that
/// takes peer_timeout (TCP_USER_TIMEOUT); in silence, keepalive asks after half of it and the connection ends at the
/// first unanswered probe after the whole of it: at most 1.25 times peer_timeout and a second. Nothing for Unix
/// sockets, whose peers die before our eyes.
void set_peer_options(Socket& socket, std::chrono::seconds peer_timeout);

}  // namespace lockd::server

#endif  // LOCKD_SERVER_PEER_OPTIONS_H_
