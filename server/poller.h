// Which of a thread's sockets are ready: an epoll set of our own, and the sockets in it.
#ifndef LOCKD_SERVER_POLLER_H_
#define LOCKD_SERVER_POLLER_H_

#include <poll.h>
#include <sys/epoll.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/intrusive/list.hpp>
#include <boost/system/error_code.hpp>
#include <cstddef>
#include <cstdint>

#include "server/ready_handler.h"
#include "server/throttle.h"

namespace lockd::server {

class PolledSocket;

/// Whether a write to the socket would not block, at this moment: what the kernel would report of it next.
inline bool is_writable(int fd) {
  pollfd asked{.fd = fd, .events = POLLOUT, .revents = 0};
  return ::poll(&asked, 1, 0) > 0;
}

/// Beside Asio's own reactor, which is told by a system call of each wait for a socket, and looks once more after each
/// read whether there is more. Here a socket is announced to the kernel once and stays so (level-triggered): a request
/// costs one recv() and one send(), and its share of what waits for all sockets together.
///
/// To Asio the epoll set is one descriptor. When that is readable the sockets that are ready have their handlers
/// called, some in a pass, and then the loop's other handlers have their turn.
///
/// Errors that leave the thread without its sockets are thrown out of the context's run, and end the process.
///
/// Used on the context's thread alone; goes before the context does. Sockets may outlive it: they wait for nothing
/// then.
class Poller {
 public:
  /// Throws boost::system::system_error, above all where descriptors have run out.
  explicit Poller(boost::asio::io_context& context);
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;
  /// Pending handlers are dropped, and what they own with them.
  ~Poller();

  /// A number that no other pass has while sockets are being served, and 0 at other times.
  std::uint64_t current_pass() const { return is_passing_ ? pass_count_ : 0; }

 private:
  friend class PolledSocket;

  using Watched = boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;
  using Sockets = boost::intrusive::list<PolledSocket, boost::intrusive::base_hook<Watched>,
                                         boost::intrusive::constant_time_size<false>>;

  /// In a pass. Few, as each may have a read's worth of requests; many, as a pass costs three system calls.
  static constexpr std::size_t sockets_at_once = 128;

  void await_events();
  void pass();
  boost::system::error_code control(int operation, const PolledSocket& socket, std::uint32_t events);
  boost::system::error_code add(PolledSocket& socket, std::uint32_t events);
  void remove(PolledSocket& socket);
  void log_failure(const boost::system::error_code& error);

  boost::asio::io_context& context_;
  boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type> epoll_;
  Sockets sockets_;       // those in the epoll set
  bool waiting_ = false;  // for the epoll set to be readable
  bool is_passing_ = false;
  std::uint64_t pass_count_ = 0;

  std::array<epoll_event, sockets_at_once> events_;  // of this pass
  std::size_t event_count_ = 0;                      // of them
  Throttle failure_log_;
};

/// A connected stream socket, with what Connection uses of boost::asio::basic_stream_socket, which never blocks. It
/// owns the descriptor. One wait for each direction may be pending.
///
/// It moves until it waits for the first time; from then on its address is known.
class PolledSocket : public boost::asio::socket_base, public Poller::Watched {
 public:
  using Error = boost::system::error_code;

  /// fd: a connected socket, which is the PolledSocket's from here on.
  PolledSocket(Poller& poller, int fd) : poller_(&poller), fd_(fd) {}
  PolledSocket(PolledSocket&& other) noexcept;
  PolledSocket& operator=(PolledSocket&&) = delete;
  /// Closes it; there must be nobody who waits, but for a handler that owns this.
  ~PolledSocket();

  /// Calls handler(error) once, from the loop, when a read or a write would not block. With an error only where the
  /// socket can't be waited for. A pending wait that is over by close() has its handler dropped.
  template <class Handler>
  void async_wait(wait_type direction, Handler handler) {
    ReadyHandler& pending = direction == wait_read ? reads_ : writes_;
    if (const Error error = begin_wait(direction, pending)) {
      give_up(ReadyHandler(std::move(handler)), error);
    } else {
      pending = ReadyHandler(std::move(handler));
    }
  }

  /// What has come, up to the buffer's size. Errors: asio::error::eof at the end, would_block, or the kernel's.
  std::size_t read_some(const boost::asio::mutable_buffer& buffer, Error& error);

  /// How much the kernel took. Errors: would_block, or the kernel's; never a signal.
  std::size_t write_some(const boost::asio::const_buffer& buffer, Error& error);

  void shutdown(shutdown_type what, Error& error);

  /// Allocates nothing unless somebody waits. Handlers are not called any more, and what they own is let go of later,
  /// from the loop.
  void close(Error& error);

  int native_handle() const { return fd_; }

  bool is_writable() const { return server::is_writable(fd_); }

 private:
  friend class Poller;

  /// Of no direction: what is reported always (errors, hang-ups) is reported once, not in each pass.
  static constexpr std::uint32_t nothing = EPOLLET;

  Error begin_wait(wait_type direction, const ReadyHandler& pending);
  void give_up(ReadyHandler handler, const Error& error);
  Error arm(std::uint32_t events);
  void notify(std::uint32_t events);

  Poller* poller_;
  ReadyHandler reads_;  // pending waits
  ReadyHandler writes_;
  int fd_;
  std::uint32_t armed_ = nothing;  // what the kernel reports
};

}  // namespace lockd::server

#endif  // LOCKD_SERVER_POLLER_H_
