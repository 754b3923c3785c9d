// The client's end of a connection to a daemon.
#ifndef LOCKD_PROPTESTS_SCENARIO_SOCKET_H_
#define LOCKD_PROPTESTS_SCENARIO_SOCKET_H_

#include <string>
#include <string_view>

namespace lockd::proptests {

/// Reads lines, and never waits longer than daemon_patience: then, as where the system says no, it throws
/// std::runtime_error.
class ClientSocket {
 public:
  /// Connects to `tcp://127.0.0.1:PORT` or `unix:///PATH`.
  explicit ClientSocket(const std::string& uri);
  ClientSocket(ClientSocket&& other) noexcept;
  ClientSocket& operator=(ClientSocket&&) = delete;
  ~ClientSocket();

  /// IP:PORT of this end (TCP only).
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

  int fd_ = -1;
  bool ended_ = false;  // nothing more will come
  std::string received_;
};

}  // namespace lockd::proptests

#endif  // LOCKD_PROPTESTS_SCENARIO_SOCKET_H_
