// Shares out the work of ending sessions, so that thousands which end at one moment do not make the others wait.
#ifndef LOCKD_SERVER_END_QUEUE_H_
#define LOCKD_SERVER_END_QUEUE_H_

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <utility>

namespace lockd::server {

/// What is ending on one I/O thread. As long as a pass of the event loop has some of its share left, an end begins at
/// once: who closes a connection before another asks is served before it. Beyond that share ends take turns, a slice
/// each, and every pass of the loop serves the others too.
///
/// A pass's share is eight slices, or as long as the pass took for the others if that is longer: where the others keep
/// the thread busy, ends get half of it, and locks are free after twice the time that it takes to free them.
///
/// Ending: a class with `bool end_some(std::size_t locks_max)`, a slice of its end, true when that was the last; it
/// must not call push(). Context: as in Edge. Used on the context's thread alone; goes before the context does.
template <class Ending, class Context = boost::asio::io_context>
class EndQueue {
 public:
  using Clock = std::chrono::steady_clock;

  /// Some 200 us: the locks of a slice cost about as much as the one socket that it may close.
  static constexpr std::size_t slices_at_least = 8;
  static constexpr std::size_t locks_of_slice = 128;

  explicit EndQueue(Context& context, std::function<Clock::time_point()> now = Clock::now)
      : context_(context), now_(std::move(now)) {}
  EndQueue(const EndQueue&) = delete;
  EndQueue& operator=(const EndQueue&) = delete;
  ~EndQueue() = default;

  void push(std::shared_ptr<Ending> ending) {
    waiting_.push_back(std::move(ending));
    for (; slices_left_ > 0 && !waiting_.empty(); --slices_left_) slice();
    renew_share();
  }

 private:
  /// What it throws ends the process: to unwind would close a connection whose locks are not free.
  void slice() noexcept {
    auto ending = std::move(waiting_.front());
    waiting_.pop_front();
    if (!ending->end_some(locks_of_slice)) waiting_.push_back(std::move(ending));
  }

  /// In the loop's next pass: what is posted now stands behind all that is ready by then.
  void renew_share() {
    if (std::exchange(renewal_pending_, true)) return;
    worked_until_ = now_();
    boost::asio::post(context_, [this] { begin_share(); });
  }

  void begin_share() {
    renewal_pending_ = false;
    slices_left_ = slices_at_least;
    if (waiting_.empty()) return;
    const auto began = now_();
    const auto end = began + (began - worked_until_);
    while (!waiting_.empty() && (slices_left_ > 0 || now_() < end)) {
      slice();
      if (slices_left_ > 0) --slices_left_;
    }
    renew_share();
  }

  Context& context_;
  std::function<Clock::time_point()> now_;
  std::deque<std::shared_ptr<Ending>> waiting_;
  std::size_t slices_left_ = slices_at_least;  // of this pass
  bool renewal_pending_ = false;
  Clock::time_point worked_until_;  // when the work on ends last paused
};

}  // namespace lockd::server

#endif  // LOCKD_SERVER_END_QUEUE_H_
