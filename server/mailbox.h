// Wake-ups on their way to one I/O thread.
#ifndef LOCKD_SERVER_MAILBOX_H_
#define LOCKD_SERVER_MAILBOX_H_

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <cstddef>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

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
    if (delivered_ == collected_.size()) fetch();
    for (std::size_t left = delivered_at_once; left > 0 && delivered_ < collected_.size(); --left)
      deliver_(collected_[delivered_++]);
    const std::lock_guard lock(mutex_);
    collection_pending_ = delivered_ < collected_.size() || !posted_.empty();
    if (collection_pending_) collect_soon();
  }

  /// The two change places again and again, so that what passes through allocates nothing. A crowd's memory is not
  /// kept.
  void fetch() {
    delivered_ = 0;
    collected_.clear();
    if (collected_.capacity() > wakeups_kept_max) collected_ = {};
    const std::lock_guard lock(mutex_);
    collected_.swap(posted_);
  }

  static constexpr std::size_t wakeups_kept_max = 1024;

  Context& context_;
  std::function<void(const engine::Wakeup&)> deliver_;
  std::vector<engine::Wakeup> collected_;  // from posted_, by the context's thread
  std::size_t delivered_ = 0;              // so many of collected_

  Mutex mutex_;
  std::vector<engine::Wakeup> posted_;  // guarded by mutex_, as is the next
  bool collection_pending_ = false;     // and will take what is posted until it comes
};

}  // namespace lockd::server

#endif  // LOCKD_SERVER_MAILBOX_H_
