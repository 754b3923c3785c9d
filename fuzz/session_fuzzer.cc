// Four connections to the real sessions and engine, driven by hostile bytes, against the reference server: every byte
// that a session writes must be one that the model lets come then.
//
// Input: a byte of settings, then bytes that the connection in use sends, from time to time 0xFF and a byte that says
// what happens instead: its lowest three bits the action, the next two the connection. 0xFF 0xFF is the byte 0xFF.
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "engine/check.h"
#include "model/reference_parser.h"
#include "model/server_model.h"
#include "server/session.h"

namespace {

using lockd::LineKind;
using lockd::LockKind;
using lockd::SessionId;
using lockd::engine::NullMutex;
using lockd::server::Next;

/// With longer inputs a listing could take several slices, other sessions changing the table in between (L5): what it
/// shows then is not one certain thing. This much cannot make it 64 KiB long.
constexpr std::size_t input_bytes_max = 1024;

constexpr std::uint8_t escape = 0xFF;

enum class Action : std::uint8_t { use, cut, finish, reset, reset_in_slices, stop_reading, read_again, use_too };

struct Configuration {
  lockd::server::Settings settings;
  lockd::model::ServerOptions options;
  std::uint32_t shard_count = 1;
};

Configuration configuration(std::uint8_t bits) {
  Configuration chosen;
  auto& [settings, options, shard_count] = chosen;
  const auto bit = [bits](int number) { return (bits >> number & 1) != 0; };
  settings.classic = options.classic = bit(0);
  settings.dump = options.dump_enabled = !bit(1);
  settings.registry = options.registry_enabled = !bit(2);
  if (bit(3)) settings.line_bytes_max = options.line_bytes_max = 12;
  if (bit(4)) options.max_locks = 2;
  if (bit(5)) settings.output_bytes_max = 32;
  if (bit(6)) shard_count = 4;
  options.version = LOCKD_VERSION;
  return chosen;
}

/// One connection: the session, and what a pump, a kernel and a client would keep.
struct Connection {
  lockd::server::Session<NullMutex> session;
  std::string sent = {};        // by the client, not read yet
  std::string unexecuted = {};  // read, and not executed by the model yet
  std::string out = {};         // written by the session, not taken yet
  Next next = Next::read;
  bool finished = false;  // FIN comes after `sent`
  bool reading = true;    // the client takes what is written
};

class World {
 public:
  explicit World(const Configuration& chosen)
      : settings_(chosen.settings),
        table_({{17, 42}, chosen.shard_count, locks_max(chosen.options)}),
        services_{settings_, table_, registry_, statistics_[0], statistics_},
        model_(chosen.options) {}

  void send(std::size_t slot, std::string_view bytes) {
    if (!connections_[slot]) connect(slot);
    if (connections_[slot]->finished) return;
    connections_[slot]->sent += bytes;
    pump(slot);
  }

  void act(Action action, std::size_t slot) {
    if (!connections_[slot]) return;
    switch (action) {
      case Action::finish:
        connections_[slot]->finished = true;
        return pump(slot);
      case Action::reset:
        return end(slot, std::numeric_limits<std::size_t>::max());
      case Action::reset_in_slices:
        return end(slot, 1);
      case Action::stop_reading:
      case Action::read_again:
        connections_[slot]->reading = action == Action::read_again;
        return pump(slot);
      case Action::use:
      case Action::cut:
      case Action::use_too:
        return;
    }
  }

  /// All connections end; nothing may be left, and all must have been counted.
  void end_all() {
    for (std::size_t slot = 0; slot < connections_.size(); ++slot) {
      if (connections_[slot]) end(slot, 1);
    }
    LOCKD_CHECK(registry_.size() == 0, "no session is left");
    LOCKD_CHECK(table_.key_count(LockKind::exclusive) == 0 && table_.key_count(LockKind::shared) == 0,
                "no lock is left");
    const auto& orphans = model_.locks().orphans;
    LOCKD_CHECK(table_.orphan_count(LockKind::exclusive) == orphans.at(LockKind::exclusive), "orphans are counted");
    LOCKD_CHECK(table_.orphan_count(LockKind::shared) == orphans.at(LockKind::shared), "shared orphans are counted");
    LOCKD_CHECK(statistics_[0].lines_too_long.value() == model_.lines_too_long(), "long lines are counted (F6)");
    LOCKD_CHECK(statistics_[0].bad_arguments.value() == model_.bad_arguments(), "bad arguments are counted (F9)");
  }

 private:
  static std::uint64_t locks_max(const lockd::model::ServerOptions& options) {
    return options.max_locks == 0 ? std::numeric_limits<std::uint64_t>::max() : options.max_locks;
  }

  void connect(std::size_t slot) {
    const SessionId id{++sessions_};
    const std::string address = "[::1]:" + std::to_string(slot);  // comes again; the id does not (S1)
    connections_[slot].emplace(Connection{lockd::server::Session<NullMutex>(id, address, services_)});
    model_.connect(id, address);
  }

