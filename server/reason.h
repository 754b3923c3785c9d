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
  const auto* system = dynamic_cast<const boost::system::system_error*>(&error);
  const bool in_use = system != nullptr && system->code() == boost::system::errc::address_in_use;
  if (!in_use) return reason(error);
  return reason(error) +
         ", by another lockd, or by lockd.socket? (ss -tlnp tells.) End that, or take another address: " + flag;
}

}  // namespace lockd::server

#endif  // LOCKD_SERVER_REASON_H_
