// Flags, environment and config file: where a value comes from, which ones are refused, and with what message.
#include "server/options.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace lockd::server {
namespace {

using namespace std::chrono_literals;

class OptionsTest : public testing::Test {
 public:
  OptionsTest() : directory_(std::filesystem::temp_directory_path() / ("lockd_options_" + std::to_string(::getpid()))) {
    std::filesystem::create_directory(directory_);
  }
  void TearDown() override {
    for (const std::string& name : set_) ::unsetenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): no other thread
    std::filesystem::remove_all(directory_);
  }

 protected:
  void set_environment(const std::string& name, const std::string& value) {
    ::setenv(name.c_str(), value.c_str(), 1);  // NOLINT(concurrency-mt-unsafe): no other thread
    set_.push_back(name);
  }

  std::string file(const std::string& text) const {
    std::ofstream(directory_ / "lockd.conf") << text;
    return directory_ / "lockd.conf";
  }

  static std::variant<Options, Exit> read(std::vector<std::string> flags) {
    flags.insert(flags.begin(), "lockd");
    std::vector<const char*> arguments;
    for (const std::string& flag : flags) arguments.push_back(flag.c_str());
    return read_options(static_cast<int>(arguments.size()), arguments.data());
  }

  static Options options(const std::vector<std::string>& flags) {
    const auto result = read(flags);
    if (const auto* exit = std::get_if<Exit>(&result)) {
      ADD_FAILURE() << exit->text;
      return {};
    }
    return std::get<Options>(result);
  }

  // Refused with status 2 and one line that names each of these words.
  static void expect_refused(const std::vector<std::string>& flags, const std::vector<std::string>& words) {
    const auto result = read(flags);
    const auto* exit = std::get_if<Exit>(&result);
    ASSERT_NE(exit, nullptr) << testing::PrintToString(flags) << " was accepted";
    EXPECT_EQ(exit->status, 2);
    EXPECT_TRUE(exit->text.starts_with("lockd: ")) << exit->text;
    EXPECT_EQ(std::ranges::count(exit->text, '\n'), 1) << exit->text;
    EXPECT_TRUE(exit->text.ends_with('\n')) << exit->text;
    for (const std::string& word : words) {
      EXPECT_NE(exit->text.find(word), std::string::npos) << word << " is missing in: " << exit->text;
    }
  }

 private:
  std::filesystem::path directory_;
  std::vector<std::string> set_;
};

TEST_F(OptionsTest, defaults_are_those_of_the_protocol) {
  const Options options = OptionsTest::options({});
  EXPECT_TRUE(options.listen.empty());
  EXPECT_GE(options.threads, 1U);
  EXPECT_EQ(options.settings.line_bytes_max, 8192U);
  EXPECT_EQ(options.settings.output_bytes_max, 1048576U);
  EXPECT_FALSE(options.settings.classic);
  EXPECT_TRUE(options.settings.dump);
  EXPECT_TRUE(options.settings.registry);
  EXPECT_EQ(options.connections_max, std::nullopt);
  EXPECT_EQ(options.locks_max, std::nullopt);
  EXPECT_EQ(options.waiters_max, std::nullopt);
  EXPECT_EQ(options.settings.input_bytes_max, 65536U);
  EXPECT_EQ(options.state_directory, "");
  EXPECT_EQ(options.peer_timeout, 30s);
  EXPECT_EQ(options.unix_mode, 0660U);
  EXPECT_EQ(options.pidfile, "");
  EXPECT_EQ(options.log_level, "info");
}

