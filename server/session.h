// One connection as a value machine: bytes in, bytes out. All that happens between "these bytes came" and "send these
// bytes" is here, without a socket, so that tests, fuzzers and simulators drive the very code that serves.
#ifndef LOCKD_SERVER_SESSION_H_
#define LOCKD_SERVER_SESSION_H_

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "engine/sharded_table.h"
#include "model/types.h"
#include "server/boxed.h"
#include "server/cancel_scout.h"
#include "server/listing.h"
#include "server/protocol.h"
#include "server/read_ahead.h"
#include "server/services.h"

namespace lockd::server {

/// What a session needs next from whoever drives it (the pump).
enum class Next : std::uint8_t {
  read,   // bytes: receive(), or finish() at the end of input
  turn,   // another turn, after the others had theirs: go_on()
  drain,  // that its output is sent, and go_on() when less than output_bytes_max of it is left; its input is not to be
          // read meanwhile (F5)
  wait,   // wake() when its Wakeup comes, time_out() at its deadline(); meanwhile bytes as for `read` (W2)
  end,    // its end: end_some() until true, then what is left of its output may still be sent (S3)
};

/// Life: constructed open; receive(), go_on(), wake(), time_out() and finish() as Next says; then end_some(), which may
/// also come at any other moment, since connections end when they like (S2). After its first end_some() a session
/// executes nothing.
///
/// `out` is the session's output that has not been sent yet: replies are appended, and its size is what F5's bound
/// counts. It belongs to the pump, which may pass a buffer shared by all sessions of a thread as long as it is empty.
///
/// Any call may let other sessions through: their Wakeups are appended to services.turn.woken, for the pump to bring to
/// them, never within the call (W4). services.turn.now is the time at which the call happens.
///
/// Not thread-safe; one thread drives it. Copyable. Its services are passed to each call and must be the same ones each
/// time.
template <class Mutex>
class Session {
 public:
  /// A new session (S1), entered into the registry. address: as R1 writes it. home: what its Wakeups are to say.
  Session(SessionId id, std::string address, const Services<Mutex>& services, std::uint32_t home = 0);

  /// Executes the requests in `bytes`, which followed those of the call before, up to one that has to wait. While it
  /// waits, keeps them (W2), and executes a `cancel` (W9). Needs Next::read or Next::wait.
  Next receive(std::string_view bytes, const Services<Mutex>& services, std::string& out);

  /// Goes on with what was left. Needs Next::turn or Next::drain.
  Next go_on(const Services<Mutex>& services, std::string& out);

  /// W4: its Wakeup, with this answer, has come. Answers the wait, and goes on with what was kept. Needs Next::wait.
  Next wake(Answer answer, const Services<Mutex>& services, std::string& out);

  /// W5: its deadline has come. Answers the wait, and goes on with what was kept; or waits on, if its Wakeup is on its
  /// way already. Needs Next::wait.
  Next time_out(const Services<Mutex>& services, std::string& out);

  /// The input is at its end (S3): all whole requests have been executed, for they are before there is more to read, up
  /// to one that waits, and that wait and what was kept are dropped; a line without its LF is discarded (F1). Needs
  /// Next::read or Next::wait. Returns Next::end.
  Next finish();

  /// S2: withdraws the wait and forgets the name, then releases up to `budget` locks (1 or more). True when all are
  /// released and the session is out of the registry; otherwise to be called again. Once true, further calls are true
  /// and change nothing.
  bool end_some(const Services<Mutex>& services, std::size_t budget);

  SessionId id() const { return locks_.id; }

  /// Which of its costs grows with the number of sessions: SessionLocks says what it counts. For tests.
  std::uint64_t edges_walked() const { return locks_.edges_walked; }

  /// W1: the moment at which the wait's time is up. Needs Next::wait.
  engine::Moment deadline() const;

 private:
  enum class Life : std::uint8_t { open, ending, ended };

  /// A turn, which is one call, takes no new request when one of these is reached. (The first is F5's bound, too.)
  struct TurnEnd {
    std::size_t output_bytes;
    std::uint64_t edges_walked;
  };

  void keep(std::string_view rest, const Services<Mutex>& services);
  TurnEnd turn_end(const Services<Mutex>& services, const std::string& out) const;
  Next resume(const TurnEnd& turn, const Services<Mutex>& services, std::string& out);
  bool goes_on_after_cancel(std::string_view kept, const Services<Mutex>& services, std::string& out);
  std::size_t execute_all(std::string_view input, const TurnEnd& turn, const Services<Mutex>& services,
                          std::string& out);
  bool may_go_on(const TurnEnd& turn, const Services<Mutex>& services, const std::string& out);
  void execute(const PendingRequest& request, const Services<Mutex>& services, std::string& out);
  void get(const PendingRequest& request, const Services<Mutex>& services, std::string& out);
  void answer_wait(const Answer& answer, const Services<Mutex>& services, std::string& out);

  // session_commands.h. Within execute(), where the compiler would put them, all requests would pay for their frame.
  [[gnu::noinline]] void answer_mistake(const ParsedLine& line, const Services<Mutex>& services, std::string& out);
  [[gnu::noinline]] void execute_other(const PendingRequest& request, const Services<Mutex>& services,
                                       std::string& out);
  void release_all(const Services<Mutex>& services, std::string& out);
  void list(const ParsedLine& line, bool enabled, const Services<Mutex>& services, std::string& out);

  Parser parser_;
  std::string input_;  // received and not executed: the beginning of a line, and whole ones while Next is turn, drain
                       // or wait
  Boxed<Listing<Mutex>> listing_;   // that has this turn
  Boxed<std::uint64_t> releasing_;  // `ra` has this turn, and has released so many (E1)
  Boxed<Wait> wait_;                // if and only if Next is wait
  Boxed<CancelScout> scout_;        // of input_, while there is any that was kept during a wait
  engine::SessionLocks locks_;
  Next next_ = Next::read;
  Life life_ = Life::open;
};

extern template class Session<engine::NullMutex>;
extern template class Session<std::mutex>;

}  // namespace lockd::server

#endif  // LOCKD_SERVER_SESSION_H_
