// The client's end of a connection to a daemon.
#ifndef LOCKD_PROPTESTS_SCENARIO_SOCKET_H_
#define LOCKD_PROPTESTS_SCENARIO_SOCKET_H_

#include <optional>
#include <string>
#include <string_view>

#include "proptests/web_socket_frames.h"

namespace lockd::proptests {

/// Reads lines, and never waits longer than daemon_patience: then, as where the system says no, it throws
/// std::runtime_error.
class ClientSocket {
 public:
  /// Connects to `tcp://127.0.0.1:PORT`, `unix:///PATH` or `ws://127.0.0.1:PORT/`. There each line is sent as a
  /// message, once it is whole, and messages are read as lines; those that are empty are not seen.
  explicit ClientSocket(const std::string& uri);
  ClientSocket(ClientSocket&& other) noexcept;
  ClientSocket& operator=(ClientSocket&&) = delete;
  ~ClientSocket();

  /// IP:PORT of this end (not on a Unix socket).
  std::string local_address() const;

  /// All of it, reading meanwhile: a client must (F5).
  void send(std::string_view bytes);

  /// The next line with its LF; less only at the end of the stream.
  std::string line();

  /// All up to the end of the stream.
  std::string rest();

  /// What has come and was not taken; waits for nothing.
  std::string at_hand();

  /// Whether something has come that was not taken, or the end of the stream; waits for nothing. And waits for that.
  bool has_come();
  void await();

  /// FIN; RST (a Unix socket has none: there the connection is closed); and the end of the socket.
  void finish() const;
  void reset();
  void close();

 private:
  short wait(short events) const;
  bool read_some();
  void shake_hands(std::string_view host);
  std::string framed(std::string_view bytes);
  void send_all(std::string_view bytes);

  int fd_ = -1;
  bool ended_ = false;  // nothing more will come
  std::string received_;
  std::optional<FrameReader> frames_;  // of a WebSocket
  std::string unframed_;               // the beginning of a line that is no message yet
  bool has_closed_ = false;            // a close frame has come, and was answered
};

}  // namespace lockd::proptests

#endif  // LOCKD_PROPTESTS_SCENARIO_SOCKET_H_
