#include "server/server.h"

#include <spdlog/spdlog.h>
#include <sys/random.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "engine/check.h"
#include "server/connection.h"
#include "server/descriptors.h"
#include "server/http_server.h"
#include "server/listener.h"
#include "server/peer_options.h"
#include "server/pidfile.h"
#include "server/service_manager.h"
#include "server/stop_signals.h"
#include "server/throttle.h"
#include "server/token_store.h"
#include "server/token_supply.h"
#include "server/watchdog.h"
#include "server/websocket/web_socket_connection.h"
#include "server/worker.h"

namespace lockd::server {

namespace asio = boost::asio;

namespace {

/// With one thread nobody meets at a shard; with several, 16 keep them apart well enough: what a request costs at its
/// shard is a fraction of what it costs at its socket.
template <class Mutex>
constexpr std::uint32_t shard_count = 16;
template <>
constexpr std::uint32_t shard_count<engine::NullMutex> = 1;

/// S4: how many connections too many at once are given the time to read that they are. To the others it is only said.
constexpr std::size_t farewells_max = 32;

constexpr HttpLimits http_limits;

engine::HashSeed random_seed() {
  engine::HashSeed seed;
  if (::getrandom(&seed, sizeof seed, 0) != sizeof seed) throw std::runtime_error("no random numbers to be had");
  return seed;
}

/// T1: where the server's tokens begin and, until more are reserved, end.
class Tokens {
 public:
  /// state_directory: none if empty.
  explicit Tokens(const std::string& state_directory) {
    const auto now = std::chrono::system_clock::now();
    if (state_directory.empty()) {
      first_ = token_of_clock(now);
      return;
    }
    try {
      store_ = std::make_unique<TokenStore>(state_directory);
      first_ = TokenSupply::reserve_first(*store_, now);
    } catch (const std::exception& error) {
      throw std::runtime_error(std::string("--state-dir: ") + error.what());
    }
  }

  std::uint64_t first() const { return first_; }
  std::uint64_t end() const { return store_ ? store_->mark() : engine::token_limit; }

  /// Sees to it that there are always more, as long as the returned object lives. None if no more are needed.
  std::unique_ptr<TokenKeeper> keep_supplied(engine::TokenSource& source) const {
    return store_ ? std::make_unique<TokenKeeper>(*store_, source) : nullptr;
  }

 private:
  std::unique_ptr<TokenStore> store_;
  std::uint64_t first_ = 1;
};

/// Runs a context to its end. Nothing that a handler throws can be mended here: it is memory that is out, or a mistake
/// of ours, and the process ends (main says how).
void run_to_the_end(asio::io_context& context) noexcept { context.run(); }

/// What ends a coroutine ends the context's run as if a handler had thrown it: a server that accepts nobody any more
/// must not go on in silence.
void pass_on(const std::exception_ptr& error) {
  if (error) std::rethrow_exception(error);
}

struct BoundListener {
  std::unique_ptr<Listener> listener;
  std::optional<WebSocketPolicy> policy;  // where it is for WebSockets
};

template <class Mutex>
class Server {
 public:
  /// passed: what passed_sockets() gave.
  Server(const Options& options, std::vector<PassedSocket> passed)
      : options_(options),
        passed_(std::move(passed)),
        tokens_(options.state_directory),
        table_({.seed = random_seed(),
                .shard_count = shard_count<Mutex>,
                .locks_max = options.locks_max.value_or(UINT64_MAX),
                .waiters_max = options.waiters_max.value_or(UINT64_MAX),
                .first_token = tokens_.first(),
                .tokens_end = tokens_.end()}),
        statistics_(options.threads),
        turns_(options.threads),
        workers_(make_workers()) {}

  void listen() {
    take_passed_sockets();
    if (options_.listen.empty() && listeners_.empty()) listen_by_default();
    for (const std::string& uri : options_.listen) {
      try {
        const ListenUri parsed = parse_listen_uri(uri);
        for (const auto& endpoint : resolve(parsed)) {
          if (!bound_before_.contains(listen_uri(endpoint, parsed.websocket_path)))
            add_listener(endpoint, parsed.websocket_path);
        }
      } catch (const std::exception& error) {
        throw std::runtime_error("--listen " + uri + ": " + reason(error));
      }
    }
    if (!options_.http.empty()) listen_http();
    bound_connections();
  }

