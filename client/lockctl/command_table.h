// The commands and options of lockctl in one table: the command line is read by it, the help is made of it, and the
// tests hold completion and manual page against it.
#ifndef LOCKD_CLIENT_LOCKCTL_COMMAND_TABLE_H_
#define LOCKD_CLIENT_LOCKCTL_COMMAND_TABLE_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "client/lockctl/options.h"

namespace lockd::lockctl {

/// One option. `set` takes its value ("" if it has none) into the options, and returns what was expected instead, as in
/// "expected ...", empty if nothing is wrong.
struct OptionSpec {
  char letter;           // '\0': none
  const char* name;      // without the dashes
  const char* argument;  // what --help calls its value; null: it has none
  const char* help;      // one line for each '\n'
  std::string (*set)(Options& options, std::string_view value);
};

/// What may stand behind a command's options.
enum class Operands { none, key, key_and_command, optional_filter };

struct CommandSpec {
  Command command;
  const char* name;
  const char* operands;  // as the usage shows them, "" for none
  Operands takes;
  const char* summary;      // one line
  const char* description;  // lines, each with its end
  std::vector<OptionSpec> options;
};

/// In the order in which the help lists them.
std::span<const CommandSpec> commands();

/// Those that may stand before the command, and behind it as well.
std::span<const OptionSpec> common_options();

/// Null if there is none of that name.
const CommandSpec* find_command(std::string_view name);

}  // namespace lockd::lockctl

#endif  // LOCKD_CLIENT_LOCKCTL_COMMAND_TABLE_H_
