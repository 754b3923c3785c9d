// How many descriptors the process may have.
#ifndef LOCKD_SERVER_DESCRIPTORS_H_
#define LOCKD_SERVER_DESCRIPTORS_H_

#include <cstddef>

namespace lockd::server {

/// Raises the process's descriptor limit as far as it is allowed to. Returns the limit.
std::size_t raise_descriptor_limit();

/// Descriptors that the process has open now.
std::size_t open_descriptors();

/// S4: how many connections there is room for under that limit: the protocol's 64 less, or what is needed for other
/// things if that is more, as with many threads. 0 if there is none.
std::size_t room_for_connections(std::size_t limit, std::size_t needed_otherwise);

}  // namespace lockd::server

#endif  // LOCKD_SERVER_DESCRIPTORS_H_
