// The whole server without sockets beside its specification: sessions and engine on one side, the reference server on
// the other, and every byte that a session writes must be one that the model lets come then. What the clients do is the
// business of those who use it, the fuzzer and the random tests.
#ifndef LOCKD_PROPTESTS_SESSION_LOCKSTEP_H_
#define LOCKD_PROPTESTS_SESSION_LOCKSTEP_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "model/server_model.h"
#include "model/token_rule.h"
#include "proptests/reference_runs.h"
#include "server/session.h"

namespace lockd::proptests {

/// Both sides disagree, or one of them breaks its own rules.
struct Difference : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Some clients, each at a slot, with what its pump, its kernel and it itself keep. A client sends, and takes what is
/// sent to it unless it has stopped; when its session is held up by that, or has used up its turn, it goes on when
/// go_on() is called. Wake-ups are brought at once, those who are woken going on as far as they can.
///
/// Each call throws Difference at the first one.
class SessionLockstep {
 public:
  struct Config {
    server::Settings settings;
    std::uint32_t shard_count = 1;
    std::uint64_t locks_max = 0;    // S5; 0: no bound
    std::uint64_t waiters_max = 0;  // W7; 0: no bound
  };

  static constexpr std::size_t all_at_once = std::numeric_limits<std::size_t>::max();

  explicit SessionLockstep(const Config& config) : SessionLockstep(config, config) {}

  /// reference: what the reference server goes by; other than the sessions' for tests of this class alone, which then
  /// has to throw.
  SessionLockstep(const Config& config, const Config& reference)
      : settings_(config.settings),
        table_({.seed = {17, 42},
                .shard_count = config.shard_count,
                .locks_max = bound(config.locks_max),
                .waiters_max = bound(config.waiters_max),
                .index_parts = config.shard_count,  // few, so that few keys meet in them
                .cached_keys_max = 0}),             // it prefetches whatever it holds
        model_(options(reference)) {}
  SessionLockstep(const SessionLockstep&) = delete;
  SessionLockstep& operator=(const SessionLockstep&) = delete;
  ~SessionLockstep() = default;

  bool is_connected(std::size_t slot) const { return clients_.contains(slot); }

  /// What its session needs next; of a connected one.
  server::Next next(std::size_t slot) const { return clients_.at(slot).next; }

  /// A new session, with an address that may have been another's before (S1).
  void connect(std::size_t slot) {
    const SessionId id{++last_id_};
    const std::string address = "[::1]:" + std::to_string(slot);
    clients_.emplace(slot, Client{Session(id, address, services_)});
    const ReferenceRuns scope;
    model_.connect(id, address, 0);
  }

  /// Of a connected client: bytes, which its session reads when it does. post() does not wait for that.
  void post(std::size_t slot, std::string_view bytes) {
    Client& client = clients_.at(slot);
    if (!client.finished) client.sent += bytes;
  }
  void send(std::size_t slot, std::string_view bytes) {
    post(slot, bytes);
    go_on(slot);
  }

  /// FIN: the end of what it sends.
  void finish(std::size_t slot) {
    clients_.at(slot).finished = true;
    go_on(slot);
  }

  /// Whether it takes what is sent to it.
  void set_reading(std::size_t slot, bool reading) {
    clients_.at(slot).reading = reading;
    go_on(slot);
  }

  /// W5: the clock goes on to its deadline, if it waits.
  void time_out(std::size_t slot) {
    Client& client = clients_.at(slot);
    if (client.next != server::Next::wait) return;
    turn_.now = std::max(turn_.now, client.session.deadline());
    step(
        client, [&] { client.next = client.session.time_out(services_, client.out); },
        [&] { return model_.time_out(client.session.id()); });
    go_on(slot);
    bring_wakeups();
  }

  /// S2: the connection is gone, whatever was sent and not read or executed. The locks go `budget` at a time.
  void reset(std::size_t slot, std::size_t budget = all_at_once) {
    end(slot, budget);
    bring_wakeups();
  }

  /// One call of the session, if it can be called; then those whom it woke. False if it can't: it needs what the client
  /// has not done yet.
  bool advance(std::size_t slot) {
    const bool advanced = advance_alone(slot);
    bring_wakeups();
    return advanced;
  }

  /// Until it needs what the client has not done yet, or is over. Then those whom it woke.
  void go_on(std::size_t slot) {
    while (is_connected(slot) && advance_alone(slot)) continue;
    bring_wakeups();
  }

  /// Whether both sides agree on who waits and who is at his end, those too for whom nothing has happened lately.
  void compare_fates() const {
    for (const auto& [slot, client] : clients_) check_next(client);
  }

  /// All connections end. Nothing may be left, and what was held must have been counted.
  void end_all() {
    compare_fates();
    check_invariants();
    while (!clients_.empty()) {
      end(clients_.begin()->first, all_at_once);
      bring_wakeups();
    }
    check_invariants();
    require(registry_.size() == 0, "a session is left");
    require(model_.locks().locks.empty(), "the model has locks without sessions");
    const engine::Totals totals = table_.totals();
    for (const LockKind kind : {LockKind::exclusive, LockKind::shared}) {
      require(totals[kind].keys == 0, "a lock is left");
      require(totals[kind].orphans == model_.locks().orphans.at(kind), "orphans are counted otherwise");
    }
  }

  /// Another client asks both sides for all counters (L3, E3).
  void compare_counters() {
    connect(onlooker);
    send(onlooker, "q\nstats\n");
    reset(onlooker);
  }

  const model::ReferenceServer& model() const { return model_; }

 private:
  using Session = server::Session<engine::NullMutex>;

  static constexpr std::size_t onlooker = std::numeric_limits<std::size_t>::max();  // a slot that nobody else uses

