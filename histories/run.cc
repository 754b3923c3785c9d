#include "histories/run.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <sstream>
#include <utility>

#include "histories/child.h"
#include "histories/client.h"
#include "histories/crowd.h"
#include "histories/nemesis.h"
#include "proptests/scenario_daemon.h"
#include "proptests/scenario_socket.h"

namespace lockd::histories {
namespace {

constexpr std::size_t operations_max = 16'000'000;  // of a process; clients ask no more then
constexpr std::size_t clients_of_child = 2;
constexpr Moment patience = 20'000 * nanoseconds_of_millisecond;
constexpr Moment between_settlements = 60 * nanoseconds_of_millisecond;

// Buffers small enough to be filled by a client that does not read.
const std::vector<std::string> daemon_flags = {"--threads",          "4",    "--log-level", "warning",
                                               "--max-output-bytes", "16384"};

// Asks for the counters, over a connection of its own.
class Observer {
 public:
  explicit Observer(const std::string& uri) : socket_(uri) {}

  std::map<std::string, std::uint64_t> counters() {
    socket_.send("stats\n");
    std::map<std::string, std::uint64_t> all;
    for (std::string line; (line = socket_.line()) != "END\n";) {
      const auto colon = line.find(": ");
      if (colon == std::string::npos) throw ServerFault("stats says: " + line);
      all[line.substr(0, colon)] = std::stoull(line.substr(colon + 2));
    }
    return all;
  }

 private:
  proptests::ClientSocket socket_;
};

class Run {
 public:
  Run(const RunOptions& options, const std::function<void(double, std::size_t)>& progress)
      : options_(options), progress_(progress), random_(options.seed), recorder_(operations_max) {}

  RunResult result() && {
    try {
      start();
      work();
      finish();
    } catch (const std::exception& error) {
      result_.faults.emplace_back(error.what());
    }
    if (nemesis_) nemesis_->calm();
    stop();
    if (nemesis_) result_.nemesis = nemesis_->counts();
    collect();
    return std::move(result_);
  }

 private:
  void start() {
    uri_ = options_.uri;
    if (uri_.empty()) {
      daemon_.emplace(options_.server, "tcp://127.0.0.1:0", daemon_flags);
      uri_ = daemon_->uri();
    }
    if (options_.fault != ProxyFault::none) {
      proxy_.emplace(uri_, options_.fault);
      uri_ = proxy_->uri();
    }
    observer_.emplace(uri_);
    const auto next_session = [this] { return ++sessions_; };
    crowd_.emplace(uri_, options_.clients, recorder_, next_session, random_);
    for (std::size_t i = 0; i < options_.children; ++i)
      children_.push_back(std::make_unique<Child>(uri_, clients_of_child, operations_max));
    nemesis_.emplace(*crowd_, children_, daemon_ ? daemon_->pid() : 0, next_session, random_);
    begin_ = now();
  }

  void work() {
    const Moment end = begin_ + static_cast<Moment>(options_.seconds * 1e9);
    for (Moment second = begin_; now() < end || operations() < options_.operations_min;) {
      nemesis_->act(!nemesis_->ends().empty() && now() - settled_ > between_settlements);
      turn();
      if (now() - second < 1000 * nanoseconds_of_millisecond) continue;
      second = now();
      progress_(seconds(), operations());
    }
  }

  void turn() {
    crowd_->turn();
    for (const auto& child : children_) {
      if (const auto fault = child->fault()) throw ServerFault(*fault);
    }
    if (nemesis_->ends().empty()) {
      settled_ = now();
    } else if (now() - settled_ > between_settlements && !nemesis_->has_stopped_daemon()) {
      settle();
    }
  }

  // S2: the server counts the sessions that are open, and these are those that we know of: then each that has ended is
  // over, its locks being free. As no session ends or begins meanwhile, nothing else can make up that number.
  void settle() {
    std::size_t open = crowd_->present() + 1;
    bool is_steady = crowd_->is_steady();
    for (const auto& child : children_) {
      open += child->is_running() ? child->clients() : 0;
      is_steady = is_steady && (!child->is_running() || child->is_greeted());
    }
    if (is_steady && observer_->counters().at("connections") == open) {
      for (Operation* const end : nemesis_->ends()) Recorder::answer(*end, {}, now());
      nemesis_->ends().clear();
      settled_ = now();
    }
    if (now() - settled_ > patience)
      throw ServerFault(std::to_string(nemesis_->ends().size()) + " sessions have ended, and the server counts them");
  }

