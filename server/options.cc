#include "server/options.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <span>
#include <string_view>
#include <system_error>
#include <thread>

#include "server/config_file.h"
#include "server/environment.h"
#include "server/nearest.h"
#include "server/printable.h"
#include "server/setting_values.h"

namespace lockd::server {

namespace {

constexpr unsigned threads_max = 64;  // more than 16 shards of the table never pay

/// Each option has the same name everywhere: --max-locks, max-locks in the file, LOCKD_MAX_LOCKS.
void name_environment_variables(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) {
    const std::string name = option->get_single_name();
    if (name == "help" || name == "version" || name == "config") continue;
    std::string variable = "LOCKD_" + name;
    std::ranges::transform(variable, variable.begin(), [](char c) {
      return c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    });
    option->envname(variable);
  }
  app.get_option("--config")->envname("LOCKD_CONFIG");
}

/// The library takes an empty variable for none: tokens would then not be kept where LOCKD_STATE_DIR= says nowhere.
void refuse_empty_variables(const CLI::App& app) {
  for (const CLI::Option* option : app.get_options()) {
    const std::string variable = option->get_envname();
    const char* const value = variable.empty() ? nullptr : std::getenv(variable.c_str());
    if (value != nullptr && *value == '\0') throw CLI::ValidationError(variable, "it is set, and empty");
  }
}

std::vector<std::string> variables_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) names.push_back(option->get_envname());
  return names;
}

/// What the flags write to, where Options keeps it in another form.
struct RawOptions {
  Options options;
  bool no_dump = false;
  bool no_registry = false;
  unsigned peer_timeout_s = 30;
  std::string unix_mode = "660";
  std::string config;
};

void add_listening_options(CLI::App& app, RawOptions& raw) {
  app.add_option("--listen", raw.options.listen,
                 "where to listen: tcp://HOST:PORT, unix:///PATH or, for WebSockets, ws://HOST:PORT/PATH; repeatable, "
                 "or several with commas; port 0 takes a free one\n"
                 "[default: tcp://127.0.0.1:9999 and tcp://[::1]:9999]")
      ->type_name("URI")
      ->delimiter(',')
      ->check(check_listen_uri);
  app.add_option("--http", raw.options.http,
                 "where to show metrics and health over HTTP: tcp://HOST:PORT or unix:///PATH [default: nowhere]")
      ->type_name("URI")
      ->check(check_http_uri);
  app.add_option(
         "--ws-origin", raw.options.websocket_origins,
         "pages of which origin may connect to WebSockets, as in https://example.com; repeatable [default: none]")
      ->type_name("ORIGIN")
      ->delimiter(',')
      ->check(check_websocket_origin);
  app.add_option("--unix-mode", raw.unix_mode, "permission bits of Unix sockets, octal")
      ->type_name("MODE")
      ->capture_default_str()
      ->check(check_mode);
  app.add_option("--max-connections", raw.options.connections_max,
                 "connections at once [default: the descriptor limit less 64]")
      ->type_name("N")
      ->transform(whole_number(1, std::uint64_t{1} << 31));
  app.add_option("--peer-timeout", raw.peer_timeout_s,
                 "when a vanished or stalled client's connection ends, in seconds")
      ->type_name("S")
      ->capture_default_str()
      ->transform(whole_number(1, 3600));
}

void add_protocol_options(CLI::App& app, RawOptions& raw) {
  Settings& settings = raw.options.settings;
  app.add_flag("--classic", settings.classic, "do not answer unknown commands, as lockd's ancestors did not")
      ->check(check_switch);
  app.add_flag("--no-dump", raw.no_dump, "disable d, sd, dump, list and who")->check(check_switch);
  app.add_flag("--no-registry", raw.no_registry, "disable iam and who")->check(check_switch);
  app.add_option("--max-line-bytes", settings.line_bytes_max, "the longest request")
      ->type_name("N")
      ->capture_default_str()
      ->transform(whole_number(1, std::uint64_t{1} << 20));
  app.add_option("--max-input-bytes", settings.input_bytes_max, "what is kept of a client's requests while it waits")
      ->type_name("N")
      ->capture_default_str()
      ->transform(whole_number(1, std::uint64_t{1} << 26));
  app.add_option("--max-output-bytes", settings.output_bytes_max, "replies kept for a client that does not read them")
      ->type_name("N")
      ->capture_default_str()
      ->transform(whole_number(1, std::uint64_t{1} << 26));
  app.add_option("--max-locks", raw.options.locks_max, "locks of one connection [default: no bound]")
      ->type_name("N")
      ->transform(whole_number(1, UINT64_MAX));
  app.add_option("--max-waiters", raw.options.waiters_max, "waiters in one line [default: no bound]")
      ->type_name("N")
      ->transform(whole_number(1, UINT64_MAX));
}

void add_process_options(CLI::App& app, RawOptions& raw) {
  app.add_option("--threads", raw.options.threads, "I/O threads")
      ->type_name("N")
      ->capture_default_str()
      ->transform(whole_number(1, threads_max));
  app.add_option(
         "--state-dir", raw.options.state_directory,
         "where to keep the high-water mark of tokens, so that they grow across restarts whatever the clock does")
      ->type_name("DIR")
      ->check(check_path);
  app.add_option("--pidfile", raw.options.pidfile, "where to write the process id")
      ->type_name("PATH")
      ->check(check_path);
  app.add_option("--log-level", raw.options.log_level, "what to log to stderr: debug, info, warning, error or off")
      ->type_name("LEVEL")
      ->capture_default_str()
      ->check(check_log_level);
  app.add_option("--config", raw.config, "a file of `flag = value` lines, the flags without their dashes")
      ->type_name("FILE")
      ->check(check_path)
      ->configurable(false);
  app.set_version_flag("--version", "lockd " LOCKD_VERSION);
}