  /// Serves until a signal comes. Then all threads stop, and only when the last one has are the connections closed:
  /// nobody sees a lock go from one dying session to another (S6).
  void run() {
    signals_.async_wait([this](int signal) {
      spdlog::info("signal {}: shutting down", signal);
      notify_service_manager("STOPPING=1\nSTATUS=Stopping after signal " + std::to_string(signal));
      stop();
    });
    for (auto& [listener, policy] : listeners_) {
      asio::co_spawn(first().context, listener->accept_all(hooks(policy ? &*policy : nullptr)), pass_on);
    }
    if (http_) http_->start();
    const auto watchdog = make_watchdog();
    std::vector<std::jthread> threads;
    try {
      for (std::size_t i = 1; i < workers_.size(); ++i) threads.push_back(start_thread(*workers_[i]));
    } catch (const std::exception& error) {
      stop();
      throw std::runtime_error("--threads " + std::to_string(workers_.size()) + ": " + reason(error));
    }
    std::unique_ptr<TokenKeeper> keeper;
    try {
      keeper = tokens_.keep_supplied(table_.token_source());
      announce();
    } catch (...) {
      stop();  // or the threads would be waited for in vain
      throw;
    }
    run_to_the_end(first().context);
    threads.clear();  // joins them
    if (http_) http_->stop();
    spdlog::info("shut down with {} connections", served_.load());
  }

 private:
  std::vector<std::unique_ptr<Worker<Mutex>>> make_workers() {
    std::vector<std::unique_ptr<Worker<Mutex>>> workers;
    try {
      for (std::uint32_t i = 0; i < options_.threads; ++i) {
        const Services<Mutex> services{options_.settings, table_, registry_, statistics_[i], statistics_, turns_[i]};
        workers.push_back(std::make_unique<Worker<Mutex>>(services, options_.peer_timeout, i));
      }
    } catch (const std::exception& error) {
      throw std::runtime_error("--threads " + std::to_string(options_.threads) + ": " + reason(error));
    }
    for (const auto& worker : workers) {
      worker->team.clear();
      for (const auto& member : workers) worker->team.push_back(member.get());
    }
    return workers;
  }

  /// S4, when all else is open.
  void bound_connections() {
    constexpr std::size_t spare = 8;  // for what is opened for a moment, by us or a library
    const std::size_t limit = raise_descriptor_limit();
    const std::size_t for_http = http_ ? http_limits.connections_max : 0;
    const std::size_t room = room_for_connections(limit, open_descriptors() + farewells_max + for_http + spare);
    if (room == 0 && !options_.connections_max) {
      throw std::runtime_error("a descriptor limit of " + std::to_string(limit) + " leaves no room for connections");
    }
    connections_max_ = options_.connections_max.value_or(room);
    if (connections_max_ > room) {
      spdlog::warn("--max-connections {}: the descriptor limit leaves room for {}", connections_max_, room);
    }
  }

  void stop() {
    if (http_) http_->announce_stop();
    for (const auto& worker : workers_) worker->context.stop();
  }

  void listen_http() {
    HttpSources sources{.threads = {}, .take = [this] { return snapshot(); }, .statistics = statistics_};
    for (const auto& worker : workers_) sources.threads.push_back(&worker->context);
    try {
      http_ = std::make_unique<HttpServer>(options_.http, options_.unix_mode, std::move(sources), http_limits);
    } catch (const std::exception& error) {
      throw std::runtime_error("--http " + options_.http + ": " + reason(error));
    }
  }

  /// On the first worker's thread, where it is what a request may do.
  Snapshot snapshot() {
    return {.totals = table_.totals(),
            .now = first().services_now().turn.now,
            .connections = served_.load(),
            .connections_max = connections_max_,
            .connections_total = last_session_,
            .refused_total = refused_total_,
            .dropped_total = dropped_total_,
            .accepts = std::ranges::all_of(listeners_, [](const auto& bound) { return bound.listener->accepts(); })};
  }

