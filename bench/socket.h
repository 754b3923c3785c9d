// The sockets of the benchmarks: one that closes itself, one for an epoll loop, and a blocking one that reads lines.
// None of them is safe to share between threads. What goes wrong is an exception, std::system_error where the kernel
// said why.
#ifndef LOCKD_BENCH_SOCKET_H_
#define LOCKD_BENCH_SOCKET_H_

#include <array>
#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace lockd::bench {

/// Throws what errno says, `what` naming the call.
[[noreturn]] void throw_errno(const char* what);

/// Raises the limit of open descriptors as far as it may go.
void raise_descriptor_limit();

/// Owns a descriptor; empty (-1) after a move or a close.
class Socket {
 public:
  explicit Socket(int fd = -1) : fd_(fd) {}
  Socket(Socket&& other) noexcept;
  Socket& operator=(Socket&& other) noexcept;
  ~Socket() { close(); }

  /// A TCP connection to 127.0.0.1, with TCP_NODELAY, blocking.
  static Socket connect_to(std::uint16_t port);

  int fd() const { return fd_; }
  /// Ends the connection with FIN (with RST where bytes are left unread).
  void close();
  /// Ends it with RST.
  void reset();
  /// The same where it may have ended already, or there is none: for destructors.
  void abandon() noexcept;
  /// Sends a request on a blocking connection and reads its reply. Throws where it is another one than `reply`.
  void ask(std::string_view request, std::string_view reply) const;

 private:
  int fd_;
};

/// One non-blocking connection of an epoll loop that is edge-triggered for both directions: on each event call flush(),
/// then receive() until it returns nothing.
class Channel {
 public:
  Channel() = default;
  /// Takes a connected socket and makes it non-blocking.
  explicit Channel(Socket socket);

  Socket& socket() { return socket_; }
  /// Sends what the kernel takes now and keeps the rest for flush().
  void send(std::string_view bytes);
  void flush();
  /// Reads into `buffer`: the bytes read, empty where there are none now. The end of the connection is an exception.
  std::string_view receive(std::span<char> buffer);

 private:
  Socket socket_;
  std::string unsent_;
};

/// A blocking client. Each wait for bytes ends after 60 s with an exception.
class LineClient {
 public:
  /// Connects, and proves by `ping` that the session is open at the other end.
  explicit LineClient(std::uint16_t port);

  void send(std::string_view request);
  /// Waits until there is something to read: false where there is nothing by `deadline`. True at once where bytes are
  /// left of an earlier line.
  bool readable_by(std::chrono::steady_clock::time_point deadline) const;
  /// The next line, without its LF.
  std::string read_line();

 private:
  Socket socket_;
  std::array<char, 65536> buffer_{};
  std::string_view unread_;
};

}  // namespace lockd::bench

#endif  // LOCKD_BENCH_SOCKET_H_
