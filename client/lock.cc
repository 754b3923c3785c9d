// The guard.
#include "lockd/lock.h"

#include <utility>

#include "client/connection.h"
#include "client/verbs.h"

namespace lockd {

Lock::Lock(std::weak_ptr<Connection> connection, Mode mode, std::string key, std::uint64_t token) noexcept
    : connection_(std::move(connection)), mode_(mode), key_(std::move(key)), token_(token) {}

Lock::Lock(Lock&& other) noexcept
    : connection_(std::exchange(other.connection_, {})),
      mode_(std::exchange(other.mode_, Mode::exclusive)),
      key_(std::exchange(other.key_, {})),
      token_(std::exchange(other.token_, 0)) {}

Lock& Lock::operator=(Lock&& other) noexcept {
  Lock taken(std::move(other));  // first: it may be this one
  std::swap(connection_, taken.connection_);
  std::swap(mode_, taken.mode_);
  std::swap(key_, taken.key_);
  std::swap(token_, taken.token_);
  return *this;
}

Lock::~Lock() {
  try {
    (void)unlock();
  } catch (...) {  // no memory for the request: the lock stays with the connection
    disown();
  }
}

bool Lock::owns_lock() const noexcept {
  const auto connection = connection_.lock();
  return connection && connection->is_own_process() && !connection->has_ended();
}

Result<void> Lock::unlock() {
  const auto connection = connection_.lock();
  if (!connection) return Error{Cause::not_held, "there is no lock to release"};
  auto released = release_verb(*connection, mode_, key_);
  disown();
  return released;
}

void Lock::disown() noexcept {
  if (const auto connection = std::exchange(connection_, {}).lock()) connection->give_up(mode_, key_);
}

}  // namespace lockd
