// One connection as a value machine: bytes in, bytes out. All that happens between "these bytes came" and "send these
// bytes" is here, without a socket, so that tests, fuzzers and simulators drive the very code that serves.
#ifndef LOCKD_SERVER_SESSION_H_
#define LOCKD_SERVER_SESSION_H_

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "engine/sharded_table.h"
#include "model/types.h"
#include "server/listing.h"
#include "server/protocol.h"
#include "server/services.h"

namespace lockd::server {

/// What a session needs next from whoever drives it (the pump).
enum class Next : std::uint8_t {
  read,   // bytes: receive(), or finish() at the end of input
  turn,   // another turn, after the others had theirs: go_on()
  drain,  // that its output is sent, and go_on() when less than output_bytes_max of it is left; its input is not to be
          // read meanwhile (F5)
  end,    // its end: end_some() until true, then what is left of its output may still be sent (S3)
};

/// Life: constructed open; receive(), go_on() and finish() as Next says; then end_some(), which may also come at any
/// other moment, since connections end when they like (S2). After its first end_some() a session executes nothing.
///
/// `out` is the session's output that has not been sent yet: replies are appended, and its size is what F5's bound
/// counts. It belongs to the pump, which may pass a buffer shared by all sessions of a thread as long as it is empty.
///
/// Not thread-safe; one thread drives it. Copyable. Its services are passed to each call and must be the same ones each
/// time.
template <class Mutex>
class Session {
 public:
  /// A new session (S1), entered into the registry. address: as R1 writes it.
  Session(SessionId id, std::string address, const Services<Mutex>& services);

  /// Executes the requests in `bytes`, which followed those of the call before. Needs Next::read.
  Next receive(std::string_view bytes, const Services<Mutex>& services, std::string& out);

  /// Goes on with what was left. Needs Next::turn or Next::drain.
  Next go_on(const Services<Mutex>& services, std::string& out);

  /// The input is at its end (S3): all whole requests have been executed, for they are before there is more to read; a
  /// line without its LF is discarded (F1). Needs Next::read. Returns Next::end.
  Next finish();

  /// S2: forgets the name, then releases up to `budget` locks (1 or more). True when all are released and the session
  /// is out of the registry; otherwise to be called again. Once true, further calls are true and change nothing.
  bool end_some(const Services<Mutex>& services, std::size_t budget);

  SessionId id() const { return locks_.id; }

 private:
  enum class Life : std::uint8_t { open, ending, ended };

  Next resume(const Services<Mutex>& services, std::string& out);
  std::size_t execute_all(std::string_view input, const Services<Mutex>& services, std::string& out);
  void execute(const ParsedLine& line, const Services<Mutex>& services, std::string& out);
  void execute_command(const ParsedLine& line, const Services<Mutex>& services, std::string& out);
  void answer_lock(const ParsedLine& line, const Services<Mutex>& services, std::string& out);
  void list(const ParsedLine& line, bool enabled, const Services<Mutex>& services, std::string& out);

  Parser parser_;
  std::string input_;  // received and not executed: the beginning of a line, and whole ones while Next is turn or drain
  std::vector<Listing<Mutex>>
      listing_;  // the one that has this turn, or none; a vector because that is small when empty, and copyable
  engine::SessionLocks locks_;
  Next next_ = Next::read;
  Life life_ = Life::open;
};

extern template class Session<engine::NullMutex>;
extern template class Session<std::mutex>;

}  // namespace lockd::server

#endif  // LOCKD_SERVER_SESSION_H_
