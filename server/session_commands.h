// The other half of server/session.cc, for that alone: what is not about one lock. A header, so that one instantiation
// of Session makes both halves.
#ifndef LOCKD_SERVER_SESSION_COMMANDS_H_
#define LOCKD_SERVER_SESSION_COMMANDS_H_

#include <cstddef>
#include <string>
#include <utility>

#include "engine/check.h"
#include "server/counters.h"
#include "server/session.h"

namespace lockd::server {

/// E1: what `ra` releases before others have their turn: some 100 us.
inline constexpr std::size_t released_at_once = 1024;

/// Of a line that is no command.
template <class Mutex>
void Session<Mutex>::answer_mistake(const ParsedLine& line, const Services<Mutex>& services, std::string& out) {
  switch (line.kind) {
    case LineKind::unknown_verb:
      services.statistics.invalid_commands.count();
      if (!services.settings.classic) print(out, {Outcome::unknown_command}, line.text);
      return;
    case LineKind::bad_arguments:
      services.statistics.bad_arguments.count();
      return print(out, {Outcome::bad_arguments}, verb_table[static_cast<std::size_t>(line.verb)].usage);
    case LineKind::too_long:
      services.statistics.lines_too_long.count();
      return print(out, {Outcome::line_too_long, services.settings.line_bytes_max}, {});
    case LineKind::browser:
      services.statistics.browsers.count();
      next_ = Next::end;
      return;
    case LineKind::command:
      break;
  }
  LOCKD_CHECK(false, "each kind of line is executed in its way");
}

/// Of a command that is not about a lock.
template <class Mutex>
void Session<Mutex>::execute_other(const PendingRequest& request, const Services<Mutex>& services, std::string& out) {
  const ParsedLine& line = request.line;
  switch (line.verb) {
    case Verb::release_all:
      releasing_.emplace(0);
      release_all(services, out);
      if (releasing_) next_ = Next::turn;
      return;
    case Verb::cancel: {
      const bool has_acted = scout_ && scout_->has_acted(request.end);
      return print(out, {has_acted ? Outcome::canceled : Outcome::nothing_to_cancel}, {});
    }
    case Verb::list_locks:
    case Verb::list_shared:
    case Verb::dump:
    case Verb::list:
      return list(line, services.settings.dump, services, out);
    case Verb::who:
      return list(line, services.settings.dump && services.settings.registry, services, out);
    case Verb::counters:
      return print_classic_counters(services, out);
    case Verb::statistics:
      return print_statistics(services, out);
    case Verb::me:
      out.append("1 ").append(*services.registry.address(id())).push_back(' ');
      out.append(*services.registry.holder(id())).push_back('\n');
      return;
    case Verb::name_me:
      if (!services.settings.registry) return print(out, {Outcome::disabled}, {});
      services.registry.name(id(), line.text);
      return print(out, {Outcome::named}, {});
    case Verb::ping:
      return print(out, {Outcome::pong}, {});
    case Verb::version:
      return print(out, {Outcome::version}, LOCKD_VERSION);
    case Verb::help:
      return print_help(out);
    case Verb::quit:
      next_ = Next::end;
      return;
    case Verb::get:
    case Verb::get_wait:
    case Verb::release:
    case Verb::inspect:
    case Verb::inspect_line:
    case Verb::token:
    case Verb::get_shared:
    case Verb::get_limited:
    case Verb::get_limited_wait:
    case Verb::release_shared:
    case Verb::inspect_shared:
    case Verb::inspect_shared_line:
    case Verb::token_shared:
      break;
  }
  LOCKD_CHECK(false, "each verb is executed");
}

/// E1: a slice of it, and the reply when it is the last.
template <class Mutex>
void Session<Mutex>::release_all(const Services<Mutex>& services, std::string& out) {
  const engine::Moment now = services.turn.now;
  engine::Wakeups& woken = services.turn.woken;
  const std::size_t released = services.table.release_some(locks_, released_at_once, now, woken);
  *releasing_ += released;
  if (released == released_at_once) return;
  print(out, {Outcome::locks_released, *releasing_}, {});
  releasing_.reset();
}

/// Its first slice at once (L5). A walk takes the rest of the turn even if that was all of it: a thousand walks in one
/// read would keep the other sessions waiting. One key's lines are a request like others, unless they are many.
template <class Mutex>
void Session<Mutex>::list(const ParsedLine& line, bool enabled, const Services<Mutex>& services, std::string& out) {
  if (!enabled) return print(out, {Outcome::disabled}, {});
  const bool one_key = !line.text.empty() && (line.verb == Verb::list_locks || line.verb == Verb::list_shared);
  Listing<Mutex> listing(line.verb, line.text);
  const bool finished = listing.go_on(services, out);
  if (finished && one_key) return;
  listing_.emplace(std::move(listing));
  next_ = Next::turn;
}

}  // namespace lockd::server

#endif  // LOCKD_SERVER_SESSION_COMMANDS_H_
