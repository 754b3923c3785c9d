// Why something could not be had, for a line that says what it was.
#ifndef LOCKD_SERVER_REASON_H_
#define LOCKD_SERVER_REASON_H_

#include <boost/system/system_error.hpp>
#include <exception>
#include <string>

namespace lockd::server {

/// Of an error of the system its message alone, without the call that failed.
inline std::string reason(const std::exception& error) {
  const auto* system = dynamic_cast<const boost::system::system_error*>(&error);
  return system != nullptr ? system->code().message() : error.what();
}

/// Why a listener could not be had, and what to do. flag: which one takes another address.
inline std::string listening_reason(const std::exception& error, const std::string& flag) {
  namespace errc = boost::system::errc;
  const auto* system = dynamic_cast<const boost::system::system_error*>(&error);
  const auto is = [system](errc::errc_t kind) { return system != nullptr && system->code() == kind; };
  const std::string another = ", or take another address: " + flag;
  if (is(errc::address_in_use))
    return reason(error) + ", by another lockd, or by lockd.socket? (ss -tlnp tells.) End that" + another;
  if (is(errc::permission_denied))
    return reason(error) + ": a port below 1024 needs CAP_NET_BIND_SERVICE. Give it that" + another;
  if (is(errc::address_not_available))
    return reason(error) + ": it is none of this machine's. (ip address tells.) Add it" + another;
  return reason(error);
}

}  // namespace lockd::server

#endif  // LOCKD_SERVER_REASON_H_
