// The connections that take all the locks of a plan and drop them at the same moment: one epoll loop in the calling
// thread.
#ifndef LOCKD_BENCH_HOLDERS_H_
#define LOCKD_BENCH_HOLDERS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/lock_plan.h"
#include "bench/poller.h"
#include "bench/socket.h"

namespace lockd::bench {

class Holders {
 public:
  /// What is unanswered at any time: at most `pipeline` requests of each of `takers` connections. A request of somebody
  /// else may have to queue behind all of it.
  struct Pace {
    std::size_t takers = 1;
    std::size_t pipeline = 1;
  };

  /// `plan` must outlive this.
  Holders(const LockPlan& plan, const Pace& pace) : plan_(plan), pace_(pace) {}

  /// Told how many are done, now and then.
  using Progress = std::function<void(std::size_t)>;

  /// Opens all connections, one after another. Once.
  void connect(std::uint16_t port, const Progress& progress);
  /// Takes every lock and checks every reply. Throws on a wrong one.
  void take(const Progress& progress);
  /// Ends all connections as fast as one thread can, by FIN and by RST in turn.
  void drop();

 private:
  struct Holder {
    Channel channel;
    std::size_t requested = 0;
    std::size_t answered = 0;
    std::string partial_line;
  };

  void start_next();
  void request_more(std::size_t number);
  void serve(std::size_t number);
  void take_replies(std::size_t number, std::string_view bytes);
  void take_reply(std::size_t number, std::string_view reply);

  const LockPlan& plan_;
  Pace pace_;
  Poller poller_;
  std::vector<Holder> holders_;
  std::size_t started_ = 0;  // the first so many have begun to take
  std::size_t taken_ = 0;
  std::array<char, 65536> buffer_{};
};

}  // namespace lockd::bench

#endif  // LOCKD_BENCH_HOLDERS_H_
