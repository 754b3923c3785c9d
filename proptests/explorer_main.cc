// explorer [OPTIONS]: searches with a few sessions and keys (3 and 2), and says how far. Where engine and model differ,
// what it prints is a scenario: `explorer ... | scenario compare -` plays it.
//
//   --all              all verbs; otherwise g, r, sg, sr
//   --depth N          all sequences of up to N events
//   --states           instead, every event in every state
//   --bytes            and then once more through sessions and engine, as clients make them
//   --renamed          sequences, or states, that differ in names alone are searched once
//   --unordered        states that differ in the order in which sessions came to hold a shared lock are one
//   --merged           goes on behind one of several events that lead from one point to one state
//   --first N          a part of the sequences: those that session N begins; with --renamed, those that begin with the
//                      Nth of the events that change something
//   --sessions N, --keys N, --shards N, --max-locks N, --max-waiters N, --max-grants N
#include <malloc.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <iostream>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "engine/siphash.h"
#include "proptests/byte_pass.h"
#include "proptests/explorer.h"

namespace lockd::proptests {
namespace {

/// What is freed stays in the process: millions of tables are made one after another, and else each would take its
/// chunks from the system and give them back, two thirds of the time of a search.
constexpr int kept_bytes_max = 16 * 1024 * 1024;

struct Options {
  Verbs verbs = Verbs::classic;
  bool states = false;
  bool bytes = false;
  Order order = Order::told;
  Extent extent{.depth = 4};
  std::size_t first = 0;
  std::size_t session_count = 3;
  std::size_t key_count = 2;
  Lockstep::Config config;
};

// The second and the third differ in their high bits alone.
std::vector<SessionId> some_sessions(std::size_t count) {
  constexpr std::uint64_t high_bit = std::uint64_t{1} << 32;
  const std::vector<SessionId> all = {SessionId{1}, SessionId{2}, SessionId{high_bit + 2}, SessionId{4}, SessionId{5}};
  return {all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count)};
}

// Keys of one letter, the first two in different shards if there is more than one.
std::vector<Key> some_keys(std::size_t count, std::uint32_t shard_count) {
  const auto first_bit = [](const Key& key) { return engine::SipHash13::hash(lockstep_seed, key) >> 63; };
  std::vector<Key> keys = {"a", "b"};
  while (shard_count > 1 && first_bit(keys[1]) == first_bit("a")) ++keys[1].front();
  while (keys.size() < count) keys.push_back({static_cast<char>(keys.back().front() + 1)});
  keys.resize(count);
  return keys;
}

bool set_flag(std::string_view flag, Options& options) {
  if (flag == "--all") options.verbs = Verbs::all;
  if (flag == "--states") options.states = true;
  if (flag == "--bytes") options.states = options.bytes = true;
  if (flag == "--renamed") options.extent.up_to_renaming = true;
  if (flag == "--merged") options.extent.merges = true;
  if (flag == "--unordered") options.order = Order::merged;
  return flag == "--all" || flag == "--states" || flag == "--bytes" || flag == "--renamed" || flag == "--merged" ||
         flag == "--unordered";
}

bool set_number(std::string_view flag, std::size_t number, Options& options) {
  if (flag == "--depth" && number > 0) {
    options.extent.depth = static_cast<int>(number);
  } else if (flag == "--first" && number > 0) {
    options.first = number;
  } else if (flag == "--sessions" && number >= 1 && number <= 5) {
    options.session_count = number;
  } else if (flag == "--keys" && number >= 1 && number <= 5) {
    options.key_count = number;
  } else if (flag == "--shards") {
    options.config.shard_count = static_cast<std::uint32_t>(number);
  } else if (flag == "--max-locks") {
    options.config.locks_max = number;
  } else if (flag == "--max-waiters") {
    options.config.waiters_max = number;
  } else if (flag == "--max-grants") {
    options.config.grants_max = number;
  } else {
    return false;
  }
  return true;
}

/// Throws std::exception where a number is none, or is missing.
bool parse(std::span<char*> arguments, Options& options) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view flag = arguments[i];
    if (set_flag(flag, options)) continue;
    if (!set_number(flag, std::stoul(i + 1 < arguments.size() ? arguments[++i] : ""), options)) return false;
  }
  options.config.sessions = some_sessions(options.session_count);
  options.config.index_parts = options.config.shard_count;  // few, so that few keys meet in them; and forks cost less
  if (options.extent.up_to_renaming) {
    options.extent.first_number = options.first;
  } else if (options.first != 0 && options.first <= options.session_count) {
    options.extent.first_session = options.config.sessions[options.first - 1];
  }
  return options.extent.up_to_renaming || options.first <= options.session_count;
}

