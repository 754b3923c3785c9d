// One run of the simulator: the server's threads, its clients, and what befalls them.
#ifndef LOCKD_SIMULATOR_WORLD_H_
#define LOCKD_SIMULATOR_WORLD_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/connection.h"
#include "server/worker.h"
#include "simulator/link.h"
#include "simulator/profile.h"
#include "simulator/reference_oracle.h"
#include "simulator/reply_oracle.h"
#include "simulator/simulation.h"
#include "simulator/watched_session.h"

namespace lockd::simulator {

/// What came out of a run.
struct RunOutcome {
  std::optional<std::string> failure;
  std::uint64_t hash = 0;  // of the whole trace
  Tally tally;
  std::uint64_t steps = 0;
};

/// The run of a seed: first with faults, then without until all is answered, all have gone, and a newcomer was served.
RunOutcome run_seed(std::uint64_t seed, std::FILE* trace_file, FaultName planted);

/// From production.cc, which alone makes code of the server's templates.
std::unique_ptr<server::Worker<EdgeMutex>> make_worker(const server::Services<EdgeMutex>& services,
                                                       std::chrono::seconds peer_timeout, std::uint32_t index);

/// A client's side of a connection.
struct Client {
  std::uint64_t number = 0;
  std::shared_ptr<Link> link;
  std::size_t thread = 0;
  std::string sent;               // all that it ever sent
  std::size_t executed_from = 0;  // so much of it the session was given
  std::string written;            // all that its session ever wrote
  std::size_t received = 0;       // so much of it has come
  std::string unsent;             // of a request that it sends in pieces
  bool reads = true;
  bool has_finished = false;
  bool is_gone = false;           // without goodbye, or cut off
  bool is_refused = false;        // S4
  bool is_ending = false;         // its session has begun to end
  bool may_lose_replies = false;  // it ended before the calm, when time may have passed too fast for them
  bool asked_to_end = false;      // by the session itself: `quit`, a browser, too much input
};

class World : private SessionWatch {
 public:
  World(std::uint64_t seed, std::FILE* trace_file, FaultName planted);
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World() override;

  /// Throws Failure.
  void run();

  RunOutcome outcome() const;

  /// After a Failure, in place of its end.
  static void abandon(std::unique_ptr<World> world);

 private:
  using Worker = server::Worker<EdgeMutex>;
  using Connection = server::Connection<EdgeMutex>;

  // The watch of sessions.
  void begins(SessionId session, const std::string& address) override;
  void called(const SessionStep& step) override;
  void check_clock(const Client& client, const SessionStep& step);
  void ends(SessionId session) override;
  void has_ended(SessionId session) override;

  // Threads.
  void run_thread(std::size_t thread);
  std::vector<std::size_t> runnable() const;
  void step();
  void run_fiber(const std::vector<std::size_t>& ready);
  void check_between_steps();

  // Deeds.
  void do_something();
  bool act(Deed deed);
  Client& connect(bool refused);
  bool ask();
  void send(Client& client, std::string_view bytes);
  bool take();
  void take_from(Client& client, std::size_t bytes_max);
  bool fire();
  void pass_time(std::chrono::milliseconds time);
  bool jump();
  bool fault(Deed deed);
  void hold_back_lines();
  template <class Condition>
  Client* draw_client(Condition condition);

  // The second phase.
  bool calm_step();
  template <class Condition>
  void settle(const char* goal, Condition reached);
  void stop_faults();
  void everything_is_answered();
  void all_leave();
  void newcomer_is_served();
  void check_at_rest();
  void remove_the_gone();

  static constexpr std::chrono::seconds peer_timeout{30};
  static constexpr std::size_t calm_steps_max = 400'000;

  Simulation simulation_;  // first: all others use it
  const Profile profile_;
  std::map<std::uint64_t, Client> clients_;  // by number, as long as their connections live
  engine::ShardedTable<SessionMutex> table_;
  server::Registry<SessionMutex> registry_;
  std::vector<server::Statistics> statistics_;
  std::vector<server::Turn> turns_;
  ReplyOracle replies_;
  std::optional<ReferenceOracle> reference_;  // with one thread
  std::atomic<std::size_t> served_{0};
  std::atomic<std::size_t> refused_{0};
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<bool> is_busy_;  // threads in the middle of a handler
  bool is_calm_ = false;       // no more faults
  bool is_over_ = false;       // threads return
  std::size_t last_fiber_ = 0;
  std::uint64_t last_client_ = 0;
  std::uint64_t steps_ = 0;
};

}  // namespace lockd::simulator

#endif  // LOCKD_SIMULATOR_WORLD_H_
