#include "histories/report.h"

#include <map>
#include <set>
#include <sstream>

namespace lockd::histories {
namespace {

constexpr std::size_t faults_shown_max = 10;

// The same for all keys.
Operation without_key(Operation operation) {
  operation.key = 0;
  return operation;
}

std::string verb_of(const Operation& operation) {
  const std::string request = request_text({""}, without_key(operation));
  return request.substr(0, request.find(' '));
}

std::string answer_of(const Operation& operation) {
  if (is_end(operation.act)) return operation.is_answered() ? "seen to be over" : "not seen to be over";
  if (!operation.is_answered()) return "unanswered";
  std::string reply = reply_text({""}, without_key(operation));
  if (reply.ends_with(": ")) reply.resize(reply.size() - 2);
  const bool is_counted = reply.find_first_not_of("0123456789") != 0 && operation.number > 0;
  return is_counted ? "N" + reply.substr(reply.find(' ')) : reply;
}

}  // namespace

std::string as_text(const History& history, const Report& report) {
  std::map<std::string, std::map<std::string, std::size_t>> counts;
  std::set<std::uint32_t> sessions;
  std::set<std::uint32_t> keys;
  for (const Operation& operation : history.operations) {
    ++counts[verb_of(operation)][answer_of(operation)];
    sessions.insert(operation.session);
    if (has_key(operation.act)) keys.insert(operation.key);
  }
  std::ostringstream out;
  for (const auto& [verb, answers] : counts) {
    out << verb << ":";
    for (const auto& [answer, count] : answers) out << "  " << count << " " << answer;
    out << "\n";
  }
  out << history.operations.size() << " operations of " << sessions.size() << " sessions on " << keys.size()
      << " keys\n";
  for (std::size_t i = 0; i < report.faults.size() && i < faults_shown_max; ++i) {
    out << "ILLEGAL: " << report.faults[i].what << ":\n";
    for (const std::size_t place : report.faults[i].operations)
      out << "  " << line_text(history.keys, history.operations[place]) << "\n";
  }
  for (const BadLock& bad : report.bad) {
    out << (bad.result.verdict == Verdict::illegal ? "ILLEGAL: " : "UNDECIDED: ")
        << (bad.kind == LockKind::shared ? "shared " : "exclusive ") << history.keys[bad.key] << ", between "
        << bad.result.bad_from << " and " << bad.result.bad_to << "\n";
  }
  out << report.locks << " locks: " << report.count(Verdict::ok) << " ok, " << report.count(Verdict::illegal)
      << " illegal, " << report.count(Verdict::undecided) << " undecided; " << report.faults.size() << " rules broken; "
      << report.windows << " windows, " << report.states << " states, at most " << report.states_max
      << " in one window\n";
  return out.str();
}

std::string as_text(const RunResult& result) {
  std::ostringstream out;
  out << "trouble:";
  for (const auto& [kind, count] : result.nemesis) out << "  " << count << " " << kind;
  out << "\n" << result.seconds << " s\n";
  return out.str();
}

}  // namespace lockd::histories
