#include "fuzz/session_play.h"

#include <cstddef>
#include <cstdint>
#include <string>

#include "fuzz/session_steps.h"
#include "proptests/recorded_sessions.h"

namespace lockd::fuzz {
namespace {

using proptests::SessionLockstep;

SessionLockstep::Config config_of(std::uint8_t bits) {
  SessionLockstep::Config chosen;
  const auto bit = [bits](int number) { return (bits >> number & 1) != 0; };
  chosen.settings.classic = bit(0);
  chosen.settings.dump = !bit(1);
  chosen.settings.registry = !bit(2);
  if (bit(3)) chosen.settings.line_bytes_max = 12;
  if (bit(4)) chosen.locks_max = 2;
  if (bit(5)) chosen.settings.output_bytes_max = 32;
  if (bit(6)) chosen.shard_count = 4;
  if (bit(7)) {
    chosen.settings.input_bytes_max = 24;
    chosen.waiters_max = 1;
  }
  return chosen;
}

/// Clients that connect where they do something and are not there.
class Game {
 public:
  Game(const SessionLockstep::Config& config, std::ostream* scenario) : clients_(config, scenario) {}

  void send(std::size_t slot, std::string_view bytes) {
    if (!clients_.lockstep().is_connected(slot)) clients_.connect(slot);
    clients_.send(slot, bytes);
  }

  void act(Action action, std::size_t slot) {
    if (!clients_.lockstep().is_connected(slot)) return;
    switch (action) {
      case Action::use:
      case Action::cut:
        return;
      case Action::finish:
        return clients_.finish(slot);
      case Action::reset:
        return clients_.reset(slot);
      case Action::reset_in_slices:
        return clients_.reset(slot, 1);
      case Action::stop_reading:
      case Action::read_again:
        return clients_.set_reading(slot, action == Action::read_again);
      case Action::time_out:
        return clients_.time_out(slot);
    }
  }

  void end() { clients_.lockstep().end_all(); }

 private:
  proptests::RecordedSessions clients_;
};

}  // namespace

void play(std::string_view input, std::ostream* scenario) {
  Game game(config_of(static_cast<std::uint8_t>(input.front())), scenario);
  std::size_t in_use = 0;
  std::string bytes;
  const auto send = [&] {
    if (!bytes.empty()) game.send(in_use, bytes);
    bytes.clear();
  };
  for (std::string_view rest = input.substr(1); !rest.empty();) {
    const Step step = take_step(rest);
    if (!step.action) {
      append_bytes(step, bytes);
      continue;
    }
    send();
    if (step.action == Action::use) in_use = step.slot;
    game.act(*step.action, step.slot);
  }
  send();
  game.end();
}

}  // namespace lockd::fuzz
