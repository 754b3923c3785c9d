#include "engine/test_heap.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
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

namespace {

// Lies ahead of each block: where malloc's begins, and how much was asked for, since operator delete is not always
// told.
struct Header {
  void* start;
  std::size_t byte_count;
};
static_assert(sizeof(Header) <= alignof(std::max_align_t));

void* allocate(std::size_t byte_count, std::size_t alignment) {
  ++lockd::allocation_count;
  const bool fails = --lockd::allocations_until_one_fails == 0 || --lockd::allocations_until_all_fail <= 0;
  void* const start = fails ? nullptr : std::malloc(2 * alignment + byte_count);
  if (start == nullptr) throw std::bad_alloc();
  const auto address = reinterpret_cast<std::uintptr_t>(start);
  const std::size_t skipped = 2 * alignment - address % alignment;  // the header has room, and the block is aligned
  char* const block = static_cast<char*>(start) + skipped;
  const Header header{start, byte_count};
  std::memcpy(block - sizeof header, &header, sizeof header);
  lockd::heap_bytes_in_use += static_cast<std::int64_t>(byte_count);
  lockd::heap_bytes_in_use_peak = std::max(lockd::heap_bytes_in_use_peak.load(), lockd::heap_bytes_in_use.load());
  return block;
}

void give_back(void* memory) noexcept {
  if (memory == nullptr) return;
  Header header{};
  std::memcpy(&header, static_cast<char*>(memory) - sizeof header, sizeof header);
  lockd::heap_bytes_in_use -= static_cast<std::int64_t>(header.byte_count);
  std::free(header.start);
}

}  // namespace

void* operator new(std::size_t byte_count) { return allocate(byte_count, alignof(std::max_align_t)); }
void* operator new(std::size_t byte_count, std::align_val_t alignment) {
  return allocate(byte_count, std::max(static_cast<std::size_t>(alignment), alignof(std::max_align_t)));
}
void operator delete(void* memory) noexcept { give_back(memory); }
void operator delete(void* memory, std::size_t) noexcept { give_back(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { give_back(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { give_back(memory); }
void* operator new[](std::size_t byte_count) { return operator new(byte_count); }
void operator delete[](void* memory) noexcept { give_back(memory); }
void operator delete[](void* memory, std::size_t) noexcept { give_back(memory); }
