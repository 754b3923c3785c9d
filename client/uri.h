// Where a server listens, as a URI.
#ifndef LOCKD_CLIENT_URI_H_
#define LOCKD_CLIENT_URI_H_

#include <string>
#include <string_view>

#include "lockd/result.h"

namespace lockd {

/// `tcp://HOST:PORT`, HOST an IPv4 address, an IPv6 address in brackets or a name, PORT 1 to 65535; or `unix:///PATH`.
struct Address {
  bool is_unix = false;
  std::string host;  // without brackets
  std::string port;
  std::string path;
};

/// bad_argument, in the words that the daemon has for a wrong --listen.
Result<Address> parse_uri(std::string_view uri);

}  // namespace lockd

#endif  // LOCKD_CLIENT_URI_H_
