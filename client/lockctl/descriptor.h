// A file descriptor that is closed when its owner goes.
#ifndef LOCKD_CLIENT_LOCKCTL_DESCRIPTOR_H_
#define LOCKD_CLIENT_LOCKCTL_DESCRIPTOR_H_

#include <unistd.h>

#include <utility>

namespace lockd::lockctl {

/// Owns one descriptor, or none (-1).
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

  [[nodiscard]] int number() const noexcept { return number_; }

  void close() noexcept {
    if (number_ >= 0) ::close(std::exchange(number_, -1));
  }

 private:
  int number_ = -1;
};

/// The two ends of a pipe, both closed by exec.
struct Pipe {
  Pipe();  // throws std::system_error
  Descriptor read_end;
  Descriptor write_end;
};

}  // namespace lockd::lockctl

#endif  // LOCKD_CLIENT_LOCKCTL_DESCRIPTOR_H_
