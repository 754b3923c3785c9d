// The headline of lockd: many connections hold many locks, and all of them drop theirs at the same moment. Starts a
// server, measures it in phases (bench/phase.h) while three observers look on, and asserts that nothing is left
// and that every lock was counted as an orphan once. Exit status 0 when all of that holds, 1 otherwise; never a
// judgement on time.
#include <fmt/core.h>
#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <chrono>
#include <cstdio>
#include <deque>
#include <string>
#include <thread>

#include "bench/holders.h"
#include "bench/observers.h"
#include "bench/orphans_figures.h"
#include "bench/phase.h"
#include "bench/program.h"
#include "bench/server_process.h"
#include "bench/socket.h"

namespace lockd::bench {
namespace {

struct Options {
  std::size_t connections = 2'000;
  std::size_t locks = 100'000;
  std::size_t threads = 1;
  std::size_t takers = 100;
  std::size_t pipeline = 16;
  std::size_t phase_ms = 2'000;
  std::string server = beside_this_program("../server/lockd");
  std::string json;
};

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// A line on stderr that says how far it is, where a person looks on.
Holders::Progress progress_line(const char* what, std::size_t total) {
  if (isatty(STDERR_FILENO) == 0) return [](std::size_t) {};
  return [what, total, shown = std::size_t{0}](std::size_t done) mutable {
    if (done != total && (done - shown) * 100 < total) return;
    shown = done;
    fmt::print(stderr, "\r{:12} {} of {}{}", what, done, total, done == total ? "\n" : "");
  };
}

// One run, from idle sessions to none.
class Run {
 public:
  Run(const Options& options, const ServerProcess& server, OrphansFigures& figures)
      : options_(options),
        server_(server),
        figures_(figures),
        holders_(figures.plan, {.takers = options.takers, .pipeline = options.pipeline}) {
    for (std::size_t i = 0; i < options.threads; ++i) bystanders_.emplace_back(server.port());
  }

  void all() {
    const std::size_t before = bystanders_.size() + 3;
    figures_.counters_at_start = watch_.wait_for([=](const Counters& now) { return now.connections == before; }).second;
    figures_.descriptors_at_start = server_.descriptors();
    rest();  // so that what the observers cost is not booked on the holders
    figures_.bytes_at_start = resident_bytes_without_dump();
    connect();
    take();
    hold();
    list();
    drop();
    settle();
    figures_.innocent = innocent_.finish();
    figures_.dumps = dumps_.finish();
    figures_.counter_reads = watch_.finish();
  }

 private:
  void rest() const { std::this_thread::sleep_for(std::chrono::milliseconds(options_.phase_ms)); }

  // Ends a phase so that nothing of it reaches into the next.
  void end_phase() {
    phase_ = Phase::between;
    innocent_.catch_up();
  }

  std::size_t resident_bytes_without_dump() {
    const auto no_dump = dumps_.pause();
    return server_.resident_bytes();
  }

  void connect() {
    const Clock::time_point start = Clock::now();
    holders_.connect(server_.port(), progress_line("connected", figures_.plan.connections()));
    const std::size_t all = figures_.counters_at_start.connections + figures_.plan.connections();
    watch_.wait_for([all](const Counters& now) { return now.connections >= all; });
    figures_.connect_seconds = seconds_since(start);
    innocent_.catch_up();
    phase_ = Phase::idle;
    rest();
    end_phase();
    figures_.bytes_idle = resident_bytes_without_dump();
  }

  void take() {
    phase_ = Phase::taking;
    const Clock::time_point start = Clock::now();
    holders_.take(progress_line("locks taken", figures_.plan.locks()));
    figures_.take_seconds = seconds_since(start);
    end_phase();
  }

  // Lasts until a dump of each kind began and ended in it, for a minute at most.
  void hold() {
    phase_ = Phase::holding;
    const Clock::time_point start = Clock::now();
    do {
      rest();
    } while ((dumps_.tally().whole[0] == 0 || dumps_.tally().whole[1] == 0) && seconds_since(start) < 60);
    end_phase();
    figures_.counters_holding = watch_.wait_for([](const Counters&) { return true; }).second;
    figures_.bytes_holding = resident_bytes_without_dump();
  }

