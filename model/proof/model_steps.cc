// model_steps [FLAG N]... - prints each state that --sessions can bring --keys into, and each event in it, legal or
// not, with the state that the model steps to: one line of JSON a state. With --shared 0 there are exclusive locks
// alone, with --exclusive 0 shared ones. With --beside 1 also states beside each that was found, and whether the model
// calls them sound. The bounds are set by --max-locks, --max-waiters and --max-grants.
//
// Tokens are numbered anew, lock after lock, in each state that was found, or else there were no end to the states;
// with --max-grants there is an end, and they are left.
#include <algorithm>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "model/lock_model.h"

namespace lockd::model {
namespace {

constexpr int status_usage = 2;

// An event and how it is written: its name, session, lock or key, limit and milliseconds.
struct Written {
  Event event;
  std::string text;
};

std::uint64_t number(SessionId session) { return static_cast<std::uint64_t>(session); }

std::string name(const Lock& lock) { return (lock.kind == LockKind::exclusive ? "x" : "s") + lock.key; }

template <class Items, class Write>
std::string listed(const Items& items, Write write) {
  std::ostringstream text;
  for (const auto& item : items) text << (text.tellp() == 0 ? "" : ",") << write(item);
  return "[" + text.str() + "]";
}

std::string pair(std::uint64_t first, std::uint64_t second) {
  return "[" + std::to_string(first) + "," + std::to_string(second) + "]";
}

std::string written(const LockModel& state) {
  const auto holder = [](const Holder& it) { return pair(number(it.session), it.token); };
  const auto waiter = [](const Waiter& it) { return pair(number(it.session), it.limit); };
  const auto lock = [&](const auto& it) {
    return "[\"" + name(it.first) + "\"," + listed(it.second.holders, holder) + "," + listed(it.second.line, waiter) +
           "]";
  };
  const auto held = [&](SessionId session) {
    return listed(state.locks_of(session), [](const Lock& it) { return "\"" + name(it) + "\""; });
  };
  std::set<SessionId> known = state.live;
  known.insert(state.ended.begin(), state.ended.end());
  return "{\"live\":" + listed(state.live, number) + ",\"ended\":" + listed(state.ended, number) +
         ",\"grants\":" + std::to_string(state.grants) + ",\"locks\":" + listed(state.locks, lock) + ",\"index\":" +
         listed(known, [&](SessionId it) { return "[" + std::to_string(number(it)) + "," + held(it) + "]"; }) + "}";
}

class Steps {
 public:
  Steps(LockModel start, std::uint64_t sessions, const std::vector<Key>& keys, bool with_exclusive, bool with_shared)
      : start_(std::move(start)), with_exclusive_(with_exclusive), with_shared_(with_shared) {
    for (const Key& key : keys) {
      if (with_exclusive_) locks_.push_back({LockKind::exclusive, key});
      if (with_shared_) locks_.push_back({LockKind::shared, key});
    }
    for (std::uint64_t session = 1; session <= sessions; ++session) {
      sessions_.push_back(SessionId{session});
      for (const Key& key : keys) add_requests(SessionId{session}, key);
      add_events(SessionId{session});
    }
    add("stops", ServerStops{}, "0,\"\",0,0");
  }

  void print(bool with_beside) const {
    std::set<std::string> known = {written(start_)};
    for (std::deque<LockModel> open = {start_}; !open.empty(); open.pop_front()) {
      const LockModel state = open.front();
      std::cout << "{\"state\":" << written(state) << ",\"steps\":[";
      const char* comma = "";
      for (const auto& [event, text] : events_) {
        const LockModel next = step(state, event).state;
        std::cout << std::exchange(comma, ",") << "[[" << text << "],";
        std::cout << (next == state ? "null" : written(next)) << "]";
        const LockModel same = renumbered(next);
        if (known.insert(written(same)).second) open.push_back(same);
      }
      const auto judged = [](const LockModel& it) {
        return "[" + written(it) + (it.violations().empty() ? ",true]" : ",false]");
      };
      std::cout << "],\"beside\":" << listed(with_beside ? beside(state) : std::vector<LockModel>{}, judged) << "}\n";
    }
  }

 private:
  void add(const std::string& what, const Event& event, const std::string& arguments) {
    events_.push_back({event, "\"" + what + "\"," + arguments});
  }

  void add_requests(SessionId session, const Key& key) {
    const auto ask = [&](const std::string& what, Verb verb, std::uint32_t limit = 0, std::uint32_t milliseconds = 0) {
      add(what, SessionAsks{session, verb, key, limit, milliseconds},
          std::to_string(number(session)) + ",\"" + key + "\"," + std::to_string(limit) + "," +
              std::to_string(milliseconds));
    };
    if (with_exclusive_) {
      ask("get", Verb::get);
      ask("release", Verb::release);
      for (const std::uint32_t milliseconds : {0U, 9U}) ask("get_wait", Verb::get_wait, 0, milliseconds);
      for (const Verb look : {Verb::inspect, Verb::inspect_line, Verb::token}) ask("look", look);
    }
    if (!with_shared_) return;
    ask("get_shared", Verb::get_shared);
    ask("release_shared", Verb::release_shared);
    for (const std::uint32_t limit : {1U, 2U}) {
      ask("get_limited", Verb::get_limited, limit);
      for (const std::uint32_t milliseconds : {0U, 9U}) {
        ask("get_limited_wait", Verb::get_limited_wait, limit, milliseconds);
      }
    }
    for (const Verb look : {Verb::inspect_shared, Verb::inspect_shared_line, Verb::token_shared}) ask("look", look);
  }

