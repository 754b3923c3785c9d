// Text for terminals and logs out of bytes of which anybody may be the author: flags, files, the environment.
#ifndef LOCKD_SERVER_PRINTABLE_H_
#define LOCKD_SERVER_PRINTABLE_H_

#include <string>
#include <string_view>

namespace lockd::server {

/// Each byte outside well-formed UTF-8, and each byte of a character that is a control, ends a line, cannot be seen or
/// changes the direction of writing, as \xHH with capital digits. The rest as it is, a backslash too: this is for eyes.
std::string printable(std::string_view bytes);

/// The line with which the daemon says why it does not run.
std::string error_line(std::string_view why);

}  // namespace lockd::server

#endif  // LOCKD_SERVER_PRINTABLE_H_
