// A lock that is released when its scope ends.
#ifndef LOCKD_CLIENT_INCLUDE_LOCKD_LOCK_H_
#define LOCKD_CLIENT_INCLUDE_LOCKD_LOCK_H_

#include <cstdint>
#include <memory>
#include <string>

#include "lockd/result.h"

namespace lockd {

/// The two spaces of locks, which never affect one another (H).
enum class Mode : std::uint8_t { exclusive, shared };

class Client;
class Connection;

/// A guard in the manner of std::unique_lock: it owns one lock of one Client, or nothing, and releases it at the end.
/// Client::lock() and its siblings make them. It does not keep its Client alive, and outliving it is harmless.
///
/// A key has at most one guard of each mode in one Client: to the server they all are one owner, so a second one would
/// be granted what the first one holds. It is refused instead (Cause::already_guarded).
///
/// A Lock is not for several threads at once; different Locks of one Client are.
class [[nodiscard]] Lock {
 public:
  /// Owns nothing.
  Lock() noexcept = default;
  Lock(Lock&& other) noexcept;
  /// Releases what it owned first.
  Lock& operator=(Lock&& other) noexcept;
  /// As unlock(), and the result is forgotten. Never throws.
  ~Lock();

  /// Whether it owns a lock on a connection that has not ended: false from the moment in which a loss is noticed. As
  /// this may be seconds after it happened (Options::peer_timeout), writes that must not come late need the token.
  bool owns_lock() const noexcept;
  explicit operator bool() const noexcept { return owns_lock(); }

  /// What it owned last; of a default-made or moved-from Lock exclusive, "" and 0.
  Mode mode() const noexcept { return mode_; }
  const std::string& key() const noexcept { return key_; }
  /// The fencing token of the grant (T1): larger than that of every earlier grant of this key and mode.
  std::uint64_t token() const noexcept { return token_; }

  /// Gives the lock back, waiting for the server to say so; the Lock owns nothing then, whatever the result. not_held
  /// where it owned nothing, or where the lock was released otherwise (Client::release, Client::release_all). If
  /// another thread waits on the same Client, this takes its turn behind that wait.
  Result<void> unlock();

  /// Owns nothing from now on, and the lock stays with the Client until Client::release() or its end: what
  /// std::unique_lock calls release(), a word that means the opposite to a lock server.
  void disown() noexcept;

 private:
  friend class Client;

  Lock(std::weak_ptr<Connection> connection, Mode mode, std::string key, std::uint64_t token) noexcept;

  std::weak_ptr<Connection> connection_;  // empty: owns nothing
  Mode mode_ = Mode::exclusive;
  std::string key_;
  std::uint64_t token_ = 0;
};

}  // namespace lockd

#endif  // LOCKD_CLIENT_INCLUDE_LOCKD_LOCK_H_
