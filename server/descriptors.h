// How many descriptors the process may have.
#ifndef LOCKD_SERVER_DESCRIPTORS_H_
#define LOCKD_SERVER_DESCRIPTORS_H_

#include <cstddef>

namespace lockd::server {

/// Raises the process's descriptor limit as far as it is allowed to. Returns the limit.
std::size_t raise_descriptor_limit();

/// S4: what the descriptor limit leaves for connections.
std::size_t default_connections_max();

}  // namespace lockd::server

#endif  // LOCKD_SERVER_DESCRIPTORS_H_
