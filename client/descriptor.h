// A file descriptor that is closed when its owner goes.
#ifndef LOCKD_CLIENT_DESCRIPTOR_H_
#define LOCKD_CLIENT_DESCRIPTOR_H_

#include <unistd.h>

#include <utility>

namespace lockd {

/// Owns one descriptor, or none (-1). Not for two threads at once.
class Descriptor {
 public:
  Descriptor() noexcept = default;
  explicit Descriptor(int number) noexcept : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() { close(); }

  [[nodiscard]] int get() const noexcept { return number_; }
  explicit operator bool() const noexcept { return number_ >= 0; }

  /// Closes it now; there is none then.
  void close() noexcept {
    if (number_ >= 0) ::close(std::exchange(number_, -1));
  }

 private:
  int number_ = -1;
};

}  // namespace lockd

#endif  // LOCKD_CLIENT_DESCRIPTOR_H_
