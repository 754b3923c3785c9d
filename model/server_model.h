// The whole server as its clients see it: bytes in, expected bytes out. Sessions, names, statistics and listings, over
// the lock model, the reference parser and the reference printer.
#ifndef LOCKD_MODEL_SERVER_MODEL_H_
#define LOCKD_MODEL_SERVER_MODEL_H_

#include <cstddef>
#include <cstdint>
#include <map>
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
  std::size_t line_bytes_max = 8192;  // F6
  std::uint64_t max_locks = 0;        // S5; 0: no bound
  bool classic = false;               // F8
  bool dump_enabled = true;           // L4, unless --no-dump
  bool registry_enabled = true;       // L4, unless --no-registry
  std::string version = "0.1.0";      // E4
};

/// A server that executes each request in the moment in which its LF comes, and ends sessions in one step. A value:
/// copies go their own ways. What a session that is not live does changes nothing and is not answered.
class ReferenceServer {
 public:
  explicit ReferenceServer(ServerOptions options = {});

  /// S1: a connection from `address`, in the form of R1. Without effect if the id was ever in use.
  void connect(SessionId session, std::string address);

  /// Bytes have come: the answers to all requests that they complete (F5), up to one that ends the session (F11,
  /// `quit`).
  ExpectedOutput receive(SessionId session, std::string_view bytes);

  /// FIN has come (S3) and the session ends; an unterminated line is discarded (F1).
  void finish(SessionId session);

  /// The connection has ended in any other way (S2). The model has executed already all that came before, which a
  /// server that sees a reset need not have done.
  void reset(SessionId session);

  /// Looks. Whether the session has begun and not ended; the locks; L3's numbers by name; F6's and F9's, which `q` does
  /// not show.
  bool is_live(SessionId session) const { return sessions_.contains(session); }
  const LockModel& locks() const { return locks_; }
  std::map<std::string, std::uint64_t> statistics() const;
  std::uint64_t lines_too_long() const { return lines_too_long_; }
  std::uint64_t bad_arguments() const { return bad_arguments_; }

 private:
  struct Session {
    std::string address;
    std::string unterminated;  // what has come since the last LF
  };

  ExpectedOutput execute(SessionId session, const Request& request);
  ExpectedOutput execute_command(SessionId session, const Request& request);
  ExpectedOutput lock_command(SessionId session, const Request& request);
  ExpectedOutput list_locks(LockKind kind, const Key& key) const;
  ExpectedOutput dump(LockKind kind) const;
  ExpectedOutput counters() const;
  ExpectedOutput me(SessionId session) const;
  void name_me(SessionId session, const std::string& name);
  ExpectedOutput who(const std::string& wanted) const;
  static ExpectedOutput help();
  ExpectedOutput single(Outcome outcome, const Request& request, std::uint64_t number = 0) const;

  bool is_disabled(Verb verb) const;
  void forget_name(SessionId session);
  std::string name_or_address(SessionId session) const;
  void end(SessionId session);

  ServerOptions options_;
  LockModel locks_;
  std::map<SessionId, Session> sessions_;                 // the live ones
  std::vector<std::pair<SessionId, std::string>> names_;  // in the order of setting
  std::map<std::string, std::uint64_t> requests_;         // command_X and invalid_commands
  std::uint64_t lines_too_long_ = 0;
  std::uint64_t bad_arguments_ = 0;
};

}  // namespace lockd::model

#endif  // LOCKD_MODEL_SERVER_MODEL_H_