void say_what_is_searched(const Options& options, const std::vector<Key>& keys) {
  std::cout << "# " << options.session_count << " sessions, keys";
  for (const Key& key : keys) std::cout << ' ' << key;
  std::cout << ", " << (options.verbs == Verbs::all ? "all verbs" : "g, r, sg, sr") << ", "
            << options.config.shard_count << " shards, max-locks " << options.config.locks_max << ", max-waiters "
            << options.config.waiters_max << ", max-grants " << options.config.grants_max << " (0: none)\n";
}

void say_what_was_searched(const Options& options, const ExplorerReport& report) {
  const Extent& extent = options.extent;
  if (options.states) {
    std::cout << "# every event in each of " << report.states << " states, "
              << (extent.up_to_renaming ? "those that differ in the names of sessions and keys alone taken for one"
                                        : "none taken for another by renaming")
              << (options.order == Order::merged ? ", nor is it told in which order sessions came to hold a lock" : "")
              << "; tokens, counters and times are no part of a state\n";
    return;
  }
  std::cout << "# every sequence of up to " << extent.depth << " events";
  if (extent.first_session != SessionId::nobody) std::cout << " that session " << options.first << " begins";
  if (extent.first_number != 0) std::cout << " that begins with event " << extent.first_number;
  if (extent.up_to_renaming) std::cout << ", up to the names of sessions and keys";
  if (extent.merges) std::cout << ", going on behind one of those that lead from one point to one state";
  std::cout << ", not going on behind an event that changes nothing: " << report.events << " sequences\n";
}

int run_on_bytes(const Explorer& explorer) {
  const auto begin = std::chrono::steady_clock::now();
  const BytePassReport report = pass_on_bytes(explorer);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  std::cout << "# on bytes: " << report.states << " states, " << report.events << " events, " << seconds.count()
            << " s, differences: " << (report.difference ? 1 : 0) << '\n';
  if (report.difference) std::cout << *report.difference << '\n';
  return report.difference ? 1 : 0;
}

/// On a terminal it says how far it is, each time in the same line.
ExplorerReport search_states(const Options& options, Explorer& explorer) {
  StatesExtent extent{.up_to_renaming = options.extent.up_to_renaming, .order = options.order};
  if (::isatty(STDERR_FILENO) == 0) return explorer.search_states(extent);
  extent.on_progress = [](std::size_t searched, std::size_t known) {
    std::cerr << "\r# " << searched << " states searched of " << known << " known" << std::flush;
  };
  const ExplorerReport report = explorer.search_states(extent);
  std::cerr << "\r\033[K";
  return report;
}

int run(const Options& options) {
  const auto keys = some_keys(options.key_count, options.config.shard_count);
  Explorer explorer(options.config, keys, options.verbs);
  say_what_is_searched(options, keys);
  const auto begin = std::chrono::steady_clock::now();
  const ExplorerReport report =
      options.states ? search_states(options, explorer) : explorer.search_sequences(options.extent);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  say_what_was_searched(options, report);
  std::cout << "# " << report.events << " events compared, " << report.quiet << " of them change nothing, "
            << seconds.count() << " s, differences: " << (report.difference ? 1 : 0) << '\n';
  if (report.difference) std::cout << *report.difference << '\n';
  if (report.difference) return 1;
  return options.bytes ? run_on_bytes(explorer) : 0;
}

}  // namespace
}  // namespace lockd::proptests

int main(int argument_count, char** arguments) {
  ::mallopt(M_TRIM_THRESHOLD, lockd::proptests::kept_bytes_max);
  lockd::proptests::Options options;
  try {
    if (lockd::proptests::parse({arguments + 1, static_cast<std::size_t>(argument_count - 1)}, options)) {
      return lockd::proptests::run(options);
    }
  } catch (const std::logic_error&) {
    std::cerr << "explorer: a number is expected\n";
  }
  std::cerr << "usage: explorer [--all] [--depth N | --states | --bytes] [--renamed] [--unordered] [--merged] [--first "
               "N] [--sessions N] "
               "[--keys N] [--shards N] [--max-locks N] [--max-waiters N] [--max-grants N]\n";
  return 2;
}
