// Four connections to the real sessions and engine, driven by hostile bytes, against the reference server: every byte
// that a session writes must be one that the model lets come then.
//
// session_steps.h says what an input means.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/check.h"
#include "fuzz/session_steps.h"
#include "proptests/session_lockstep.h"

namespace {

using lockd::fuzz::Action;
using lockd::fuzz::Step;
using lockd::proptests::SessionLockstep;

/// With longer inputs a listing could take several slices, other sessions changing the table in between (L5): what it
/// shows then is not one certain thing. This much cannot make it 64 KiB long.
constexpr std::size_t input_bytes_max = 1024;

SessionLockstep::Config configuration(std::uint8_t bits) {
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

void act(SessionLockstep& world, Action action, std::size_t slot) {
  if (!world.is_connected(slot)) return;
  switch (action) {
    case Action::use:
    case Action::cut:
      return;
    case Action::finish:
      return world.finish(slot);
    case Action::reset:
      return world.reset(slot);
    case Action::reset_in_slices:
      return world.reset(slot, 1);
    case Action::stop_reading:
    case Action::read_again:
      return world.set_reading(slot, action == Action::read_again);
    case Action::time_out:
      return world.time_out(slot);
  }
}

void play(std::string_view input) {
  SessionLockstep world(configuration(static_cast<std::uint8_t>(input.front())));
  std::size_t in_use = 0;
  std::string bytes;
  const auto send = [&] {
    if (bytes.empty()) return;
    if (!world.is_connected(in_use)) world.connect(in_use);
    world.send(in_use, bytes);
    bytes.clear();
  };
  for (std::string_view rest = input.substr(1); !rest.empty();) {
    const Step step = lockd::fuzz::take_step(rest);
    if (!step.action) {
      append_bytes(step, bytes);
      continue;
    }
    send();
    if (step.action == Action::use) in_use = step.slot;
    act(world, *step.action, step.slot);
  }
  send();
  world.end_all();
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name by which libFuzzer calls it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > input_bytes_max) return 0;
  try {
    play({reinterpret_cast<const char*>(data), size});
  } catch (const lockd::proptests::Difference& difference) {
    LOCKD_CHECK(false, difference.what());
  }
  return 0;
}