  struct Client {
    Session session;
    std::string sent = {};  // by the client, not read yet
    std::string out = {};   // written by the session, not taken yet
    server::Next next = server::Next::read;
    bool finished = false;  // FIN comes behind `sent`
    bool reading = true;
  };

  static std::uint64_t bound(std::uint64_t given) {
    return given == 0 ? std::numeric_limits<std::uint64_t>::max() : given;
  }

  static model::ServerOptions options(const Config& config) {
    const server::Settings& settings = config.settings;
    return {.line_bytes_max = settings.line_bytes_max,
            .input_bytes_max = settings.input_bytes_max,
            .max_locks = config.locks_max,
            .max_waiters = config.waiters_max,
            .classic = settings.classic,
            .dump_enabled = settings.dump,
            .registry_enabled = settings.registry,
            .version = LOCKD_VERSION};
  }

  static void require(bool is_so, const char* otherwise) {
    if (!is_so) throw Difference(otherwise);
  }

  bool advance_alone(std::size_t slot) {
    Client& client = clients_.at(slot);
    if (client.reading) client.out.clear();
    const bool is_full = client.out.size() >= settings_.output_bytes_max;
    const bool reads = client.next == server::Next::read || client.next == server::Next::wait;
    const bool goes_on = client.next == server::Next::turn || (client.next == server::Next::drain && !is_full);
    if (reads && !client.sent.empty()) {
      const std::string bytes = std::exchange(client.sent, {});
      step(
          client, [&] { client.next = client.session.receive(bytes, services_, client.out); },
          [&] { return model_.receive(client.session.id(), bytes); });
    } else if (reads && client.finished) {
      client.next = client.session.finish();
    } else if (goes_on) {
      step(
          client, [&] { client.next = client.session.go_on(services_, client.out); },
          [] { return model::ExpectedOutput{}; });
    } else if (client.next != server::Next::end) {
      return false;
    }
    if (client.next == server::Next::end) end(slot, all_at_once);
    return true;
  }

  /// W4: to each, one after the other.
  void bring_wakeups() {
    while (!turn_.woken.empty()) {
      const engine::Wakeup wakeup = turn_.woken.front();
      turn_.woken.erase(turn_.woken.begin());
      const auto found = std::ranges::find_if(
          clients_, [&](const auto& entry) { return entry.second.session.id() == wakeup.session; });
      if (found == clients_.end()) continue;
      Client& client = found->second;
      step(
          client, [&] { client.next = client.session.wake(wakeup.answer, services_, client.out); },
          [] { return model::ExpectedOutput{}; });
      const std::size_t slot = found->first;
      while (is_connected(slot) && advance_alone(slot)) continue;
    }
  }

  /// `act`: a call of the session. The model is then allowed as many requests as the session executed, and follows.
  template <class Act, class Follow>
  void step(Client& client, Act act, Follow follow) {
    const std::size_t written_before = client.out.size();
    const std::uint64_t executed_before = executed_;
    act();
    executed_ = counted_requests();
    const SessionId id = client.session.id();
    const std::string_view written = std::string_view(client.out).substr(written_before);
    const ReferenceRuns scope;
    model::ExpectedOutput expected = model_.allow(id, executed_ - executed_before);
    expected.append(follow());
    const auto [mismatch, tokens] = expected.match(written);
    if (mismatch) throw Difference(*mismatch);
    if (const auto broken = tokens_.see(tokens)) throw Difference(*broken);
    check_next(client);
  }

  void check_next(const Client& client) const {
    const SessionId id = client.session.id();
    const bool is_full = client.out.size() >= settings_.output_bytes_max;
    require(client.next != server::Next::drain || is_full, "a session drains though there is room (F5)");
    require(!is_full || client.next == server::Next::drain || client.next == server::Next::end ||
                client.next == server::Next::wait,
            "a session goes on though its output is full (F5)");
    require(model_.is_live(id) == (client.next != server::Next::end), "one side has ended the session");
    require(model_.waits(id) == (client.next == server::Next::wait), "one side waits");
    require(client.next != server::Next::read || !model_.has_request(id), "a whole request was not executed");
  }

  /// Requests that sessions have executed so far: each is counted in one of these.
  std::uint64_t counted_requests() const {
    const server::Statistics& counted = statistics_[0];
    std::uint64_t sum = counted.invalid_commands.value() + counted.bad_arguments.value() +
                        counted.lines_too_long.value() + counted.browsers.value();
    for (const auto& command : counted.commands) sum += command.value();
    return sum;
  }

  void end(std::size_t slot, std::size_t budget) {
    Session& session = clients_.at(slot).session;
    while (!session.end_some(services_, budget)) check_invariants();
    require(session.end_some(services_, budget), "a session ends twice");
    follow_end(session.id());
    clients_.erase(slot);
  }

  void follow_end(SessionId id) {
    const ReferenceRuns scope;
    model_.reset(id);
  }

  void check_invariants() const {
    if (const auto broken = table_.check_invariants()) throw Difference(*broken);
  }

  const server::Settings settings_;
  engine::ShardedTable<engine::NullMutex> table_;
  server::Registry<engine::NullMutex> registry_;
  std::array<server::Statistics, 1> statistics_;
  server::Turn turn_;
  const server::Services<engine::NullMutex> services_{settings_, table_, registry_, statistics_[0], statistics_, turn_};
  model::ReferenceServer model_;
  model::TokenRule tokens_;
  std::map<std::size_t, Client> clients_;  // by slot
  std::uint64_t last_id_ = 0;
  std::uint64_t executed_ = 0;  // by all sessions, up to the last step
};

}  // namespace lockd::proptests

#endif  // LOCKD_PROPTESTS_SESSION_LOCKSTEP_H_
