// With one thread every byte is certain: what the reference server says to the same bytes.
#ifndef LOCKD_SIMULATOR_REFERENCE_ORACLE_H_
#define LOCKD_SIMULATOR_REFERENCE_ORACLE_H_

#include <cstdint>
#include <map>
#include <string>

#include "model/server_model.h"
#include "model/token_rule.h"
#include "simulator/watched_session.h"

namespace lockd::simulator {

/// Follows the calls of all sessions of one thread, each of which is one step. Needs sessions to end in one slice and
/// listings to be written in one, and no end of a line to be read while a wake-up is on its way to its session: the
/// model knows no such time (is_in_flight()), and a `cancel` of then could act on the next wait.
class ReferenceOracle {
 public:
  explicit ReferenceOracle(model::ServerOptions options) : model_(std::move(options)) {}

  void begins(SessionId session, const std::string& address) { model_.connect(session, address, 0); }
  void called(const SessionStep& step);
  void ends(SessionId session);

  /// Whether it was let through and does not know of it.
  bool is_in_flight(SessionId session) const;

 private:
  model::ExpectedOutput follow(const SessionStep& step, bool was_in_flight);

  model::ReferenceServer model_;
  model::TokenRule tokens_;
  std::map<SessionId, std::string> held_back_;  // bytes that came to a session in flight
  std::map<SessionId, server::Next> next_;
};

}  // namespace lockd::simulator

#endif  // LOCKD_SIMULATOR_REFERENCE_ORACLE_H_
