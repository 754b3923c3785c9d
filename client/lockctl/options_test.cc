// Tests of the command line.
#include "client/lockctl/options.h"

#include <gtest/gtest.h>

#include <string>
#include <variant>
#include <vector>

namespace lockd::lockctl {

namespace {

using std::chrono::milliseconds;

std::variant<Options, Print, Failure> read(std::vector<std::string> words, const char* server = nullptr) {
  words.insert(words.begin(), "lockctl");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  return read_options(static_cast<int>(words.size()), argv.data(), server);
}

Options options(const std::vector<std::string>& words, const char* server = nullptr) {
  const auto got = read(words, server);
  if (const auto* failure = std::get_if<Failure>(&got)) ADD_FAILURE() << failure->text;
  return std::holds_alternative<Options>(got) ? std::get<Options>(got) : Options();
}

std::string refusal(const std::vector<std::string>& words, const char* server = nullptr) {
  const auto got = read(words, server);
  if (!std::holds_alternative<Failure>(got)) return "nothing is refused";
  EXPECT_EQ(std::get<Failure>(got).status, 64);
  return std::get<Failure>(got).text;
}

using Words = std::vector<std::string>;

}  // namespace

TEST(LockctlOptions, defaults) {
  const Options run = options({"run", "k", "true"});
  EXPECT_EQ(run.command, Command::run);
  EXPECT_EQ(run.server, "tcp://127.0.0.1:9999");
  EXPECT_EQ(run.lock.mode, Mode::exclusive);
  EXPECT_EQ(run.lock.wait, std::nullopt);
  EXPECT_EQ(run.lock.limit, std::nullopt);
  EXPECT_EQ(run.conflict_status, 1);
  EXPECT_EQ(run.kill_after, milliseconds(5000));
  EXPECT_EQ(run.connect_timeout, milliseconds(5000));
  EXPECT_EQ(run.peer_timeout, milliseconds(10000));
  EXPECT_EQ(run.name, std::nullopt);
  EXPECT_EQ(options({"top"}).interval, milliseconds(1000));
  EXPECT_EQ(options({"top"}).count, std::nullopt);
}

TEST(LockctlOptions, the_server_is_named_before_or_behind_the_command_or_by_the_environment) {
  EXPECT_EQ(options({"--server", "tcp://a:1", "ping"}).server, "tcp://a:1");
  EXPECT_EQ(options({"ping", "--server=tcp://b:1"}).server, "tcp://b:1");
  EXPECT_EQ(options({"ping"}, "tcp://c:1").server, "tcp://c:1");
  EXPECT_EQ(options({"--server", "tcp://a:1", "ping"}, "tcp://c:1").server, "tcp://a:1");
  EXPECT_EQ(options({"--server", "tcp://a:1", "ping"}, "").server, "tcp://a:1");
  EXPECT_EQ(refusal({"ping"}, ""), "lockctl: LOCKD_SERVER is set, and empty; unset it or let it name a server");
}

TEST(LockctlOptions, a_server_that_is_none_and_where_it_was_named) {
  EXPECT_EQ(refusal({"--server", "a:1", "ping"}, "tcp://b:1"),
            "lockctl: --server a:1: expected tcp://HOST:PORT or unix:///PATH; see lockctl --help");
  EXPECT_EQ(refusal({"ping", "--server", "tcp://a:0"}, "tcp://b:1"),
            "lockctl ping: --server tcp://a:0: the port must be a number from 1 to 65535; see lockctl ping --help");
  EXPECT_EQ(refusal({"ping"}, "a b"), "lockctl: LOCKD_SERVER 'a b': expected tcp://HOST:PORT or unix:///PATH");
  EXPECT_EQ(refusal({"ping"}, "unix://a"),
            "lockctl: LOCKD_SERVER unix://a: the path of a socket is absolute: unix:///PATH");
  EXPECT_EQ(options({"--server", "tcp://a:1", "ping"}, "nonsense").server, "tcp://a:1");
}

TEST(LockctlOptions, what_an_unset_variable_of_a_script_leaves_empty) {
  EXPECT_EQ(refusal({"--server", "", "ping"}, "tcp://a:1"),
            "lockctl: --server '': expected tcp://HOST:PORT or unix:///PATH; see lockctl --help");
  EXPECT_EQ(refusal({"list", "--server="}),
            "lockctl list: --server '': expected tcp://HOST:PORT or unix:///PATH; see lockctl list --help");
  EXPECT_EQ(refusal({"run", "-w", "", "k", "true"}),
            "lockctl run: --wait '': expected seconds, 0 to 2147483; see lockctl run --help");
  for (const std::string command : {"run", "get", "inspect"}) {
    EXPECT_EQ(refusal({command, "", "true"}), "lockctl " + command +
                                                  ": the KEY is empty, as by a variable that is not set; see lockctl " +
                                                  command + " --help");
  }
}

TEST(LockctlOptions, options_of_run) {
  const Options run = options({"run", "-s", "--max=3", "-w", "1.5", "-E7", "--kill-after", "0", "k", "true"});
  EXPECT_EQ(run.lock.mode, Mode::shared);
  EXPECT_EQ(run.lock.limit, 3U);
  EXPECT_EQ(run.lock.wait, milliseconds(1500));
  EXPECT_EQ(run.conflict_status, 7);
  EXPECT_EQ(run.kill_after, milliseconds(0));
  EXPECT_EQ(options({"run", "-n", "k", "true"}).lock.wait, milliseconds(0));
  EXPECT_EQ(options({"run", "--peer-timeout", "2.5", "k", "true"}).peer_timeout, milliseconds(2500));
  EXPECT_EQ(options({"get", "--name", "", "k"}).name, "");
  EXPECT_EQ(options({"run", "-nE2", "k", "true"}).conflict_status, 2);
  EXPECT_EQ(options({"run", "-s", "--shared", "k", "true"}).lock.mode, Mode::shared);
}

TEST(LockctlOptions, all_behind_the_key_is_the_command) {
  const Words command = {"[", "-n", "[a,b]", "--help", "", "-5", "--"};
  Words words = {"run", "k"};
  words.insert(words.end(), command.begin(), command.end());
  EXPECT_EQ(options(words).arguments, command);
  words.insert(words.begin() + 2, "--");
  EXPECT_EQ(options(words).arguments, command);
  EXPECT_EQ(options({"run", "--", "-k", "true"}).key, "-k");
  EXPECT_EQ(options({"run", "k", "--", "--", "x"}).arguments, (Words{"--", "x"}));
  EXPECT_EQ(options({"run", "k", "--", "-c", "x"}).arguments, (Words{"-c", "x"}));
}

TEST(LockctlOptions, a_string_for_the_shell) {
  EXPECT_EQ(options({"run", "-c", "a | b", "k"}).shell_command, "a | b");
  EXPECT_EQ(options({"run", "k", "-c", "a | b"}).shell_command, "a | b");
  EXPECT_EQ(options({"run", "k", "--command", "a | b"}).shell_command, "a | b");
  EXPECT_EQ(options({"run", "-c", "", "k"}).shell_command, "");
  EXPECT_EQ(options({"run", "-c", "a", "k"}).arguments, Words());
  EXPECT_EQ(refusal({"run", "-c", "a", "k", "b"}),
            "lockctl run: either -c STRING or a COMMAND, not both; see lockctl run --help");
  EXPECT_EQ(refusal({"run", "k", "-c"}),
            "lockctl run: -c takes one STRING, and nothing behind it; see lockctl run --help");
  for (const Words& words : {Words{"run", "k", "-c", "a", "b"}, Words{"run", "-c", "a", "k", "-c", "b"}})
    EXPECT_EQ(refusal(words), "lockctl run: -c takes one STRING, and nothing behind it; see lockctl run --help");
}

TEST(LockctlOptions, elsewhere_options_may_stand_behind_the_key) {
  EXPECT_EQ(options({"get", "k", "-n"}).lock.wait, milliseconds(0));
  EXPECT_TRUE(options({"list", "prefix", "--json"}).json);
  EXPECT_EQ(options({"list", "prefix", "--json"}).filter, "prefix");
  EXPECT_EQ(options({"inspect", "--", "-k"}).key, "-k");
}

TEST(LockctlOptions, what_is_missing) {
  EXPECT_EQ(refusal({}), "lockctl: needs a COMMAND; see lockctl --help");
  EXPECT_EQ(refusal({"run"}), "lockctl run: needs a KEY; see lockctl run --help");
  EXPECT_EQ(refusal({"run", "k"}), "lockctl run: needs a COMMAND behind KEY, or -c STRING; see lockctl run --help");
  EXPECT_EQ(refusal({"run", "k", "--"}),
            "lockctl run: needs a COMMAND behind KEY, or -c STRING; see lockctl run --help");
  EXPECT_EQ(refusal({"run", "k", ""}), "lockctl run: the COMMAND is empty; see lockctl run --help");
  EXPECT_EQ(refusal({"run", "-w"}), "lockctl run: --wait needs a value, SECONDS; see lockctl run --help");
  EXPECT_EQ(refusal({"get"}), "lockctl get: needs a KEY; see lockctl get --help");
}

TEST(LockctlOptions, unknown_words) {
  EXPECT_EQ(refusal({"lst"}), "lockctl: no command lst (did you mean list?); see lockctl --help");
  EXPECT_EQ(refusal({"qwertz"}), "lockctl: no command qwertz; see lockctl --help");
  EXPECT_EQ(refusal({"in\x1b[31m"}), "lockctl: no command in\\x1B[31m; see lockctl --help");
  EXPECT_EQ(refusal({"list", "--jsn"}),
            "lockctl list: no option --jsn (did you mean --json?); see lockctl list --help");
  EXPECT_EQ(refusal({"list", "-z"}), "lockctl list: no option -z; see lockctl list --help");
  EXPECT_EQ(refusal({"list", "--z"}), "lockctl list: no option --z; see lockctl list --help");
}

TEST(LockctlOptions, too_many_words) {
  const auto behind = [](const std::string& command, const std::string& expected) {
    return "lockctl " + command + ": " + expected + "; see lockctl " + command + " --help";
  };
  for (const std::string command : {"stats", "ping", "version", "bench"})
    EXPECT_EQ(refusal({command, "x", "y"}), behind(command, "x is too much: it takes nothing but options"));
  for (const std::string command : {"get", "inspect"})
    EXPECT_EQ(refusal({command, "k", "x"}),
              behind(command, "x is too much: it takes one KEY (in quotes, if with blanks)"));
  for (const std::string command : {"list", "top"})
    EXPECT_EQ(refusal({command, "a", "b", "c"}),
              behind(command, "b is too much: it takes one PREFIX at most (in quotes, if with blanks)"));
  EXPECT_EQ(refusal({"who", "a", "b"}),
            behind("who", "b is too much: it takes one NAME at most (in quotes, if with blanks)"));
  EXPECT_EQ(refusal({"ping", ""}), behind("ping", "'' is too much: it takes nothing but options"));
}

TEST(LockctlOptions, options_of_other_commands) {
  EXPECT_EQ(refusal({"list", "--max", "3"}),
            "lockctl list: --max is no option here, but of run and get; see lockctl list --help");
  EXPECT_EQ(refusal({"ping", "-n"}), "lockctl ping: -n is no option here, but of run and get; see lockctl ping --help");
  EXPECT_EQ(refusal({"--keys", "list"}),
            "lockctl: --keys is no option before the command, but of list; see lockctl --help");
}

TEST(LockctlOptions, json_may_stand_before_a_command_that_has_it) {
  EXPECT_TRUE(options({"--json", "list"}).json);
  EXPECT_TRUE(options({"--json", "get", "k"}).json);
  EXPECT_FALSE(options({"list"}).json);
  EXPECT_EQ(
      refusal({"--json", "run", "k", "true"}),
      "lockctl run: --json is no option here, but of get, inspect, list, who, stats, ping, version and bench; see "
      "lockctl run --help");
}

TEST(LockctlOptions, wrong_values) {
  EXPECT_EQ(refusal({"run", "-w", "-5", "k", "x"}),
            "lockctl run: --wait -5: expected seconds, 0 to 2147483; see lockctl run --help");
  EXPECT_EQ(refusal({"run", "-w", "2147484", "k", "x"}),
            "lockctl run: --wait 2147484: expected seconds, 0 to 2147483; see lockctl run --help");
  EXPECT_EQ(refusal({"run", "--peer-timeout", "1.9", "k", "x"}),
            "lockctl run: --peer-timeout 1.9: expected seconds, 2 to 3600; see lockctl run --help");
  EXPECT_EQ(refusal({"run", "-E", "256", "k", "x"}),
            "lockctl run: --conflict-exit-code 256: expected a number from 0 to 255; see lockctl run --help");
  EXPECT_EQ(refusal({"run", "-s", "--max", "0", "k", "x"}),
            "lockctl run: --max 0: expected a number from 1 to 2147483647; see lockctl run --help");
  EXPECT_EQ(refusal({"run", "-s", "-x", "k", "x"}),
            "lockctl run: --exclusive: expected -s or -x, not both; see lockctl run --help");
  EXPECT_EQ(refusal({"run", "--max", "3", "k", "x"}), "lockctl run: --max goes with -s; see lockctl run --help");
  EXPECT_EQ(refusal({"list", "--json=3"}), "lockctl list: --json takes no value; see lockctl list --help");
  EXPECT_EQ(refusal({"top", "-i", "0.01"}),
            "lockctl top: --interval 0.01: expected seconds, 0.1 to 86400; see lockctl top --help");
}

TEST(LockctlOptions, keys_that_cannot_be_sent) {
  EXPECT_EQ(refusal({"run", "a\nr b", "x"}),
            "lockctl run: the KEY must not contain a line end: 'a\\x0Ar b'; see lockctl run --help");
  EXPECT_EQ(refusal({"get", "a\r"}),
            "lockctl get: the KEY must not contain a line end: a\\x0D; see lockctl get --help");
  EXPECT_EQ(refusal({"inspect", "a "}),
            "lockctl inspect: the KEY must not begin or end with a blank: the server would drop it: 'a '; see lockctl "
            "inspect --help");
  EXPECT_EQ(refusal({"list", "a\n"}),
            "lockctl list: the PREFIX must not contain a line end: a\\x0A; see lockctl list --help");
  EXPECT_EQ(refusal({"who", "\ta"}),
            "lockctl who: the NAME must not begin or end with a blank: the server would drop it: \\x09a; see lockctl "
            "who --help");
}

TEST(LockctlOptions, help_and_version) {
  EXPECT_TRUE(std::get<Print>(read({"--help"})).text.starts_with("Usage: lockctl [OPTION...] COMMAND"));
  EXPECT_TRUE(std::get<Print>(read({"run", "-h"})).text.starts_with("Usage: lockctl run [OPTION...] KEY"));
  EXPECT_EQ(std::get<Print>(read({"help"})).text, std::get<Print>(read({"--help"})).text);
  EXPECT_EQ(std::get<Print>(read({"help", "run"})).text, std::get<Print>(read({"run", "--help"})).text);
  EXPECT_EQ(refusal({"help", "rn"}), "lockctl: no command rn (did you mean run?); see lockctl --help");
  EXPECT_EQ(refusal({"help", "run", "x"}),
            "lockctl help: x is too much: it takes one COMMAND at most; see lockctl help --help");
  EXPECT_EQ(refusal({"hlp"}), "lockctl: no command hlp (did you mean help?); see lockctl --help");
  EXPECT_TRUE(std::get<Print>(read({"help", "help"})).text.starts_with("Usage: lockctl help [OPTION...] [COMMAND]\n"));
  EXPECT_EQ(std::get<Print>(read({"--version"})).text, "lockctl " LOCKD_VERSION "\n");
}

}  // namespace lockd::lockctl
