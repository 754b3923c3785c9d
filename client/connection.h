// One connection and the thread that watches it: requests in, lines of reply out, and its end noticed.
#ifndef LOCKD_CLIENT_CONNECTION_H_
#define LOCKD_CLIENT_CONNECTION_H_

#include <sys/types.h>

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "client/reply_queue.h"
#include "client/socket.h"
#include "lockd/client.h"

namespace lockd {

/// A line to be sent, and how its reply ends.
struct Request {
  std::string line;  // without its LF
  Framing framing = Framing::line;
};

/// How long a call may take.
struct Patience {
  std::chrono::milliseconds wait{0};                            // for so long the first request may stand in line
  std::stop_token stop = {};                                    // ends that wait
  std::optional<std::chrono::milliseconds> reply_timeout = {};  // other than that of the options
  bool bytes_extend = true;                                     // it begins anew with whatever the server sends
};

using Lines = std::vector<std::string>;

/// The text of an Error.
std::string no_reply_within(std::chrono::milliseconds timeout);

/// What Client and Lock share. It lives until its thread has ended and nobody knows it any more.
///
/// One mutex guards all that is not const; the thread holds it whenever it changes something, never while it waits or
/// calls functions of the user. The end is decided once: by end(), by whoever comes first.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  /// Takes a connected socket, and starts the thread. `options` are valid.
  static Result<std::shared_ptr<Connection>> start(Descriptor socket, const Options& options);

  Connection(Descriptor socket, Descriptor wake, const Options& options);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  /// Sends the requests in one go when it is this call's turn, and waits for all replies. When the stop is requested
  /// before they are sent: canceled; afterwards: `cancel` is sent, and the first reply tells what became of it.
  Result<std::vector<Lines>> exchange(const std::vector<Request>& requests, const Patience& patience = {});

  /// Sends `cancel` at once if a call is in progress that may stand in line, else in its turn.
  Result<Lines> cancel();

  /// Sends `quit` in its turn, and closes.
  Result<void> quit();

  /// Ends the connection unless it has ended. Returns why it has.
  Error end(Error reason);
  /// The same as the user's own wish, and waits until the thread is done, unless it is the thread that calls.
  void close() noexcept;

  bool has_ended() const noexcept { return has_ended_.load(); }
  std::optional<Error> reason() const;
  std::stop_token lost() const noexcept { return lost_.get_token(); }
  void on_loss(std::function<void(const Error&)> fn);

  /// A Lock's claim to a key; false if another has it. To give up a claim takes no memory.
  bool claim(Mode mode, const std::string& key);
  void give_up(Mode mode, const std::string& key) noexcept;

  /// Whether this is the process that connected, and no child of it: a child has neither the thread nor, maybe, a
  /// mutex that anybody will ever unlock.
  bool is_own_process() const noexcept;
  static Error in_a_child();
  /// In a child: closes the child's descriptors, and keeps the rest for ever.
  static void abandon(const std::shared_ptr<Connection>& connection) noexcept;

 private:
  using Guard = std::unique_lock<std::mutex>;

  using ReplyPointer = std::shared_ptr<const Reply>;

  /// A call's turn is over when this goes. By who holds the mutex.
  class Turn {
   public:
    explicit Turn(Connection& connection) : connection_(connection) {}
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn() { connection_.give_turn(); }

   private:
    Connection& connection_;
  };

  // What callers do. All of it holds the mutex.
  std::optional<Error> take_turn(Guard& guard, const std::stop_token& stop);
  void give_turn();
  std::vector<ReplyPointer> converse(Guard& guard, const std::vector<Request>& requests, const Patience& patience);
  std::optional<Error> line_error(const std::vector<Request>& requests) const;
  ReplyPointer send(const Request& request);
  void await(Guard& guard, std::vector<ReplyPointer>& sent, const Patience& patience);
  void end_locked(Error reason, bool is_own_wish);
  void send_out();
  void flush();

  // What the thread does.
  void run();
  void watch();
  bool prepare(short& events);
  std::chrono::milliseconds check_silence();
  void receive();
  void tell_of_the_end();

  const Descriptor socket_;
  const Descriptor wake_;  // an eventfd: the thread is to look up
  const Options options_;
  const pid_t process_;
  std::shared_ptr<Connection> itself_;  // in a child that abandoned it: never to be destroyed

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;  // a reply is done, a turn is over, the end
  bool is_taken_ = false;                // a call has its turn
  bool may_be_canceled_ = false;         // and may stand in line
  std::string outbox_;                   // what the kernel has not taken
  ReplyQueue replies_;
  Clock::time_point heard_;  // when something came last
  std::thread::id watcher_;  // the thread, once it runs
  std::optional<Error> reason_;
  bool is_own_wish_ = false;
  bool is_told_ = false;  // functions that come now are called by who brings them
  std::vector<std::function<void(const Error&)>> on_loss_;
  std::array<std::set<std::string>, 2> claimed_;  // by Mode

  const bool is_tcp_;
  Clock::time_point
      next_look_{};  // the thread's alone: when the peer can have been silent for too long at the earliest

  std::atomic<bool> has_ended_ = false;  // reason_ is there
  std::stop_source lost_;
  std::mutex join_mutex_;  // for thread_, which one of those who close joins
  std::thread thread_;
};

}  // namespace lockd

#endif  // LOCKD_CLIENT_CONNECTION_H_
