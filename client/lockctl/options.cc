#include "client/lockctl/options.h"

#include <getopt.h>

#include <algorithm>
#include <span>
#include <stdexcept>
#include <utility>

#include "client/lockctl/command_table.h"
#include "client/lockctl/help.h"
#include "client/lockctl/option_values.h"
#include "client/lockctl/suggestion.h"
#include "client/lockctl/text.h"
#include "client/request.h"

namespace lockd::lockctl {

namespace {

/// What getopt_long(3) returns for a long option: this and its place. Short ones return their letter, which is less.
constexpr int long_option_base = 256;

/// A usage error: thrown here, caught in read_options.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

[[noreturn]] void refuse(const CommandSpec* command, const std::string& what) {
  const std::string name = command == nullptr ? "lockctl" : std::string("lockctl ") + command->name;
  throw UsageError(name + ": " + what + "; see " + name + " --help");
}

/// A word of the command line, in quotes where it could not be seen without.
std::string shown(std::string_view word) {
  const bool is_plain = !word.empty() && word.find(' ') == std::string_view::npos;
  return is_plain ? printable(word) : "'" + printable(word) + "'";
}

const OptionSpec help_option = {'h', "help", nullptr, "", nullptr};
const OptionSpec version_option = {'V', "version", nullptr, "", nullptr};

/// Before a command that has it, as other tools allow.
const OptionSpec early_json_option = {'\0', "json", nullptr, "", [](Options& options, std::string_view) {
                                        options.json = true;
                                        return std::string();
                                      }};

bool has_option(const CommandSpec& command, std::string_view name) {
  return std::ranges::any_of(command.options, [name](const OptionSpec& option) {
    return option.name == name || (name.size() == 1 && option.letter == name[0]);
  });
}

/// An option of any command by that name, and which commands have it ("run and get").
std::string commands_with(std::string_view name) {
  std::vector<std::string> having;
  for (const CommandSpec& command : commands()) {
    if (has_option(command, name)) having.emplace_back(command.name);
  }
  std::string text;
  for (std::size_t i = 0; i < having.size(); ++i) {
    if (i > 0) text += i + 1 == having.size() ? " and " : ", ";
    text += having[i];
  }
  return text;
}

/// Reads the options of one part of the command line by getopt_long(3): those before the command, or the command's.
class Reader {
 public:
  /// `command` is null for the part before it. `stops`: at the first word that is no option; else words and options
  /// may be mixed.
  Reader(int argc, char** argv, const CommandSpec* command, bool stops) : argc_(argc), argv_(argv), command_(command) {
    for (const OptionSpec& option : common_options()) options_.push_back(&option);
    if (command != nullptr) {
      for (const OptionSpec& option : command->options) options_.push_back(&option);
    } else {
      options_.push_back(&version_option);
      options_.push_back(&early_json_option);
    }
    options_.push_back(&help_option);
    short_options_ = stops ? "+:" : ":";
    for (const OptionSpec* option : options_) add(*option);
    long_options_.push_back({nullptr, 0, nullptr, 0});
  }

  /// Takes all options into `options`, and returns --help or --version as soon as one comes.
  const OptionSpec* read(Options& options) {
    ::opterr = 0;
    ::optind = 0;  // begins anew
    for (;;) {
      const int found = ::getopt_long(argc_, argv_, short_options_.c_str(), long_options_.data(), nullptr);
      if (found == -1) return nullptr;
      if (found == ':') refuse(command_, dashed(*spec_of(::optopt)) + " needs a value, " + spec_of(::optopt)->argument);
      if (found == '?') refuse_unknown();
      const OptionSpec* const option = spec_of(found);
      if (option->set == nullptr) return option;
      const std::string_view value = option->argument == nullptr ? "" : ::optarg;
      const std::string expected = option->set(options, value);
      if (expected.empty()) continue;
      const std::string given = option->argument == nullptr ? "" : " " + shown(value);
      refuse(command_, dashed(*option) + given + ": " + expected);
    }
  }

  /// What is left behind the options.
  [[nodiscard]] std::span<char*> rest() const { return {argv_ + ::optind, static_cast<std::size_t>(argc_ - ::optind)}; }

 private:
  void add(const OptionSpec& option) {
    const int number = long_option_base + static_cast<int>(long_options_.size());
    long_options_.push_back(
        {option.name, option.argument == nullptr ? no_argument : required_argument, nullptr, number});
    if (option.letter == '\0') return;
    short_options_ += option.letter;
    if (option.argument != nullptr) short_options_ += ':';
  }

  [[nodiscard]] const OptionSpec* spec_of(int found) const {
    if (found >= long_option_base) return options_.at(static_cast<std::size_t>(found - long_option_base));
    const auto is_it = [found](const OptionSpec* option) { return option->letter == found; };
    const auto it = std::ranges::find_if(options_, is_it);
    return it == options_.end() ? nullptr : *it;
  }

  static std::string dashed(const OptionSpec& option) { return std::string("--") + option.name; }

  [[noreturn]] void refuse_unknown() const {
    if (::optopt >= long_option_base) refuse(command_, dashed(*spec_of(::optopt)) + " takes no value");
    std::string name(1, static_cast<char>(::optopt));
    if (::optopt == 0) {
      name = argv_[::optind - 1] + 2;
      name.resize(std::min(name.find('='), name.size()));
    }
    const std::string given = (name.size() == 1 && ::optopt != 0 ? "-" : "--") + printable(name);
    if (const std::string others = commands_with(name); !others.empty()) {
      refuse(command_,
             given + " is no option " + (command_ == nullptr ? "before the command" : "here") + ", but of " + others);
    }
    refuse(command_, "no option " + given + meant(name));
  }

