// Why a Unix socket refuses this user.
#ifndef LOCKD_CLIENT_LOCKCTL_SOCKET_ACCESS_H_
#define LOCKD_CLIENT_LOCKCTL_SOCKET_ACCESS_H_

#include <string>

namespace lockd::lockctl {

/// Whom the socket of a server's URI is for, as "the socket is for the group lockd: ..."; empty where this user may
/// connect to it, for other URIs, and where there is none.
std::string access_advice(const std::string& server);

}  // namespace lockd::lockctl

#endif  // LOCKD_CLIENT_LOCKCTL_SOCKET_ACCESS_H_
