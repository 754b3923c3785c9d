// A callback without an allocation.
#ifndef LOCKD_SERVER_READY_HANDLER_H_
#define LOCKD_SERVER_READY_HANDLER_H_

#include <array>
#include <boost/system/error_code.hpp>
#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace lockd::server {

/// What is to be called when a socket is ready, or nothing: std::function's like for small callables that may only be
/// moved and never lie on the heap. A value; not thread-safe.
class ReadyHandler {
 public:
  /// What a handler may keep: a std::shared_ptr and a pointer.
  static constexpr std::size_t bytes_max = 24;

  ReadyHandler() = default;

  /// handler: called with a boost::system::error_code.
  template <class Handler>
    requires(!std::is_same_v<Handler, ReadyHandler>)
  explicit ReadyHandler(Handler handler) : kind_(&kind<Handler>) {
    static_assert(sizeof(Handler) <= bytes_max && alignof(Handler) <= alignof(void*));
    static_assert(std::is_nothrow_move_constructible_v<Handler>);
    new (bytes_.data()) Handler(std::move(handler));
  }

  ReadyHandler(ReadyHandler&& other) noexcept { take(other); }
  ReadyHandler& operator=(ReadyHandler&& other) noexcept {
    if (this == &other) return *this;
    reset();
    take(other);
    return *this;
  }
  ~ReadyHandler() { reset(); }

  explicit operator bool() const { return kind_ != nullptr; }

  /// Only of one that is not empty.
  void operator()(const boost::system::error_code& error) { kind_->call(bytes_.data(), error); }

 private:
  /// What is to be known of a callable's type.
  struct Kind {
    void (*call)(std::byte* handler, const boost::system::error_code& error);
    void (*move)(std::byte* from, std::byte* to) noexcept;  // and destroys what was there
    void (*destroy)(std::byte* handler) noexcept;
  };

  template <class Handler>
  static Handler& as(std::byte* bytes) {
    return *std::launder(reinterpret_cast<Handler*>(bytes));
  }

  template <class Handler>
  static constexpr Kind kind = {
      [](std::byte* handler, const boost::system::error_code& error) { as<Handler>(handler)(error); },
      [](std::byte* from, std::byte* to) noexcept {
        new (to) Handler(std::move(as<Handler>(from)));
        std::destroy_at(&as<Handler>(from));
      },
      [](std::byte* handler) noexcept { std::destroy_at(&as<Handler>(handler)); }};

  void take(ReadyHandler& other) noexcept {
    kind_ = std::exchange(other.kind_, nullptr);
    if (kind_ != nullptr) kind_->move(other.bytes_.data(), bytes_.data());
  }

  void reset() noexcept {
    if (const Kind* const kept = std::exchange(kind_, nullptr)) kept->destroy(bytes_.data());
  }

  alignas(void*) std::array<std::byte, bytes_max> bytes_;
  const Kind* kind_ = nullptr;
};

}  // namespace lockd::server

#endif  // LOCKD_SERVER_READY_HANDLER_H_