  void add_events(SessionId session) {
    const auto arguments = [session](const std::string& lock) {
      return std::to_string(number(session)) + ",\"" + lock + "\",0,0";
    };
    add("begins", SessionBegins{session}, arguments(""));
    add("release_all", SessionAsks{session, Verb::release_all, ""}, arguments(""));
    add("times_out", WaitTimesOut{session}, arguments(""));
    add("is_canceled", WaitIsCanceled{session}, arguments(""));
    add("ends", SessionEnds{session}, arguments(""));
    add("end_begins", SessionEndBegins{session}, arguments(""));
    for (const Lock& lock : locks_) {
      add("orphaned", LockOrphaned{session, lock}, arguments(name(lock)));
      add("released", LockReleased{session, lock}, arguments(name(lock)));
    }
  }

  // Counters are left out: they only tell of what was.
  static LockModel renumbered(LockModel state) {
    state.orphans = LockModel{}.orphans;
    if (state.max_grants != 0) return state;
    state.grants = 0;
    for (auto& [lock, of_lock] : state.locks) {
      for (Holder& holder : of_lock.holders) holder.token = ++state.grants;
    }
    return state;
  }

  // What is one slip away from a state: a session's fate, somebody more or less in a list, a token or a limit changed.
  std::vector<LockModel> beside(const LockModel& state) const {
    std::vector<LockModel> found;
    const auto slip = [&](const auto& change) {
      LockModel changed = state;
      change(changed);
      std::erase_if(changed.locks, [](const auto& it) { return it.second.holders.empty() && it.second.line.empty(); });
      found.push_back(std::move(changed));
    };
    for (const SessionId session : sessions_) {
      slip([=](LockModel& it) { it.live.erase(session); });
      slip([=](LockModel& it) { it.live.insert(session); });
      slip([=](LockModel& it) { it.ended.erase(session); });
      slip([=](LockModel& it) { it.ended.insert(session); });
      for (const Lock& lock : locks_) {
        if (std::ranges::count(state.holders(lock), session, &Holder::session) == 0) {
          slip([=](LockModel& it) { it.locks[lock].holders.push_back({session, ++it.grants}); });
        }
        if (std::ranges::count(state.line(lock), session, &Waiter::session) == 0) {
          for (const std::uint32_t limit : {0U, 1U, 2U}) {
            slip([=](LockModel& it) { it.locks[lock].line.push_back({session, limit}); });
          }
        }
      }
    }
    for (const auto& [lock, of_lock] : state.locks) {
      for (std::size_t i = 0; i < of_lock.holders.size(); ++i) {
        slip([&](LockModel& it) { it.locks[lock].holders.erase(it.locks[lock].holders.begin() + std::ptrdiff_t(i)); });
      }
      if (of_lock.holders.empty()) continue;
      slip([&](LockModel& it) { it.locks[lock].holders.front().token = 0; });
      slip([&](LockModel& it) { it.locks[lock].holders.back().token = it.grants + 1; });
      if (of_lock.holders.size() == 1) slip([&](LockModel& it) { it.locks[lock].holders.front().token = 1; });
      for (std::size_t i = 0; i < of_lock.line.size(); ++i) {
        slip([&](LockModel& it) { it.locks[lock].line.erase(it.locks[lock].line.begin() + std::ptrdiff_t(i)); });
        slip([&](LockModel& it) { ++it.locks[lock].line[i].limit; });
      }
    }
    slip([](LockModel& it) { it.grants -= it.grants == 0 ? 0 : 1; });
    return found;
  }

  LockModel start_;
  std::vector<SessionId> sessions_;
  std::vector<Lock> locks_;
  std::vector<Written> events_;
  bool with_exclusive_;
  bool with_shared_;
};

int run(const std::vector<std::string>& arguments) {
  std::map<std::string, std::uint64_t> flags = {{"--sessions", 2},    {"--keys", 1},       {"--max-locks", 0},
                                                {"--max-waiters", 0}, {"--max-grants", 0}, {"--exclusive", 1},
                                                {"--shared", 1},      {"--beside", 0}};
  for (std::size_t i = 0; i < arguments.size(); i += 2) {
    const bool is_number =
        i + 1 < arguments.size() && arguments[i + 1].size() == 1 && arguments[i + 1].find_first_of("0123456789") == 0;
    if (!flags.contains(arguments[i]) || !is_number) {
      std::cerr << "usage: model_steps [--sessions N] [--keys N] [--exclusive N] [--shared N] [--beside N] "
                   "[--max-locks N] [--max-waiters N] [--max-grants N]\n";
      return status_usage;
    }
    flags[arguments[i]] = std::stoull(arguments[i + 1]);
  }
  std::vector<Key> keys;
  for (std::uint64_t key = 0; key < flags["--keys"]; ++key) keys.emplace_back(1, static_cast<char>('a' + key));
  LockModel start;
  start.max_locks = flags["--max-locks"];
  start.max_waiters = flags["--max-waiters"];
  start.max_grants = flags["--max-grants"];
  const Steps steps(std::move(start), flags["--sessions"], keys, flags["--exclusive"] != 0, flags["--shared"] != 0);
  steps.print(flags["--beside"] != 0);
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace lockd::model

int main(int argc, char** argv) { return lockd::model::run({argv + 1, argv + argc}); }
