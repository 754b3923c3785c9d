#include "engine/test_heap.h"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>

namespace lockd {

std::atomic<std::int64_t> heap_bytes_in_use = 0;
std::atomic<std::int64_t> heap_bytes_in_use_peak = 0;
thread_local std::int64_t allocation_count = 0;
thread_local std::int64_t allocations_until_one_fails = never_fails;
thread_local std::int64_t allocations_until_all_fail = never_fails;

}  // namespace lockd

// Each block begins with its size, since operator delete is not always told it.
void* operator new(std::size_t byte_count) {
  ++lockd::allocation_count;
  const bool fails = --lockd::allocations_until_one_fails == 0 || --lockd::allocations_until_all_fail <= 0;
  auto* const block =
      fails ? nullptr : static_cast<std::max_align_t*>(std::malloc(sizeof(std::max_align_t) + byte_count));
  if (block == nullptr) throw std::bad_alloc();
  std::memcpy(block, &byte_count, sizeof byte_count);
  lockd::heap_bytes_in_use += static_cast<std::int64_t>(byte_count);
  lockd::heap_bytes_in_use_peak = std::max(lockd::heap_bytes_in_use_peak.load(), lockd::heap_bytes_in_use.load());
  return block + 1;
}

void operator delete(void* memory) noexcept {
  if (memory == nullptr) return;
  auto* const block = static_cast<std::max_align_t*>(memory) - 1;
  std::size_t byte_count = 0;
  std::memcpy(&byte_count, block, sizeof byte_count);
  lockd::heap_bytes_in_use -= static_cast<std::int64_t>(byte_count);
  std::free(block);
}

void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }
void* operator new[](std::size_t byte_count) { return operator new(byte_count); }
void operator delete[](void* memory) noexcept { operator delete(memory); }
void operator delete[](void* memory, std::size_t) noexcept { operator delete(memory); }
