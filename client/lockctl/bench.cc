#include "client/lockctl/bench.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <variant>
#include <vector>

#include "client/lockctl/bench_figures.h"
#include "client/lockctl/json.h"
#include "client/lockctl/locking.h"
#include "client/lockctl/output.h"

namespace lockd::lockctl {

namespace {

using Clock = std::chrono::steady_clock;

/// What one connection asks, again and again. Returns after how many requests, or why it could not.
using Round = Result<unsigned> (*)(Client& client, const std::string& own_key, const std::string& common_key);

Result<unsigned> ping(Client& client, const std::string&, const std::string&) {
  const Result<void> answered = client.ping();
  if (!answered) return answered.error();
  return 1U;
}

Result<unsigned> take_own(Client& client, const std::string& own_key, const std::string&) {
  if (const Result<void> got = client.get(own_key); !got) return got.error();
  if (const Result<void> released = client.release(own_key); !released) return released.error();
  return 2U;
}

Result<unsigned> take_in_turn(Client& client, const std::string&, const std::string& common_key) {
  if (const Result<void> got = client.get_wait(common_key, longest_wait); !got) return got.error();
  if (const Result<void> released = client.release(common_key); !released) return released.error();
  return 2U;
}

Result<unsigned> share(Client& client, const std::string&, const std::string& common_key) {
  if (const Result<std::uint64_t> got = client.get_shared(common_key); !got) return got.error();
  if (const Result<void> released = client.release_shared(common_key); !released) return released.error();
  return 2U;
}

struct Shape {
  const char* name;
  bool has_many;  // connections, as many as were asked for
  Round round;
};

constexpr std::array<Shape, 5> shapes = {{{"ping", false, ping},
                                          {"get and release, one connection", false, take_own},
                                          {"get and release, own keys", true, take_own},
                                          {"wait and release, one key", true, take_in_turn},
                                          {"share and release, one key", true, share}}};

/// What one connection has done.
struct Work {
  std::uint64_t requests = 0;
  std::vector<std::uint64_t> microseconds;  // of each round
  std::optional<Error> error;
};

/// Keys that are nobody else's: two of these commands may run at a time.
std::string key_prefix() { return "lockctl-bench-" + std::to_string(::getpid()) + "-"; }

void work(Client& client, const Shape& shape, unsigned number, Clock::time_point until, Work& work) {
  const std::string own_key = key_prefix() + std::to_string(number);
  const std::string common_key = key_prefix() + "common";
  for (auto start = Clock::now(); start < until;) {
    const Result<unsigned> asked = shape.round(client, own_key, common_key);
    if (!asked) {
      work.error = asked.error();
      return;
    }
    const auto end = Clock::now();
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(end - start);
    work.requests += *asked;
    work.microseconds.push_back(static_cast<std::uint64_t>(took.count()));
    start = end;
  }
}

BenchFigures figures_of(const Shape& shape, const std::vector<Work>& works, std::chrono::duration<double> took) {
  BenchFigures figures{shape.name, static_cast<unsigned>(works.size()), 0, took.count(), {}};
  std::vector<std::uint64_t> microseconds;
  for (const Work& each : works) {
    figures.requests += each.requests;
    microseconds.insert(microseconds.end(), each.microseconds.begin(), each.microseconds.end());
  }
  figures.latencies = latencies_of(std::move(microseconds));
  return figures;
}

void clear_line() {
  constexpr std::string_view clear = "\r\x1b[K";
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, clear.data(), clear.size());
}

/// The shell's next line is not to begin behind the bar.
void clear_line_and_end(int number) {
  clear_line();
  std::raise(number);  // it comes when this returns, and does what it usually does
}

void clear_line_on_signals() {
  struct sigaction before{};
  struct sigaction action{};
  action.sa_handler = clear_line_and_end;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    ::sigaction(number, nullptr, &before);
    if (before.sa_handler != SIG_IGN) ::sigaction(number, &action, nullptr);
  }
}

/// A line on stderr that is drawn anew, where that is a terminal.
class Progress {
 public:
  explicit Progress(Clock::duration whole) : whole_(whole) {
    if (is_shown_) clear_line_on_signals();
  }
  ~Progress() {
    if (is_shown_) clear_line();
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(const char* what) const {
    if (!is_shown_) return;
    constexpr int width = 30;
    const double done = std::min(1.0, std::chrono::duration<double>(Clock::now() - start_) / whole_);
    const int filled = static_cast<int>(done * width);
    std::fprintf(stderr, "\r\x1b[K[%.*s%*s] %3d %%  %s", filled, "##############################", width - filled, "",
                 static_cast<int>(done * 100), what);
  }

 private:
  bool is_shown_ = ::isatty(STDERR_FILENO) != 0;
  Clock::time_point start_ = Clock::now();
  Clock::duration whole_;
};

std::variant<BenchFigures, Failure> measure(const Shape& shape, std::vector<Client>& clients, const Options& options,
                                            const Progress& progress) {
  const unsigned count = shape.has_many ? options.connections : 1;
  const auto start = Clock::now();
  const Clock::time_point until = start + options.duration / static_cast<int>(shapes.size());
  std::vector<Work> works(count);
  {
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < count; ++i) {
      threads.emplace_back([&, i] { work(clients[i], shape, i, until, works[i]); });
    }
    for (progress.show(shape.name); Clock::now() < until; progress.show(shape.name)) {
      std::this_thread::sleep_until(std::min(until, Clock::now() + std::chrono::milliseconds(50)));
    }
  }
  for (const Work& each : works) {
    if (each.error) return failure_of(*each.error, options);
  }
  return figures_of(shape, works, Clock::now() - start);
}

void print_figures(const std::vector<BenchFigures>& all) {
  print("shape                              connections  requests/s   p50 us   p90 us   p99 us p99.9 us   max us\n");
  for (const BenchFigures& each : all) {
    std::array<char, 200> line{};
    const auto number = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
    const Latencies& us = each.latencies;
    std::snprintf(line.data(), line.size(), "%-34s %11u %11.0f %8llu %8llu %8llu %8llu %8llu\n", each.name.c_str(),
                  each.connections, static_cast<double>(each.requests) / each.seconds, number(us.p50_us),
                  number(us.p90_us), number(us.p99_us), number(us.p999_us), number(us.max_us));
    print(line.data());
  }
}

}  // namespace

int bench(const Options& options) {
  std::vector<Client> clients;
  while (clients.size() < options.connections) {
    auto connected = connect_to_server(options);
    if (const auto* failure = std::get_if<Failure>(&connected)) return report(*failure);
    clients.push_back(std::get<Client>(std::move(connected)));
  }
  const Result<std::string> version = clients[0].version();
  if (!version) return report(failure_of(version.error(), options));
  std::vector<BenchFigures> all;
  {
    const Progress progress(options.duration);
    for (const Shape& shape : shapes) {
      auto measured = measure(shape, clients, options, progress);
      if (const auto* failure = std::get_if<Failure>(&measured)) return report(*failure);
      all.push_back(std::get<BenchFigures>(std::move(measured)));
    }
  }
  if (options.json) {
    print(json::bench(*version, all) + "\n");
  } else {
    print_figures(all);
  }
  return finish(exit_status::success);
}

}  // namespace lockd::lockctl
