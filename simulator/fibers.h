// Virtual threads: functions that are left in the middle and gone on with, all in one thread.
#ifndef LOCKD_SIMULATOR_FIBERS_H_
#define LOCKD_SIMULATOR_FIBERS_H_

#include <ucontext.h>

#include <array>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <vector>

namespace lockd::simulator {

/// Fibers are numbered from 0 in the order of their beginning. Does not move. A fiber that has not returned when this
/// goes is left where it is: what its stack owns is lost.
class Fibers {
 public:
  static constexpr std::size_t none = static_cast<std::size_t>(-1);

  Fibers() = default;
  Fibers(const Fibers&) = delete;
  Fibers& operator=(const Fibers&) = delete;
  ~Fibers() = default;

  /// A new one, which begins with its first resume().
  void spawn(std::function<void()> body);

  /// Lets one that has not returned go on until it yields or returns. Throws what it threw. Not from within a fiber.
  void resume(std::size_t fiber);

  /// From within a fiber, and not from a catch block: back to whoever resumed it.
  void yield();

  /// Which one runs; `none` outside of all.
  std::size_t running() const { return running_; }

 private:
  using Stack = std::array<std::byte, std::size_t{256} * 1024>;

  struct Fiber {
    std::function<void()> body;
    std::unique_ptr<Stack> stack;
    ucontext_t context{};
    std::exception_ptr thrown;
  };

  static void begin();

  std::vector<std::unique_ptr<Fiber>> fibers_;
  std::size_t running_ = none;
  ucontext_t outside_{};
};

}  // namespace lockd::simulator

#endif  // LOCKD_SIMULATOR_FIBERS_H_
