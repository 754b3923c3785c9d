#include "proptests/recorded_sessions.h"

#include <utility>

#include "model/expected_output.h"
#include "proptests/session_flags.h"

namespace lockd::proptests {

RecordedSessions::RecordedSessions(const SessionLockstep::Config& config, const SessionLockstep::Config& reference,
                                   std::ostream* scenario)
    : lockstep_(config, reference), scenario_(scenario) {
  if (scenario_ == nullptr) return;
  if (const std::string flags = flags_of(config); !flags.empty()) *scenario_ << "flags" << flags << '\n';
  if (config.shard_count != 1) *scenario_ << "#! shards: " << config.shard_count << '\n';
}

void RecordedSessions::connect(std::size_t slot) {
  if (scenario_ != nullptr) connections_[slot] = {.number = connections_[slot].number + 1};
  say("connect ", slot);
  lockstep_.connect(slot);
}

void RecordedSessions::send(std::size_t slot, std::string_view bytes) {
  say_sent(slot, bytes);
  lockstep_.send(slot, bytes);
}

void RecordedSessions::finish(std::size_t slot) {
  if (scenario_ != nullptr && !std::exchange(connections_[slot].finished, true)) say("finish ", slot);
  lockstep_.finish(slot);
}

void RecordedSessions::reset(std::size_t slot, std::size_t budget) {
  say("reset ", slot);
  const bool is_sliced = budget != SessionLockstep::all_at_once;
  if (is_sliced && scenario_ != nullptr) *scenario_ << "#! (in slices of " << budget << ")" << std::endl;
  lockstep_.reset(slot, budget);
}

void RecordedSessions::set_reading(std::size_t slot, bool reading) {
  say("#! ", slot, reading ? " reads again" : " stops reading");
  lockstep_.set_reading(slot, reading);
}

void RecordedSessions::time_out(std::size_t slot) {
  if (lockstep_.next(slot) == server::Next::wait) say("timeout ", slot);
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
  if (next == server::Next::turn || next == server::Next::drain) say("#! ", slot, "'s next turn comes later");
}

// A fuzzer plays thousands of inputs a second and writes none of them: then no string is made either.
void RecordedSessions::say(std::string_view ahead, std::size_t slot, std::string_view behind) {
  if (scenario_ == nullptr) return;
  *scenario_ << ahead << static_cast<char>('a' + static_cast<char>(slot)) << connections_[slot].number << behind
             << std::endl;
}

// Behind its FIN nobody speaks: what is sent then goes nowhere.
void RecordedSessions::say_sent(std::size_t slot, std::string_view bytes) {
  if (scenario_ == nullptr || bytes.empty() || connections_[slot].finished) return;
  const std::string quoted = model::ExpectedOutput::escaped(bytes);
  say("", slot, ">| " + quoted.substr(1, quoted.size() - 2));
}

}  // namespace lockd::proptests
