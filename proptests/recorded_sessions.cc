#include "proptests/recorded_sessions.h"

#include "model/expected_output.h"
#include "proptests/session_flags.h"

namespace lockd::proptests {

RecordedSessions::RecordedSessions(const SessionLockstep::Config& config, const SessionLockstep::Config& reference,
                                   std::ostream* scenario)
    : lockstep_(config, reference), scenario_(scenario) {
  if (const std::string flags = flags_of(config); !flags.empty()) say("flags" + flags);
  if (config.shard_count != 1) say("#! shards: " + std::to_string(config.shard_count));
}

void RecordedSessions::connect(std::size_t slot) {
  connections_[slot] = {.number = connections_[slot].number + 1};
  say("connect " + name(slot));
  lockstep_.connect(slot);
}

void RecordedSessions::send(std::size_t slot, std::string_view bytes) {
  say_sent(slot, bytes);
  lockstep_.send(slot, bytes);
}

void RecordedSessions::finish(std::size_t slot) {
  if (!connections_[slot].finished) say("finish " + name(slot));
  connections_[slot].finished = true;
  lockstep_.finish(slot);
}

void RecordedSessions::reset(std::size_t slot, std::size_t budget) {
  say("reset " + name(slot));
  if (budget != SessionLockstep::all_at_once) say("#! (in slices of " + std::to_string(budget) + ")");
  lockstep_.reset(slot, budget);
}

void RecordedSessions::set_reading(std::size_t slot, bool reading) {
  say("#! " + name(slot) + (reading ? " reads again" : " stops reading"));
  lockstep_.set_reading(slot, reading);
}

void RecordedSessions::time_out(std::size_t slot) {
  if (lockstep_.next(slot) == server::Next::wait) say("timeout " + name(slot));
  lockstep_.time_out(slot);
}

void RecordedSessions::post(std::size_t slot, std::string_view bytes) {
  say_sent(slot, bytes);
  lockstep_.post(slot, bytes);
}

void RecordedSessions::advance(std::size_t slot) {
  lockstep_.advance(slot);
  if (!lockstep_.is_connected(slot)) return;
  const server::Next next = lockstep_.next(slot);
  if (next == server::Next::turn || next == server::Next::drain) say("#! " + name(slot) + "'s next turn comes later");
}

std::string RecordedSessions::name(std::size_t slot) {
  return static_cast<char>('a' + static_cast<char>(slot)) + std::to_string(connections_[slot].number);
}

void RecordedSessions::say(const std::string& line) {
  if (scenario_ != nullptr) *scenario_ << line << std::endl;
}

// Behind its FIN nobody speaks: what is sent then goes nowhere.
void RecordedSessions::say_sent(std::size_t slot, std::string_view bytes) {
  if (scenario_ == nullptr || bytes.empty() || connections_[slot].finished) return;
  const std::string quoted = model::ExpectedOutput::escaped(bytes);
  say(name(slot) + ">| " + quoted.substr(1, quoted.size() - 2));
}

}  // namespace lockd::proptests
