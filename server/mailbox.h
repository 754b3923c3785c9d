// Wake-ups on their way to one I/O thread.
#ifndef LOCKD_SERVER_MAILBOX_H_
#define LOCKD_SERVER_MAILBOX_H_

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <utility>

#include "engine/requests.h"

namespace lockd::server {

/// Delivers each Wakeup by itself, in the order in which they were posted, and never within another session's step: a
/// chain of 15,000 sessions that wake one another is 15,000 deliveries one after the other, not inside one another.
///
/// Mutex: as the lock table's. Context: as in Edge. post() may be called by any thread, all else happens on the
/// context's.
template <class Mutex, class Context = boost::asio::io_context>
class Mailbox {
 public:
  /// So many in a pass of the event loop, as a crowd that is let through at once must not make the others wait.
  static constexpr std::size_t delivered_at_once = 64;

  /// deliver: told each Wakeup. It looks for the session itself, which may have ended meanwhile.
  Mailbox(Context& context, std::function<void(const engine::Wakeup&)> deliver)
      : context_(context), deliver_(std::move(deliver)) {}
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;
  ~Mailbox() = default;

  void post(const engine::Wakeup& wakeup) {
    const std::lock_guard lock(mutex_);
    posted_.push_back(wakeup);
    if (!std::exchange(collection_pending_, true)) collect_soon();
  }

 private:
  void collect_soon() {
    boost::asio::post(context_, [this] { collect(); });
  }

  void collect() {
    std::deque<engine::Wakeup> collected;
    {
      const std::lock_guard lock(mutex_);
      const auto end = posted_.begin() + static_cast<std::ptrdiff_t>(std::min(delivered_at_once, posted_.size()));
      collected.assign(posted_.begin(), end);
      posted_.erase(posted_.begin(), end);
      collection_pending_ = !posted_.empty();
      if (collection_pending_) collect_soon();
    }
    for (const engine::Wakeup& wakeup : collected) deliver_(wakeup);
  }

  Context& context_;
  std::function<void(const engine::Wakeup&)> deliver_;
  Mutex mutex_;
  std::deque<engine::Wakeup> posted_;  // guarded by mutex_, as is the next
  bool collection_pending_ = false;    // and will take what is posted until it comes
};

}  // namespace lockd::server

#endif  // LOCKD_SERVER_MAILBOX_H_
