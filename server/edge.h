// What connections stand on: sockets, timers, and the loop that runs their handlers.
#ifndef LOCKD_SERVER_EDGE_H_
#define LOCKD_SERVER_EDGE_H_

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "server/address.h"
#include "server/poller.h"

namespace lockd::server {

/// As connections are accepted.
using Socket = boost::asio::basic_stream_socket<StreamProtocol, boost::asio::io_context::executor_type>;

/// The same whatever the mutex. A simulator has a mutex of its own, and specialises this for it.
///
/// Context: an execution context, made of a hint of how many threads run it. Poller: made of a Context, says which pass
/// it is in. Socket: what Connection uses of PolledSocket. Timer: what Deadlines uses of Asio's, its clock giving
/// std::chrono::steady_clock's time points.
template <class Mutex>
struct Edge {
  using Context = boost::asio::io_context;
  using Poller = server::Poller;
  using Socket = PolledSocket;
  using Timer = boost::asio::steady_timer;
};

}  // namespace lockd::server

#endif  // LOCKD_SERVER_EDGE_H_