TEST_F(OptionsTest, each_flag_sets_its_own) {
  const Options options = OptionsTest::options(
      {"--listen",  "tcp://127.0.0.1:0",  "--listen",      "unix:///run/a.sock", "--threads", "3",
       "--classic", "--no-dump",          "--no-registry", "--max-connections",  "100",       "--max-line-bytes",
       "200",       "--max-output-bytes", "300",           "--max-locks",        "400",       "--peer-timeout",
       "5",         "--unix-mode",        "0600",          "--pidfile",          "/run/p",    "--log-level",
       "debug",     "--max-input-bytes",  "500",           "--max-waiters",      "600",       "--state-dir",
       "/var/s"});
  EXPECT_EQ(options.settings.input_bytes_max, 500U);
  EXPECT_EQ(options.waiters_max, 600U);
  EXPECT_EQ(options.state_directory, "/var/s");
  EXPECT_EQ(options.listen, (std::vector<std::string>{"tcp://127.0.0.1:0", "unix:///run/a.sock"}));
  EXPECT_EQ(options.threads, 3U);
  EXPECT_TRUE(options.settings.classic);
  EXPECT_FALSE(options.settings.dump);
  EXPECT_FALSE(options.settings.registry);
  EXPECT_EQ(options.connections_max, 100U);
  EXPECT_EQ(options.settings.line_bytes_max, 200U);
  EXPECT_EQ(options.settings.output_bytes_max, 300U);
  EXPECT_EQ(options.locks_max, 400U);
  EXPECT_EQ(options.peer_timeout, 5s);
  EXPECT_EQ(options.unix_mode, 0600U);
  EXPECT_EQ(options.pidfile, "/run/p");
  EXPECT_EQ(options.log_level, "debug");
}

// ---- the three sources ----

TEST_F(OptionsTest, each_flag_is_an_environment_variable) {
  set_environment("LOCKD_LISTEN", "tcp://127.0.0.1:0,unix:///run/a.sock");
  set_environment("LOCKD_THREADS", "3");
  set_environment("LOCKD_CLASSIC", "1");
  set_environment("LOCKD_NO_DUMP", "true");
  set_environment("LOCKD_NO_REGISTRY", "true");
  set_environment("LOCKD_MAX_CONNECTIONS", "100");
  set_environment("LOCKD_MAX_LINE_BYTES", "200");
  set_environment("LOCKD_MAX_OUTPUT_BYTES", "300");
  set_environment("LOCKD_MAX_LOCKS", "400");
  set_environment("LOCKD_PEER_TIMEOUT", "5");
  set_environment("LOCKD_UNIX_MODE", "600");
  set_environment("LOCKD_PIDFILE", "/run/p");
  set_environment("LOCKD_LOG_LEVEL", "error");
  const Options options = OptionsTest::options({});
  EXPECT_EQ(options.listen, (std::vector<std::string>{"tcp://127.0.0.1:0", "unix:///run/a.sock"}));
  EXPECT_EQ(options.threads, 3U);
  EXPECT_TRUE(options.settings.classic);
  EXPECT_FALSE(options.settings.dump);
  EXPECT_FALSE(options.settings.registry);
  EXPECT_EQ(options.connections_max, 100U);
  EXPECT_EQ(options.settings.line_bytes_max, 200U);
  EXPECT_EQ(options.settings.output_bytes_max, 300U);
  EXPECT_EQ(options.locks_max, 400U);
  EXPECT_EQ(options.peer_timeout, 5s);
  EXPECT_EQ(options.unix_mode, 0600U);
  EXPECT_EQ(options.pidfile, "/run/p");
  EXPECT_EQ(options.log_level, "error");
}

TEST_F(OptionsTest, each_flag_is_a_key_of_the_config_file) {
  const Options options = OptionsTest::options({"--config", file("# a comment\n"
                                                                 "listen = tcp://127.0.0.1:0, unix:///run/a.sock\n"
                                                                 "threads = 3\nclassic = true\nno-dump = true\n"
                                                                 "no-registry = true\nmax-connections = 100\n"
                                                                 "max-line-bytes = 200\nmax-output-bytes=300\n"
                                                                 "max-locks = 400\npeer-timeout = 5\n"
                                                                 "unix-mode = 600\npidfile = /run/p\n"
                                                                 "log-level = off\n")});
  EXPECT_EQ(options.listen, (std::vector<std::string>{"tcp://127.0.0.1:0", "unix:///run/a.sock"}));
  EXPECT_EQ(options.threads, 3U);
  EXPECT_TRUE(options.settings.classic);
  EXPECT_FALSE(options.settings.dump);
  EXPECT_FALSE(options.settings.registry);
  EXPECT_EQ(options.connections_max, 100U);
  EXPECT_EQ(options.settings.line_bytes_max, 200U);
  EXPECT_EQ(options.settings.output_bytes_max, 300U);
  EXPECT_EQ(options.locks_max, 400U);
  EXPECT_EQ(options.peer_timeout, 5s);
  EXPECT_EQ(options.unix_mode, 0600U);
  EXPECT_EQ(options.pidfile, "/run/p");
  EXPECT_EQ(options.log_level, "off");
}

