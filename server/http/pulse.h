// Asks the I/O threads whether they are there, and the first of them for its numbers.
#ifndef LOCKD_SERVER_HTTP_PULSE_H_
#define LOCKD_SERVER_HTTP_PULSE_H_

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "server/http/vitals.h"

namespace lockd::server {

/// Each question goes to all threads at once, as a post to their event loops: who answers has got through all that was
/// ready before it. However many ask, a thread has one question before it at most, and is disturbed no more often than
/// once in `pause`: those who ask meanwhile share the next question. So an answer is never older than its question, and
/// a hostile scraper costs the threads next to nothing.
///
/// Used on the thread of its own context, which outlives the others' threads (not their contexts).
class Pulse {
 public:
  using Clock = std::chrono::steady_clock;

  static constexpr std::chrono::milliseconds pause{10};

  /// threads: the event loops of all I/O threads. take: called on the first one's. patience: when a thread counts as
  /// silent.
  Pulse(boost::asio::io_context& own, std::vector<boost::asio::io_context*> threads, std::function<Snapshot()> take,
        std::chrono::milliseconds patience = std::chrono::seconds(1));
  Pulse(const Pulse&) = delete;
  Pulse& operator=(const Pulse&) = delete;
  ~Pulse() = default;

  /// Answered within pause and twice the patience, whatever the threads do.
  boost::asio::awaitable<Vitals> ask();

 private:
  /// A question, and those who wait for its answers: until `over` is canceled.
  struct Question {
    explicit Question(boost::asio::io_context& context) : over(context, Clock::time_point::max()) {}

    boost::asio::steady_timer over;
    std::optional<Snapshot> snapshot;
    std::vector<bool> answered;  // by thread
    Vitals vitals;               // when it is over
  };

  std::shared_ptr<Question> next_question();
  void put_soon();
  void put();
  void put_to(std::size_t thread);
  void take_answer(std::size_t thread, std::optional<Snapshot> snapshot);
  void finish();

  boost::asio::io_context& own_;
  std::vector<boost::asio::io_context*> threads_;
  std::function<Snapshot()> take_;
  std::chrono::milliseconds patience_;

  std::vector<bool> owes_;                 // by thread: a question is before it
  std::shared_ptr<Question> asked_;        // that is before the threads now
  std::shared_ptr<Question> next_;         // that is put when that one is over, and the pause too
  Clock::time_point asked_at_;             // the last one
  boost::asio::steady_timer timer_{own_};  // until the next one is put, or the one before the threads is over
};

}  // namespace lockd::server

#endif  // LOCKD_SERVER_HTTP_PULSE_H_
