// One I/O thread: what the connections that live on it share.
#ifndef LOCKD_SERVER_WORKER_H_
#define LOCKD_SERVER_WORKER_H_

#include <array>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <string>

#include "server/end_queue.h"
#include "server/services.h"

namespace lockd::server {

/// A connection never reads more than this at once, so that no turn executes more (design: turns of 64 KiB).
inline constexpr std::size_t read_bytes_max = 64 * 1024;

template <class Mutex>
class Connection;

/// Of one I/O thread, and used by it alone, but for the context's own thread-safe calls.
template <class Mutex>
struct Worker {
  Services<Mutex> services;
  std::chrono::seconds peer_timeout;

  std::array<char, read_bytes_max> input{};  // read into by whichever connection has its turn, and empty again after it
  std::string output;                        // the same, for replies

  // Last, so that they go first: the pending handlers of the one and the other's entries own the connections.
  boost::asio::io_context context{1};  // one thread runs it; the hint spares it some locking
  EndQueue<Connection<Mutex>> ends{context};
};

}  // namespace lockd::server

#endif  // LOCKD_SERVER_WORKER_H_
