// explorer [--depth N] [--first SESSION] [--states] [--shards N] [--max-locks N]: searches with 3 sessions and 2 keys,
// and says how far.
#include <chrono>
#include <cstdint>
#include <iostream>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "engine/siphash.h"
#include "proptests/explorer.h"

namespace lockd::proptests {
namespace {

struct Options {
  int depth = 4;
  SessionId first = SessionId::nobody;
  bool states = false;
  std::uint32_t shard_count = 1;
  std::uint64_t locks_max = 0;
};

// The last two differ in their high bits alone.
const std::vector<SessionId> sessions = {SessionId{1}, SessionId{2}, SessionId{(std::uint64_t{1} << 32) + 2}};

/// Throws std::exception where a number is none, or is missing.
bool parse(std::span<char*> arguments, Options& options) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view flag = arguments[i];
    if (flag == "--states") {
      options.states = true;
      continue;
    }
    const auto number = std::stoul(i + 1 < arguments.size() ? arguments[++i] : "");
    if (flag == "--depth" && number > 0) {
      options.depth = static_cast<int>(number);
    } else if (flag == "--first" && number >= 1 && number <= sessions.size()) {
      options.first = sessions[number - 1];
    } else if (flag == "--shards") {
      options.shard_count = static_cast<std::uint32_t>(number);
    } else if (flag == "--max-locks") {
      options.locks_max = number;
    } else {
      return false;
    }
  }
  return true;
}

/// Two keys of one letter, in different shards if there is more than one.
std::vector<Key> two_keys(std::uint32_t shard_count) {
  const auto first_bit = [](const Key& key) { return engine::SipHash13::hash(lockstep_seed, key) >> 63; };
  Key second = "b";
  while (shard_count > 1 && first_bit(second) == first_bit("a")) ++second.front();
  return {"a", second};
}

int run(const Options& options) {
  const auto keys = two_keys(options.shard_count);
  Explorer<EngineTable> explorer({sessions, options.shard_count, options.locks_max}, keys);
  std::cout << sessions.size() << " sessions, keys a and " << keys.back() << ", " << options.shard_count
            << " shards, max-locks " << options.locks_max << " (0: none)\n";
  const auto begin = std::chrono::steady_clock::now();
  const ExplorerReport report =
      options.states ? explorer.search_states() : explorer.search_sequences(options.depth, options.first);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  if (options.states) {
    std::cout << "every event in each of " << report.states << " states, none taken for another by renaming\n";
  } else {
    std::cout << "every sequence of up to " << options.depth << " events";
    if (options.first != SessionId::nobody) {
      std::cout << " that session " << static_cast<std::uint64_t>(options.first) << " begins";
    }
    std::cout << ", not going on behind an event that changes nothing: " << report.events << " sequences\n";
  }
  std::cout << report.events << " events compared, " << report.quiet << " of them change nothing, " << seconds.count()
            << " s, differences: " << (report.difference ? 1 : 0) << '\n';
  if (report.difference) std::cout << *report.difference << '\n';
  return report.difference ? 1 : 0;
}

}  // namespace
}  // namespace lockd::proptests

int main(int argument_count, char** arguments) {
  lockd::proptests::Options options;
  try {
    if (lockd::proptests::parse({arguments + 1, static_cast<std::size_t>(argument_count - 1)}, options)) {
      return lockd::proptests::run(options);
    }
  } catch (const std::logic_error&) {
    std::cerr << "explorer: a number is expected\n";
  }
  std::cerr << "usage: explorer [--depth N] [--first SESSION] [--states] [--shards N] [--max-locks N]\n";
  return 2;
}
