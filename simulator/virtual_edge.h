// The edge as the simulator has it: Connection, Worker, Mailbox and EndQueue are the server's own, and what they stand
// on is virtual.
#ifndef LOCKD_SIMULATOR_VIRTUAL_EDGE_H_
#define LOCKD_SIMULATOR_VIRTUAL_EDGE_H_

#include <cstdint>

#include "server/edge.h"
#include "simulator/context.h"
#include "simulator/link.h"
#include "simulator/mutex.h"
#include "simulator/timer.h"

namespace lockd::simulator {

/// A Link knows its Context: it needs no poller.
struct Poller {
  explicit Poller(Context& /*context*/) {}
  static std::uint64_t current_pass() { return 0; }
};

}  // namespace lockd::simulator

template <>
struct lockd::server::Edge<lockd::simulator::EdgeMutex> {
  using Context = simulator::Context;
  using Poller = simulator::Poller;
  using Socket = simulator::Socket;
  using Timer = simulator::Timer;
};

#endif  // LOCKD_SIMULATOR_VIRTUAL_EDGE_H_
