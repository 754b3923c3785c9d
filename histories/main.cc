// The program: records a history of a daemon under trouble and checks it, or checks one in a file.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <stdexcept>

#include "histories/checker.h"
#include "histories/recorder.h"
#include "histories/report.h"
#include "histories/run.h"

namespace lockd::histories {
namespace {

struct Options {
  RunOptions run;
  std::string fault = "none";
  std::string folder = ".";
  std::string file;
};

int check_file(const std::string& path) {
  std::ifstream in(path);
  if (!in) throw std::runtime_error("cannot read " + path);
  const History history = read_history(in);
  const Report report = check(history);
  std::cout << as_text(history, report);
  return report.verdict() == Verdict::ok ? 0 : 1;
}

void save(const std::string& path, const History& history) {
  std::ofstream out(path);
  write_history(out, history);
  if (!out.flush()) throw std::runtime_error("cannot write " + path);
}

// The histories that show what is wrong, where they can be looked at again.
void save_bad(const Options& options, const std::string& program, const History& history, const Report& report) {
  const std::string whole = options.folder + "/history-" + std::to_string(options.run.seed) + ".txt";
  save(whole, history);
  std::cout << "the whole of it, again:\n  " << program << " check " << whole << "\n";
  for (const BadLock& bad : report.bad) {
    if (bad.result.verdict != Verdict::illegal) continue;
    const History small = shrink(history, bad);
    const std::string path = options.folder + "/illegal-" + std::to_string(options.run.seed) + ".txt";
    save(path, small);
    std::cout << "\nillegal by themselves are these " << small.operations.size() << " operations on "
              << history.keys[bad.key] << ":\n\n";
    write_history(std::cout, small);
    std::cout << "\nagain:\n  " << program << " check " << path << "\n";
    return;
  }
}

int record(const Options& options, const std::string& program) {
  std::cout << "seed " << options.run.seed << ", " << options.run.seconds << " s\n";
  const RunResult result = run(options.run, [](double seconds, std::size_t operations) {
    std::fprintf(stderr, "%6.1f s, %zu operations\n", seconds, operations);
  });
  const Moment begin = now();
  const Report report = check(result.history);
  std::cout << as_text(result) << as_text(result.history, report);
  std::printf("checked in %.1f s\n", static_cast<double>(now() - begin) / 1e9);
  std::fflush(stdout);
  for (const std::string& fault : result.faults) std::cout << "FAULT: " << fault << "\n";
  const bool is_good = result.faults.empty() && report.verdict() == Verdict::ok;
  if (!is_good) save_bad(options, program, result.history, report);
  std::cout << (is_good ? "ok" : "FAILED") << "\n";
  return is_good ? 0 : 1;
}

int main_of(int argc, char** argv) {
  Options options;
  CLI::App app("Histories of a lock server under trouble, checked for linearizability.");
  app.option_defaults()->always_capture_default();
  app.require_subcommand(1);
  auto* const running = app.add_subcommand("run", "record a history of a daemon, and check it");
  running->add_option("--server", options.run.server, "the daemon to start");
  running->add_option("--uri", options.run.uri, "or where one runs that is at rest");
  running->add_option("--seconds", options.run.seconds, "how long")->check(CLI::Range(0.1, 3600.0));
  running->add_option("--seed", options.run.seed, "of requests and trouble");
  running->add_option("--clients", options.run.clients, "of this process")->check(CLI::Range(1, 1000));
  running->add_option("--children", options.run.children, "processes with two clients more")->check(CLI::Range(0, 100));
  running->add_option("--fault", options.fault, "of a proxy before the daemon")
      ->check(CLI::IsMember(proxy_fault_names()));
  running->add_option("--folder", options.folder, "where what is wrong is written");
  auto* const checking = app.add_subcommand("check", "check a history");
  checking->add_option("file", options.file, "the history")->required();
  CLI11_PARSE(app, argc, argv);
  if (checking->parsed()) return check_file(options.file);
  options.run.fault = proxy_fault(options.fault).value();
  return record(options, argv[0]);
}

}  // namespace
}  // namespace lockd::histories

int main(int argc, char** argv) {
  try {
    return lockd::histories::main_of(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "histories: " << error.what() << "\n";
    return 1;
  }
}
