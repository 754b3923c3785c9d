// What the server's threads tell when they are asked: Pulse asks them.
#ifndef LOCKD_SERVER_VITALS_H_
#define LOCKD_SERVER_VITALS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "engine/totals.h"

namespace lockd::server {

/// Numbers of the first I/O thread, which accepts, and of the lock table; taken on that thread, in O(shards).
struct Snapshot {
  engine::Totals totals;
  engine::Moment now = 0;               // for totals' moments
  std::uint64_t connections = 0;        // served now: sessions (L3), and connections before and after theirs
  std::uint64_t connections_max = 0;    // S4
  std::uint64_t connections_total = 0;  // since the start, but for those too many
  std::uint64_t refused_total = 0;      // S4: connections too many
  std::uint64_t dropped_total = 0;      // connections for which there was no memory, where they were accepted
  bool accepts = true;                  // every listener does: Listener::accepts()
};

/// How the I/O threads did when they were asked.
struct Vitals {
  std::optional<Snapshot> snapshot;  // none where the first thread was silent
  std::vector<std::size_t> silent;   // the threads that did not answer in time, from 0 on
};

}  // namespace lockd::server

#endif  // LOCKD_SERVER_VITALS_H_
