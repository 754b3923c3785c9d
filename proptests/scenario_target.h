// What a scenario can be played on: a server, whatever it consists of.
#ifndef LOCKD_PROPTESTS_SCENARIO_TARGET_H_
#define LOCKD_PROPTESTS_SCENARIO_TARGET_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "proptests/transcript.h"

namespace lockd::proptests {

/// What came is not what the scenario says. what(): "expected E, actual A", bytes written as in scenario files.
struct Mismatch : std::runtime_error {
  Mismatch(const std::string& expected, const std::string& actual)
      : std::runtime_error("expected " + expected + ", actual " + actual) {}
};

/// A server and its clients, each known by the name that the scenario gives it, used as read_transcript() lets it be.
/// Calls take effect one after the other, in the eyes of all clients: when send() is followed by settle() or
/// expect_wait(), and when finish(), close() or reset() has returned, the server has done all that comes of it; but for
/// what a session has kept while it waited, which is executed when its replies have come (W2). Not thread-safe. What
/// can't be done at all (a connection that the server lost, a server that does not answer for 20 s) is a
/// std::runtime_error.
class Target {
 public:
  Target() = default;
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;
  virtual ~Target() = default;

  virtual void connect(const std::string& client) = 0;

  /// In the form of R1. Known from connect() on, and for ever.
  virtual std::string address(const std::string& client) const = 0;

  virtual void send(const std::string& client, std::string_view bytes) = 0;

  /// The end of the client's sending side; of the connection, in which all replies must have been expected; or RST.
  virtual void finish(const std::string& client) = 0;
  virtual void close(const std::string& client) = 0;
  virtual void reset(const std::string& client) = 0;

  /// One step of the kinds `expect...`, with the addresses filled in. Throws Mismatch, at the latest from settle().
  virtual void expect(const std::string& client, const TranscriptStep& replies) = 0;

  /// Throws Mismatch unless the client's session waits, or comes to wait when it has executed all that was sent, and
  /// the client has received all that was expected, and nothing beyond it. (A wait that is a short one may be over
  /// already where there is a clock: its time is not the scenario's. Its reply is found by the next expect().)
  virtual void expect_wait(const std::string& client) = 0;

  /// The time of this client's wait is up, and the wait with it: so it is when this returns. expect_wait() was called.
  virtual void time_out(const std::string& client) = 0;

  /// Throws Mismatch unless all these tokens were shown, and grow.
  virtual void expect_rising(const std::vector<std::string>& tokens) = 0;

  /// Throws Mismatch unless the client has received all that was expected, and nothing beyond it. waits: expect_wait()
  /// was called, and no reply was expected since.
  virtual void settle(const std::string& client, bool waits) = 0;

  /// S6. Throws Mismatch unless all connections are at their ends then, without another byte, and all locks free.
  virtual void shut_down() = 0;
};

/// The reference server. `flags`: the daemon's; std::invalid_argument for those that concern only its edge.
std::unique_ptr<Target> make_model_target(std::vector<std::string> flags);

/// Sessions over the engine, without a socket, fed at most `bytes_at_once` bytes (1 or more) at a time. Flags as above.
std::unique_ptr<Target> make_session_target(std::vector<std::string> flags, std::size_t bytes_at_once);

enum class Transport { tcp, unix_socket, websocket };

/// A daemon started for this target alone: `binary` with `flags`, and so many threads unless these say otherwise.
/// Throws where it does not start, or does not end with exit status 0.
std::unique_ptr<Target> make_daemon_target(const std::string& binary, const std::vector<std::string>& flags,
                                           Transport transport, unsigned threads);

/// For targets that read flags by themselves: removes `name`, with its number, from `flags`; whether or what it was.
bool take_flag(std::vector<std::string>& flags, std::string_view name);
std::uint64_t take_number(std::vector<std::string>& flags, std::string_view name, std::uint64_t fallback);

/// Throws std::invalid_argument if a flag is left.
void expect_none_left(const std::vector<std::string>& flags);

}  // namespace lockd::proptests

#endif  // LOCKD_PROPTESTS_SCENARIO_TARGET_H_