std::string reason_of(int error) { return error == 0 ? "cannot be read" : std::generic_category().message(error); }

std::string flag_of(const std::string& what) { return what.substr(0, what.find(':')); }

std::string meant(const std::string& word, const std::vector<std::string>& words) {
  const std::string found = nearest(word, words);
  return found.empty() ? "" : " (did you mean " + found + "?)";
}

std::vector<std::string> names_of(const CLI::App& app, const std::string& dashes = "") {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) names.push_back(dashes + option->get_single_name());
  return names;
}

/// What the library says about a flag or the words behind it, about where the file has it.
std::string file_error(const CLI::App& app, const ConfigFile& reader, const CLI::ParseError& error) {
  constexpr std::string_view unknown = "INI was not able to parse ";  // the library's words for it
  const std::string what = error.what();
  const bool is_unknown = what.starts_with(unknown);
  const std::string name =
      is_unknown ? what.substr(unknown.size()) : flag_of(what).substr(what.starts_with("--") ? 2 : 0);
  const std::string line = reader.line_of(name);
  const std::string place = line.empty() ? "" : ":" + line;
  if (is_unknown) {
    return place + ": no such setting: " + name + meant(name, names_of(app));
  }
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr)
    return place + ": " + name + ": more than one value: it takes one";
  return place + ": " + name + what.substr(flag_of(what).size());
}

/// What an option has its value from before the file is read: its flag, or its variable.
std::string source_of(const CLI::App& app, const std::string& flag, std::span<const char* const> arguments) {
  const CLI::Option* const option = app.get_option_no_throw(flag);
  const auto sets = [&flag](std::string_view argument) { return argument == flag || argument.starts_with(flag + "="); };
  const bool by_flag = option == nullptr || option->get_envname().empty() || std::ranges::any_of(arguments, sets);
  return by_flag ? flag : option->get_envname();
}

/// The file's values come last, so only what nobody has set yet is taken from it. source: what named the file.
void read_config_file(CLI::App& app, const ConfigFile& reader, const std::string& path, const std::string& source) {
  errno = 0;
  std::ifstream file(path);
  file.peek();  // a directory opens, but can't be read
  if (!file.is_open() || file.bad()) throw CLI::FileError(source + " " + path + ": " + reason_of(errno));
  try {
    app.parse_from_stream(file);
  } catch (const CLI::FileError& error) {  // it says in which line
    throw CLI::FileError(std::string(path).append(":").append(error.what()));
  } catch (const CLI::ParseError& error) {
    throw CLI::FileError(path + file_error(app, reader, error));
  }
}

Options options_of(const RawOptions& raw) {
  Options options = raw.options;
  options.settings.dump = !raw.no_dump;
  options.settings.registry = !raw.no_registry;
  options.peer_timeout = std::chrono::seconds(raw.peer_timeout_s);
  options.unix_mode = static_cast<unsigned>(std::stoul(raw.unix_mode, nullptr, 8));
  return options;
}

/// A flag that has too few values, or too many, in better words than the library's.
std::string mismatch(const std::string& what) {
  return flag_of(what) + (what.ends_with(" missing") ? " needs a value" : " is given more than once");
}

Exit usage_error(const std::string& text) { return {2, error_line(text + "; see lockd --help")}; }

/// Of words that are no flags the first that looks like one.
std::string unknown_flag(const CLI::App& app) {
  const std::vector<std::string> words = app.remaining();
  const auto found = std::ranges::find_if(words, [](const std::string& word) { return word.starts_with('-'); });
  if (found == words.end()) return words.front() + " is no flag";
  const std::string flag = found->substr(0, found->find('='));
  return "no flag " + flag + meant(flag, names_of(app, "--"));
}

}  // namespace

std::variant<Options, Exit> read_options(int argc, const char* const* argv) {
  RawOptions raw;
  raw.options.threads = std::clamp(std::thread::hardware_concurrency(), 1U, 4U);
  CLI::App app("lockd - named locks over a line protocol. A lock lives as long as the connection that took it.",
               "lockd");
  app.allow_config_extras(CLI::config_extras_mode::error);
  const auto reader = std::make_shared<ConfigFile>();
  app.config_formatter(reader);
  add_listening_options(app, raw);
  add_protocol_options(app, raw);
  add_process_options(app, raw);
  name_environment_variables(app);
  app.footer(
      "Each flag is also a key of the config file and an environment variable, LOCKD_MAX_LOCKS for --max-locks;\n"
      "the command line wins over the environment, and that over the file.");
  const std::span arguments(argv, static_cast<std::size_t>(argc));
  try {
    app.parse(argc, argv);
    refuse_empty_variables(app);
    raw.options.warnings = unknown_variables(environ, variables_of(app));
    if (!raw.config.empty()) read_config_file(app, *reader, raw.config, source_of(app, "--config", arguments));
  } catch (const CLI::CallForHelp&) {
    return Exit{0, app.help()};
  } catch (const CLI::CallForVersion&) {
    return Exit{0, app.version() + "\n"};
  } catch (const CLI::ArgumentMismatch& error) {
    return usage_error(mismatch(error.what()));
  } catch (const CLI::ExtrasError&) {
    return usage_error(unknown_flag(app));
  } catch (const CLI::ValidationError& error) {
    const std::string what = error.what();
    const std::string flag = flag_of(what);
    return usage_error(source_of(app, flag, arguments) + what.substr(flag.size()));
  } catch (const CLI::ParseError& error) {
    return usage_error(error.what());
  }
  return options_of(raw);
}

}  // namespace lockd::server
