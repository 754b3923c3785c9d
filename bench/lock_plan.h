// Who takes what in bench/orphans: every request and every reply of every connection, computed from two numbers, so
// that nothing of it needs to be kept.
//
// Half of the locks are exclusive, each on a key of its own. Half are shared, ten holders to a key (the last key may
// have fewer). Lock number n of each kind goes to connection n modulo the number of connections, so the holders of one
// key are ten neighbours and each connection takes as many of one kind as of the other, in turn. Every key has 21
// bytes.
#ifndef LOCKD_BENCH_LOCK_PLAN_H_
#define LOCKD_BENCH_LOCK_PLAN_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace lockd::bench {

class LockPlan {
 public:
  static constexpr std::size_t holders_per_key = 10;

  /// Throws std::invalid_argument unless there are at least ten connections and an even number of locks, 2 or more.
  LockPlan(std::size_t connections, std::size_t locks);

  std::size_t connections() const { return connections_; }
  std::size_t locks() const { return 2 * per_kind_; }
  /// Locks of each kind; of the exclusive ones that is the number of keys as well.
  std::size_t per_kind() const { return per_kind_; }
  std::size_t shared_keys() const { return (per_kind_ + holders_per_key - 1) / holders_per_key; }

  /// How many locks connection number `connection` takes.
  std::size_t locks_of(std::size_t connection) const;
  /// Its get number `index`, LF included.
  std::string request(std::size_t connection, std::size_t index) const;
  /// Whether `reply`, without its LF, is what X1 or H1 says to that request, taken once by each connection: of a shared
  /// key any number of holders from 1 to ten.
  bool accepts(std::size_t connection, std::size_t index, std::string_view reply) const;

 private:
  std::string key(std::size_t connection, std::size_t index) const;

  std::size_t connections_;
  std::size_t per_kind_;
};

}  // namespace lockd::bench

#endif  // LOCKD_BENCH_LOCK_PLAN_H_
