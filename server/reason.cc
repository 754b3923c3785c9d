#include "server/reason.h"

#include <sys/un.h>

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <cerrno>
#include <system_error>

namespace lockd::server {

namespace {

constexpr std::size_t socket_path_bytes_max = sizeof(sockaddr_un::sun_path) - 1;

/// Empty where there is nothing to be said.
std::string listening_advice(const boost::system::error_code& error, const std::string& flag) {
  namespace errc = boost::system::errc;
  const std::string another = ", or take another address: " + flag;
  if (error == errc::address_in_use)
    return ", by another lockd, or by lockd.socket? (ss -tlnp tells.) End that" + another;
  if (error == errc::permission_denied) return ": a port below 1024 needs CAP_NET_BIND_SERVICE. Give it that" + another;
  if (error == errc::address_not_available)
    return ": it is none of this machine's. (ip address tells.) Add it" + another;
  if (error == errc::filename_too_long)
    return ": the path of a socket has " + std::to_string(socket_path_bytes_max) + " bytes at most. Take a shorter one";
  if (error.category() == boost::asio::error::get_netdb_category())
    return ": mend the name, or give the address itself: " + flag;
  return {};
}

}  // namespace

std::string reason(const std::exception& error) {
  const auto* system = dynamic_cast<const boost::system::system_error*>(&error);
  return system != nullptr ? system->code().message() : error.what();
}

std::string file_advice(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return ": make the folder, or take another path";
    case EACCES:
    case EPERM:
      return ": give lockd's user the right to it, or take another path";
    case ENOSPC:
    case EDQUOT:
      return ": make room there, or take another path";
    case EISDIR:
    case ELOOP:
    case ENAMETOOLONG:
    case EROFS:
      return ": take another path";
    default:
      return {};
  }
}

std::string listening_reason(const std::exception& error, const std::string& flag) {
  if (const auto* system = dynamic_cast<const boost::system::system_error*>(&error))
    return reason(error) + listening_advice(system->code(), flag);
  if (const auto* of_file = dynamic_cast<const std::system_error*>(&error))
    return reason(error) + file_advice(of_file->code().value());
  return reason(error);
}

}  // namespace lockd::server