TEST_F(OptionsTest, the_command_line_wins_over_the_environment_and_that_over_the_file) {
  const std::string config =
      file("threads = 2\npeer-timeout = 2\nmax-locks = 2\nlisten = tcp://127.0.0.1:2\nclassic = true\n");
  set_environment("LOCKD_THREADS", "3");
  set_environment("LOCKD_PEER_TIMEOUT", "3");
  set_environment("LOCKD_LISTEN", "tcp://127.0.0.1:3");
  set_environment("LOCKD_CLASSIC", "false");
  const Options options = OptionsTest::options({"--config", config, "--threads", "4"});
  EXPECT_EQ(options.threads, 4U);
  EXPECT_EQ(options.peer_timeout, 3s);
  EXPECT_EQ(options.locks_max, 2U);
  EXPECT_EQ(options.listen, std::vector<std::string>{"tcp://127.0.0.1:3"});
  EXPECT_FALSE(options.settings.classic);
  EXPECT_EQ(OptionsTest::options({"--config", config, "--listen", "tcp://127.0.0.1:4"}).listen,
            std::vector<std::string>{"tcp://127.0.0.1:4"});
}

TEST_F(OptionsTest, the_environment_may_name_the_config_file) {
  set_environment("LOCKD_CONFIG", file("max-locks = 7\n"));
  EXPECT_EQ(options({}).locks_max, 7U);
}

TEST_F(OptionsTest, switches_can_be_off_in_the_file_and_the_environment) {
  set_environment("LOCKD_NO_REGISTRY", "0");
  const Options options = OptionsTest::options({"--config", file("classic = false\nno-dump = false\n")});
  EXPECT_FALSE(options.settings.classic);
  EXPECT_TRUE(options.settings.dump);
  EXPECT_TRUE(options.settings.registry);
}

TEST_F(OptionsTest, switches_know_the_usual_words) {
  for (const char* on : {"true", "on", "yes", "1"})
    EXPECT_TRUE(options({"--config", file(std::string("classic = ") + on)}).settings.classic) << on;
  for (const char* off : {"false", "off", "no", "0"})
    EXPECT_FALSE(options({"--config", file(std::string("classic = ") + off)}).settings.classic) << off;
}

// ---- what is refused ----

TEST_F(OptionsTest, a_switch_that_is_neither_on_nor_off_is_refused) {
  for (const char* value : {"3", "-1", "maybe"}) {
    expect_refused({"--config", file(std::string("classic = ") + value)}, {"lockd.conf:1: classic: ", value});
    expect_refused({std::string("--no-dump=") + value}, {"--no-dump", value});
  }
  set_environment("LOCKD_NO_REGISTRY", "3");
  expect_refused({}, {"lockd: LOCKD_NO_REGISTRY: 3: expected true or false;"});
}

struct Range {
  const char* flag;
  std::vector<std::string> accepted;
  std::vector<std::string> refused;
};

class OptionRange : public OptionsTest, public testing::WithParamInterface<Range> {};

INSTANTIATE_TEST_SUITE_P(
    numbers, OptionRange,
    testing::Values(
        Range{"threads", {"1", "64"}, {"0", "65", "-1", "1.5", "two", "", "4294967297"}},
        Range{"max-connections", {"1", "1000000"}, {"0", "-1", "many", "", "99999999999999999999"}},
        Range{"max-line-bytes", {"1", "1048576"}, {"0", "1048577", "-1", "8k", ""}},
        Range{"max-output-bytes", {"1", "67108864"}, {"0", "67108865", "-1", "1M", ""}},
        Range{"max-input-bytes", {"1", "67108864"}, {"0", "67108865", "-1", "1M", ""}},
        Range{"max-waiters", {"1", "18446744073709551615"}, {"0", "-1", "1.5", "many", "", "18446744073709551616"}},
        Range{
            "max-locks", {"1", "18446744073709551615"}, {"0", "-1", "1.5", "1e3", "none", "", "18446744073709551616"}},
        Range{"peer-timeout", {"1", "3600"}, {"0", "3601", "-1", "30s", "0.5", ""}}));
