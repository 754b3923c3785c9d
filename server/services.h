// What sessions share.
#ifndef LOCKD_SERVER_SERVICES_H_
#define LOCKD_SERVER_SERVICES_H_

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/sharded_table.h"
#include "server/boxed.h"
#include "server/read_ahead.h"
#include "server/registry.h"
#include "server/spare_buffer.h"
#include "server/statistics.h"

namespace lockd::server {

/// How the server was told to speak (the flags of the same names).
struct Settings {
  std::size_t line_bytes_max = 8192;           // F6
  std::size_t input_bytes_max = 64 * 1024;     // W2: so much is kept of what a client sends while it waits
  std::size_t output_bytes_max = 1024 * 1024;  // F5: so much of replies waits for a client at most, but for what was
                                               // begun: a reply's line, a slice of a listing
  bool classic = false;                        // F8: silent to unknown verbs
  bool dump = true;                            // L4
  bool registry = true;                        // L4
};

/// The request of a session that waits.
struct Wait {
  std::string key;
  engine::Moment deadline = 0;  // W1
};

/// Waits that are over, for those that begin: to wait allocates nothing then. A value.
class SpareWaits {
 public:
  Boxed<Wait> take(std::string_view key, engine::Moment deadline) {
    Boxed<Wait> wait;
    if (spares_.empty()) {
      wait.emplace();
    } else {
      wait = std::move(spares_.back());
      spares_.pop_back();
    }
    wait->key.assign(key);
    wait->deadline = deadline;
    return wait;
  }

  /// Keeps it, unless that would be many, or much.
  void give_back(Boxed<Wait>&& wait) {
    Boxed<Wait> over = std::move(wait);
    if (spares_.size() < waits_max && over->key.capacity() <= key_bytes_max) spares_.push_back(std::move(over));
  }

 private:
  static constexpr std::size_t waits_max = 64;
  static constexpr std::size_t key_bytes_max = 256;

  std::vector<Boxed<Wait>> spares_;
};

/// What the sessions of one I/O thread share with the thread beside bytes. On cache lines of its own.
struct alignas(64) Turn {
  engine::Moment now = 0;   // set by the thread before it calls a session
  engine::Wakeups woken;    // sessions that were let through, for the thread to deliver (W4)
  bool wait_begun = false;  // the session's, in the call since that was set to false

  /// Where in the output each request's reply ends, for a thread that frames replies: set by it before it calls a
  /// session, appended to by that. Null where replies are a stream of bytes.
  std::vector<std::size_t>* reply_ends = nullptr;

  SpareWaits spare_waits = {};
  SpareBuffer spare_input = {};  // for what is left of a read at a turn's end
  PendingRequests pending = {};  // means nothing between calls
};

/// All that a session works with, as one of the I/O threads sees it. None of it is owned; all of it outlives the
/// sessions.
template <class Mutex>
struct Services {
  const Settings& settings;
  engine::ShardedTable<Mutex>& table;
  Registry<Mutex>& registry;
  Statistics& statistics;                      // of this thread
  std::span<const Statistics> all_statistics;  // of every thread, this one included
  Turn& turn;                                  // of this thread
};

}  // namespace lockd::server

#endif  // LOCKD_SERVER_SERVICES_H_
