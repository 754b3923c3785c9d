// Who holds a lock, as others are to see it in listings.
#ifndef LOCKD_CLIENT_LOCKCTL_HOLDER_NAME_H_
#define LOCKD_CLIENT_LOCKCTL_HOLDER_NAME_H_

#include <string>
#include <string_view>

namespace lockd::lockctl {

/// USER@HOST:PID of this process. The user's number where there is no name for it.
std::string default_holder_name();

/// What is no letter, digit or one of -._@:+ as an underscore: one word that every listing shows as it is.
std::string as_name(std::string_view text);

}  // namespace lockd::lockctl

#endif  // LOCKD_CLIENT_LOCKCTL_HOLDER_NAME_H_