INSTANTIATE_TEST_SUITE_P(
    words, OptionRange,
    testing::Values(Range{"unix-mode", {"0", "600", "0777"}, {"778", "1777", "8", "rw", "-1", "", "0x1"}},
                    Range{"log-level", {"debug", "info", "warning", "error", "off"}, {"verbose", "INFO", "1", ""}},
                    Range{"listen",
                          {"tcp://[::1]:1", "unix:///a"},
                          {"9999", "tcp://127.0.0.1", "unix://a", "tcp://127.0.0.1:65536", ""}}));

TEST_P(OptionRange, S4_S5_F5_F6_on_the_command_line) {
  for (const std::string& value : GetParam().accepted) options({"--" + std::string(GetParam().flag) + "=" + value});
  for (const std::string& value : GetParam().refused) {
    expect_refused({"--" + std::string(GetParam().flag), value}, {GetParam().flag});
  }
}

TEST_P(OptionRange, in_the_environment) {
  std::string name = "LOCKD_" + std::string(GetParam().flag);
  std::ranges::transform(name, name.begin(),
                         [](char c) { return c == '-' ? '_' : static_cast<char>(std::toupper(c)); });
  for (const std::string& value : GetParam().refused) {
    set_environment(name, value);
    expect_refused({}, {"lockd: " + name + ": "});
  }
}

TEST_P(OptionRange, in_the_config_file) {
  for (const std::string& value : GetParam().refused) {
    const std::string path = file(std::string(GetParam().flag) + " = \"" + value + "\"\n");
    expect_refused({"--config", path}, {"lockd: " + path + ":1: " + GetParam().flag + ": "});
  }
}

TEST_F(OptionsTest, numbers_are_decimal) {
  EXPECT_EQ(options({"--max-locks", "010"}).locks_max, 10U);
  expect_refused({"--max-locks", "0x10"}, {"--max-locks"});
}

TEST_F(OptionsTest, a_bad_flag_is_refused) {
  expect_refused({"--frobnicate"}, {"--frobnicate"});
  expect_refused({"9999"}, {"9999"});
  expect_refused({"--threads"}, {"--threads"});
  expect_refused({"--threads", "1", "--threads", "2"}, {"--threads"});
  expect_refused({"--listen"}, {"--listen"});
}

TEST_F(OptionsTest, a_flag_without_its_value_or_given_twice_is_refused_in_these_words) {
  expect_refused({"--threads"}, {"lockd: --threads needs a value; see lockd --help\n"});
  expect_refused({"--threads", "1", "--threads", "2"},
                 {"lockd: --threads is given more than once; see lockd --help\n"});
  expect_refused({"--http", "tcp://a:1", "--http", "tcp://b:1"}, {"lockd: --http is given more than once; see"});
}

TEST_F(OptionsTest, a_bad_listening_address_is_refused_with_the_reason) {
  expect_refused({"--listen", "tcp://::1:9999"}, {"tcp://::1:9999", "an IPv6 address goes in brackets"});
}

TEST_F(OptionsTest, a_config_file_that_cannot_be_read_is_refused_with_the_reason) {
  expect_refused({"--config", "/no/such/file"}, {"--config /no/such/file: No such file or directory"});
  const std::string directory = std::filesystem::path(file("")).parent_path();
  expect_refused({"--config", directory}, {"--config " + directory + ": Is a directory"});
  set_environment("LOCKD_CONFIG", "/no/such/file");
  expect_refused({}, {"lockd: LOCKD_CONFIG /no/such/file: No such file or directory"});
}

// As a script's unset variable leaves it: all would be as by default.
TEST_F(OptionsTest, a_config_file_without_a_name_is_refused) {
  expect_refused({"--config", ""}, {"--config: the path is empty: leave the setting out for none;"});
}

