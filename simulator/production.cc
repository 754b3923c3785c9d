// The server's own code, made for the simulator's mutexes.
// NOLINTBEGIN(bugprone-suspicious-include): what is to be simulated is defined there, and nowhere else.
#include "server/connection.cc"
#include "server/counters.cc"
#include "server/listing.cc"
#include "server/session.cc"
#include "simulator/virtual_edge.h"
#include "simulator/watched_session.h"
#include "simulator/world.h"
// NOLINTEND(bugprone-suspicious-include)

#ifdef LOCKD_PLANTED_FAULTS  // the canaries
#include "simulator/faulty_connection.h"
#endif

namespace lockd::server {

template void print_classic_counters(const Services<simulator::SessionMutex>& services, std::string& out);
template void print_statistics(const Services<simulator::SessionMutex>& services, std::string& out);
template class Listing<simulator::SessionMutex>;
template class Session<simulator::SessionMutex>;
template class Connection<simulator::EdgeMutex>;

}  // namespace lockd::server

namespace lockd::simulator {

std::unique_ptr<server::Worker<EdgeMutex>> make_worker(const server::Services<EdgeMutex>& services,
                                                       std::chrono::seconds peer_timeout, std::uint32_t index) {
  return std::make_unique<server::Worker<EdgeMutex>>(services, peer_timeout, index);
}

}  // namespace lockd::simulator
