// Metrics and health over HTTP, on a thread of their own.
#ifndef LOCKD_SERVER_HTTP_HTTP_SERVER_H_
#define LOCKD_SERVER_HTTP_HTTP_SERVER_H_

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "server/http/http_connection.h"
#include "server/listener.h"
#include "server/pulse.h"
#include "server/statistics.h"
#include "server/throttle.h"

namespace lockd::server {

/// What the HTTP server shows.
struct HttpSources {
  std::vector<boost::asio::io_context*> threads;  // the I/O threads' event loops; the first one's accepts
  std::function<Snapshot()> take;                 // called on the first one's thread
  std::span<const Statistics> statistics;         // of every thread
  std::chrono::milliseconds patience{1'000};      // Pulse
};

/// Life: constructed listening; start(), then stop() once, when the I/O threads have ended or before they begin.
///
/// Nobody is turned away. A connection too many takes the place of the one that has been idle for longest, once that is
/// HttpLimits::grace_time; until then it waits in the kernel's queue, first come, first served, and whoever is answered
/// meanwhile is answered for the last time on his connection. So those who open many connections and say nothing break
/// into no scrape, end no scraper whose request is on its way, and keep others waiting for as long as connections_max
/// of them share a grace time; those who ask without pause, for as long as one response takes.
class HttpServer {
 public:
  /// uri: as of --listen. An address beyond this machine has to be given itself, not by a name that has it. unix_mode:
  /// permission bits of a Unix socket. Throws std::exception where it can't listen there.
  HttpServer(const std::string& uri, unsigned unix_mode, HttpSources sources, const HttpLimits& limits = {});
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer() { stop(); }

  /// Where it listens, with the ports that were really taken: http://HOST:PORT or http+unix:///PATH.
  std::vector<std::string> uris() const;

  /// Begins to serve. Throws std::system_error where no thread can be had.
  void start();

  /// From now on /readyz says that the server stops. From any thread.
  void announce_stop() noexcept { stopping_ = true; }

  /// Ends its connections and its thread.
  void stop();

 private:
  boost::asio::awaitable<void> wait_for_room();
  bool make_room();
  void accept(Socket socket);
  boost::asio::awaitable<PageText> answer(std::string target);

  const HttpLimits limits_;
  const std::span<const Statistics> statistics_;
  const HttpConnection::Pages pages_;
  std::atomic<bool> stopping_{false};

  boost::asio::io_context context_{1};  // what stands before it, pending handlers refer to; what follows uses it
  Pulse pulse_;
  std::list<std::shared_ptr<HttpConnection>> connections_;
  boost::asio::steady_timer room_{context_};  // canceled when a connection ends
  Throttle full_log_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::thread thread_;
};

}  // namespace lockd::server

#endif  // LOCKD_SERVER_HTTP_HTTP_SERVER_H_
