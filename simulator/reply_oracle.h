// Which bytes each request may be answered with, whatever the threads did in between.
#ifndef LOCKD_SIMULATOR_REPLY_ORACLE_H_
#define LOCKD_SIMULATOR_REPLY_ORACLE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>

#include "model/types.h"
#include "server/services.h"
#include "simulator/table_oracle.h"
#include "simulator/watched_session.h"

namespace lockd::simulator {

/// Each session's bytes are read once more by the reference parser; each request that was executed must be answered in
/// its turn:
///  - about locks: it was this request that the table was asked, and the reply is the table's answer (which TableOracle
///    compared), as the reference printer writes it;
///  - other single lines: exactly as the reference printer writes them. Of `cancel` there are no more `1 Canceled` than
///    waits that were canceled;
///  - listings: lines of their form, and their end;
///  - nothing else, and nothing that was not asked for.
///
/// Holds for keys that begin with `k` and addresses that begin with `[`, so that lines of `d` and `who`, which have no
/// end, are known by their first byte.
class ReplyOracle {
 public:
  ReplyOracle(const server::Settings& settings, TableOracle& table) : settings_(settings), table_(table) {}

  void begins(SessionId session, const std::string& address) { sessions_[session].address = address; }
  void called(const SessionStep& step);
  void ended(SessionId session) { sessions_.erase(session); }

  /// Whether all whole requests that the session was given are answered.
  bool is_done(SessionId session) const;

 private:
  struct Session {
    std::string address;
    std::string name;
    std::string unterminated;
    std::deque<Request> arrived;  // not executed yet
    std::deque<Request> due;      // executed, and not answered yet in full
    std::string out;              // written, and not matched yet
    Simulation::Moment asked{};   // the call in which the last of them was executed had not begun before
    std::uint64_t cancels = 0;    // waits that were canceled, less those that `cancel` was told of
  };

  /// Whether a request's reply has come: in full, not in full, and for a listing without an end: as much as there is.
  enum class Reply : std::uint8_t { whole, begun, open };

  void arrive(Session& session, std::string_view bytes) const;
  void match(SessionId id, Session& session, server::Next next);
  Reply match_first(SessionId id, Session& session);
  Reply match_command(SessionId id, Session& session, const Request& request);
  Reply match_lock(SessionId id, Session& session, const Request& request);
  static Reply match_cancel(Session& session, const Request& request);
  static Reply match_released(Session& session);
  static Reply match_lines(Session& session, const Request& request);
  static Reply take(Session& session, const std::string& text);
  static Reply take_print(Session& session, Answer answer, const Request& request);
  bool is_disabled(Verb verb) const;

  const server::Settings& settings_;
  TableOracle& table_;
  std::map<SessionId, Session> sessions_;
};

}  // namespace lockd::simulator

#endif  // LOCKD_SIMULATOR_REPLY_ORACLE_H_