  static std::jthread start_thread(Worker<Mutex>& worker) {
    return std::jthread([&context = worker.context] {
      const auto work = asio::make_work_guard(context);
      run_to_the_end(context);
    });
  }

  static std::string reason(const std::exception& error) {
    const auto* system = dynamic_cast<const boost::system::system_error*>(&error);
    return system != nullptr ? system->code().message() : error.what();
  }

  Worker<Mutex>& first() { return *workers_.front(); }

  void add_listener(const StreamProtocol::endpoint& endpoint, const std::optional<std::string>& websocket_path = {}) {
    auto listener = std::make_unique<Listener>(first().context, endpoint, options_.unix_mode, websocket_path);
    BoundListener& added = listeners_.emplace_back();
    added.listener = std::move(listener);
    if (websocket_path) added.policy = {.path = *websocket_path, .origins = options_.websocket_origins};
  }

  /// Socket activation: what the service manager listens at already takes the place of the default addresses, and of
  /// those of --listen that it has bound.
  void take_passed_sockets() {
    for (const PassedSocket& passed : passed_) {
      auto listener = std::make_unique<Listener>(first().context, passed.fd);
      spdlog::info("{} was passed as {}", listener->uri(), passed.name);
      bound_before_.insert(listener->uri());
      listeners_.emplace_back().listener = std::move(listener);
    }
  }

  /// Whoever watches the process hears of it as long as each thread answers. None if nobody does.
  std::unique_ptr<Watchdog> make_watchdog() const {
    const auto timeout = watchdog_timeout();
    if (!timeout) return nullptr;
    std::vector<asio::io_context*> threads;
    for (const auto& worker : workers_) threads.push_back(&worker->context);
    return std::make_unique<Watchdog>(threads, *timeout, [] { notify_service_manager("WATCHDOG=1"); });
  }

  /// On a host without IPv6, IPv4 alone will do.
  void listen_by_default() {
    constexpr std::uint16_t port = 9999;
    try {
      add_listener(asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), port));
    } catch (const std::exception& error) {
      throw std::runtime_error("tcp://127.0.0.1:9999: " + reason(error));
    }
    try {
      add_listener(asio::ip::tcp::endpoint(asio::ip::address_v6::loopback(), port));
    } catch (const boost::system::system_error& error) {
      if (error.code() == asio::error::address_in_use) throw std::runtime_error("tcp://[::1]:9999: " + reason(error));
      spdlog::warn("tcp://[::1]:9999: {}: serving IPv4 only", reason(error));
    }
  }

  void announce() {
    for (const auto& [listener, policy] : listeners_) {
      std::printf("listening on %s\n", listener->uri().c_str());
      spdlog::info("listening on {}", listener->uri());
    }
    for (const std::string& uri : http_ ? http_->uris() : std::vector<std::string>()) {
      std::printf("listening on %s\n", uri.c_str());
      spdlog::info("listening on {}", uri);
    }
    if (std::fflush(stdout) != 0) spdlog::warn("stdout can't be written to: nobody is told the addresses");
    spdlog::info("lockd {} serves: {} thread{}, {} connections at most", LOCKD_VERSION, workers_.size(),
                 workers_.size() == 1 ? "" : "s", connections_max_);
    notify_service_manager("READY=1\nSTATUS=Serving at " + std::to_string(listeners_.size()) + " address" +
                           (listeners_.size() == 1 ? "" : "es") + ", " + std::to_string(connections_max_) +
                           " connections at most");
  }

  /// policy: of a listener for WebSockets; null for others.
  AcceptHooks hooks(const WebSocketPolicy* policy) {
    return {[this]() -> asio::io_context& { return workers_[next_worker_]->context; },
            [this, policy](Socket socket, const StreamProtocol::endpoint& peer) {
              accept_or_drop(std::move(socket), peer, policy);
            }};
  }

  void accept_or_drop(Socket socket, const StreamProtocol::endpoint& peer, const WebSocketPolicy* policy) {
    try {
      accept(std::move(socket), peer, policy);
    } catch (const std::bad_alloc&) {
      ++dropped_total_;
      throw;
    }
  }

