#include "client/lockctl/command_table.h"

#include <algorithm>
#include <array>

#include "client/lockctl/option_values.h"

namespace lockd::lockctl {

namespace {

using std::chrono::milliseconds;

constexpr std::uint64_t number_max = 2147483647;  // the protocol's (W1, C1)
constexpr milliseconds wait_max{number_max};
constexpr milliseconds day{24 * 3600 * 1000};

/// Takes seconds into `target`. Returns what was expected, if that is not it.
template <typename Target>
std::string set_seconds(Target& target, std::string_view value, milliseconds min, milliseconds max,
                        const char* expected) {
  const auto read = parse_seconds(value, max);
  if (!read || *read < min) return expected;
  target = *read;
  return {};
}

template <typename Number, typename Target = Number>
std::string set_number(Target& target, std::string_view value, std::uint64_t min, std::uint64_t max,
                       const char* expected) {
  const auto read = parse_whole_number(value, min, max);
  if (!read) return expected;
  target = static_cast<Number>(*read);
  return {};
}

std::string set_mode(Options& options, Mode mode) {
  if (options.mode_is_given && options.lock.mode != mode) return "expected -s or -x, not both";
  options.lock.mode = mode;
  options.mode_is_given = true;
  return {};
}

const OptionSpec server_option = {
    '\0', "server", "URI", "the server: tcp://HOST:PORT or unix:///PATH\n[LOCKD_SERVER, or else tcp://127.0.0.1:9999]",
    [](Options& options, std::string_view value) {
      options.server = value;
      return expected_of_server(value);
    }};

const OptionSpec connect_timeout_option = {
    '\0', "connect-timeout", "SECONDS", "how long the server may take to accept [5]",
    [](Options& options, std::string_view value) {
      return set_seconds(options.connect_timeout, value, milliseconds(1), day, "expected seconds, 0.001 to 86400");
    }};

const OptionSpec json_option = {'\0', "json", nullptr, "print one JSON document",
                                [](Options& options, std::string_view) {
                                  options.json = true;
                                  return std::string();
                                }};

const OptionSpec shared_option = {'s', "shared", nullptr, "a shared lock",
                                  [](Options& options, std::string_view) { return set_mode(options, Mode::shared); }};

const OptionSpec exclusive_option = {
    'x', "exclusive", nullptr, "an exclusive lock (the default)",
    [](Options& options, std::string_view) { return set_mode(options, Mode::exclusive); }};

const OptionSpec nonblock_option = {'n', "nonblock", nullptr, "do not wait for the lock",
                                    [](Options& options, std::string_view) {
                                      options.lock.wait = milliseconds(0);
                                      return std::string();
                                    }};

const OptionSpec wait_option = {
    'w', "wait", "SECONDS", "wait so long at most [for ever]", [](Options& options, std::string_view value) {
      return set_seconds(options.lock.wait, value, milliseconds(0), wait_max, "expected seconds, 0 to 2147483");
    }};

const OptionSpec conflict_option = {'E', "conflict-exit-code", "CODE", "exit status where it can't be had [1]",
                                    [](Options& options, std::string_view value) {
                                      return set_number<int>(options.conflict_status, value, 0, 255,
                                                             "expected a number from 0 to 255");
                                    }};

const OptionSpec max_option = {'\0', "max", "N", "with -s: at most N hold it, else wait in line",
                               [](Options& options, std::string_view value) {
                                 return set_number<std::uint32_t>(options.lock.limit, value, 1, number_max,
                                                                  "expected a number from 1 to 2147483647");
                               }};

const OptionSpec shell_option = {'c', "command", "STRING", "run STRING by /bin/sh, in place of a COMMAND",
                                 [](Options& options, std::string_view value) {
                                   options.shell_command = std::string(value);
                                   return std::string();
                                 }};

const OptionSpec kill_after_option = {'\0', "kill-after", "SECONDS", "lock lost: KILL so long after TERM [5]",
                                      [](Options& options, std::string_view value) {
                                        return set_seconds(options.kill_after, value, milliseconds(0), day,
                                                           "expected seconds, 0 to 86400");
                                      }};

const OptionSpec peer_timeout_option = {'\0', "peer-timeout", "SECONDS",
                                        "network silent so long: the lock is lost [10]",
                                        [](Options& options, std::string_view value) {
                                          return set_seconds(options.peer_timeout, value, milliseconds(2000),
                                                             milliseconds(3600'000), "expected seconds, 2 to 3600");
                                        }};

const OptionSpec name_option = {'\0', "name", "NAME", "what others see as the holder [USER@HOST:PID]",
                                [](Options& options, std::string_view value) {
                                  options.name = std::string(value);
                                  return std::string();
                                }};

const OptionSpec keys_option = {'k', "keys", nullptr, "only the keys, each once",
                                [](Options& options, std::string_view) {
                                  options.keys_only = true;
                                  return std::string();
                                }};

const OptionSpec interval_option = {
    'i', "interval", "SECONDS", "time between two looks [1]", [](Options& options, std::string_view value) {
      return set_seconds(options.interval, value, milliseconds(100), day, "expected seconds, 0.1 to 86400");
    }};

const OptionSpec count_option = {'\0', "count", "N", "end after N looks", [](Options& options, std::string_view value) {
                                   return set_number<std::uint64_t>(options.count, value, 1, number_max,
                                                                    "expected a number from 1 to 2147483647");
                                 }};

const OptionSpec duration_option = {'d', "duration", "SECONDS", "time for the whole, 0.1 to 600 [4]",
                                    [](Options& options, std::string_view value) {
                                      return set_seconds(options.duration, value, milliseconds(100),
                                                         milliseconds(600'000), "expected seconds, 0.1 to 600");
                                    }};

const OptionSpec connections_option = {'C', "connections", "N", "connections of the shapes that have many [8]",
                                       [](Options& options, std::string_view value) {
                                         return set_number<unsigned>(options.connections, value, 1, 1000,
                                                                     "expected a number from 1 to 1000");
                                       }};

const std::array<CommandSpec, 11> command_table = {{
    {Command::run,
     "run",
     "KEY [--] COMMAND [ARGUMENT...]",
     Operands::key_and_command,
     "hold KEY while COMMAND runs",
     "Everything behind KEY is COMMAND and its arguments, as in flock(1). Exits as\n"
     "COMMAND does; with -E's status where the lock can't be had, 69 where the server\n"
     "can't be reached, and 70 where the lock was lost while COMMAND ran: it gets TERM\n"
     "then, and KILL if that does not end it. COMMAND finds LOCKD_KEY, LOCKD_MODE and\n"
     "LOCKD_TOKEN in its environment.\n",
     {shared_option, exclusive_option, nonblock_option, wait_option, conflict_option, shell_option, max_option,
      kill_after_option, peer_timeout_option, name_option}},
    {Command::get,
     "get",
     "KEY",
     Operands::key,
     "take KEY and hold it until stdin ends",
     "Prints the lock's token once it has the lock, then holds it until the end of its\n"
     "stdin or a signal.\n",
     {shared_option, exclusive_option, nonblock_option, wait_option, conflict_option, max_option, peer_timeout_option,
      name_option, json_option}},
    {Command::inspect,
     "inspect",
     "KEY",
     Operands::key,
     "how many hold KEY and wait for it",
     "Exits with 0 where somebody holds it, with 1 where nobody does. With -x or -s\n"
     "one kind alone is looked at.\n",
     {shared_option, exclusive_option, json_option}},
    {Command::list,
     "list",
     "[PREFIX]",
     Operands::optional_filter,
     "all holders and waiters",
     "A line MODE STATE AGE_MS TOKEN HOLDER KEY for each of keys that begin with\n"
     "PREFIX; see lockd-protocol(7).\n",
     {keys_option, json_option}},
    {Command::who,
     "who",
     "[NAME]",
     Operands::optional_filter,
     "connections that have a name",
     "A line ADDRESS: NAME for each, or for those alone whose name is NAME.\n",
     {json_option}},
    {Command::stats,
     "stats",
     "",
     Operands::none,
     "the server's counters",
     "A line NAME: NUMBER for each.\n",
     {json_option}},
    {Command::ping,
     "ping",
     "",
     Operands::none,
     "is the server there?",
     "Prints pong, and exits with 0, or with 69.\n",
     {json_option}},
    {Command::version, "version", "", Operands::none, "versions of lockctl and of the server", "", {json_option}},
    {Command::top,
     "top",
     "[PREFIX]",
     Operands::optional_filter,
     "a live view of rates, lines and holders",
     "Keys that begin with PREFIX are listed. q ends it. Where stdout is no terminal:\n"
     "a line of numbers for each look.\n",
     {interval_option, count_option}},
    {Command::bench,
     "bench",
     "",
     Operands::none,
     "a quick measure of this server from here",
     "Takes and releases locks of its own (their keys begin with lockctl-bench) and\n"
     "prints requests a second and latencies for a few shapes of traffic.\n",
     {duration_option, connections_option, json_option}},
    {Command::help, "help", "[COMMAND]", Operands::optional_filter, "the help of lockctl, or of COMMAND", "", {}},
}};

const std::array<OptionSpec, 2> common_table = {server_option, connect_timeout_option};

}  // namespace

std::span<const CommandSpec> commands() { return command_table; }

std::span<const OptionSpec> common_options() { return common_table; }

const CommandSpec* find_command(std::string_view name) {
  const auto* const found = std::ranges::find(command_table, name, &CommandSpec::name);
  return found == command_table.end() ? nullptr : found;
}

}  // namespace lockd::lockctl
