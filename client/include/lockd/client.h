// The client library of lockd: one connection to a lock server, which owns the locks taken on it.
#ifndef LOCKD_CLIENT_INCLUDE_LOCKD_CLIENT_H_
#define LOCKD_CLIENT_INCLUDE_LOCKD_CLIENT_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "lockd/lock.h"
#include "lockd/result.h"

namespace lockd {

/// How to connect, and how long to be patient. Whole milliseconds.
struct Options {
  /// For all of connect(): resolving the name, trying each of its addresses, and a first `ping`.
  std::chrono::milliseconds connect_timeout{5000};
  /// TCP: the connection is regarded as lost at most this long after the network, or the server's host, has vanished.
  /// At least 2 s. It must be less than half of the server's --peer-timeout (30 s by default), so that a holder knows
  /// that its lock is gone before the server gives it to another.
  std::chrono::milliseconds peer_timeout{10000};
  /// A call is answered, or some part of its answer comes, within this time (a wait: within the time that it may last,
  /// and this), or the connection is regarded as lost. A server that is stopped, or swapped out, still has a kernel
  /// that keeps the connection up: without this, calls would hang as long as it does. 0: they may.
  std::chrono::milliseconds reply_timeout{10000};
  /// The longest request line. The server's --max-line-bytes.
  std::size_t line_bytes_max = 8192;
  /// The most memory that an answer may take. A longer one, a listing of millions, ends the connection.
  std::size_t reply_bytes_max = std::size_t{256} << 20;
  /// The connection's name (R2), none if empty.
  std::string name = {};
};

/// For how long the server's host may be silent before the connection counts as lost: nine tenths of peer_timeout, so
/// that there is time left to act on it.
constexpr std::chrono::milliseconds silence_max(std::chrono::milliseconds peer_timeout) {
  return peer_timeout * 9 / 10;
}

/// The longest wait: 24 days.
inline constexpr std::chrono::milliseconds longest_wait{2147483647};

/// A line of list() (E2).
struct ListedLock {
  Mode mode = Mode::exclusive;
  bool waiting = false;              // in line; else it holds
  std::chrono::milliseconds age{0};  // for how long
  std::uint64_t token = 0;           // 0 while waiting
  std::string holder;                // name or address
  std::string key;
};

/// A line of holders() and shared_holders() (L1).
struct KeyHolder {
  std::string key;
  std::string holder;  // name or address
};

/// A connection as the server sees it (R1, R3).
struct Identity {
  std::string address;
  std::string name = {};
};

/// One connection. THE CONNECTION IS THE OWNER: locks taken on it belong to all who use it, last until they are
/// released or it ends, and are gone then. There is no reconnecting in here: who lost his locks has to know it.
///
/// Loss. A thread of the library's own watches the connection, also while no call is made. When it ends (the server
/// closes or resets it, the network vanishes, a reply stays out, the peer talks nonsense), first owns_lock() of all its
/// Locks turns false, then lost() is stopped and the functions of on_loss() are called; all calls from then on fail
/// with connection_lost.
///
/// Threads. All functions may be called by several threads at once; moving, assigning and destroying a Client may not
/// be done while others use it. The protocol answers in order, so there is one call at a time on the connection and
/// others take turns, in no stated order: one that waits in line keeps the others waiting. Threads that wait should
/// have a Client each; threads that contend for the same lock must, being one owner otherwise. cancel() alone does not
/// take a turn: it ends the wait of another thread.
///
/// Processes. The socket is not inherited by exec. A child of fork() must not use the Client: each call fails there,
/// and destroying it neither tells the server nor releases anything. As long as the child lives without exec it holds
/// the connection open, and so the locks of a parent that died.
///
/// Keys are bytes (F3): any but LF, at most as many as fit into a line. The server folds runs of blanks (space, tab,
/// CR, VT, FF) into one space and drops them at both ends; a key that would not come out of this as it went in is
/// refused with bad_argument before anything is sent. So are names and prefixes. NUL is a byte like others, and the
/// empty key a key.
///
/// Signals: SIGPIPE is never raised, and the library's thread has all signals blocked.
///
/// Memory: where there is none left in the middle of a call, the connection ends, and std::bad_alloc is thrown: of what
/// was asked for nobody could tell what became.
class Client {
 public:
  /// Connects to `tcp://HOST:PORT` (HOST a name, an IPv4 address, or an IPv6 address in brackets; all addresses of a
  /// name are tried in turn) or `unix:///PATH`. Errors: bad_argument (the URI, an option), unreachable,
  /// too_many_connections, protocol_error (what answers there is no lockd).
  static Result<Client> connect(std::string_view uri, const Options& options = {});

  Client(Client&& other) noexcept;
  Client& operator=(Client&& other) noexcept;
  /// close().
  ~Client();

  /// Ends the connection, and with it all of its locks; calls in progress fail. Functions of on_loss() are not called
  /// for it, lost() is stopped. When it returns none of them runs any more, unless it is one of them that called it.
  void close() noexcept;

  /// Whether the connection stands, as far as is known.
  bool is_connected() const noexcept;
  /// Why it does not; nothing while it does.
  std::optional<Error> loss() const;
  /// Stopped once when the connection has ended, whoever ended it. Outlives the Client.
  std::stop_token lost() const noexcept;
  /// `fn` is called once when the connection ends otherwise than by close(), quit() or the destructor, with the reason:
  /// by the library's thread, or, if it has ended already, by this call. It must not throw, and should be quick:
  /// others are called after it. It may use and even destroy the Client.
  void on_loss(std::function<void(const Error&)> fn);

