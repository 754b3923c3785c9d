// Many clients in one thread.
#ifndef LOCKD_HISTORIES_CROWD_H_
#define LOCKD_HISTORIES_CROWD_H_

#include <poll.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "histories/client.h"

namespace lockd::histories {

/// Keeps so many clients at work: each asks anew when it has little outstanding, and now and then behind a wait. Who
/// has ended is replaced.
class Crowd {
 public:
  /// `next_session` gives each client its number.
  Crowd(std::string uri, std::size_t clients, Recorder& recorder, std::function<std::uint32_t()> next_session,
        Random& random);

  /// Waits for up to a millisecond, reads, asks. Throws ServerFault.
  void turn();

  /// No client asks any more of itself.
  void stop_asking() { asks_ = false; }
  /// Ended ones stay away.
  void stop_replacing() { replaces_ = false; }
  /// A client that does not read, and does not ask, until then.
  void pause(std::size_t number, Moment until) { slots_[number].paused_until = until; }
  void resume_all();

  std::size_t size() const { return slots_.size(); }
  /// None where it has ended and was not replaced.
  Client* client(std::size_t number) { return slots_[number].client.get(); }
  bool is_paused(std::size_t number) const { return slots_[number].paused_until > 0; }
  /// Whether each client is open and greeted: the server counts them all, and no end is under way.
  bool is_steady() const;
  std::size_t outstanding() const;
  std::size_t present() const;

 private:
  struct Slot {
    std::unique_ptr<Client> client;
    Moment paused_until = 0;
  };

  void serve(Slot& slot, short events);

  std::string uri_;
  Recorder& recorder_;
  std::function<std::uint32_t()> next_session_;
  Random& random_;
  std::vector<Slot> slots_;
  std::vector<pollfd> polled_;
  bool asks_ = true;
  bool replaces_ = true;
};

}  // namespace lockd::histories

#endif  // LOCKD_HISTORIES_CROWD_H_
