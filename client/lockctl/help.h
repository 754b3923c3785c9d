// The texts of --help.
#ifndef LOCKD_CLIENT_LOCKCTL_HELP_H_
#define LOCKD_CLIENT_LOCKCTL_HELP_H_

#include <string>

#include "client/lockctl/command_table.h"

namespace lockd::lockctl {

/// `lockctl --help`: whole lines of at most 100 columns.
std::string general_help();

/// `lockctl COMMAND --help`.
std::string command_help(const CommandSpec& command);

}  // namespace lockd::lockctl

#endif  // LOCKD_CLIENT_LOCKCTL_HELP_H_
