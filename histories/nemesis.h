// What goes wrong during a run: clients end in every way, stop reading, are stopped and killed; the daemon is stopped.
#ifndef LOCKD_HISTORIES_NEMESIS_H_
#define LOCKD_HISTORIES_NEMESIS_H_

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "histories/child.h"
#include "histories/crowd.h"

namespace lockd::histories {

/// Acts on a schedule of its own, drawn from a seed. Each kind of trouble has its mean distance.
class Nemesis {
 public:
  /// `daemon`: its process, or 0 where it is not ours to stop. All outlive the nemesis.
  Nemesis(Crowd& crowd, std::vector<std::unique_ptr<Child>>& children, pid_t daemon,
          std::function<std::uint32_t()> next_session, Random& random);
  Nemesis(const Nemesis&) = delete;
  Nemesis& operator=(const Nemesis&) = delete;
  ~Nemesis() { calm(); }

  /// Does what is due. Ends nobody and replaces no process while `spares`.
  void act(bool spares);
  /// Lets all that is stopped go on.
  void calm();
  /// Ends all that there is; children by SIGKILL.
  void end_all();

  bool has_stopped_daemon() const { return daemon_stopped_until_ > 0; }
  /// Ends that are not known to be over, for the caller to take.
  std::vector<Operation*>& ends() { return ends_; }
  /// How often each kind of trouble came.
  const std::map<std::string, std::size_t>& counts() const { return counts_; }

 private:
  struct Kind {
    const char* name;
    Moment mean;
    bool ends_somebody;
    void (Nemesis::*act)();
    Moment next = 0;
  };

  void count(const std::string& name) { ++counts_[name]; }
  void end_client();
  void end_client(Client& client, Act act);
  void slow_client();
  void kill_child();
  void stop_child();
  void stop_daemon();
  void start_children();
  void wake();

  Crowd& crowd_;
  std::vector<std::unique_ptr<Child>>& children_;
  pid_t daemon_;
  std::function<std::uint32_t()> next_session_;
  Random& random_;
  std::vector<Operation*> ends_;
  std::map<std::string, std::size_t> counts_;
  std::vector<Moment> child_stopped_until_;
  Moment daemon_stopped_until_ = 0;
  std::array<Kind, 5> kinds_;
};

}  // namespace lockd::histories

#endif  // LOCKD_HISTORIES_NEMESIS_H_
