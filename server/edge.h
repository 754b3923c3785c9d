// What connections stand on: sockets, timers, and the loop that runs their handlers.
#ifndef LOCKD_SERVER_EDGE_H_
#define LOCKD_SERVER_EDGE_H_

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "server/address.h"

namespace lockd::server {

using Socket = boost::asio::basic_stream_socket<StreamProtocol, boost::asio::io_context::executor_type>;

/// Asio's own, whatever the mutex. A simulator has a mutex of its own, and specialises this for it.
///
/// Context: an execution context, made of a hint of how many threads run it. Socket and Timer: of basic_stream_socket
/// and basic_waitable_timer what Connection uses; the timer's clock gives std::chrono::steady_clock's time points.
template <class Mutex>
struct Edge {
  using Context = boost::asio::io_context;
  using Socket = server::Socket;
  using Timer = boost::asio::steady_timer;
};

}  // namespace lockd::server

#endif  // LOCKD_SERVER_EDGE_H_
