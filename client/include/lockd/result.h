// Outcomes as values: what a call of the client library returns.
#ifndef LOCKD_CLIENT_INCLUDE_LOCKD_RESULT_H_
#define LOCKD_CLIENT_INCLUDE_LOCKD_RESULT_H_

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>

namespace lockd {

/// Why a call did not do what was asked. The text of an Error says more, this is for programs. (Ids in brackets are
/// clauses of the protocol, lockd-protocol(7).)
enum class Cause : std::uint8_t {
  // A plain no. The connection and its locks are as they were.
  unavailable,       // somebody else holds the lock, or as many as the limit allows (X1, C1)
  timed_out,         // the wait is over (W1, C2)
  canceled,          // the wait was canceled, by cancel() or a stop token (W9)
  deadlock,          // waiting would close a circle of clients that wait for one another (W6)
  already_guarded,   // a Lock of this very client holds it already
  not_held,          // this client does not hold what it would release, or see the token of (X2, T2)
  too_many_locks,    // the server's --max-locks (S5)
  too_many_waiters,  // the server's --max-waiters (W7)
  out_of_tokens,     // (T1)
  disabled,          // by the server's --no-dump or --no-registry (L4)
  bad_argument,      // a key, a name or a number that cannot be sent as it is: nothing was sent
  refused,           // anything else that the server said no to (F6, F8, F9)
  // No connection.
  unreachable,           // nobody answers there, within the time for it
  too_many_connections,  // the server's --max-connections (S4)
  connection_lost,       // it has ended, and its locks are gone; or there was none, after close() or a move
  protocol_error,        // what answers there does not speak the protocol; the connection was ended
  reply_too_long,        // an answer of more than Options::reply_bytes_max; the connection was ended
};

/// A cause, and one line of text in English, without a line end, that says what is wrong.
struct Error {
  Cause cause = Cause::connection_lost;
  std::string text;
};

/// What Result::value() throws where there is an error instead.
class ResultError : public std::runtime_error {
 public:
  explicit ResultError(const Error& error) : std::runtime_error(error.text), cause_(error.cause) {}
  Cause cause() const noexcept { return cause_; }

 private:
  Cause cause_;
};

/// Either a value or an Error. The functions of this library return it and throw nothing but std::bad_alloc.
/// In a condition it says whether there is a value, not what that is: a Result<bool> of false is true there.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : content_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : content_(std::in_place_index<1>, std::move(error)) {}

  bool has_value() const noexcept { return content_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  /// The value. Throws ResultError where there is none, as do * and ->.
  T& value() & { return check(), *std::get_if<0>(&content_); }
  const T& value() const& { return check(), *std::get_if<0>(&content_); }
  T value() && { return check(), std::move(*std::get_if<0>(&content_)); }  // no reference into what is about to go
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  /// The error. Precondition: there is one.
  const Error& error() const { return std::get<1>(content_); }
  /// Whether there is an error, and for this cause.
  bool failed_by(Cause cause) const noexcept { return !has_value() && std::get_if<1>(&content_)->cause == cause; }

 private:
  void check() const {
    if (!has_value()) throw ResultError(error());
  }

  std::variant<T, Error> content_;
};

/// The result of what returns nothing.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}

  bool has_value() const noexcept { return !error_; }
  explicit operator bool() const noexcept { return has_value(); }
  void value() const {
    if (error_) throw ResultError(*error_);
  }

  const Error& error() const { return error_.value(); }
  bool failed_by(Cause cause) const noexcept { return error_ && error_->cause == cause; }

 private:
  std::optional<Error> error_;
};

}  // namespace lockd

#endif  // LOCKD_CLIENT_INCLUDE_LOCKD_RESULT_H_
