// Throughput, latency and the server's processor time of lockd beside those of the floor (bench/floor.cc): both servers
// on one core, the load on another, a round of one and a round of the other in turn. Judge by the ratio of processor
// time: the floor's own throughput moves by a tenth between rounds.
#include <fmt/core.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <chrono>
#include <string>
#include <vector>

#include "bench/load_generator.h"
#include "bench/load_report.h"
#include "bench/program.h"
#include "bench/server_process.h"
#include "bench/socket.h"

namespace lockd::bench {
namespace {

struct Options {
  std::size_t connections = 50;
  std::vector<std::size_t> depths{1, 16, 100};
  std::size_t rounds = 7;
  std::size_t round_ms = 1'000;
  int server_core = 0;
  int load_core = 1;
  std::string server = beside_this_program("../server/lockd");
  std::string floor = beside_this_program("floor");
  std::string json;
};

LoadFigures round(const Options& options, const ServerProcess& server, std::size_t depth) {
  return LoadGenerator(server, options.connections, depth).run(std::chrono::milliseconds(options.round_ms));
}

// Every second pair begins with the floor, so that neither gains from its place.
LoadPair pair(const Options& options, const ServerProcess& lockd, const ServerProcess& floor, std::size_t depth,
              bool floor_first) {
  LoadPair result;
  if (floor_first) result.floor = round(options, floor, depth);
  result.lockd = round(options, lockd, depth);
  if (!floor_first) result.floor = round(options, floor, depth);
  return result;
}

std::vector<LoadSeries> measure(const Options& options) {
  const ServerProcess lockd(options.server, {"--threads", "1", "--log-level", "warning"}, options.server_core);
  const ServerProcess floor(options.floor, {}, options.server_core);
  pin_to_core(options.load_core);
  std::vector<LoadSeries> all;
  for (const std::size_t depth : options.depths) {
    LoadSeries& series = all.emplace_back(LoadSeries{.connections = options.connections, .depth = depth, .pairs = {}});
    for (std::size_t number = 0; number < options.rounds; ++number) {
      series.pairs.push_back(pair(options, lockd, floor, depth, number % 2 == 1));
    }
    fmt::print("{}", as_table(series));
  }
  return all;
}

int run(int argc, char** argv) {
  Options options;
  CLI::App app("Acquire and release of own keys, against lockd and against the floor.");
  app.option_defaults()->always_capture_default();
  app.add_option("--connections", options.connections, "connections")->check(CLI::Range(1, 10'000));
  app.add_option("--depths", options.depths, "requests in flight on each connection, one series for each number")
      ->check(CLI::Range(1, 1'000))
      ->delimiter(',');
  app.add_option("--rounds", options.rounds, "pairs of rounds in a series")->check(CLI::Range(1, 1'000));
  app.add_option("--round-ms", options.round_ms, "length of a round")->check(CLI::Range(10, 60'000));
  app.add_option("--server-core", options.server_core, "where both servers run");
  app.add_option("--load-core", options.load_core, "where the load runs");
  app.add_option("--server", options.server, "the lockd to start");
  app.add_option("--floor", options.floor, "the floor to start");
  app.add_option("--json", options.json, "also write the figures to this file");
  CLI11_PARSE(app, argc, argv);
  raise_descriptor_limit();
  const std::vector<LoadSeries> all = measure(options);
  if (!options.json.empty()) write_file(options.json, as_json(all));
  return 0;
}

}  // namespace
}  // namespace lockd::bench

int main(int argc, char** argv) {
  return lockd::bench::run_program("load", [=] { return lockd::bench::run(argc, argv); });
}
