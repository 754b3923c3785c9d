#include "client/lockctl/queries.h"

#include <chrono>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "client/hex.h"
#include "client/lockctl/json.h"
#include "client/lockctl/locking.h"
#include "client/lockctl/output.h"

namespace lockd::lockctl {

namespace {

void print_line(const std::string& line) { print(line + "\n"); }

int refuse(const Error& error, const Options& options) { return report(failure_of(error, options)); }

/// Two requests, and so two moments. The waiters first: who is let through in between is counted twice, not overlooked.
Result<Inspection> look_at(Client& client, Mode mode, const std::string& key) {
  const bool shared = mode == Mode::shared;
  const Result<std::uint64_t> waiters = shared ? client.shared_waiters(key) : client.waiters(key);
  if (!waiters) return waiters.error();
  if (shared) {
    const Result<std::uint64_t> holders = client.shared_holder_count(key);
    if (!holders) return holders.error();
    return Inspection{*holders, *waiters};
  }
  const Result<bool> locked = client.is_locked(key);
  if (!locked) return locked.error();
  return Inspection{*locked ? 1U : 0U, *waiters};
}

int inspect(Client& client, const Options& options) {
  std::map<Mode, Inspection> found;
  for (const Mode mode : {Mode::exclusive, Mode::shared}) {
    if (options.mode_is_given && mode != options.lock.mode) continue;
    const Result<Inspection> looked = look_at(client, mode, options.key);
    if (!looked) return refuse(looked.error(), options);
    found[mode] = *looked;
  }
  const auto of = [&found](Mode mode) { return found.contains(mode) ? &found.at(mode) : nullptr; };
  if (options.json) print_line(json::inspection(options.key, of(Mode::exclusive), of(Mode::shared)));
  std::uint64_t holders = 0;
  for (const auto& [mode, each] : found) {
    holders += each.holders;
    if (options.json) continue;
    print_line(name_of(mode) + "_holders: " + std::to_string(each.holders));
    print_line(name_of(mode) + "_waiters: " + std::to_string(each.waiters));
  }
  return holders > 0 ? exit_status::success : exit_status::conflict;
}

void print_keys(const std::vector<ListedLock>& locks, bool as_json) {
  std::set<std::string> keys;
  for (const ListedLock& lock : locks) keys.insert(lock.key);
  if (as_json) return print_line(json::keys({keys.begin(), keys.end()}));
  for (const std::string& key : keys) print_line(for_stdout(key));
}

/// As E2 has a holder's name: so that it is one word of its line.
std::string as_word(std::string_view name) {
  std::string word;
  for (const char& c : name) {
    const bool is_plain = std::string_view(" \t\r\v\f\\").find(c) == std::string_view::npos;
    word += is_plain ? std::string(1, c) : hex_escaped({&c, 1});
  }
  return word;
}

void print_lock(const ListedLock& lock) {
  std::string line = lock.mode == Mode::shared ? "s" : "x";
  line += lock.waiting ? " waiting " : " held ";
  line += std::to_string(lock.age.count()) + " " + std::to_string(lock.token) + " ";
  print_line(line + for_stdout(as_word(lock.holder)) + " " + for_stdout(lock.key));
}

int list(Client& client, const Options& options) {
  const auto locks = client.list(options.filter);
  if (!locks) return refuse(locks.error(), options);
  if (options.keys_only) {
    print_keys(*locks, options.json);
  } else if (options.json) {
    print_line(json::list(*locks));
  } else {
    for (const ListedLock& lock : *locks) print_lock(lock);
  }
  return exit_status::success;
}

int who(Client& client, const Options& options) {
  const auto identities = client.who(options.filter);
  if (!identities) return refuse(identities.error(), options);
  if (options.json) print_line(json::who(*identities));
  if (options.json) return exit_status::success;
  for (const Identity& each : *identities) print_line(each.address + ": " + for_stdout(each.name));
  return exit_status::success;
}

int stats(Client& client, const Options& options) {
  const auto counters = client.stats();
  if (!counters) return refuse(counters.error(), options);
  if (options.json) print_line(json::stats(*counters));
  if (options.json) return exit_status::success;
  for (const auto& [name, number] : *counters) print_line(for_stdout(name) + ": " + std::to_string(number));
  return exit_status::success;
}

int ping(Client& client, const Options& options) {
  const auto start = std::chrono::steady_clock::now();
  const Result<void> answered = client.ping();
  const auto took = std::chrono::steady_clock::now() - start;
  if (!answered) return refuse(answered.error(), options);
  print_line(options.json ? json::pong(std::chrono::duration_cast<std::chrono::microseconds>(took)) : "pong");
  return exit_status::success;
}

int version(Client& client, const Options& options) {
  const auto server = client.version();
  if (!server) return refuse(server.error(), options);
  print_line(options.json ? json::versions(LOCKD_VERSION, *server)
                          : "lockctl " LOCKD_VERSION "\nlockd " + for_stdout(*server));
  return exit_status::success;
}

int query_on(Client& client, const Options& options) {
  switch (options.command) {
    case Command::inspect:
      return inspect(client, options);
    case Command::list:
      return list(client, options);
    case Command::who:
      return who(client, options);
    case Command::stats:
      return stats(client, options);
    case Command::version:
      return version(client, options);
    default:
      return ping(client, options);
  }
}

}  // namespace

int query(const Options& options) {
  auto connected = connect_to_server(options);
  if (const auto* failure = std::get_if<Failure>(&connected)) return report(*failure);
  return finish(query_on(std::get<Client>(connected), options));
}

}  // namespace lockd::lockctl
