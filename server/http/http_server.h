// Metrics and health over HTTP, on a thread of their own.
#ifndef LOCKD_SERVER_HTTP_HTTP_SERVER_H_
#define LOCKD_SERVER_HTTP_HTTP_SERVER_H_

#include <atomic>
#include <boost/asio/io_context.hpp>
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
/// A connection too many takes the place of the one whose last request is the longest ago, of those that no response is
/// owed to: whoever opens many connections and says nothing keeps nobody out, and breaks into no scrape. Where all are
/// owed one, the newcomer is turned away with a 503.
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
  void accept(Socket socket);
  bool make_room();
  void turn_away(Socket socket);
  boost::asio::awaitable<PageText> answer(const HttpConnection& connection, std::string target);

  const HttpLimits limits_;
  const std::span<const Statistics> statistics_;
  const HttpConnection::Pages pages_;
  std::atomic<bool> stopping_{false};

  boost::asio::io_context context_{1};  // what stands before it, pending handlers refer to; what follows uses it
  Pulse pulse_;
  std::list<std::shared_ptr<HttpConnection>> connections_;  // the one whose last request is the longest ago first
  Throttle busy_log_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::thread thread_;
};

}  // namespace lockd::server

#endif  // LOCKD_SERVER_HTTP_HTTP_SERVER_H_
