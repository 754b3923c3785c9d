#include "server/server.h"

#include <spdlog/spdlog.h>
#include <sys/random.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <cstdio>
#include <exception>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "server/doorman.h"
#include "server/http/http_server.h"
#include "server/listeners.h"
#include "server/pidfile.h"
#include "server/reason.h"
#include "server/service_manager.h"
#include "server/stop_signals.h"
#include "server/token_supply.h"
#include "server/watchdog.h"
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

constexpr HttpLimits http_limits;

engine::HashSeed random_seed() {
  engine::HashSeed seed;
  if (::getrandom(&seed, sizeof seed, 0) != sizeof seed) throw std::runtime_error("no random numbers to be had");
  return seed;
}

/// Runs a context to its end. Nothing that a handler throws can be mended here: it is memory that is out, or a mistake
/// of ours, and the process ends (main says how).
void run_to_the_end(asio::io_context& context) noexcept { context.run(); }

/// What ends a coroutine ends the context's run as if a handler had thrown it: a server that accepts nobody any more
/// must not go on in silence.
void pass_on(const std::exception_ptr& error) {
  if (error) std::rethrow_exception(error);
}

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
    listeners_.open(passed_);
    if (!options_.http.empty()) listen_http();
    doorman_.limit(options_.connections_max, http_ ? http_limits.connections_max : 0);
  }

  /// Serves until a signal comes. Then all threads stop, and only when the last one has are the connections closed:
  /// nobody sees a lock go from one dying session to another (S6).
  void run() {
    signals_.async_wait([this](int signal) {
      spdlog::info("signal {}: shutting down", signal);
      notify_service_manager("STOPPING=1\nSTATUS=Stopping after signal " + std::to_string(signal));
      stop();
    });
    for (const auto& [listener, policy] : listeners_) {
      asio::co_spawn(first().context, listener->accept_all(doorman_.hooks(policy ? &*policy : nullptr)), pass_on);
    }
    if (http_) http_->start();
    const auto watchdog = make_watchdog();
    std::vector<std::jthread> threads = start_threads();
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
    spdlog::info("shut down with {} connections", doorman_.served());
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
      throw std::runtime_error("--http " + options_.http + ": " + listening_reason(error, "--http"));
    }
  }

  /// On the first worker's thread, where it is what a request may do.
  Snapshot snapshot() {
    return {.totals = table_.totals(),
            .now = first().services_now().turn.now,
            .connections = doorman_.served(),
            .connections_max = doorman_.connections_max(),
            .connections_total = doorman_.served_total(),
            .refused_total = doorman_.refused_total(),
            .dropped_total = doorman_.dropped_total(),
            .accepts = listeners_.accept()};
  }

  /// Of all workers but the first.
  std::vector<std::jthread> start_threads() {
    std::vector<std::jthread> threads;
    try {
      for (std::size_t i = 1; i < workers_.size(); ++i) threads.push_back(start_thread(*workers_[i]));
    } catch (const std::exception& error) {
      stop();
      throw std::runtime_error("--threads " + std::to_string(workers_.size()) + ": " + reason(error));
    }
    return threads;
  }

  static std::jthread start_thread(Worker<Mutex>& worker) {
    return std::jthread([&context = worker.context] {
      const auto work = asio::make_work_guard(context);
      run_to_the_end(context);
    });
  }

  Worker<Mutex>& first() { return *workers_.front(); }

  /// Whoever watches the process hears of it as long as each thread answers. None if nobody does.
  std::unique_ptr<Watchdog> make_watchdog() const {
    const auto timeout = watchdog_timeout();
    if (!timeout) return nullptr;
    std::vector<asio::io_context*> threads;
    for (const auto& worker : workers_) threads.push_back(&worker->context);
    return std::make_unique<Watchdog>(threads, *timeout, [] { notify_service_manager("WATCHDOG=1"); });
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
                 workers_.size() == 1 ? "" : "s", doorman_.connections_max());
    notify_service_manager("READY=1\nSTATUS=Serving at " + std::to_string(listeners_.size()) + " address" +
                           (listeners_.size() == 1 ? "" : "es") + ", " + std::to_string(doorman_.connections_max()) +
                           " connections at most");
  }

  const Options options_;
  const std::vector<PassedSocket> passed_;
  Tokens tokens_;
  engine::ShardedTable<Mutex> table_;
  Registry<Mutex> registry_;
  std::vector<Statistics> statistics_;  // one for each worker
  std::vector<Turn> turns_;             // the same
  Doorman<Mutex> doorman_{workers_, options_.peer_timeout};
  std::vector<std::unique_ptr<Worker<Mutex>>> workers_;
  StopSignals signals_{first().context};            // from here on no signal leaves files behind
  Listeners listeners_{first().context, options_};  // after the workers, whose first one's context they use
  std::unique_ptr<HttpServer> http_;                // likewise, of all of them
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
