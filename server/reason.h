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

}  // namespace lockd::server

#endif  // LOCKD_SERVER_REASON_H_
