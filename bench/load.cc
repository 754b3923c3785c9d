// One round of load against one server, and its figures as a line of JSON on stdout. ci/bench calls it again and again,
// against lockd, the floor and the peers in turn.
#include <fmt/core.h>
#include <sys/types.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <csignal>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/load_generator.h"
#include "bench/program.h"
#include "bench/server_process.h"
#include "bench/socket.h"

namespace lockd::bench {
namespace {

const std::map<std::string, Dialect> dialects{
    {"lockd", Dialect::lockd}, {"memcached", Dialect::memcached}, {"redis", Dialect::redis}};

const std::map<std::string, Workload> workloads{{"own", Workload::own},
                                                {"hot", Workload::hot},
                                                {"shared", Workload::shared},
                                                {"inspect", Workload::inspect},
                                                {"waits", Workload::waits},
                                                {"crowd", Workload::crowd},
                                                {"crowd-inspect", Workload::crowd_inspect},
                                                {"hoard", Workload::hoard}};

struct Options {
  Target target;
  Shape shape;
  std::string dialect = "lockd";
  std::string workload = "own";
  std::string server;
  std::size_t threads = 1;
  std::optional<int> server_core;
  std::optional<int> core;
  std::size_t idle = 0;
  double seconds = 1;
  double warm_up_seconds = 0.1;
};

template <class Value>
std::vector<std::string> names_of(const std::map<std::string, Value>& values) {
  std::vector<std::string> names(values.size());
  std::ranges::transform(values, names.begin(), [](const auto& value) { return value.first; });
  return names;
}

LoadGenerator::Duration of_seconds(double seconds) {
  return std::chrono::duration_cast<LoadGenerator::Duration>(std::chrono::duration<double>(seconds));
}

std::string as_json(const LoadFigures& figures) {
  return boost::json::serialize(boost::json::object{{"requests", figures.requests},
                                                    {"requests_total", figures.requests_total},
                                                    {"seconds", figures.seconds},
                                                    {"requests_per_second", figures.requests_per_second()},
                                                    {"cpu_ns_per_request", figures.cpu_ns_per_request},
                                                    {"server_busy", figures.server_busy},
                                                    {"load_busy", figures.load_busy},
                                                    {"load_waited", figures.load_waited},
                                                    {"p50_us", figures.batch.p50_us},
                                                    {"p99_us", figures.batch.p99_us},
                                                    {"p999_us", figures.batch.p999_us},
                                                    {"max_us", figures.batch.max_us}}) +
         "\n";
}

LoadFigures measure(const Options& options, const Target& target) {
  if (options.core) pin_to_core(*options.core);
  Bystanders bystanders;
  bystanders.add(target, options.shape.dialect, options.idle, false);
  bystanders.add(target, options.shape.dialect, options.shape.holders, true);
  LoadGenerator generator(target, options.shape);
  return generator.run(of_seconds(options.warm_up_seconds), of_seconds(options.seconds));
}

LoadFigures measure(const Options& options) {
  if (options.server.empty()) return measure(options, options.target);
  const std::vector<std::string> flags{"--threads", std::to_string(options.threads), "--log-level", "warning"};
  ServerProcess server(options.server, flags, options.server_core);
  Target target = options.target;
  target.port = server.port();
  target.process = server.pid();
  const LoadFigures figures = measure(options, target);
  constexpr int ended_by_our_signal = 128 + SIGTERM;  // the floor does not catch it
  if (const int status = server.stop(); status != 0 && status != ended_by_our_signal)
    throw std::runtime_error(fmt::format("the server ended with status {}", status));
  return figures;
}

void add_server_options(CLI::App& app, Options& options) {
  auto* const port = app.add_option("--port", options.target.port, "where the server listens, on 127.0.0.1");
  auto* const server = app.add_option("--server", options.server, "or a lockd or a floor, to start and stop");
  port->excludes(server);
  app.add_option("--threads", options.threads, "of the server that is started")->needs(server);
  app.add_option("--pid", options.target.process, "the server's process, whose processor time is measured");
  app.add_option("--server-core", options.server_core, "the core for it")->needs(server);
  app.add_option("--core", options.core, "the core for the load itself");
}

void add_load_options(CLI::App& app, Options& options) {
  Shape& shape = options.shape;
  app.add_option("--dialect", options.dialect, "what the server speaks")->check(CLI::IsMember(names_of(dialects)));
  app.add_option("--workload", options.workload,
                 "own: acquire and release of own keys; hot: of the same keys by all; shared: as own, of shared locks; "
                 "inspect; waits: pairs that hand a lock over; crowd: a key shared by --holders, taken and released; "
                 "crowd-inspect: looked at; hoard: acquire of all own keys, then release of all")
      ->check(CLI::IsMember(names_of(workloads)));
  app.add_option("--connections", shape.connections, "connections")->check(CLI::Range(1, 50'000));
  app.add_option("--depth", shape.depth, "requests in flight on each")->check(CLI::Range(1, 1'000));
  app.add_option("--keys", shape.keys, "keys of each connection, in turn")->check(CLI::Range(1, 1'000'000));
  app.add_option("--first", shape.first,
                 "the number of the first connection, by which its keys are named: several "
                 "loads at once need different ones")
      ->check(CLI::Range(0, 49'999));
  app.add_flag("--hostile-keys", shape.hostile_keys, "keys that collide in a hash without a seed");
  app.add_option("--idle", options.idle, "connections beside that do nothing")->check(CLI::Range(0, 100'000));
  app.add_option("--holders", shape.holders, "connections beside that share the crowd's key")
      ->check(CLI::Range(0, 100'000));
  app.add_option("--seconds", options.seconds, "for how long it is measured")->check(CLI::Range(0.01, 3600.0));
  app.add_option("--warm-up-seconds", options.warm_up_seconds, "and for how long before it is not")
      ->check(CLI::Range(0.0, 60.0));
}

int run(int argc, char** argv) {
  Options options;
  CLI::App app("One round of load against a server on loopback: every reply is checked, and a wrong one is an error.");
  app.option_defaults()->always_capture_default();
  add_server_options(app, options);
  add_load_options(app, options);
  CLI11_PARSE(app, argc, argv);
  if (options.server.empty() && options.target.port == 0)
    throw std::invalid_argument("which server? --port NUMBER of one that runs, or --server PATH of one to start");
  options.shape.dialect = dialects.at(options.dialect);
  options.shape.workload = workloads.at(options.workload);
  raise_descriptor_limit();
  fmt::print("{}", as_json(measure(options)));
  return 0;
}

}  // namespace
}  // namespace lockd::bench

int main(int argc, char** argv) {
  return lockd::bench::run_program("load", [=] { return lockd::bench::run(argc, argv); });
}
