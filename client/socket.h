// What the client does with sockets before anything is said on them.
#ifndef LOCKD_CLIENT_SOCKET_H_
#define LOCKD_CLIENT_SOCKET_H_

#include <chrono>
#include <optional>
#include <string>

#include "client/descriptor.h"
#include "client/uri.h"
#include "lockd/result.h"

namespace lockd {

using Clock = std::chrono::steady_clock;

/// A descriptor beyond the standard streams: a program that closed one of them must not read its input from a socket,
/// or print into one. Takes ownership; none, and errno, if there was none or no other can be had.
Descriptor beyond_standard_streams(int descriptor);

/// A connected socket, not blocking and not inherited by exec. `uri` is for the text of the error: unreachable.
Result<Descriptor> connect_socket(const Address& address, Clock::time_point deadline, const std::string& uri);

/// For TCP: requests leave at once, and the kernel probes a silent peer, often enough for silence() to be less than
/// peer_timeout while it is there. Nothing for Unix sockets, whose peers die before our eyes.
void set_peer_options(int socket, std::chrono::milliseconds peer_timeout);

/// How long the peer's kernel has been silent: the age of the last acknowledgment, which probes and requests ask for.
/// Nothing for other sockets than TCP.
///
/// This is looked at, rather than left to TCP_USER_TIMEOUT, because that counts from the first unacknowledged byte:
/// a request sent into a network that has vanished just before keepalive would notice stops keepalive and starts the
/// time anew, twice as long in all.
std::optional<std::chrono::milliseconds> silence(int socket);

/// What the kernel says about an errno.
std::string system_text(int error);

}  // namespace lockd

#endif  // LOCKD_CLIENT_SOCKET_H_
