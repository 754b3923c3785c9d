// The whole server as its clients see it: bytes in, expected bytes out. Sessions, names, statistics and listings, over
// the lock model, the reference parser and the reference printer.
#ifndef LOCKD_MODEL_SERVER_MODEL_H_
#define LOCKD_MODEL_SERVER_MODEL_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/expected_output.h"
#include "model/lock_model.h"
#include "model/types.h"

namespace lockd::model {

/// What the server was started with; the defaults are the protocol's.
struct ServerOptions {
  std::size_t line_bytes_max = 8192;        // F6
  std::size_t input_bytes_max = 64 * 1024;  // W2
  std::uint64_t max_locks = 0;              // S5; 0: no bound
  std::uint64_t max_waiters = 0;            // W7; 0: no bound
  std::uint64_t max_grants = 0;             // T1: how many tokens there are; 0: no bound
  bool classic = false;                     // F8
  bool dump_enabled = true;                 // L4, unless --no-dump
  bool registry_enabled = true;             // L4, unless --no-registry
  std::string version = "0.1.0";            // E4
};

/// A server that executes each request in the moment in which its LF comes, unless its session waits, and ends sessions
/// in one step. Each call is one session's turn; those that it woke then have theirs, in the order in which they were
/// woken, before it returns. A value: copies go their own ways. What a session that is not live does changes nothing
/// and is not answered.
class ReferenceServer {
 public:
  explicit ReferenceServer(ServerOptions options = {});

  /// As many requests as there are.
  static constexpr std::uint64_t all = UINT64_MAX;

  /// S1: a connection from `address`, in the form of R1. Without effect if the id was ever in use. allowed: so many
  /// requests are executed, and then no more until allow(); what comes is kept. So the model can follow a server that
  /// is held up, by a client that does not take its replies (F5) or because others have their turn.
  void connect(SessionId session, std::string address, std::uint64_t allowed = all);

  /// So many more are allowed: executes those that are there. Returns the session's output.
  ExpectedOutput allow(SessionId session, std::uint64_t requests);

  /// Bytes have come: executes all requests that they complete (F5), up to one that waits (W2) or that ends the session
  /// (F11, `quit`). Returns the session's output.
  ExpectedOutput receive(SessionId session, std::string_view bytes);

  /// W5: the time of its wait is up. Returns the session's output. Without effect if it does not wait.
  ExpectedOutput time_out(SessionId session);

  /// The session's output since it was last returned: what others did to it, through W4.
  ExpectedOutput take_output(SessionId session);

  /// FIN has come (S3) and the session ends; an unterminated line is discarded (F1).
  void finish(SessionId session);

  /// The connection has ended in any other way (S2). The model has executed already all that came before, which a
  /// server that sees a reset need not have done.
  void reset(SessionId session);

  /// S6: all sessions end in one step; no waiter is answered.
  void shut_down();

  /// Looks. Whether the session has begun and not ended; whether it waits; the locks; L3's numbers in the order of
  /// names; those and E3's by name, but for those that time makes.
  bool is_live(SessionId session) const { return sessions_.contains(session); }
  bool waits(SessionId session) const { return is_live(session) && sessions_.at(session).waiting; }
  /// Whether a request of it was not executed, because it waits or is not allowed more.
  bool has_request(SessionId session) const;
  const LockModel& locks() const { return locks_; }
  std::vector<std::pair<std::string, std::uint64_t>> classic_counters() const;
  std::map<std::string, std::uint64_t> statistics() const;

 private:
  /// A line that has come and was not executed yet, because the session waits (W2).
  struct Line {
    std::string bytes;  // with its LF
    bool came_in_wait = false;
    bool has_acted = false;  // W9: a `cancel` that ended a wait when it came
  };
  struct Session {
    std::string address;
    std::deque<Line> lines;
    std::string unterminated;  // what has come since the last LF
    bool waiting = false;      // until its reply is out, which is later than the hand-over
    std::uint64_t allowed = all;
  };

  /// Of L3 and E3, what only grows, but for what the locks count.
  struct Counters {
    std::map<Verb, std::uint64_t> commands;
    std::uint64_t bad_arguments = 0;
    std::uint64_t browsers = 0;
    std::uint64_t cancels = 0;
    std::uint64_t deadlocks = 0;
    std::uint64_t invalid_commands = 0;
    std::uint64_t lines_too_long = 0;
    std::uint64_t refusals = 0;
    std::uint64_t timeouts = 0;
    std::uint64_t too_much_input = 0;
    std::uint64_t waits = 0;
  };

  void take(SessionId id, char byte);
  void execute_lines(SessionId id);
  void hear_again(SessionId id);
  bool is_cancel(const Line& line) const;
  void serve_the_woken();

  ExpectedOutput execute(SessionId session, const Request& request, bool has_acted);
  ExpectedOutput execute_command(SessionId session, const Request& request, bool has_acted);
  ExpectedOutput lock_command(SessionId session, const Request& request);
  ExpectedOutput list_locks(LockKind kind, const Key& key) const;
  ExpectedOutput dump(LockKind kind) const;
  ExpectedOutput list(const Key& prefix) const;
  ExpectedOutput counters() const;
  ExpectedOutput all_statistics() const;
  ExpectedOutput me(SessionId session) const;
  void name_me(SessionId session, const std::string& name);
  ExpectedOutput who(const std::string& wanted) const;
  static ExpectedOutput help();
  ExpectedOutput single(Answer answer, const Request& request) const;

  bool is_disabled(Verb verb) const;
  void forget_name(SessionId session);
  std::string name_or_address(SessionId session) const;
  void end(SessionId session);
  ExpectedOutput happen(SessionId session, const Event& event);
  ExpectedOutput answered(const Reply& reply);
  void count(Outcome outcome);
  std::uint64_t times(Verb verb) const;

  ServerOptions options_;
  LockModel locks_;
  std::map<SessionId, Session> sessions_;                 // the live ones
  std::map<SessionId, ExpectedOutput> outputs_;           // what was not returned yet
  std::deque<Reply> woken_;                               // who was let through, and has not had his turn yet
  std::vector<std::pair<SessionId, std::string>> names_;  // in the order of setting
  Counters counters_;
};

}  // namespace lockd::model

#endif  // LOCKD_MODEL_SERVER_MODEL_H_
