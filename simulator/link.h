// A virtual TCP connection: what is on its way in each direction, and how it breaks.
#ifndef LOCKD_SIMULATOR_LINK_H_
#define LOCKD_SIMULATOR_LINK_H_

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/system/error_code.hpp>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "simulator/context.h"
#include "simulator/simulation.h"

namespace lockd::simulator {

/// What a pass has found out about a socket. It may be so no more when the socket has its turn.
struct Readiness {
  bool is_readable = false;
  bool is_writable = false;
};

/// Both ends and what is between them. The client's end is plain: the simulator looks at it and changes it. The
/// server's end is a Socket. What happens in between is done step by step: bytes arrive by deliver(), and the socket is
/// found ready by its thread's Poller.
class Link {
 public:
  explicit Link(Context& context) : context_(context) {}

  // The client.
  void send(std::string_view bytes) { on_the_way_ += bytes; }
  void finish() { is_finished_ = true; }
  /// RST, or any other error that the server's socket meets from now on. What had arrived may be lost.
  void break_off(boost::system::error_code why, bool loses_what_arrived);
  /// The next write of the server meets this error.
  void fail_write(boost::system::error_code why) { write_error_ = why; }
  std::string take(std::size_t bytes_max);

  // The network.
  bool can_deliver() const { return !on_the_way_.empty() || (is_finished_ && !fin_arrived_); }
  void deliver(std::size_t bytes_max);
  /// The socket is called ready next time though it may not be, if the server waits for it now.
  void call_ready() { is_called_ready_ = reads_ || writes_; }

  // The thread's Poller.
  /// Whether the server waits for what it would find.
  bool has_event() const;
  /// As epoll_wait() reports it.
  Readiness take_event();
  /// As server::PolledSocket::notify().
  void notify(const Readiness& found);

  std::string_view arrived() const { return arrived_; }
  std::size_t to_take() const { return sent_.size(); }
  bool is_broken() const { return broken_.failed(); }
  /// The server has shut down its sending side, or closed; the client may have lost what it did not take yet.
  bool is_over() const { return is_shut_ || is_closed_; }
  bool is_closed() const { return is_closed_; }
  bool is_reset_by_server() const { return reset_by_server_; }
  /// Whether what the server wrote last was not taken whole, and nothing was since then.
  bool is_stalled_since(Simulation::Moment moment) const { return needs_room_ && last_written_at_ <= moment; }

  std::size_t window = 1024;          // how much of what the server sends the network takes before the client does
  std::size_t read_bytes_max = 4096;  // at once
  bool is_held_back = false;          // nothing is found readable now

 private:
  friend class Socket;

  bool is_readable() const { return !is_held_back && (!arrived_.empty() || fin_arrived_ || is_broken()); }
  bool is_writable() const { return is_broken() || write_error_ || sent_.size() < window; }
  void close();

  Context& context_;
  std::string on_the_way_;  // from the client
  std::string arrived_;     // at the server, not read yet
  std::string sent_;        // by the server, not taken yet
  bool is_finished_ = false;
  bool fin_arrived_ = false;
  bool is_shut_ = false;
  bool is_closed_ = false;
  bool reset_by_server_ = false;
  bool needs_room_ = false;
  bool is_called_ready_ = false;
  Simulation::Moment last_written_at_{};
  boost::system::error_code broken_;
  boost::system::error_code write_error_;
  Simulation::Handler reads_;  // pending waits, at most one for each direction
  Simulation::Handler writes_;
};

/// The server's end, with what Connection uses of server::PolledSocket. Breaking Connection's own rules (a
/// second wait in one direction, any use after close(), bytes after the end of what it sends) is a Failure.
class Socket : public boost::asio::socket_base {
 public:
  explicit Socket(std::shared_ptr<Link> link) : link_(std::move(link)) {}
  Socket(Socket&&) noexcept = default;
  Socket& operator=(Socket&&) = delete;
  ~Socket();

  template <class Handler>
  void async_wait(wait_type direction, Handler handler) {
    begin_wait(direction == wait_read ? link_->reads_ : link_->writes_, std::move(handler));
  }

  template <class Buffer>
  std::size_t read_some(const Buffer& buffer, boost::system::error_code& error) {
    return read(static_cast<char*>(buffer.data()), buffer.size(), error);
  }
  template <class Buffer>
  std::size_t write_some(const Buffer& buffer, boost::system::error_code& error) {
    return write({static_cast<const char*>(buffer.data()), buffer.size()}, error);
  }
  bool is_writable() const { return link_->is_writable(); }
  void shutdown(shutdown_type, boost::system::error_code& error);
  void close(boost::system::error_code& error);

 private:
  void begin_wait(Simulation::Handler& pending, Simulation::Handler handler);
  std::size_t read(char* to, std::size_t bytes_max, boost::system::error_code& error);
  std::size_t write(std::string_view bytes, boost::system::error_code& error);
  void require_open() const { require(!link_->is_closed_, "a closed socket is used"); }

  std::shared_ptr<Link> link_;
};

}  // namespace lockd::simulator

#endif  // LOCKD_SIMULATOR_LINK_H_
