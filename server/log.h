// Where the daemon's lines for people go: stderr, in the form that its reader expects.
#ifndef LOCKD_SERVER_LOG_H_
#define LOCKD_SERVER_LOG_H_

#include <spdlog/common.h>

#include <string>

namespace lockd::server {

/// Whether the journal reads what is written to a descriptor: JOURNAL_STREAM, which systemd sets for a service, names
/// the very stream. (A shell that a service starts hands the variable on, be its own stderr elsewhere.) To be called
/// while there is one thread.
bool is_journal(int fd);

/// The priority of a line, as sd-daemon(3) has it: "<4>" for a warning.
const char* priority_prefix(spdlog::level::level_enum level);

/// Makes spdlog's default logger one to stderr: `TIME LEVEL: TEXT`; to a journal, which knows the time, `<N>TEXT`, so
/// that `journalctl -p warning` finds warnings and errors; a LOCKD_CHECK that fails is critical. The text is
/// printable(). level: one of those of
/// --log-level. To be called while there is one thread.
void set_up_log(const std::string& level, bool to_journal);

}  // namespace lockd::server

#endif  // LOCKD_SERVER_LOG_H_
