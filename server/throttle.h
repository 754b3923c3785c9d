// Keeps what clients can bring about again and again from filling the log.
#ifndef LOCKD_SERVER_THROTTLE_H_
#define LOCKD_SERVER_THROTTLE_H_

#include <chrono>
#include <optional>

namespace lockd::server {

/// Says yes at most once in 10 s. Used by one thread.
class Throttle {
 public:
  using Clock = std::chrono::steady_clock;

  /// Whether a line may be logged at this moment; then it counts as logged.
  bool allows(Clock::time_point now = Clock::now()) {
    if (last_ && now - *last_ < pause) return false;
    last_ = now;
    return true;
  }

  static constexpr std::chrono::seconds pause{10};

 private:
  std::optional<Clock::time_point> last_;
};

}  // namespace lockd::server

#endif  // LOCKD_SERVER_THROTTLE_H_