  // Liveness: without trouble all is answered, and what was locked is free.
  void finish() {
    nemesis_->calm();
    crowd_->resume_all();
    crowd_->stop_asking();
    const Moment end = now() + patience;
    while (crowd_->outstanding() > 0) {
      turn();
      if (now() > end) throw ServerFault(std::to_string(crowd_->outstanding()) + " requests were never answered");
    }
    crowd_->stop_replacing();
    nemesis_->end_all();
    while (crowd_->present() > 0 || !nemesis_->ends().empty()) {
      turn();
      if (now() > end) throw ServerFault("an end does not come to its end");
    }
    check_rest();
    greet_newcomer();
    progress_(seconds(), operations());
  }

  void check_rest() {
    const auto counters = observer_->counters();
    for (const char* const name : {"locks", "shared_locks", "holders", "waiters", "longest_line"}) {
      if (counters.at(name) != 0)
        result_.faults.push_back("at rest there are " + std::to_string(counters.at(name)) + " " + name);
    }
  }

  // Who finds all free. It is part of the history too.
  void greet_newcomer() {
    Client newcomer(uri_, ++sessions_, recorder_, random_);
    const Moment end = now() + patience;
    for (std::uint32_t key = 0; key < all_keys().size(); ++key) {
      newcomer.ask_for({.act = Act::get, .key = key});
      newcomer.ask_for({.act = Act::get_shared, .key = key});
    }
    while (newcomer.outstanding() > 0) {
      newcomer.flush();
      newcomer.read();
      if (now() > end) throw ServerFault("a newcomer is not served");
    }
    const auto all = recorder_.operations();
    for (const Operation& get : all.last(2 * all_keys().size())) {
      const bool is_free =
          get.outcome == Outcome::lock_get_success || (get.outcome == Outcome::shared_get_success && get.number == 1);
      if (!is_free) result_.faults.push_back("a newcomer is told: " + reply_text(all_keys(), get));
    }
    newcomer.end(Act::close);
  }

  void stop() {
    for (const auto& child : children_) {
      if (child->is_running()) child->kill();
      const auto operations = child->recorder().operations();
      of_children_.insert(of_children_.end(), operations.begin(), operations.end());
    }
    if (!daemon_) return;
    if (const int status = daemon_->stop(); status != 0)
      result_.faults.push_back("the daemon ended with status " + std::to_string(status) +
                               " (128 and a signal's number, if one ended it); what it said is above");
  }

  void collect() {
    result_.seconds = seconds();
    result_.history.keys = all_keys();
    auto& all = result_.history.operations;
    all.insert(all.end(), recorder_.operations().begin(), recorder_.operations().end());
    all.insert(all.end(), of_children_.begin(), of_children_.end());
    for (Operation& operation : all) {
      operation.invoked -= begin_;
      if (operation.is_answered()) operation.answered -= begin_;
    }
  }

  double seconds() const { return static_cast<double>(now() - begin_) / 1e9; }

  std::size_t operations() const {
    std::size_t sum = recorder_.operations().size();
    for (const auto& child : children_) sum += child->recorder().operations().size();
    return sum;
  }

  RunOptions options_;
  std::function<void(double, std::size_t)> progress_;
  Random random_;
  Recorder recorder_;
  std::string uri_;
  std::optional<proptests::Daemon> daemon_;
  std::optional<FaultyProxy> proxy_;
  std::optional<Observer> observer_;
  std::vector<std::unique_ptr<Child>> children_;
  std::vector<Operation> of_children_;
  std::optional<Crowd> crowd_;
  std::optional<Nemesis> nemesis_;
  std::uint32_t sessions_ = 0;
  Moment begin_ = now();
  Moment settled_ = now();
  RunResult result_;
};

}  // namespace

RunResult run(const RunOptions& options, const std::function<void(double, std::size_t)>& progress) {
  return Run(options, progress).result();
}

}  // namespace lockd::histories
