// Sessions beside their reference (SessionLockstep), and what their clients do as a scenario.
#ifndef LOCKD_PROPTESTS_RECORDED_SESSIONS_H_
#define LOCKD_PROPTESTS_RECORDED_SESSIONS_H_

#include <cstddef>
#include <map>
#include <ostream>
#include <string_view>

#include "proptests/session_lockstep.h"

namespace lockd::proptests {

/// The calls of SessionLockstep, each written ahead of being done, so that the last line is the one that goes wrong.
/// The first client of slot 0 is `a1`, the next one `a2`. What a scenario can't say (that a client stops reading) is a
/// line that begins with `#!`.
class RecordedSessions {
 public:
  /// scenario: null, or where the lines go; it outlives this. reference: as SessionLockstep has it.
  RecordedSessions(const SessionLockstep::Config& config, std::ostream* scenario)
      : RecordedSessions(config, config, scenario) {}
  RecordedSessions(const SessionLockstep::Config& config, const SessionLockstep::Config& reference,
                   std::ostream* scenario);

  void connect(std::size_t slot);
  void send(std::size_t slot, std::string_view bytes);
  void finish(std::size_t slot);
  void reset(std::size_t slot, std::size_t budget = SessionLockstep::all_at_once);
  void set_reading(std::size_t slot, bool reading);
  void time_out(std::size_t slot);

  /// send() in two steps: what is sent, and one call of the session.
  void post(std::size_t slot, std::string_view bytes);
  void advance(std::size_t slot);

  /// For what is no client's doing, and for looks.
  SessionLockstep& lockstep() { return lockstep_; }

 private:
  struct Connection {
    int number = 0;  // of those at this slot
    bool finished = false;
  };

  void say(std::string_view ahead, std::size_t slot, std::string_view behind = {});
  void say_sent(std::size_t slot, std::string_view bytes);

  SessionLockstep lockstep_;
  std::ostream* scenario_;
  std::map<std::size_t, Connection> connections_;  // the last one of each slot; for the scenario alone
};

}  // namespace lockd::proptests

#endif  // LOCKD_PROPTESTS_RECORDED_SESSIONS_H_
