// The edge as the simulator has it: Connection, Worker, Mailbox and EndQueue are the server's own, and what they stand
// on is virtual.
#ifndef LOCKD_SIMULATOR_VIRTUAL_EDGE_H_
#define LOCKD_SIMULATOR_VIRTUAL_EDGE_H_

#include "server/edge.h"
#include "simulator/context.h"
#include "simulator/link.h"
#include "simulator/mutex.h"
#include "simulator/poller.h"
#include "simulator/timer.h"

template <>
struct lockd::server::Edge<lockd::simulator::EdgeMutex> {
  using Context = simulator::Context;
  using Poller = simulator::Poller;
  using Socket = simulator::Socket;
  using Timer = simulator::Timer;
};

#endif  // LOCKD_SIMULATOR_VIRTUAL_EDGE_H_
