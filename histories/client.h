// One client of a run: a connection, what it has asked, and what it still has to be told.
#ifndef LOCKD_HISTORIES_CLIENT_H_
#define LOCKD_HISTORIES_CLIENT_H_

#include <cstddef>
#include <deque>
#include <stdexcept>
#include <string>
#include <string_view>

#include "histories/recorder.h"
#include "histories/workload.h"

namespace lockd::histories {

/// What a server must not do: answer what was not asked, or in another way, or hang up on a client that did nothing.
class ServerFault : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Life: open from the constructor on; after end() it is over at once, or, where replies are still read (`fin`,
/// `quit`), when the stream has come to its end. All that concerns locks is recorded. Nothing here blocks.
class Client {
 public:
  /// Connects to `tcp://127.0.0.1:PORT` and says its name. Some have a small window, so that a pause of theirs is felt.
  Client(const std::string& uri, std::uint32_t session, Recorder& recorder, Random& random);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client();

  int fd() const { return fd_; }
  std::uint32_t session() const { return session_; }
  bool is_open() const { return state_ == State::open; }
  bool is_over() const { return state_ == State::over; }
  /// Its first reply has come: the server counts it.
  bool is_greeted() const { return is_greeted_; }
  std::size_t outstanding() const { return pending_.size(); }
  bool has_unsent() const { return !unsent_.empty(); }

  /// Writes requests of its habits, in one write or in two. Needs an open client.
  void ask(Random& random);
  /// The same with so many long answers before and behind that they fill every buffer on the way.
  void ask_for_much(Random& random);
  /// One request of the caller's choice.
  void ask_for(Operation operation);
  /// The beginning of a request that never comes.
  void send_cut_line(Random& random);

  /// Sends what the kernel did not take.
  void flush();
  /// Reads what has come. Throws ServerFault.
  void read();

  /// Ends it. Returns the operation if it is not known yet when that is over, else nullptr.
  Operation* end(Act act);

 private:
  enum class State : std::uint8_t { open, ending, over };

  /// How a request is answered: about a lock; with a line of this text; with lines up to `END`.
  struct Pending {
    Operation* operation;
    std::string_view text;
  };

  void write_batch(std::string& bytes, Random& random);
  void append(std::string& bytes, const Operation& operation);
  void append_other(std::string& bytes, std::string_view request, std::string_view reply);
  void send(std::string_view bytes);
  void take_line(std::string_view line);
  void take_end();
  void close(bool reset);

  int fd_ = -1;
  std::uint32_t session_;
  Recorder& recorder_;
  Habits habits_;
  State state_ = State::open;
  bool is_greeted_ = false;
  std::deque<Pending> pending_;
  std::string unsent_;
  std::string received_;      // the beginning of a line
  Operation* end_ = nullptr;  // while replies are read after it
  Moment read_at_ = 0;
};

}  // namespace lockd::histories

#endif  // LOCKD_HISTORIES_CLIENT_H_