  /// Until the session waits for what the client has not done yet, or is over.
  void pump(std::size_t slot) {
    Connection& connection = *connections_[slot];
    while (true) {
      if (connection.reading) connection.out.clear();
      const bool drained = connection.out.size() < settings_.output_bytes_max;
      const bool has_input = !connection.sent.empty() || connection.finished;
      if (connection.next == Next::end) return end(slot, std::numeric_limits<std::size_t>::max());
      if (connection.next == Next::drain && !drained) return;
      if (connection.next == Next::read && !has_input) return;
      advance(connection);
    }
  }

  /// One call of the session, of which the model is told afterwards: it executes as many requests as the session did.
  void advance(Connection& connection) {
    const std::uint64_t executed_before = executed();
    const std::size_t written_before = connection.out.size();
    if (connection.next != Next::read) {
      connection.next = connection.session.go_on(services_, connection.out);
    } else if (!connection.sent.empty()) {
      const std::string bytes = std::exchange(connection.sent, {});
      connection.unexecuted += bytes;
      connection.next = connection.session.receive(bytes, services_, connection.out);
    } else {
      connection.next = connection.session.finish();
      return model_.finish(connection.session.id());
    }
    const auto expected = execute_in_model(connection, executed() - executed_before);
    const auto mismatch = expected.mismatch(std::string_view(connection.out).substr(written_before));
    LOCKD_CHECK(!mismatch, mismatch->c_str());
    const bool full = connection.out.size() >= settings_.output_bytes_max;
    LOCKD_CHECK(full ? connection.next == Next::drain || connection.next == Next::end : connection.next != Next::drain,
                "a session drains when its output is full, and only then (F5)");
  }

  /// Requests that sessions have executed so far. (Each is counted, but for those of browsers: F11.)
  std::uint64_t executed() const {
    const auto& [commands, invalid_commands, bad_arguments, lines_too_long] = statistics_[0];
    std::uint64_t sum = invalid_commands.value() + bad_arguments.value() + lines_too_long.value();
    for (const auto& command : commands) sum += command.value();
    return sum;
  }

  /// Feeds the model the lines of the next `count` requests, and what goes without being counted: blank lines, and the
  /// one that ended the session. A session that asks for more must have executed all that it has.
  lockd::model::ExpectedOutput execute_in_model(Connection& connection, std::uint64_t count) {
    const SessionId id = connection.session.id();
    lockd::model::ExpectedOutput expected;
    while (true) {
      const bool must_end = connection.next == Next::end && model_.is_live(id);
      const bool has_line = connection.unexecuted.find('\n') != std::string::npos;
      const bool must_go_on = count > 0 || must_end;
      if (!must_go_on && (!has_line || connection.next != Next::read)) return expected;
      LOCKD_CHECK(has_line && model_.is_live(id), "a session executes what has come, no more");
      const std::string line = take_line(connection.unexecuted);
      const auto requests = lockd::model::parse_stream(line, settings_.line_bytes_max);
      const bool is_counted = !requests.empty() && requests[0].kind != LineKind::browser;
      LOCKD_CHECK(requests.empty() || must_go_on, "a session executes all that has come");
      LOCKD_CHECK(!is_counted || count > 0, "a session ends where it is told to");
      count -= is_counted ? 1 : 0;
      expected.append(model_.receive(id, line));
    }
  }

  static std::string take_line(std::string& bytes) {
    const std::size_t size = bytes.find('\n') + 1;
    std::string line = bytes.substr(0, size);
    bytes.erase(0, size);
    return line;
  }

  /// S2, up to `budget` locks at a time. What was sent and not read, or not executed, is lost.
  void end(std::size_t slot, std::size_t budget) {
    auto& session = connections_[slot]->session;
    while (!session.end_some(services_, budget)) {
      if (const auto broken = table_.check_invariants()) LOCKD_CHECK(false, broken->c_str());
    }
    LOCKD_CHECK(session.end_some(services_, budget), "a session ends once");
    model_.reset(session.id());
    connections_[slot].reset();
    if (const auto broken = table_.check_invariants()) LOCKD_CHECK(false, broken->c_str());
  }

  const lockd::server::Settings settings_;
  lockd::engine::ShardedTable<NullMutex> table_;
  lockd::server::Registry<NullMutex> registry_;
  std::array<lockd::server::Statistics, 1> statistics_;
  const lockd::server::Services<NullMutex> services_;
  lockd::model::ReferenceServer model_;
  std::array<std::optional<Connection>, 4> connections_;
  std::uint64_t sessions_ = 0;
};

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name by which libFuzzer calls it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > input_bytes_max) return 0;
  World world(configuration(data[0]));
  std::size_t in_use = 0;
  std::string bytes;
  for (std::size_t i = 1; i < size; ++i) {
    const bool is_action = data[i] == escape && i + 1 < size && data[i + 1] != escape;
    if (!is_action) {
      if (data[i] == escape) ++i;
      bytes.push_back(static_cast<char>(data[i < size ? i : i - 1]));
      continue;
    }
    if (!bytes.empty()) world.send(in_use, std::exchange(bytes, {}));
    const auto action = static_cast<Action>(data[++i] % 8);
    const std::size_t slot = data[i] / 8 % 4;
    if (action == Action::use || action == Action::use_too) in_use = slot;
    world.act(action, slot);
  }
  if (!bytes.empty()) world.send(in_use, bytes);
  world.end_all();
  return 0;
}