  [[nodiscard]] std::string meant(const std::string& name) const {
    std::vector<std::string> names;
    for (const OptionSpec* option : options_) names.emplace_back(option->name);
    const std::string word = nearest(name, names);
    return word.empty() ? "" : " (did you mean --" + word + "?)";
  }

  int argc_;
  char** argv_;
  const CommandSpec* command_;
  std::vector<const OptionSpec*> options_;  // as long_options_, in the same order
  std::vector<::option> long_options_;
  std::string short_options_;
};

const CommandSpec& command_of(std::string_view word) {
  if (const CommandSpec* const command = find_command(word)) return *command;
  std::vector<std::string> names;
  for (const CommandSpec& command : commands()) names.emplace_back(command.name);
  const std::string word_meant = nearest(word, names);
  refuse(nullptr, "no command " + shown(word) + (word_meant.empty() ? "" : " (did you mean " + word_meant + "?)"));
}

/// A key, prefix or name, which has to reach the server as it is.
std::string taken(const CommandSpec& command, const std::string& what, std::string_view word) {
  const auto error = text_error("the " + what, word);
  if (error) refuse(&command, error->text + ": " + shown(word));
  return std::string(word);
}

/// `KEY [--] COMMAND...`, or `KEY -c STRING` as flock(1) has it.
void take_command(const CommandSpec& command, std::span<char*> rest, Options& options) {
  const bool marked = !rest.empty() && std::string_view(rest[0]) == "--";
  if (marked) rest = rest.subspan(1);
  const bool flock_form =
      !marked && !rest.empty() && (std::string_view(rest[0]) == "-c" || std::string_view(rest[0]) == "--command");
  if (flock_form) {
    if (options.shell_command || rest.size() != 2) refuse(&command, "-c takes one STRING, and nothing behind it");
    options.shell_command = rest[1];
    return;
  }
  if (options.shell_command && !rest.empty()) refuse(&command, "either -c STRING or a COMMAND, not both");
  if (!options.shell_command && rest.empty()) refuse(&command, "needs a COMMAND behind KEY, or -c STRING");
  if (!rest.empty() && *rest[0] == '\0') refuse(&command, "the COMMAND is empty");
  options.arguments.assign(rest.begin(), rest.end());
}

/// KEY, PREFIX or NAME, as the usage calls it.
std::string operand_name(const CommandSpec& command) {
  std::string name = command.operands;
  std::erase_if(name, [](char c) { return c == '[' || c == ']'; });
  return name.substr(0, name.find(' '));
}

void refuse_more(const CommandSpec& command, std::string_view word) {
  std::string expected = "nothing but options";
  if (command.takes != Operands::none) {
    const char* const at_most = command.takes == Operands::optional_filter ? " at most" : "";
    const char* const quotes = command.command == Command::help ? "" : " (in quotes, if with blanks)";
    expected = "one " + operand_name(command) + at_most + quotes;
  }
  refuse(&command, shown(word) + " is too much: it takes " + expected);
}

void take_operands(const CommandSpec& command, std::span<char*> rest, Options& options) {
  const bool takes_key = command.takes == Operands::key || command.takes == Operands::key_and_command;
  if (takes_key) {
    if (rest.empty()) refuse(&command, "needs a KEY");
    if (*rest[0] == '\0') refuse(&command, "the KEY is empty, as by a variable that is not set");
    options.key = taken(command, operand_name(command), rest[0]);
    rest = rest.subspan(1);
  } else if (command.takes == Operands::optional_filter && !rest.empty()) {
    options.filter = taken(command, operand_name(command), rest[0]);
    rest = rest.subspan(1);
  }
  if (command.takes == Operands::key_and_command) return take_command(command, rest, options);
  if (!rest.empty()) refuse_more(command, rest[0]);
}

void check_together(const CommandSpec& command, const Options& options) {
  if (options.lock.limit && options.lock.mode != Mode::shared) refuse(&command, "--max goes with -s");
}

void take_server(const char* server, Options& options) {
  if (server == nullptr) return;
  if (*server == '\0') throw UsageError("lockctl: LOCKD_SERVER is set, and empty; unset it or let it name a server");
  const std::string expected = expected_of_server(server);
  if (!expected.empty()) throw UsageError("lockctl: LOCKD_SERVER " + shown(server) + ": " + expected);
  options.server = server;
}

/// As --help.
Print help_about(const std::string& name) {
  return Print{name.empty() ? general_help() : command_help(command_of(name))};
}

std::variant<Options, Print, Failure> read(int argc, char** argv, const char* server) {
  Options options;
  options.server.clear();
  Reader general(argc, argv, nullptr, true);
  if (const OptionSpec* const asked = general.read(options)) {
    return Print{asked == &help_option ? general_help() : "lockctl " LOCKD_VERSION "\n"};
  }
  const std::span<char*> rest = general.rest();
  if (rest.empty()) refuse(nullptr, "needs a COMMAND");
  const CommandSpec& command = command_of(rest[0]);
  options.command = command.command;
  if (options.json && !has_option(command, early_json_option.name)) {
    refuse(&command, "--json is no option here, but of " + commands_with(early_json_option.name));
  }
  Reader own(static_cast<int>(rest.size()), rest.data(), &command, command.takes == Operands::key_and_command);
  if (own.read(options) != nullptr) return Print{command_help(command)};
  take_operands(command, own.rest(), options);
  if (options.command == Command::help) return help_about(options.filter);
  check_together(command, options);
  if (options.server.empty()) {
    options.server = Options().server;
    take_server(server, options);
  }
  return options;
}

}  // namespace

std::variant<Options, Print, Failure> read_options(int argc, char** argv, const char* server) {
  try {
    return read(argc, argv, server);
  } catch (const UsageError& error) {
    return Failure{exit_status::usage, error.what()};
  }
}

}  // namespace lockd::lockctl