TEST_F(OptionsTest, an_address_for_HTTP_is_refused_with_those_that_there_are) {
  for (const std::string uri :
       {"foo", "http://127.0.0.1:8080", "https://a:1", "ws://127.0.0.1:1", "wss://a:1", ":8080"})
    expect_refused({"--http", uri},
                   {"--http: " + uri + ": expected tcp://HOST:PORT or unix:///PATH; see lockd --help"});
  expect_refused({"--http", ""}, {"--http: '': expected tcp://HOST:PORT or unix:///PATH"});
  expect_refused({"--http", "tcp://a"}, {"--http: tcp://a: expected tcp://HOST:PORT"});
}

TEST_F(OptionsTest, what_steers_a_terminal_is_escaped) {
  expect_refused({"--frob\x1B[31m\n"}, {"--frob\\x1B[31m\\x0A"});
  expect_refused({"--config", "/no\n/file"}, {"/no\\x0A/file: No such file"});
  expect_refused({"--config", file("listen = \x1B]0;\x07\xFF\n")}, {"\\x1B]0;\\x07\\xFF"});
}

TEST_F(OptionsTest, an_empty_value_is_shown) {
  for (const char* flag : {"--threads", "--listen", "--http", "--unix-mode", "--log-level", "--ws-origin"}) {
    expect_refused({flag, ""}, {std::string("lockd: ") + flag + ": '': "});
  }
  expect_refused({"--config", file("classic =\n")}, {"'': expected true or false"});
}

TEST_F(OptionsTest, what_is_refused_says_where_to_look) {
  for (const auto& flags :
       std::vector<std::vector<std::string>>{{"--foo"}, {"9999"}, {"--threads"}, {"--threads", "x"}})
    expect_refused(flags, {"; see lockd --help\n"});
}

TEST_F(OptionsTest, an_unknown_key_of_the_config_file_is_refused) {
  const std::string path = file("threads = 2\nmax_locks = 3\n");
  expect_refused({"--config", path}, {path + ":2: no such setting: max_locks (did you mean max-locks?);"});
  file("frobnicate = 3\n");
  expect_refused({"--config", path}, {path + ":1: no such setting: frobnicate;"});
}

TEST_F(OptionsTest, an_unknown_flag_is_refused_with_the_one_that_may_be_meant) {
  expect_refused({"--max-lock", "3"}, {"lockd: no flag --max-lock (did you mean --max-locks?); see lockd --help\n"});
  expect_refused({"--max-lock=3"}, {"lockd: no flag --max-lock (did you mean --max-locks?);"});
  expect_refused({"--frobnicate"}, {"lockd: no flag --frobnicate;"});
  expect_refused({"9999"}, {"lockd: 9999 is no flag;"});
}

// The flag is not to blame where nobody gave it, and the variable not where the flag goes before it.
TEST_F(OptionsTest, what_is_refused_is_named_as_it_was_set) {
  set_environment("LOCKD_MAX_LOCKS", "x");
  expect_refused({}, {"lockd: LOCKD_MAX_LOCKS: x: expected a whole number"});
  expect_refused({"--max-locks", "y"}, {"lockd: --max-locks: y: expected a whole number"});
  expect_refused({"--max-locks=y"}, {"lockd: --max-locks: y: expected a whole number"});
  set_environment("LOCKD_MAX_LOCKS", "1");
  const std::string path = file("# seconds\n\nthreads = 1\npeer-timeout = 0\n");
  expect_refused({"--config", path}, {"lockd: " + path + ":4: peer-timeout: 0: expected a whole number"});
}

TEST_F(OptionsTest, blank_lines_of_the_config_file_say_nothing) {
  EXPECT_EQ(options({"--config", file("\n \t\nthreads = 2\n\n")}).threads, 2U);
}

TEST_F(OptionsTest, a_section_of_the_config_file_is_refused) {
  const std::string path = file("[lockd]\nthreads = 2\n");
  expect_refused({"--config", path}, {path});
}

TEST_F(OptionsTest, a_line_of_the_config_file_that_is_no_setting_is_refused) {
  const std::string path = file("classic\nthreads 2\n");
  expect_refused({"--config", path}, {path + ":2: expected NAME = VALUE: threads 2;"});
}

