#include "server/session.h"

#include <array>
#include <optional>
#include <utility>

#include "engine/check.h"

namespace lockd::server {

namespace {

/// A turn writes no more replies than this and what it has begun, as it reads no more requests: a few bytes of request
/// can have a long answer.
constexpr std::size_t turn_output_bytes = 64 * 1024;

constexpr std::string_view version_text = LOCKD_VERSION;

/// L3: `q`, sorted by name.
template <class Mutex>
void print_counters(const Services<Mutex>& services, std::string& out) {
  const auto line = [&out](std::string_view name, std::uint64_t number) {
    print_number(out.append(name).append(": "), number);
    out.push_back('\n');
  };
  const auto sum = [&services](auto counter_of) {
    std::uint64_t total = 0;
    for (const Statistics& thread : services.all_statistics) total += counter_of(thread).value();
    return total;
  };
  constexpr std::array counted_verbs = {
      Verb::list_locks, Verb::dump,    Verb::get,         Verb::inspect,    Verb::name_me,        Verb::me,
      Verb::counters,   Verb::release, Verb::list_shared, Verb::get_shared, Verb::inspect_shared, Verb::release_shared,
      Verb::who};
  for (const Verb verb : counted_verbs) {
    const auto row = static_cast<std::size_t>(verb);
    line(std::string("command_").append(verb_table[row].name),
         sum([row](const Statistics& s) -> const Counter& { return s.commands[row]; }));
  }
  line("connections", services.registry.size());
  line("invalid_commands", sum([](const Statistics& s) -> const Counter& { return s.invalid_commands; }));
  line("locks", services.table.key_count(LockKind::exclusive));
  line("orphans", services.table.orphan_count(LockKind::exclusive));
  line("shared_locks", services.table.key_count(LockKind::shared));
  line("shared_orphans", services.table.orphan_count(LockKind::shared));
}

}  // namespace

template <class Mutex>
Session<Mutex>::Session(SessionId id, std::string address, const Services<Mutex>& services)
    : parser_(services.settings.line_bytes_max), locks_(id) {
  services.registry.add(id, std::move(address));
}

template <class Mutex>
Next Session<Mutex>::receive(std::string_view bytes, const Services<Mutex>& services, std::string& out) {
  LOCKD_CHECK(next_ == Next::read, "a session reads when it asks to");
  if (input_.empty()) {  // the common case: executed where they lie
    const std::size_t consumed = execute_all(bytes, services, out);
    input_.assign(bytes.substr(consumed));
    return next_;
  }
  input_.append(bytes);
  return resume(services, out);
}

template <class Mutex>
Next Session<Mutex>::go_on(const Services<Mutex>& services, std::string& out) {
  LOCKD_CHECK(next_ == Next::turn || next_ == Next::drain, "a session goes on when it asks to");
  if (!listing_.empty() && listing_.back().go_on(services, out)) std::vector<Listing<Mutex>>().swap(listing_);
  return resume(services, out);
}

template <class Mutex>
Next Session<Mutex>::finish() {
  LOCKD_CHECK(next_ == Next::read, "the end of the input is read like the input");
  return next_ = Next::end;
}

template <class Mutex>
bool Session<Mutex>::end_some(const Services<Mutex>& services, std::size_t budget) {
  if (life_ == Life::ended) return true;
  if (life_ == Life::open) {
    life_ = Life::ending;
    next_ = Next::end;
    services.registry.name(id(), "");
  }
  if (!services.table.end_some(locks_, budget)) return false;
  services.registry.remove(id());
  life_ = Life::ended;
  return true;
}

/// Executes what input_ holds and keeps the rest.
template <class Mutex>
Next Session<Mutex>::resume(const Services<Mutex>& services, std::string& out) {
  input_.erase(0, execute_all(input_, services, out));
  if (input_.empty()) std::string().swap(input_);  // its memory too
  return next_;
}

/// Executes requests until there is no whole one left, or something comes between. Returns how many bytes are done
/// with, and sets next_.
template <class Mutex>
std::size_t Session<Mutex>::execute_all(std::string_view input, const Services<Mutex>& services, std::string& out) {
  std::size_t consumed = 0;
  const std::size_t turn_end = out.size() + turn_output_bytes;
  next_ = Next::read;
  while (true) {
    if (next_ == Next::read && (!listing_.empty() || out.size() >= turn_end)) next_ = Next::turn;
    if (next_ != Next::end && out.size() >= services.settings.output_bytes_max) next_ = Next::drain;
    if (next_ != Next::read) return consumed;
    const auto [line_bytes, line] = parser_.next(input.substr(consumed));
    consumed += line_bytes;
    if (!line) return consumed;
    execute(*line, services, out);
  }
}

template <class Mutex>
void Session<Mutex>::execute(const ParsedLine& line, const Services<Mutex>& services, std::string& out) {
  switch (line.kind) {
    case LineKind::command:
      services.statistics.commands[static_cast<std::size_t>(line.verb)].count();
      return execute_command(line, services, out);
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
      next_ = Next::end;
      return;
  }
  LOCKD_CHECK(false, "each kind of line is executed in its way");
}

template <class Mutex>
void Session<Mutex>::execute_command(const ParsedLine& line, const Services<Mutex>& services, std::string& out) {
  switch (line.verb) {
    case Verb::get:
    case Verb::release:
    case Verb::inspect:
    case Verb::get_shared:
    case Verb::release_shared:
    case Verb::inspect_shared:
      return answer_lock(line, services, out);
    case Verb::list_locks:
    case Verb::list_shared:
    case Verb::dump:
      return list(line, services.settings.dump, services, out);
    case Verb::who:
      return list(line, services.settings.dump && services.settings.registry, services, out);
    case Verb::counters:
      return print_counters(services, out);
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
      return print(out, {Outcome::version}, version_text);
    case Verb::help:
      return print_help(out);
    case Verb::quit:
      next_ = Next::end;
      return;
  }
  LOCKD_CHECK(false, "each verb is executed");
}

/// X1 to X3, H1 to H3. An answer is owed as long as the session is open, and it is: nothing is executed after its end.
template <class Mutex>
void Session<Mutex>::answer_lock(const ParsedLine& line, const Services<Mutex>& services, std::string& out) {
  auto& table = services.table;
  const auto answer = [&]() -> std::optional<Answer> {
    switch (line.verb) {
      case Verb::get:
        return table.get(locks_, LockKind::exclusive, line.text);
      case Verb::release:
        return table.release(locks_, LockKind::exclusive, line.text);
      case Verb::inspect:
        return table.inspect(locks_, LockKind::exclusive, line.text);
      case Verb::get_shared:
        return table.get(locks_, LockKind::shared, line.text);
      case Verb::release_shared:
        return table.release(locks_, LockKind::shared, line.text);
      case Verb::inspect_shared:
        return table.inspect(locks_, LockKind::shared, line.text);
      default:
        return std::nullopt;
    }
  }();
  LOCKD_CHECK(answer.has_value(), "an open session's request on a lock has an answer");
  print(out, *answer, line.text);
}

/// Its first slice at once (L5). A walk takes the rest of the turn even if that was all of it: a thousand walks in one
/// read would keep the other sessions waiting. One key's lines are a request like others, unless they are many.
template <class Mutex>
void Session<Mutex>::list(const ParsedLine& line, bool enabled, const Services<Mutex>& services, std::string& out) {
  if (!enabled) return print(out, {Outcome::disabled}, {});
  const bool one_key = !line.text.empty() && (line.verb == Verb::list_locks || line.verb == Verb::list_shared);
  Listing<Mutex> listing(line.verb, line.text);
  const bool finished = listing.go_on(services, out);
  if (!finished || !one_key) listing_.push_back(std::move(listing));
}

template class Session<engine::NullMutex>;
template class Session<std::mutex>;

}  // namespace lockd::server
