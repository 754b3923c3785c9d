// What is to happen on one I/O thread at given moments.
#ifndef LOCKD_SERVER_DEADLINES_H_
#define LOCKD_SERVER_DEADLINES_H_

#include <boost/intrusive/set.hpp>
#include <cstddef>

namespace lockd::server {

/// A moment at which `expired(owner)` is to be called, unless it is lifted before. A member of its owner, and not
/// touched after the call, in which the owner may go. Stays where it is; set by Deadlines.
/// (Not with Boost's optimize_size, which reads a bit of the hook before it is set: valgrind objects.)
template <class Owner, class Clock>
class Deadline : public boost::intrusive::set_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  Deadline(Owner& owner, void (*expired)(Owner&)) : owner_(owner), expired_(expired) {}
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;
  ~Deadline() = default;

  bool is_set() const { return this->is_linked(); }
  void lift() { this->unlink(); }

  friend bool operator<(const Deadline& left, const Deadline& right) { return left.at_ < right.at_; }

 private:
  template <class, class>
  friend class Deadlines;

  Owner& owner_;
  void (*expired_)(Owner&);
  typename Clock::time_point at_{};
};

/// The deadlines of one thread, behind one timer: thousands of waits that all end before their time cost no call of the
/// system, and none an allocation. Setting and lifting take time logarithmic in their number.
///
/// Timer: as in Edge. A deadline is never early. Those that have passed come in their order, some in a pass of the
/// event loop. Used on the timer's thread alone.
template <class Owner, class Timer>
class Deadlines {
 public:
  using Clock = typename Timer::clock_type;
  using Moment = typename Clock::time_point;
  using Deadline = server::Deadline<Owner, Clock>;

  /// In a pass: a crowd whose time is up must not make the others wait.
  static constexpr std::size_t expired_at_once = 64;

  template <class Context>
  explicit Deadlines(Context& context) : timer_(context) {}
  Deadlines(const Deadlines&) = delete;
  Deadlines& operator=(const Deadlines&) = delete;
  /// Those that are set are lifted.
  ~Deadlines() = default;

  /// Sets it, or moves it.
  void set(Deadline& deadline, Moment at) {
    deadline.lift();
    deadline.at_ = at;
    set_.insert(deadline);
    if (at < fires_at_) arm(at);
  }

  /// Whether none is set.
  bool is_empty() const { return set_.empty(); }

 private:
  void arm(Moment at) {
    fires_at_ = at;
    timer_.expires_at(at);
    timer_.async_wait([this](const auto& error) {
      if (!error) expire();  // if it was not moved, with this object gone perhaps
    });
  }

  /// The timer stays armed for deadlines that were lifted: it fires for nothing then.
  void expire() {
    fires_at_ = Moment::max();
    const Moment now = Clock::now();
    for (std::size_t left = expired_at_once; left > 0 && !set_.empty() && set_.begin()->at_ <= now; --left) {
      Deadline& first = *set_.begin();
      first.lift();
      first.expired_(first.owner_);
    }
    if (!set_.empty() && set_.begin()->at_ < fires_at_) arm(set_.begin()->at_);
  }

  using Set = boost::intrusive::multiset<Deadline, boost::intrusive::constant_time_size<false>>;

  Timer timer_;
  Set set_;
  Moment fires_at_ = Moment::max();
};

}  // namespace lockd::server

#endif  // LOCKD_SERVER_DEADLINES_H_