  // ---- guards: see Lock. Without a limit on waiting they wait for longest_wait. ----
  //
  // The guard is inside of the Result, and lasts as long: `const auto lock = client.try_lock(key); if (lock) ...`, or
  // `Lock lock = client.lock(key).value();`, which throws where there is none. `if (client.try_lock(key)) ...` has
  // given it back before what follows begins.

  /// Takes the lock at once or not at all: unavailable. All of these also fail with already_guarded, too_many_locks,
  /// out_of_tokens; those that wait also with timed_out, deadlock (exclusive only), too_many_waiters, and canceled:
  /// when `stop` is requested first, or by cancel(). A lock that was granted before the cancellation arrived at the
  /// server is granted.
  Result<Lock> try_lock(std::string_view key);
  Result<Lock> lock(std::string_view key, const std::stop_token& stop = {});
  Result<Lock> lock_for(std::string_view key, std::chrono::milliseconds wait, const std::stop_token& stop = {});
  /// The same for a shared lock that at most `limit` (1 to 2147483647) may hold (C1, C2). All have to name the same.
  Result<Lock> try_lock_shared(std::string_view key, std::uint32_t limit);
  Result<Lock> lock_shared(std::string_view key, std::uint32_t limit, const std::stop_token& stop = {});
  Result<Lock> lock_shared_for(std::string_view key, std::uint32_t limit, std::chrono::milliseconds wait,
                               const std::stop_token& stop = {});

  // ---- exclusive locks, verb by verb. What this connection holds already it gets again, and that is not counted. ----

  /// `g`: at once or not at all. unavailable (X1).
  Result<void> get(std::string_view key);
  /// `gw`: waits in line, 0 to 2147483647 ms. timed_out, canceled, deadlock (W1).
  Result<void> get_wait(std::string_view key, std::chrono::milliseconds wait, const std::stop_token& stop = {});
  /// `r`: not_held (X2).
  Result<void> release(std::string_view key);
  /// `i`: whether anybody holds it (X3). That is *result: the Result itself is true wherever there is an answer.
  Result<bool> is_locked(std::string_view key);
  /// `iw`: how many wait for it (W8).
  Result<std::uint64_t> waiters(std::string_view key);
  /// `t`: the token of the lock that this connection holds. not_held (T2).
  Result<std::uint64_t> token(std::string_view key);

  // ---- shared locks. Those that return a number: how many hold it, this connection included. ----

  /// `sg`: heeds neither line nor limit (H1, C3).
  Result<std::uint64_t> get_shared(std::string_view key);
  /// `sgl`: unavailable where `limit` (1 to 2147483647) hold it already, or somebody waits (C1).
  Result<std::uint64_t> get_shared_limited(std::string_view key, std::uint32_t limit);
  /// `sgw`: the same, waiting in line. timed_out, canceled (C2).
  Result<std::uint64_t> get_shared_wait(std::string_view key, std::uint32_t limit, std::chrono::milliseconds wait,
                                        const std::stop_token& stop = {});
  /// `sr`: not_held (H2).
  Result<void> release_shared(std::string_view key);
  /// `si`: how many hold it, 0 or more (H3).
  Result<std::uint64_t> shared_holder_count(std::string_view key);
  /// `siw`: how many wait for it (W8).
  Result<std::uint64_t> shared_waiters(std::string_view key);
  /// `st`: not_held (T2).
  Result<std::uint64_t> shared_token(std::string_view key);

  // ---- both ----

  /// `ra`: releases all, those under Locks too. Returns how many there were (E1).
  Result<std::uint64_t> release_all();
  /// `cancel`: ends the wait that another thread is in, if one is; false: there was none, or it has ended first (W9).
  Result<bool> cancel();

  // ---- looking. disabled where the server has them off. ----

  /// `list`: all holders and waiters of keys that begin with `prefix` (E2).
  Result<std::vector<ListedLock>> list(std::string_view prefix = {});
  /// `d`: holders of exclusive locks, of one key if it is not empty. The line cannot tell where a key that contains
  /// ": " ends if the holder's name contains it too: list() can (L1).
  Result<std::vector<KeyHolder>> holders(std::string_view key = {});
  /// `sd`: the same for shared locks.
  Result<std::vector<KeyHolder>> shared_holders(std::string_view key = {});
  /// `dump`: a JSON object, key to address or, for shared locks, to an array of addresses (L2).
  Result<std::string> dump(Mode mode = Mode::exclusive);
  /// `q`: the classic counters (L3).
  Result<std::map<std::string, std::uint64_t>> counters();
  /// `stats`: all counters (E3).
  Result<std::map<std::string, std::uint64_t>> stats();

  // ---- names ----

  /// `me`: this connection (R1). Its name is its address until set.
  Result<Identity> me();
  /// `iam`: names this connection; not "" (R2).
  Result<void> set_name(std::string_view name);
  Result<void> clear_name();
  /// `who`: the connections that have a name, or this one (R3).
  Result<std::vector<Identity>> who(std::string_view name = {});

  // ---- the rest ----

  /// `ping`: that the server is there, and answers.
  Result<void> ping();
  /// `version`: the server's, as X.Y.Z.
  Result<std::string> version();
  /// `help`: a line for each verb.
  Result<std::vector<std::string>> help();
  /// `quit`, then close().
  Result<void> quit();

 private:
  explicit Client(std::shared_ptr<Connection> connection) noexcept;

  Result<Lock> guard(Mode mode, const std::string& words, std::string_view key, std::chrono::milliseconds wait,
                     const std::stop_token& stop);

  std::shared_ptr<Connection> connection_;  // none: moved from
};

}  // namespace lockd

#endif  // LOCKD_CLIENT_INCLUDE_LOCKD_CLIENT_H_
