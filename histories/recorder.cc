#include "histories/recorder.h"

#include <sys/mman.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <new>
#include <stdexcept>
#include <system_error>

namespace lockd::histories {

// Followed by the operations.
struct alignas(Operation) Recorder::Shared {
  std::atomic<std::size_t> count;

  Operation* operations() { return reinterpret_cast<Operation*>(this + 1); }
};

Recorder::Recorder(std::size_t capacity) : bytes_(sizeof(Shared) + capacity * sizeof(Operation)), capacity_(capacity) {
  void* const memory = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
  shared_ = new (memory) Shared{};
}

Recorder::~Recorder() { munmap(shared_, bytes_); }

bool Recorder::is_full() const { return shared_->count == capacity_; }

Operation& Recorder::begin(const Operation& operation) {
  if (is_full()) throw std::runtime_error("no room for more operations");
  Operation& place = *new (shared_->operations() + shared_->count) Operation(operation);
  shared_->count.fetch_add(1, std::memory_order_release);
  return place;
}

void Recorder::answer(Operation& operation, const Answer& answer, Moment now) {
  operation.outcome = answer.outcome;
  operation.number = answer.number;
  std::atomic_ref(operation.answered).store(now, std::memory_order_release);
}

std::span<const Operation> Recorder::operations() const { return {shared_->operations(), shared_->count}; }

Moment now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace lockd::histories
