#include "proptests/scenario.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>

namespace lockd::proptests {
namespace {

bool is_expectation(StepKind kind) {
  return kind == StepKind::expect || kind == StepKind::expect_any_order || kind == StepKind::expect_nothing ||
         kind == StepKind::expect_end || kind == StepKind::wait;
}

class Player {
 public:
  explicit Player(Target& target) : target_(target) {}

  void play(const std::vector<TranscriptStep>& steps) {
    for (const TranscriptStep& step : steps) {
      if (step.kind == StepKind::flags || step.kind == StepKind::beyond_clients) continue;
      const bool asks_again = is_expectation(last_kind_) && !is_expectation(step.kind);
      if (!client_.empty() && (client_ != step.client || asks_again)) settle(client_);
      line_ = step.line;
      client_ = step.client;
      last_kind_ = step.kind;
      perform(step);
    }
    for (const std::string& client : open_) settle(client);
    target_.shut_down();
  }

  /// Of the last step, to which what went wrong belongs.
  int line() const { return line_; }

 private:
  void perform(const TranscriptStep& step) {
    switch (step.kind) {
      case StepKind::connect:
        target_.connect(step.client);
        placeholders_[step.client] = target_.address(step.client);
        open_.insert(step.client);
        return;
      case StepKind::send:
        return target_.send(step.client, step.bytes);
      case StepKind::finish:
        waiting_.erase(step.client);
        return target_.finish(step.client);
      case StepKind::close:
        leave(step.client);
        return target_.close(step.client);
      case StepKind::reset:
        leave(step.client);
        return target_.reset(step.client);
      case StepKind::wait:
        waiting_.insert(step.client);
        return target_.expect_wait(step.client);
      case StepKind::time_out:
        if (waiting_.erase(step.client) == 0) throw std::invalid_argument("no wait has a time to be up");
        return target_.time_out(step.client);
      case StepKind::tokens:
        return target_.expect_rising(step.lines);
      case StepKind::expect_nothing:
        return settle(step.client);
      default:
        waiting_.erase(step.client);
        return expect(step);
    }
  }

  void settle(const std::string& client) { target_.settle(client, waiting_.contains(client)); }

  void leave(const std::string& client) {
    waiting_.erase(client);
    open_.erase(client);
  }

  void expect(TranscriptStep step) {
    for (std::string& line : step.lines) line = with_addresses(line, placeholders_);
    target_.expect(step.client, step);
  }

  Target& target_;
  std::map<std::string, std::string> placeholders_{{"version", LOCKD_VERSION}};
  std::set<std::string> open_;     // clients that were not closed or reset
  std::set<std::string> waiting_;  // those that were said to wait, and for whom no reply was expected since
  std::string client_;             // of the last step
  StepKind last_kind_ = StepKind::flags;
  int line_ = 0;
};

}  // namespace

const std::vector<std::string>& target_names() {
  static const std::vector<std::string> names{"model", "session", "bytewise", "tcp1", "tcp4", "unix4", "ws4"};
  return names;
}

std::unique_ptr<Target> make_target(std::string_view name, const std::vector<TranscriptStep>& steps,
                                    const std::string& daemon) {
  const bool has_flags = !steps.empty() && steps.front().kind == StepKind::flags;
  const auto flags = has_flags ? steps.front().lines : std::vector<std::string>{};
  if (name == "model") return make_model_target(flags);
  if (name == "session") return make_session_target(flags, std::numeric_limits<std::size_t>::max());
  if (name == "bytewise") return make_session_target(flags, 1);
  if (name == "tcp1") return make_daemon_target(daemon, flags, Transport::tcp, 1);
  if (name == "tcp4") return make_daemon_target(daemon, flags, Transport::tcp, 4);
  if (name == "ws4") return make_daemon_target(daemon, flags, Transport::websocket, 4);
  if (name == "unix4") return make_daemon_target(daemon, flags, Transport::unix_socket, 4);
  throw std::invalid_argument("no target: " + std::string(name));
}

std::optional<std::string> play(const std::vector<TranscriptStep>& steps, const std::string& file, Target& target) {
  if (!is_playable(steps)) return file + ": there is nothing in it to play";
  Player player(target);
  try {
    player.play(steps);
    return std::nullopt;
  } catch (const std::exception& error) {
    return file + ":" + std::to_string(player.line()) + ": " + error.what();
  }
}

}  // namespace lockd::proptests
