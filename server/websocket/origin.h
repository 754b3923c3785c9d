// Which web pages may connect.
#ifndef LOCKD_SERVER_WEBSOCKET_ORIGIN_H_
#define LOCKD_SERVER_WEBSOCKET_ORIGIN_H_

#include <string>
#include <string_view>

namespace lockd::server {

/// What is wrong with an origin that an operator has written, and what to write; empty if it is as browsers send them:
/// SCHEME://HOST or SCHEME://HOST:PORT in small letters, without a port that is the scheme's own, and with nothing
/// behind it. Any other could never match.
std::string check_origin(std::string_view origin);

}  // namespace lockd::server

#endif  // LOCKD_SERVER_WEBSOCKET_ORIGIN_H_
