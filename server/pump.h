// What drives a session, as its I/O thread knows it.
#ifndef LOCKD_SERVER_PUMP_H_
#define LOCKD_SERVER_PUMP_H_

#include <chrono>
#include <cstddef>

#include "model/types.h"

namespace lockd::server {

/// S3: how long replies are still sent after a session's end, and the peer is waited for.
inline constexpr std::chrono::seconds closing_time{2};

/// A connection of whatever kind, between its socket and its session. On its worker's thread alone.
class Pump {
 public:
  Pump() = default;
  Pump(const Pump&) = delete;
  Pump& operator=(const Pump&) = delete;
  virtual ~Pump() = default;

  /// A slice of its session's end, for its worker's EndQueue: releases up to `locks_max` locks. True when none is left
  /// and the connection is closing.
  virtual bool end_some(std::size_t locks_max) = 0;

  /// W4: its session's Wakeup has come, with this answer. Only while the session waits, and its worker says so.
  virtual void wake(const Answer& answer) = 0;
};

}  // namespace lockd::server

#endif  // LOCKD_SERVER_PUMP_H_
