// The words of the engine's interface: what is asked of a lock table, and what comes out beside the answer.
#ifndef LOCKD_ENGINE_REQUESTS_H_
#define LOCKD_ENGINE_REQUESTS_H_

#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include "model/types.h"

namespace lockd::engine {

/// Milliseconds of a clock that only the caller knows and that does not go back; below 2^43, which is 278 years. The
/// engine stores moments and gives them back; it never asks for one. Threads may read their clocks before they come to
/// a shard in another order: what is computed of moments takes a later one that is smaller for an equal one.
using Moment = std::uint64_t;

/// C1's LIMIT of a get that has none: `sg`.
inline constexpr std::uint32_t no_limit = std::numeric_limits<std::uint32_t>::max();

/// One get of any kind: g, gw, sg, sgl, sgw.
struct Get {
  LockKind kind = LockKind::exclusive;
  std::string_view key = {};  // not looked at where a HashedKey comes with the Get
  std::uint32_t limit = 1;    // how many may hold it, this session included (C1, C2): 1 if exclusive, no_limit for `sg`
  bool heeds_line = true;     // H1: `sg` does not
  bool waits = false;         // W1, C2: where it can't be had now; false also where MS is 0
};

/// That another session's wait is over because it got the lock (W4).
struct Wakeup {
  SessionId session = SessionId::nobody;
  std::uint32_t home = 0;  // SessionLocks::home of that session: which thread it lives on
  Answer answer;           // as its get would have been answered at the moment of the grant

  friend bool operator==(const Wakeup&, const Wakeup&) = default;
};

/// Calls append to it, in the order of the grants.
using Wakeups = std::vector<Wakeup>;

/// E2: that a session holds a lock, or waits for it.
struct Claim {
  SessionId session = SessionId::nobody;
  std::uint64_t token = 0;  // T1; 0: it waits
  Moment since = 0;         // of the grant, or of the beginning of the wait

  friend bool operator==(const Claim&, const Claim&) = default;
};

/// Why a session leaves a line without the lock: W5, W9.
enum class Leave : std::uint8_t { timeout, cancel };

}  // namespace lockd::engine

#endif  // LOCKD_ENGINE_REQUESTS_H_
