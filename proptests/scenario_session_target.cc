// Sessions over the engine as a target: the very code that serves, less its sockets and threads.
#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "proptests/scenario_byte_target.h"
#include "proptests/session_flags.h"
#include "server/session.h"

namespace lockd::proptests {
namespace {

using engine::NullMutex;
using server::Next;

std::uint64_t bound(std::uint64_t given) { return given == 0 ? std::numeric_limits<std::uint64_t>::max() : given; }

class SessionTarget : public ByteTarget {
 public:
  SessionTarget(const SessionLockstep::Config& config, std::size_t bytes_at_once)
      : settings_(config.settings),
        bytes_at_once_(bytes_at_once),
        table_({{}, 4, bound(config.locks_max), bound(config.waiters_max)}) {}

  // The lowest free port, as kernels may give it: an address comes again as soon as it can.
  void connect(const std::string& client) override {
    int port = 50001;
    while (!ports_.insert(port).second) ++port;
    const std::string address = "127.0.0.1:" + std::to_string(port);
    const SessionId id{clients_.size() + 1};
    clients_.try_emplace(client, Client{server::Session<NullMutex>(id, address, services_), address, port});
    names_[id] = client;
  }

  std::string address(const std::string& client) const override { return clients_.at(client).address; }

  void send(const std::string& client, std::string_view bytes) override {
    Client& sender = clients_.at(client);
    while (!bytes.empty() && !sender.ended) {
      std::string out;
      const Next next = sender.session.receive(bytes.substr(0, bytes_at_once_), services_, out);
      bytes.remove_prefix(std::min(bytes.size(), bytes_at_once_));
      proceed(sender, next, out);
      wake_the_woken();
    }
  }

  void finish(const std::string& client) override {
    Client& finisher = clients_.at(client);
    finisher.end_expected = true;
    std::string out;
    if (!finisher.ended) proceed(finisher, finisher.session.finish(), out);
    wake_the_woken();
  }

  void close(const std::string& client) override {
    finish(client);
    settle(client, false);
  }

  void reset(const std::string& client) override {
    Client& resetter = clients_.at(client);
    resetter.end_expected = true;
    resetter.received.clear();
    end(resetter);
    wake_the_woken();
  }

  void expect_wait(const std::string& client) override {
    settle(client, true);
    if (clients_.at(client).session.deadline() <= turn_.now) throw Mismatch("a wait", "one whose time is up");
  }

  void time_out(const std::string& client) override {
    Client& waiter = clients_.at(client);
    turn_.now = std::max(turn_.now, waiter.session.deadline());
    std::string out;
    proceed(waiter, waiter.session.time_out(services_, out), out);
    wake_the_woken();
  }

  void settle(const std::string& client, bool waits) override {
    const Client& reader = clients_.at(client);
    if (!reader.received.empty()) throw Mismatch("nothing", shown(reader.received));
    if (reader.ended && !reader.end_expected) throw Mismatch("an open connection", "END-OF-STREAM");
    if (reader.waits != waits) throw Mismatch(waits ? "a wait" : "no wait", waits ? "none" : "a wait");
  }

  void shut_down() override {
    for (auto& [name, client] : clients_) end(client);
    turn_.woken.clear();  // nobody is left to be woken
    const auto keys = table_.key_count(LockKind::exclusive) + table_.key_count(LockKind::shared);
    if (keys != 0) throw Mismatch("no locks left", std::to_string(keys));
    if (registry_.size() != 0) throw Mismatch("no sessions left", std::to_string(registry_.size()));
    if (const auto broken = table_.check_invariants()) throw std::runtime_error(*broken);
  }

 private:
  struct Client {
    server::Session<NullMutex> session;
    std::string address;
    int port;
    std::string received = {};
    bool waits = false;
    bool ended = false;
    bool end_expected = false;
  };

  // A pump whose client takes all replies at once.
  void proceed(Client& client, Next next, std::string& out) {
    while (true) {
      client.received += out;
      out.clear();
      client.waits = next == Next::wait;
      if (next == Next::end) return end(client);
      if (next == Next::read || next == Next::wait) return;
      next = client.session.go_on(services_, out);
    }
  }

  // Each in its own step, first come first served, until nobody is left; those who have gone are passed over.
  void wake_the_woken() {
    while (!turn_.woken.empty()) {
      const engine::Wakeup wakeup = turn_.woken.front();
      turn_.woken.erase(turn_.woken.begin());
      Client& client = clients_.at(names_.at(wakeup.session));
      if (client.ended) continue;
      std::string out;
      proceed(client, client.session.wake(wakeup.answer, services_, out), out);
    }
  }

  void end(Client& client) {
    if (client.ended) return;
    while (!client.session.end_some(services_, 1)) continue;
    client.ended = true;
    client.waits = false;
    ports_.erase(client.port);
  }

  std::string take_line(const std::string& client) override {
    std::string& received = clients_.at(client).received;
    const std::size_t line_feed = received.find('\n');
    const std::string line = received.substr(0, line_feed == std::string::npos ? line_feed : line_feed + 1);
    received.erase(0, line.size());
    return line;
  }

  std::string take_rest(const std::string& client) override {
    Client& reader = clients_.at(client);
    if (!reader.ended) throw Mismatch("END-OF-STREAM", "an open connection");
    reader.end_expected = true;
    return std::exchange(reader.received, {});
  }

  const server::Settings settings_;
  const std::size_t bytes_at_once_;
  engine::ShardedTable<NullMutex> table_;
  server::Registry<NullMutex> registry_;
  std::array<server::Statistics, 1> statistics_;
  server::Turn turn_{.now = 1000, .woken = {}};
  const server::Services<NullMutex> services_{settings_, table_, registry_, statistics_[0], statistics_, turn_};
  std::map<std::string, Client> clients_;
  std::map<SessionId, std::string> names_;
  std::set<int> ports_;
};

}  // namespace

std::unique_ptr<Target> make_session_target(std::vector<std::string> flags, std::size_t bytes_at_once) {
  return std::make_unique<SessionTarget>(config_of(std::move(flags)), bytes_at_once);
}

}  // namespace lockd::proptests