  void list() {
    LineClient reader(server_.port());
    phase_ = Phase::listing;
    const Clock::time_point start = Clock::now();
    reader.send("list\n");
    while (reader.read_line() != "END") ++figures_.list_lines;
    figures_.list_seconds = seconds_since(start);
    end_phase();
  }

  void drop() {
    phase_ = Phase::dropping;
    const Clock::time_point start = Clock::now();
    holders_.drop();
    figures_.close_seconds = seconds_since(start);
    const auto freed = watch_.wait_for([](const Counters& now) { return now.locks == 0 && now.shared_locks == 0; });
    const std::size_t before = figures_.counters_at_start.connections;
    const auto gone = watch_.wait_for([before](const Counters& now) { return now.connections <= before; });
    end_phase();
    figures_.free_seconds = std::chrono::duration<double>(freed.first - start).count();
    figures_.gone_seconds = std::chrono::duration<double>(gone.first - start).count();
  }

  // What is left when all is over. A descriptor may live a little longer than its session.
  void settle() {
    const Clock::time_point start = Clock::now();
    do {
      rest();
      figures_.descriptors_at_end = server_.descriptors();
    } while (figures_.descriptors_at_end != figures_.descriptors_at_start && seconds_since(start) < 10);
    figures_.counters_at_end = watch_.wait_for([](const Counters&) { return true; }).second;
    figures_.bytes_dropped = resident_bytes_without_dump();
  }

  const Options& options_;
  const ServerProcess& server_;
  OrphansFigures& figures_;
  SharedPhase phase_ = Phase::between;
  // One for each thread of the server: what a thread opens for its first connection is there from the start.
  std::deque<LineClient> bystanders_;
  CounterWatch watch_{server_.port()};
  Innocent innocent_{server_.port(), phase_};
  DumpReader dumps_{server_.port(), figures_.plan, phase_};
  Holders holders_;
};

OrphansFigures measure(const Options& options) {
  OrphansFigures figures(LockPlan(options.connections, options.locks), options.threads);
  ServerProcess server(options.server, {"--threads", std::to_string(options.threads), "--log-level", "warning"});
  Run(options, server, figures).all();
  figures.bytes_max = server.resident_bytes_max();
  figures.exit_status = server.stop();
  return figures;
}

int report(const Options& options, const OrphansFigures& figures) {
  fmt::print("{}", as_table(figures));
  if (!options.json.empty()) write_file(options.json, as_json(figures));
  const std::vector<std::string> wrong = complaints(figures);
  for (const std::string& complaint : wrong) fmt::print("WRONG: {}\n", complaint);
  if (wrong.empty()) fmt::print("nothing is left, and every orphan was counted\n");
  return wrong.empty() ? 0 : 1;
}

int run(int argc, char** argv) {
  Options options;
  CLI::App app("Many connections hold many locks and drop all of them at the same moment.");
  app.option_defaults()->always_capture_default();
  app.add_option("--connections", options.connections, "holders")->check(CLI::Range(10, 100'000));
  app.add_option("--locks", options.locks, "an even number: half exclusive, half shared, 10 holders to a key")
      ->check(CLI::Range(2, 100'000'000));
  app.add_option("--threads", options.threads, "threads of the server")->check(CLI::Range(1, 1'024));
  app.add_option("--takers", options.takers, "connections that take their locks at the same time")
      ->check(CLI::Range(1, 100'000));
  app.add_option("--pipeline", options.pipeline, "unanswered gets a connection, at most")->check(CLI::Range(1, 4'096));
  app.add_option("--phase-ms", options.phase_ms, "how long to look at what does not change")
      ->check(CLI::Range(1, 60'000));
  app.add_option("--server", options.server, "the lockd to start");
  app.add_option("--json", options.json, "also write the figures to this file");
  CLI11_PARSE(app, argc, argv);
  raise_descriptor_limit();
  return report(options, measure(options));
}

}  // namespace
}  // namespace lockd::bench

int main(int argc, char** argv) {
  return lockd::bench::run_program("orphans", [=] { return lockd::bench::run(argc, argv); });
}
