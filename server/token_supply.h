// Keeps a table supplied with tokens that are reserved on disk.
#ifndef LOCKD_SERVER_TOKEN_SUPPLY_H_
#define LOCKD_SERVER_TOKEN_SUPPLY_H_

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "engine/token_source.h"
#include "server/token_store.h"

namespace lockd::server {

/// T1, the clock: microseconds since 1970.
std::uint64_t token_of_clock(std::chrono::system_clock::time_point now);

/// T1: tokens are reserved in blocks, the next one when half of the last is left: long before it is needed.
///
/// A server that is killed leaves up to a block and a half unused, which puts its successor that many microseconds
/// ahead of the clock: some minutes. Not thread-safe, but that the source is used by others meanwhile.
class TokenSupply {
 public:
  /// What one machine gives out in a minute or more, at any rate that it reaches.
  static constexpr std::uint64_t block = std::uint64_t{1} << 28;

  /// The first token of a server that starts now: the larger of the mark and the clock. Its block is on disk when this
  /// returns: up to store.mark(). Throws as TokenStore::set_mark does, and std::runtime_error where all are used up.
  static std::uint64_t reserve_first(TokenStore& store, std::chrono::system_clock::time_point now);

  /// Both must outlive it.
  TokenSupply(TokenStore& store, engine::TokenSource& source) : store_(store), source_(source) {}

  /// Reserves the next block if it is time to. Where that can't be done it logs why, and is to be called again; when
  /// the last token is used, grants are refused (`out_of_tokens`).
  void top_up();

  /// When no more are given out: lowers the mark to the first that was not.
  void give_back();

 private:
  TokenStore& store_;
  engine::TokenSource& source_;
  bool failing_ = false;  // and the log says so
};

/// A thread that calls top_up() every second, so that no grant waits for the disk, and give_back() at its end.
class TokenKeeper {
 public:
  TokenKeeper(TokenStore& store, engine::TokenSource& source);
  TokenKeeper(const TokenKeeper&) = delete;
  TokenKeeper& operator=(const TokenKeeper&) = delete;
  ~TokenKeeper();

 private:
  void run(const std::stop_token& stop);

  TokenSupply supply_;
  std::mutex mutex_;
  std::condition_variable_any stopped_;
  std::jthread thread_;  // last: it uses all of the above
};

/// T1: where a server's tokens begin and, until more are reserved, end. Those of a server that never came so far as to
/// have them supplied are given back: however often a start fails, tokens do not run ahead of the clock.
class Tokens {
 public:
  /// state_directory: where they are reserved; from the clock alone if empty. Throws std::runtime_error, naming the
  /// flag.
  explicit Tokens(const std::string& state_directory);
  Tokens(const Tokens&) = delete;
  Tokens& operator=(const Tokens&) = delete;
  ~Tokens();

  std::uint64_t first() const { return first_; }
  std::uint64_t end() const { return store_ ? store_->mark() : engine::token_limit; }

  /// Sees to it that there are always more, as long as the returned object lives. None if no more are needed. No token
  /// has been given out yet. Throws std::system_error where no thread can be had.
  std::unique_ptr<TokenKeeper> keep_supplied(engine::TokenSource& source);

 private:
  std::unique_ptr<TokenStore> store_;
  std::uint64_t first_ = 1;
  bool is_used_ = false;  // a keeper sees to them now
};

}  // namespace lockd::server

#endif  // LOCKD_SERVER_TOKEN_SUPPLY_H_