TEST_F(OptionsTest, a_setting_that_is_repeated_in_the_config_file_is_refused) {
  const std::string path = file("listen = [\"tcp://127.0.0.1:1\"]\nthreads = 2\n\nlisten = [\"tcp://127.0.0.1:2\"]\n");
  expect_refused({"--config", path}, {path + ":4: listen stands in line 1 already: keep one of the two;"});
  for (const std::string setting : {"listen = tcp://127.0.0.1:1\n", "threads = 2\n", "classic = true\n", "classic\n"}) {
    file("# twice\n" + setting + setting);
    const std::string name = setting.substr(0, setting.find_first_of(" \n"));
    expect_refused({"--config", path}, {path + ":3: " + name + " stands in line 2 already: keep one of the two;"});
  }
}

TEST_F(OptionsTest, several_values_for_a_setting_that_takes_one_are_refused) {
  const std::string path = file("threads = 2, 3\n");
  expect_refused({"--config", path}, {path + ":1: threads: more than one value: it takes one;"});
  file("classic = true, false\n");
  expect_refused({"--config", path}, {path + ":1: classic: more than one value: it takes one;"});
}

TEST_F(OptionsTest, a_list_of_the_config_file_that_is_not_closed_is_refused) {
  const std::string path = file("listen = [\"tcp://127.0.0.1:1\"\nthreads = 2\n");
  expect_refused({"--config", path}, {path + ":1: the list of listen has no ] at its end;"});
}

TEST_F(OptionsTest, a_path_that_is_empty_is_refused) {
  for (const std::string name : {"state-dir", "pidfile"}) {
    const std::string words = name + ": the path is empty: leave the setting out for none;";
    for (const char* value : {" = \"\"\n", " =\n"}) {
      const std::string path = file(name + value);
      expect_refused({"--config", path}, {path + ":1: " + words});
    }
    expect_refused({"--" + name, ""}, {"--" + words});
    expect_refused({"--" + name + "="}, {"--" + name + " needs a value;"});
  }
}

// ---- help and version ----

TEST_F(OptionsTest, help_lists_every_flag) {
  const auto result = read({"--help"});
  const auto* exit = std::get_if<Exit>(&result);
  ASSERT_NE(exit, nullptr);
  EXPECT_EQ(exit->status, 0);
  for (const char* flag :
       {"--listen URI", "--threads N", "--classic", "--no-dump", "--no-registry", "--max-connections N",
        "--max-line-bytes N", "--max-input-bytes N", "--max-output-bytes N", "--max-waiters N", "--state-dir DIR",
        "--max-locks N", "--peer-timeout S", "--unix-mode MODE", "--pidfile PATH", "--log-level LEVEL", "--config FILE",
        "--version", "--help"}) {
    EXPECT_NE(exit->text.find(flag), std::string::npos) << flag << " is missing in:\n" << exit->text;
  }
  for (const char* value : {"8192", "1048576", "30", "660", "info"}) {
    EXPECT_NE(exit->text.find(value), std::string::npos) << "the default " << value << " is missing";
  }
}

TEST_F(OptionsTest, version_is_one_line) {
  const auto result = read({"--version"});
  const auto* exit = std::get_if<Exit>(&result);
  ASSERT_NE(exit, nullptr);
  EXPECT_EQ(exit->status, 0);
  EXPECT_EQ(exit->text, "lockd " LOCKD_VERSION "\n");
}

TEST_F(OptionsTest, origins_come_from_anywhere_and_are_checked) {
  const std::vector<std::string> both{"https://a.example", "http://localhost:8000"};
  EXPECT_EQ(options({"--ws-origin", both[0], "--ws-origin", both[1]}).websocket_origins, both);
  EXPECT_EQ(
      options({"--config", file("ws-origin = [\"https://a.example\", \"http://localhost:8000\"]\n")}).websocket_origins,
      both);
  set_environment("LOCKD_WS_ORIGIN", "https://a.example,http://localhost:8000");
  EXPECT_EQ(options({}).websocket_origins, both);
  EXPECT_EQ(options({"--ws-origin", both[0]}).websocket_origins, std::vector<std::string>{both[0]});
  expect_refused({"--ws-origin", "example.com"}, {"--ws-origin", "example.com", "expected SCHEME://HOST"});
}

}  // namespace
}  // namespace lockd::server
