// Why something could not be had, for a line that says what it was and what to do.
#ifndef LOCKD_SERVER_REASON_H_
#define LOCKD_SERVER_REASON_H_

#include <exception>
#include <string>

namespace lockd::server {

/// Of an error of the system its message alone, without the call that failed.
std::string reason(const std::exception& error);

/// What to do where a file or folder could not be had, to be put behind the reason; nothing where
/// that can't be said. error: of errno.
std::string file_advice(int error);

/// Why a listener could not be had, and what to do. flag: which one takes another address.
std::string listening_reason(const std::exception& error, const std::string& flag);

}  // namespace lockd::server

#endif  // LOCKD_SERVER_REASON_H_
