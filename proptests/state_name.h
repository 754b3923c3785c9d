// Names for the states of engine and model in lockstep: a search takes two states for one if they have one name.
#ifndef LOCKD_PROPTESTS_STATE_NAME_H_
#define LOCKD_PROPTESTS_STATE_NAME_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "proptests/lockstep.h"

namespace lockd::proptests {

/// Whether it is a part of a state in which order sessions came to hold a shared lock.
enum class Order : std::uint8_t { told, merged };

/// States have one name if the same sessions hold the same locks (in the same order, if that is told), wait in the same
/// lines in the same order with the same limits, the same ones are dead, and the same ones have not learned of their
/// grant. Counts, tokens (those left too) and times are no part of it.
class StateNames {
 public:
  /// All sessions and keys that can come up, nine of each at most.
  StateNames(std::vector<SessionId> sessions, std::vector<Key> keys, Order order = Order::told);

  std::string name(const Lockstep& pair) const;

  /// The same for all states that renaming sessions and keys makes the same.
  std::string name_up_to_renaming(const Lockstep& pair) const;

 private:
  using Places = std::vector<std::size_t>;  // a renaming of the sessions: the new place of each

  /// A state as text, in which a session is the letter at its place: 'A' and so on.
  struct Description {
    std::vector<std::string> keys;      // for each key, who holds it and who is in line for it
    std::vector<std::string> profiles;  // for each session its fate, and what else of it all renamings leave as it is
  };

  Description described(const Lockstep& pair) const;

  void describe_lock(const model::LockState& state, std::string& text, Description& description) const;

  std::size_t place_of(SessionId session) const;

  std::vector<std::string> keys_renamed(const Description& description, const Places& places) const;

  std::vector<SessionId> sessions_;
  std::vector<Key> keys_;
  Order order_;
  std::vector<Places> renamings_;  // all that there are
};

}  // namespace lockd::proptests

#endif  // LOCKD_PROPTESTS_STATE_NAME_H_
