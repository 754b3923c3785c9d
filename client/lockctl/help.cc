#include "client/lockctl/help.h"

#include <span>
#include <sstream>
#include <string_view>

namespace lockd::lockctl {

namespace {

constexpr std::size_t help_column = 33;

/// Text in a column of its own, each further line of it below the first.
std::string row(const std::string& left, std::string_view text) {
  std::string result = left;
  result.append(left.size() < help_column ? help_column - left.size() : 2, ' ');
  for (const char c : text) {
    result += c;
    if (c == '\n') result.append(help_column, ' ');
  }
  return result + "\n";
}

std::string option_row(const OptionSpec& option) {
  std::string left = option.letter == '\0' ? "      " : std::string("  -") + option.letter + ", ";
  left.append("--").append(option.name);
  if (option.argument != nullptr) left.append(" ").append(option.argument);
  return row(left, option.help);
}

std::string option_rows(std::span<const OptionSpec> options) {
  std::string rows;
  for (const OptionSpec& option : options) rows += option_row(option);
  return rows;
}

}  // namespace

std::string general_help() {
  std::string text =
      "Usage: lockctl [OPTION...] COMMAND [ARGUMENT...]\n"
      "Takes and looks at the named locks of a lockd server.\n\nCommands:\n";
  for (const CommandSpec& command : commands()) text += row(std::string("  ") + command.name, command.summary);
  text += "\nOptions:\n" + option_rows(common_options());
  text += row("  -h, --help", "this text; lockctl COMMAND --help has more");
  text += row("  -V, --version", "the version of lockctl");
  return text + "\nlockctl(1) has more, the exit statuses among it.\n";
}

std::string command_help(const CommandSpec& command) {
  std::string text = std::string("Usage: lockctl ") + command.name + " [OPTION...]";
  if (*command.operands != '\0') text.append(" ").append(command.operands);
  text.append("\n");
  if (command.command == Command::run) text.append("       lockctl run [OPTION...] -c STRING KEY\n");
  std::string summary = command.summary;
  summary[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(summary[0])));
  text.append("\n" + summary + (summary.ends_with('?') ? "\n" : ".\n") + command.description + "\nOptions:\n");
  text += option_rows(command.options) + option_rows(common_options());
  return text + row("  -h, --help", "this text");
}

}  // namespace lockd::lockctl
