// Sessions against the reference server, at random: requests, noise and cuts of every kind on five connections, with
// bounds so small that they are reached, every output byte compared.
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <map>
#include <optional>
#include <random>
#include <sstream>
#include <string>
#include <string_view>

#include "proptests/last_words.h"
#include "proptests/recorded_sessions.h"

namespace lockd::proptests {
namespace {

constexpr std::uint64_t first_seed = 20261121;
constexpr std::uint64_t case_count = 10'000;
constexpr int steps_per_case = 100;
constexpr std::size_t connection_count = 5;

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  std::size_t below(std::size_t bound) { return engine_() % bound; }
  bool one_in(std::size_t n) { return below(n) == 0; }

  template <class Items>
  auto pick(const Items& items) {
    return items[below(std::size(items))];
  }

 private:
  std::mt19937_64 engine_;
};

// ---- bytes that clients send ----

using namespace std::string_view_literals;

// W, C: some of what waits, with its numbers.
constexpr std::array waiting_verbs = {"gw 9"sv,    "gw 9"sv,  "gw 0"sv,  "sgw 1 9"sv,
                                      "sgw 2 9"sv, "sgl 1"sv, "sgl 2"sv, "gw"sv};
constexpr std::array verbs = {"g"sv,   "g"sv,    "g"sv,      "r"sv,      "r"sv,       "i"sv,    "sg"sv,  "sg"sv,
                              "sr"sv,  "si"sv,   "d"sv,      "sd"sv,     "q"sv,       "me"sv,   "iam"sv, "iam"sv,
                              "who"sv, "dump"sv, "ping"sv,   "help"sv,   "version"sv, "iw"sv,   "siw"sv, "t"sv,
                              "st"sv,  "ra"sv,   "cancel"sv, "cancel"sv, "list"sv,    "stats"sv};
constexpr std::array rare_verbs = {"quit"sv, "GET"sv, "Host:"sv, "G"sv, "gg"sv, "frob\x01\xff"sv, "\0"sv, "POST"sv};
constexpr std::array words = {"a"sv,     "a"sv,           "b"sv,   "c"sv,        ""sv,
                              "a b"sv,   "shared"sv,      "\0"sv,  "\xc3\xa9"sv, "\xc3\""sv,
                              R"(a\)"sv, "constructor"sv, "a: b"sv};
constexpr std::array blanks = {" "sv, " "sv, " "sv, " "sv, "  "sv, "\t"sv, "\r"sv, " \v\f "sv};
constexpr std::array line_ends = {"\n"sv, "\n"sv, "\n"sv, "\r\n"sv, " \n"sv, "\r\r\n"sv, "\n\n"sv};

std::string random_line(Random& random) {
  if (random.one_in(30)) return std::string(random.below(40), 'x') + std::string(random.pick(line_ends));
  std::string line(random.one_in(10) ? random.pick(blanks) : ""sv);
  if (random.one_in(3)) {
    line += random.pick(waiting_verbs);
  } else {
    line += random.one_in(25) ? random.pick(rare_verbs) : random.pick(verbs);
  }
  for (std::size_t i = random.below(4); i > 1; --i) line.append(random.pick(blanks)).append(random.pick(words));
  if (random.one_in(20)) line[random.below(line.size())] = static_cast<char>(random.below(256));
  return line + std::string(random.pick(line_ends));
}

// Well-formed requests for few keys, so that sessions meet.
std::string random_request(Random& random) {
  constexpr std::array verbs_of_keys = {"g"sv,    "gw 9"sv, "gw 9"sv,    "gw 9"sv,    "gw 9"sv,
                                        "gw 9"sv, "gw 9"sv, "sg"sv,      "sgw 1 9"sv, "sgl 2"sv,
                                        "r"sv,    "sr"sv,   "sgw 2 9"sv, "t"sv,       "iw"sv};
  constexpr std::array others = {"ra"sv, "cancel"sv, "cancel"sv, "list"sv, "stats"sv, "ping"sv};
  constexpr std::array keys = {"a"sv, "b"sv, "c"sv};
  if (random.one_in(6)) return std::string(random.pick(others)) + "\n";
  return std::string(random.pick(verbs_of_keys)) + " " + std::string(random.pick(keys)) + "\n";
}

// ---- a case ----

// Half of the cases: no bound is reached, and sessions meet.
SessionLockstep::Config random_config(Random& random, bool meeting) {
  constexpr std::array<std::size_t, 5> line_bytes_max = {3, 8, 20, 8192, 8192};
  constexpr std::array<std::size_t, 3> input_bytes_max = {10, 60, 64 * 1024};
  constexpr std::array<std::size_t, 5> output_bytes_max = {1, 30, 200, 1U << 20U, 1U << 20U};
  constexpr std::array<std::uint64_t, 4> locks_max = {0, 0, 1, 3};
  constexpr std::array<std::uint64_t, 3> waiters_max = {0, 0, 1};
  constexpr std::array<std::uint32_t, 2> shard_count = {1, 4};
  SessionLockstep::Config config;
  if (meeting) return config;
  config.settings = {.line_bytes_max = random.pick(line_bytes_max),
                     .input_bytes_max = random.pick(input_bytes_max),
                     .output_bytes_max = random.pick(output_bytes_max),
                     .classic = random.one_in(4),
                     .dump = !random.one_in(6),
                     .registry = !random.one_in(6)};
  config.locks_max = random.pick(locks_max);
  config.waiters_max = random.pick(waiters_max);
  config.shard_count = random.pick(shard_count);
  return config;
}

// How often what is interesting came up, over all cases.
using Situations = std::map<std::string, std::uint64_t>;

class Case {
 public:
  Case(std::uint64_t seed, Situations& situations)
      : random_(seed),
        meeting_(random_.one_in(2)),
        clients_(random_config(random_, meeting_), &scenario_),
        situations_(situations) {}

