// The three loops.
#include "bench/observers.h"

#include <fmt/core.h>
#include <sys/resource.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace lockd::bench {
namespace {

constexpr std::chrono::microseconds innocent_interval{500};
constexpr std::size_t under_way_max = 20'000;  // of ten seconds; what a socket's buffers hold easily
constexpr std::chrono::milliseconds pause_between_looks{1};
constexpr std::chrono::milliseconds pause_between_checks{100};
constexpr std::chrono::minutes patience{1};

}  // namespace

Repeater::Repeater(std::function<void()> step)
    : thread_([this, step = std::move(step)](const std::stop_token& stop) {
        try {
          while (!stop.stop_requested()) step();
        } catch (...) {
          failure_ = std::current_exception();
          failed_ = true;
        }
      }) {}

void Repeater::finish() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

Innocent::Innocent(std::uint16_t port, const SharedPhase& phase) : phase_(phase), client_(port) {}

void Innocent::step() {
  // It asks to run before the other threads here, which are no part of what it measures; where that is refused it just
  // runs.
  if (asked_ == 0) setpriority(PRIO_PROCESS, 0, -20);
  const bool may_ask = under_way_.size() < under_way_max;
  if (may_ask && Clock::now() >= due_) ask();
  if (client_.readable_by(may_ask ? due_ : Clock::now() + patience)) take_reply();
}

void Innocent::ask() {
  due_ += innocent_interval;
  under_way_.push_back({.sent_at = Clock::now(), .phase = phase_, .key = fmt::format("innocent-{:012}", asked_++)});
  client_.send("i " + under_way_.back().key + "\n");
}

void Innocent::take_reply() {
  const std::string reply = client_.read_line();
  const Clock::time_point now = Clock::now();
  const Phase ended_in = phase_;
  if (under_way_.empty() || reply != "0 Lock Not Locked: " + under_way_.front().key) {
    throw std::runtime_error("an innocent client was answered: " + reply);
  }
  const Request& request = under_way_.front();
  samples_[static_cast<std::size_t>(request.phase)].add(now - request.sent_at);
  if (ended_in != request.phase) samples_[static_cast<std::size_t>(ended_in)].add(now - request.sent_at);
  answered_until_ = request.sent_at;
  under_way_.pop_front();
}

void Innocent::catch_up() const {
  const Clock::time_point now = Clock::now();
  while (answered_until_.load() < now) {
    if (repeater_.failed() || Clock::now() > now + patience)
      throw std::runtime_error("an innocent client is not served");
    std::this_thread::sleep_for(pause_between_looks);
  }
}

std::array<LatencySummary, phase_names.size()> Innocent::finish() {
  repeater_.finish();
  std::array<LatencySummary, phase_names.size()> result;
  std::transform(samples_.begin(), samples_.end() - 1, result.begin(), [](const auto& each) { return each.summary(); });
  return result;
}

CounterWatch::CounterWatch(std::uint16_t port) : client_(port) {}

void CounterWatch::step() {
  client_.send("q\n");
  const Counters counters = read_counters([this] { return client_.read_line(); });
  {
    const std::lock_guard lock(mutex_);
    ++replies_;
    last_reply_at_ = Clock::now();
    last_ = counters;
  }
  answered_.notify_all();
  std::this_thread::sleep_for(pause_between_looks);
}

std::pair<Clock::time_point, Counters> CounterWatch::wait_for(const std::function<bool(const Counters&)>& wanted) {
  std::unique_lock lock(mutex_);
  const std::size_t under_way = replies_ + 1;  // this one may have been asked for earlier
  const auto seen = [&] { return replies_ > under_way && wanted(last_); };
  const Clock::time_point deadline = Clock::now() + patience;
  while (!answered_.wait_for(lock, pause_between_checks, seen) && !repeater_.failed() && Clock::now() < deadline) {
  }
  if (!seen()) {
    if (repeater_.failed()) repeater_.finish();
    throw std::runtime_error(fmt::format("a minute of q, and still: connections {}, locks {}, shared_locks {}",
                                         last_.connections, last_.locks, last_.shared_locks));
  }
  return {last_reply_at_, last_};
}

std::size_t CounterWatch::finish() {
  repeater_.finish();
  return replies_;
}

DumpReader::DumpReader(std::uint16_t port, const LockPlan& plan, const SharedPhase& phase)
    : plan_(plan), phase_(phase), client_(port) {}

void DumpReader::step() {
  for (const bool shared : {false, true}) {
    {
      const std::lock_guard lock(reading_);
      const Phase asked_in = phase_;
      client_.send(shared ? "dump shared\n" : "dump\n");
      const std::string dump = client_.read_line();
      count(shared, dump, asked_in == Phase::holding && phase_ == Phase::holding);
    }
    std::this_thread::sleep_for(pause_between_looks);
  }
}

// No name in a dump needs escaping here, so two quotes stand for one key or one address.
void DumpReader::count(bool shared, const std::string& dump, bool whole) {
  const auto names = static_cast<std::size_t>(std::ranges::count(dump, '"')) / 2;
  const std::size_t expected = plan_.per_kind() + (shared ? plan_.shared_keys() : plan_.per_kind());
  const std::lock_guard lock(mutex_);
  ++tally_.dumps;
  tally_.bytes += dump.size() + 1;
  tally_.bytes_max = std::max(tally_.bytes_max, dump.size() + 1);
  if (!whole) return;
  ++tally_.whole[shared ? 1 : 0];
  if (names != expected) ++tally_.wrong;
}

DumpReader::Tally DumpReader::tally() {
  const std::lock_guard lock(mutex_);
  return tally_;
}

DumpReader::Tally DumpReader::finish() {
  repeater_.finish();
  return tally();
}

}  // namespace lockd::bench
