// Shares out the work of ending sessions, so that thousands which end at one moment do not make the others wait.
#ifndef LOCKD_SERVER_END_QUEUE_H_
#define LOCKD_SERVER_END_QUEUE_H_

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <cstddef>
#include <deque>
#include <memory>
#include <utility>

namespace lockd::server {

/// What is ending on one I/O thread. As long as a pass of the event loop has some of its share left, an end begins at
/// once: who closes a connection before another asks is served before it. Beyond that share ends take turns, a slice
/// each, and every pass of the loop serves the others too.
///
/// Ending: a class with `bool end_some(std::size_t locks_max)`, a slice of its end, true when that was the last. It
/// must not come back to its queue from there. Used on the context's thread alone; goes before the context does.
template <class Ending>
class EndQueue {
 public:
  /// A pass takes some 200 us: the locks of a slice cost about as much as the one socket that it may close.
  static constexpr std::size_t slices_of_pass = 8;
  static constexpr std::size_t locks_of_slice = 128;

  explicit EndQueue(boost::asio::io_context& context) : context_(context) {}
  EndQueue(const EndQueue&) = delete;
  EndQueue& operator=(const EndQueue&) = delete;
  ~EndQueue() = default;

  void push(std::shared_ptr<Ending> ending) {
    waiting_.push_back(std::move(ending));
    spend_share();
  }

 private:
  void spend_share() {
    for (; !waiting_.empty() && slices_left_ > 0; --slices_left_) {
      auto ending = std::move(waiting_.front());
      waiting_.pop_front();
      if (!ending->end_some(locks_of_slice)) waiting_.push_back(std::move(ending));
    }
    renew_share();
  }

  /// In the loop's next pass: what is posted now stands behind all that is ready by then.
  void renew_share() {
    if (std::exchange(renewal_pending_, true)) return;
    boost::asio::post(context_, [this] {
      renewal_pending_ = false;
      slices_left_ = slices_of_pass;
      if (!waiting_.empty()) spend_share();
    });
  }

  boost::asio::io_context& context_;
  std::deque<std::shared_ptr<Ending>> waiting_;
  std::size_t slices_left_ = slices_of_pass;  // of this pass
  bool renewal_pending_ = false;
};

}  // namespace lockd::server

#endif  // LOCKD_SERVER_END_QUEUE_H_