  // Nothing, or what its clients did, as a scenario, and what is wrong.
  std::optional<std::string> run() {
    SessionLockstep& world = clients_.lockstep();
    try {
      for (int step = 0; step < steps_per_case; ++step) act(random_.below(connection_count));
      for (const auto& [name, number] : world.model().statistics()) situations_[name] += number;
      world.end_all();
      world.compare_counters();
      return std::nullopt;
    } catch (const Difference& difference) {
      return scenario() + "# " + difference.what() + '\n';
    }
  }

  std::string scenario() const { return scenario_.str(); }

 private:
  void act(std::size_t slot) {
    SessionLockstep& world = clients_.lockstep();
    if (!world.is_connected(slot)) return clients_.connect(slot);
    note(world.next(slot));
    if (random_.one_in(40)) {
      ++situations_["reset"];
      return clients_.reset(slot, random_.one_in(2) ? 1 : SessionLockstep::all_at_once);
    }
    if (random_.one_in(40)) return clients_.finish(slot);
    if (random_.one_in(8)) return clients_.set_reading(slot, random_.one_in(2));
    if (random_.one_in(meeting_ ? 20 : 4)) return clients_.time_out(slot);
    if (random_.one_in(8)) return world.go_on(slot);
    if (random_.one_in(2)) clients_.post(slot, random_bytes());
    clients_.advance(slot);
  }

  void note(server::Next next) {
    if (next == server::Next::turn) ++situations_["turn"];
    if (next == server::Next::drain) ++situations_["drain"];
    if (next == server::Next::wait) ++situations_["wait"];
  }

  // Some lines, the last of them perhaps without its end.
  std::string random_bytes() {
    std::string bytes;
    if (meeting_) {
      for (std::size_t i = random_.below(4); i > 0; --i) bytes += random_request(random_);
    } else {
      for (std::size_t i = random_.below(6); i > 0; --i) bytes += random_line(random_);
    }
    if (random_.one_in(3)) bytes.resize(random_.below(bytes.size() + 1));
    return bytes;
  }

  Random random_;
  bool meeting_;
  std::ostringstream scenario_;
  RecordedSessions clients_;
  Situations& situations_;
};

// LOCKD_SEED=N runs the one case of that seed.
TEST(SessionConformance, F5_S2_S3_S5_L3_L4_W1_W2_W4_W5_W9_C2_E1_E3_sessions_answer_as_the_reference_does) {
  const char* const chosen = std::getenv("LOCKD_SEED");  // NOLINT(concurrency-mt-unsafe): no other thread
  const std::uint64_t first = chosen == nullptr ? first_seed : std::strtoull(chosen, nullptr, 10);
  const std::uint64_t count = chosen == nullptr ? case_count : 1;
  std::cout << "seeds " << first << " to " << first + count - 1 << '\n';
  Situations situations;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    Case one(seed, situations);
    const std::string again = "# again with LOCKD_SEED=" + std::to_string(seed) + '\n';
    const LastWords last_words([&] { return say_crash(one.scenario() + again); });
    if (const auto wrong = one.run()) FAIL() << "as a scenario:\n" << *wrong << again;
  }
  if (chosen != nullptr) return;
  for (const auto& [situation, times] : situations) std::cout << situation << ' ' << times << '\n';
  for (const char* situation : {"turn",
                                "drain",
                                "wait",
                                "reset",
                                "orphans",
                                "shared_orphans",
                                "waits",
                                "timeouts",
                                "cancels",
                                "refusals",
                                "deadlocks",
                                "bad_arguments",
                                "invalid_commands",
                                "lines_too_long",
                                "too_much_input",
                                "command_g",
                                "command_gw",
                                "command_sgl",
                                "command_sgw",
                                "command_r",
                                "command_sr",
                                "command_ra",
                                "command_t",
                                "command_iw",
                                "command_cancel",
                                "command_list",
                                "command_stats",
                                "command_d",
                                "command_sd",
                                "command_dump",
                                "command_who",
                                "command_iam"}) {
    EXPECT_GT(situations[situation], 500U) << situation << " came up too rarely";
  }
}

}  // namespace
}  // namespace lockd::proptests
