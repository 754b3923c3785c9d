// Where fencing tokens come from (T1).
#ifndef LOCKD_ENGINE_TOKEN_SOURCE_H_
#define LOCKD_ENGINE_TOKEN_SOURCE_H_

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <optional>

#include "engine/check.h"

namespace lockd::engine {

/// One more than the largest token.
inline constexpr std::uint64_t token_limit = std::uint64_t{1} << 53;

/// Tokens from `next` up to `end`, that not included, for one user to give out. No token at first.
struct TokenRange {
  std::uint64_t next = 0;
  std::uint64_t end = 0;

  std::uint64_t left() const { return end - next; }

  std::uint64_t take() {
    LOCKD_CHECK(next < end, "a token is taken from those that are left");
    return next++;
  }

  friend bool operator==(const TokenRange&, const TokenRange&) = default;
};

/// Gives out ranges of tokens, each larger than all before it and no token twice, up to an end that may be raised.
///
/// draw() and next() may be called from any thread at any time, raise_end() from one at a time. None of them blocks.
///
/// Memory order: one draw serves thousands of grants, so everything is sequentially consistent and nothing depends on
/// less. What is needed of it: `next_` alone makes ranges differ, as each exchange continues from the value before it
/// in its one order of changes; who drew before, by program order or under a mutex, has the smaller tokens for the same
/// reason; and who reads a `next_` beyond an old end reads the raised end after it, so that no draw fails in vain. That
/// the tokens below a raised end were made safe on disk happened before the call of raise_end().
///
/// On a cache line of its own: a draw is not to slow down who reads what lies beside it.
class alignas(64) TokenSource {
 public:
  /// The first token is `first`, the last one end - 1.
  TokenSource(std::uint64_t first, std::uint64_t end) : next_(first), end_(end) {
    LOCKD_CHECK(first >= 1 && first <= end && end <= token_limit, "tokens are from 1 to 2^53 - 1");
  }
  TokenSource(const TokenSource& other) : next_(other.next_.load()), end_(other.end_.load()) {}
  TokenSource& operator=(const TokenSource&) = delete;
  ~TokenSource() = default;

  /// `wanted` tokens, or as many as are left if these are `needed` at least (1 to `wanted`). Otherwise nothing, and
  /// none is lost.
  std::optional<TokenRange> draw(std::uint64_t wanted, std::uint64_t needed = 1) noexcept {
    return extend({}, wanted, needed);
  }

  /// The same for somebody who holds a range of fewer than `needed` tokens: that one made longer, where nobody has
  /// drawn since, or else another one in its place. Nothing where neither would have `needed`.
  std::optional<TokenRange> extend(const TokenRange& held, std::uint64_t wanted, std::uint64_t needed) noexcept {
    LOCKD_CHECK(needed > held.left() && needed <= wanted, "at least one token is drawn");
    std::uint64_t first = next_.load();
    while (true) {
      const bool is_next = first == held.end;
      const std::uint64_t left = end_.load() - first;  // read after `first`: the end was never below that
      if (left < needed - (is_next ? held.left() : 0)) return std::nullopt;
      const std::uint64_t end = first + std::min(left, wanted);
      if (next_.compare_exchange_weak(first, end)) return TokenRange{is_next ? held.next : first, end};
    }
  }

  /// From now on the last token is end - 1. Not lower than before.
  void raise_end(std::uint64_t end) {
    LOCKD_CHECK(end >= end_.load() && end <= token_limit, "the end of the tokens is only raised, up to 2^53");
    end_.store(end);
  }

  /// The first token that has not been drawn: how far it is.
  std::uint64_t next() const { return next_.load(); }
  std::uint64_t end() const { return end_.load(); }

 private:
  std::atomic<std::uint64_t> next_;
  std::atomic<std::uint64_t> end_;
};

}  // namespace lockd::engine

#endif  // LOCKD_ENGINE_TOKEN_SOURCE_H_
