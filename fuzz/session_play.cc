#include "fuzz/session_play.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "fuzz/session_steps.h"
#include "model/expected_output.h"
#include "proptests/session_flags.h"
#include "proptests/session_lockstep.h"

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

/// A world, and what its clients do as a scenario. The first client of slot 0 is `a1`, the next one `a2`.
class Game {
 public:
  Game(const SessionLockstep::Config& config, std::ostream* scenario) : world_(config), scenario_(scenario) {
    if (scenario_ == nullptr) return;
    if (const std::string flags = proptests::flags_of(config); !flags.empty()) *scenario_ << "flags" << flags << '\n';
    *scenario_ << "# shards: " << config.shard_count << '\n';
  }

  void send(std::size_t slot, std::string_view bytes) {
    if (!world_.is_connected(slot)) connect(slot);
    if (scenario_ != nullptr && !finished_[slot]) {
      const std::string quoted = model::ExpectedOutput::escaped(bytes);
      *scenario_ << name(slot) << ">| " << quoted.substr(1, quoted.size() - 2) << std::endl;
    }
    world_.send(slot, bytes);
  }

  void act(Action action, std::size_t slot) {
    if (action == Action::use || action == Action::cut || !world_.is_connected(slot)) return;
    const bool is_said = !finished_[slot] || (action != Action::finish && action != Action::time_out);
    if (scenario_ != nullptr && is_said) *scenario_ << said(action, name(slot)) << std::endl;
    if (action == Action::finish) finished_[slot] = true;
    switch (action) {
      case Action::use:
      case Action::cut:
        return;
      case Action::finish:
        return world_.finish(slot);
      case Action::reset:
        return world_.reset(slot);
      case Action::reset_in_slices:
        return world_.reset(slot, 1);
      case Action::stop_reading:
      case Action::read_again:
        return world_.set_reading(slot, action == Action::read_again);
      case Action::time_out:
        return world_.time_out(slot);
    }
  }

  void end() { world_.end_all(); }

 private:
  void connect(std::size_t slot) {
    ++connections_[slot];
    finished_[slot] = false;
    if (scenario_ != nullptr) *scenario_ << "connect " << name(slot) << std::endl;
    world_.connect(slot);
  }

  std::string name(std::size_t slot) const {
    return static_cast<char>('a' + static_cast<char>(slot)) + std::to_string(connections_[slot]);
  }

  static std::string said(Action action, const std::string& client) {
    switch (action) {
      case Action::use:
      case Action::cut:
        break;
      case Action::finish:
        return "finish " + client;
      case Action::reset:
        return "reset " + client;
      case Action::reset_in_slices:
        return "reset " + client + "\n# (in slices of one lock)";
      case Action::stop_reading:
        return "# " + client + " stops reading";
      case Action::read_again:
        return "# " + client + " reads again";
      case Action::time_out:
        return "timeout " + client;
    }
    return "";
  }

  SessionLockstep world_;
  std::ostream* scenario_;
  std::array<int, slot_count> connections_{};  // of each slot, so far
  std::array<bool, slot_count> finished_{};    // what it sends then goes nowhere, and is no line
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
