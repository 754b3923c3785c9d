// What lockctl prints, checked: a line that could not be written is an error.
#ifndef LOCKD_CLIENT_LOCKCTL_OUTPUT_H_
#define LOCKD_CLIENT_LOCKCTL_OUTPUT_H_

#include <string>
#include <string_view>

#include "client/lockctl/exit_status.h"

namespace lockd::lockctl {

/// Puts a descriptor in the place of each standard stream that is closed, so that nothing else that is opened gets its
/// number: one that exec closes again, and that can neither be written to (stdout, stderr) nor read from (stdin). To be
/// called before anything is opened.
void occupy_closed_streams();

/// Writes to stdout, through a buffer.
void print(std::string_view text);

/// What print() has not yet written is written. A Failure with status 0 if all that was printed has been; otherwise
/// what went wrong, without text if it is that nobody reads any more (EPIPE).
Failure flush();

/// One line to stderr, `text` and a line end; nothing if it is empty.
void complain(const std::string& text);

/// complain(), and the status.
int report(const Failure& failure);

/// flush(), and `status` if that went well.
int finish(int status);

/// For what the server's clients have written: as it is, or, where stdout is a terminal, printable().
std::string for_stdout(std::string_view bytes);

}  // namespace lockd::lockctl

#endif  // LOCKD_CLIENT_LOCKCTL_OUTPUT_H_
