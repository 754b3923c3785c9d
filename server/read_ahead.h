// Requests that are read before the first of them is executed, so that the memory that they need is asked for together
// (ShardedTable::prefetch()).
#ifndef LOCKD_SERVER_READ_AHEAD_H_
#define LOCKD_SERVER_READ_AHEAD_H_

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "engine/sharded_table.h"
#include "server/protocol.h"

namespace lockd::server {

/// A request that is read and not executed yet.
struct PendingRequest {
  ParsedLine line;
  engine::HashedKey key;  // of a line about a lock
  std::size_t end = 0;    // of the line in the input that is being executed; tells one `cancel` from another
};

/// Room for those that are read at once. A thread's, and lent to the session that has its turn: to make it anew for
/// each read would cost as much as most requests.
using PendingRequests = std::array<PendingRequest, 16>;

static_assert(Verb::token < Verb::get_shared && Verb::token_shared < Verb::release_all,
              "verbs about one lock come first, of the exclusive kind before the shared");

/// Whether a line is answered by the table, which looks for its key.
inline bool is_about_a_lock(const ParsedLine& line) {
  return line.kind == LineKind::command && line.verb <= Verb::token_shared;
}

/// Of a verb about a lock.
inline LockKind kind_of(Verb verb) { return verb < Verb::get_shared ? LockKind::exclusive : LockKind::shared; }

/// Reads some of the requests that `input` has from `read` on, and moves `read` behind them; without a whole one,
/// behind what can be forgotten. Nothing is read behind a request that may wait, or is not about a lock: it may well be
/// the last of the turn, and nothing is gained by reading on. The requests lie in `room`, and mean something until
/// input, parser or room change.
template <class Mutex>
std::span<const PendingRequest> read_ahead(Parser& parser, std::string_view input, std::size_t& read,
                                           const engine::ShardedTable<Mutex>& table, PendingRequests& room) {
  const bool prefetches = table.gains_by_prefetch();
  std::size_t count = 0;
  std::size_t about_locks = 0;
  bool found = parser.next(input, read, room[0].line);
  while (found) {
    PendingRequest& request = room[count++];
    request.end = read;
    if (!is_about_a_lock(request.line)) break;
    ++about_locks;
    request.key = table.hashed(request.line.text);
    if (prefetches) table.prefetch(kind_of(request.line.verb), request.key);
    if (request.line.milliseconds > 0 || parser.has_folded() || count == room.size()) break;
    found = parser.next_whole(input, read, room[count].line);
  }
  if (prefetches && about_locks > 1)
    for (const PendingRequest& request : std::span(room).first(about_locks))
      table.prefetch_record(kind_of(request.line.verb), request.key);
  return std::span(room).first(count);
}

}  // namespace lockd::server

#endif  // LOCKD_SERVER_READ_AHEAD_H_
