// operator new of the session fuzzer. What the reference server allocates lies in a heap of its own, in which nothing
// is looked for and nothing freed before all of it is: the reference is not what is tested, and most allocations are
// its. (The asan tree, which replays the same corpora, has the sanitizer's heap for both.)
#include <array>
#include <cstddef>
#include <cstdlib>
#include <new>

#include "proptests/reference_runs.h"

namespace {

// More than any input needs; what does not fit goes to the sanitizer's heap.
constexpr std::size_t heap_bytes = 1024 * 1024;

alignas(std::max_align_t) std::array<std::byte, heap_bytes> heap;
std::size_t used = 0;    // bytes from the beginning
std::size_t blocks = 0;  // that were not given back

bool is_ours(const void* block) { return block >= heap.data() && block < heap.data() + heap.size(); }

// Or nothing.
void* allocate(std::size_t byte_count) noexcept {
  const std::size_t rounded =
      (byte_count + alignof(std::max_align_t) - 1) / alignof(std::max_align_t) * alignof(std::max_align_t);
  if (lockd::proptests::ReferenceRuns::now() && rounded <= heap.size() - used) {
    void* const block = heap.data() + used;
    used += rounded;
    ++blocks;
    return block;
  }
  return std::malloc(byte_count == 0 ? 1 : byte_count);
}

void give_back(void* block) noexcept {
  if (!is_ours(block)) return std::free(block);
  if (--blocks == 0) used = 0;
}

}  // namespace

void* operator new(std::size_t byte_count) {
  void* const block = allocate(byte_count);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}
void* operator new(std::size_t byte_count, const std::nothrow_t&) noexcept { return allocate(byte_count); }
void* operator new[](std::size_t byte_count) { return operator new(byte_count); }
void operator delete(void* block) noexcept { give_back(block); }
void operator delete(void* block, const std::nothrow_t&) noexcept { give_back(block); }
void operator delete(void* block, std::size_t) noexcept { give_back(block); }
void operator delete[](void* block) noexcept { give_back(block); }
void operator delete[](void* block, std::size_t) noexcept { give_back(block); }