  /// All listeners accept on the first worker's thread: S4's count is checked and taken with nobody in between.
  void accept(Socket socket, const StreamProtocol::endpoint& peer, const WebSocketPolicy* policy) {
    next_worker_ = (next_worker_ + 1) % workers_.size();
    if (served_.load() >= connections_max_) {
      return refuse(std::move(socket), policy == nullptr ? too_many_connections_line : too_many_connections_response);
    }
    set_peer_options(socket, options_.peer_timeout);
    const SessionId id{++last_session_};
    const std::string address = peer_address(peer, id);
    spdlog::debug("session {} from {}", last_session_, address);
    Worker<Mutex>& worker = worker_of(socket);
    if (policy == nullptr) {
      serve(worker, make_connection(worker, socket, served_), id, address);
    } else {
      serve(worker, std::make_shared<WebSocketConnection<Mutex>>(worker, std::move(socket), served_, *policy), id,
            address);
    }
  }

  template <class Connected>
  void serve(Worker<Mutex>& worker, std::shared_ptr<Connected> connection, SessionId id, const std::string& address) {
    asio::post(worker.context, [=, connection = std::move(connection)] { connection->serve(id, address); });
  }

  void refuse(Socket socket, std::string_view farewell) {
    ++refused_total_;
    if (full_log_.allows()) spdlog::warn("{} connections: no more are served for now", connections_max_);
    if (refused_.load() >= farewells_max) {
      boost::system::error_code ignored;
      socket.non_blocking(true, ignored);
      socket.write_some(asio::buffer(farewell), ignored);
      return;
    }
    Worker<Mutex>& worker = worker_of(socket);
    const auto connection = make_connection(worker, socket, refused_);
    asio::post(worker.context, [=] { connection->refuse(farewell); });
  }

  static std::shared_ptr<Connection<Mutex>> make_connection(Worker<Mutex>& worker, Socket& socket,
                                                            std::atomic<std::size_t>& population) {
    PolledSocket polled(worker.poller, socket.release());
    return std::make_shared<Connection<Mutex>>(worker, std::move(polled), population);
  }

  /// Whose thread the socket was accepted for.
  Worker<Mutex>& worker_of(Socket& socket) {
    const auto* context = &socket.get_executor().context();
    const auto found = std::ranges::find_if(workers_, [&](const auto& worker) { return &worker->context == context; });
    LOCKD_CHECK(found != workers_.end(), "each socket is some worker's");
    return **found;
  }

  const Options options_;
  const std::vector<PassedSocket> passed_;
  std::size_t connections_max_ = 0;  // S4; when all listeners are open
  const Tokens tokens_;
  engine::ShardedTable<Mutex> table_;
  Registry<Mutex> registry_;
  std::vector<Statistics> statistics_;   // one for each worker
  std::vector<Turn> turns_;              // the same
  std::atomic<std::size_t> served_{0};   // connections in their handshake, with a session, or with its last replies
  std::atomic<std::size_t> refused_{0};  // connections too many, being told so

  // On the first worker's thread.
  std::uint64_t last_session_ = 0;   // S1
  std::size_t next_worker_ = 0;      // round-robin
  std::uint64_t refused_total_ = 0;  // S4
  std::uint64_t dropped_total_ = 0;  // for want of memory
  Throttle full_log_;

  std::vector<std::unique_ptr<Worker<Mutex>>> workers_;
  StopSignals signals_{first().context};  // from here on no signal leaves files behind
  std::deque<BoundListener> listeners_;   // after the workers, whose first one's context they use; these stay in place
  std::unique_ptr<HttpServer> http_;      // likewise, of all of them
  std::set<std::string> bound_before_;    // addresses of those that were passed
};

template <class Mutex>
void run(const Options& options) {
  // Ahead of all else: while nothing is open yet, no descriptor of ours can be mistaken for one that was passed.
  Server<Mutex> server(options, passed_sockets());
  server.listen();
  const Pidfile pidfile(options.pidfile);
  server.run();
}

}  // namespace

void run_server(const Options& options) {
  options.threads == 1 ? run<engine::NullMutex>(options) : run<std::mutex>(options);
}

}  // namespace lockd::server
