// The specification of one lock, seen by itself: who holds it and who is in line (protocol X, H, W, C).
#ifndef LOCKD_HISTORIES_LOCK_STATE_H_
#define LOCKD_HISTORIES_LOCK_STATE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace lockd::histories {

/// A small value, compared and copied by a search. An exclusive lock is one that each session takes with a limit of 1.
/// Sessions are numbers. What is released or left is handed on in the same step (W4): the calls that can do so append
/// to `grants` whom they let through, in order.
class LockState {
 public:
  using Session = std::uint32_t;
  static constexpr std::uint32_t no_limit = 0xFFFFFFFF;

  /// A session has got the lock, and then so many held it.
  struct Grant {
    Session session;
    std::size_t holders;
  };

  bool is_held_by(Session session) const;
  bool has_in_line(Session session) const;
  std::size_t holders() const { return holders_.size(); }
  std::size_t waiters() const { return line_.size(); }

  /// Whether one who does not hold it would get it at once: fewer than `limit` hold it, and nobody is in line or the
  /// line is not heeded (H1).
  bool can_be_had(std::uint32_t limit, bool heeds_line) const;

  /// Needs a session that neither holds it nor is in line.
  void grant(Session session);
  void enter_line(Session session, std::uint32_t limit);

  /// Takes the lock from its holder, or a waiter out of the line; whoever is neither changes nothing.
  void remove(Session session, std::vector<Grant>& grants);

  /// Equal states, and no others, append equal bytes.
  void append_bytes(std::string& out) const;

  friend bool operator==(const LockState&, const LockState&) = default;

 private:
  struct Waiter {
    Session session;
    std::uint32_t limit;
    friend bool operator==(const Waiter&, const Waiter&) = default;
  };

  std::vector<Session> holders_;  // in rising order: nothing here depends on who came first
  std::vector<Waiter> line_;      // first come first (W3)
};

}  // namespace lockd::histories

#endif  // LOCKD_HISTORIES_LOCK_STATE_H_
