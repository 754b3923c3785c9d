// Asks the I/O threads for a sign of life, and the first of them for its numbers.
#ifndef LOCKD_SERVER_PULSE_H_
#define LOCKD_SERVER_PULSE_H_

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "server/vitals.h"

namespace lockd::server {

/// A question goes to all threads at once, as a handler posted to the event loop of each: who answers has got through
/// all that was ready before it. Invariants:
/// 1. An answer was given after its question was asked: who asks while one is before the threads waits for the next.
/// 2. All who ask in that time share that next question, and between two there is a pause: however many ask, the
///    threads are disturbed no more than once in it.
/// 3. A thread has one question before it at most. While it owes an answer it is not asked again; when that comes,
///    late, it is asked what the others were asked meanwhile.
///
/// Used on one thread, that of `own`; the object goes when neither that context nor those of the threads run handlers
/// any more. (`own` may be one of theirs.)
class Pulse {
 public:
  using Clock = std::chrono::steady_clock;

  /// Between two questions. As long as a scrape may well take, and nothing beside what a thread does meanwhile.
  static constexpr std::chrono::milliseconds pause{10};

  /// threads: the event loops of all I/O threads, one at least. take: called on the first one's thread, for
  /// Vitals::snapshot; none where nobody wants one. patience: how long the threads have for an answer.
  Pulse(boost::asio::io_context& own, std::vector<boost::asio::io_context*> threads, std::function<Snapshot()> take,
        std::chrono::milliseconds patience = std::chrono::seconds(1));
  Pulse(const Pulse&) = delete;
  Pulse& operator=(const Pulse&) = delete;
  ~Pulse() = default;

  /// What the threads answered, those being silent that had not when the patience was over. It takes the pause and
  /// twice the patience at most (the question before it, and its own), whatever the threads do.
  boost::asio::awaitable<Vitals> ask();

 private:
  /// A question, and those who wait for its answers: until `over` is canceled.
  struct Question {
    Question(boost::asio::io_context& context, std::uint64_t of)
        : number(of), over(context, Clock::time_point::max()) {}

    std::uint64_t number;
    boost::asio::steady_timer over;
    std::optional<Snapshot> snapshot;
    std::vector<bool> answered;  // by thread
    Vitals vitals;               // when it is over
  };

  std::shared_ptr<Question> next_question();
  void put_soon();
  void put();
  void put_to(std::size_t thread);
  void take_answer(std::size_t thread, std::uint64_t question, std::optional<Snapshot> snapshot);
  void finish();

  boost::asio::io_context& own_;
  std::vector<boost::asio::io_context*> threads_;
  std::function<Snapshot()> take_;
  std::chrono::milliseconds patience_;

  std::uint64_t questions_ = 0;            // so far
  std::vector<bool> owes_;                 // by thread: a question is before it
  std::shared_ptr<Question> asked_;        // that is before the threads now
  std::shared_ptr<Question> next_;         // that is put when that one is over, and the pause too
  Clock::time_point asked_at_;             // the last one
  boost::asio::steady_timer timer_{own_};  // until the next one is put, or the one before the threads is over
};

}  // namespace lockd::server

#endif  // LOCKD_SERVER_PULSE_H_
