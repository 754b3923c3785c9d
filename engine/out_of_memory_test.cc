// What the engine does when memory is out, at each single allocation, and that it keeps none when nothing is held. This
// file replaces operator new for the whole program; the replacement is quiet unless it is armed.
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "engine/index_table.h"
#include "engine/lock_table.h"
#include "engine/slab.h"
#include "gtest/gtest.h"

// ThreadSanitizer has an operator new of its own that can't be replaced, and there is but one thread in these tests.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define LOCKD_OPERATOR_NEW_IS_TAKEN
#endif
#endif

#ifndef LOCKD_OPERATOR_NEW_IS_TAKEN

namespace {

constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

// Of this thread alone, so that no other's allocation is hit. Both count down with each allocation: below 1 they fail.
thread_local std::int64_t allocations_until_one_fails = never;
thread_local std::int64_t allocations_until_all_fail = never;
thread_local std::int64_t allocation_count = 0;
std::atomic<std::size_t> live_bytes = 0;

}  // namespace

// Each block begins with its size, since operator delete is not always told it.
void* operator new(std::size_t byte_count) {
  ++allocation_count;
  const bool fails = --allocations_until_one_fails == 0 || --allocations_until_all_fail <= 0;
  auto* const block =
      fails ? nullptr : static_cast<std::max_align_t*>(std::malloc(sizeof(std::max_align_t) + byte_count));
  if (block == nullptr) throw std::bad_alloc();
  std::memcpy(block, &byte_count, sizeof byte_count);
  live_bytes += byte_count;
  return block + 1;
}

void operator delete(void* memory) noexcept {
  if (memory == nullptr) return;
  auto* const block = static_cast<std::max_align_t*>(memory) - 1;
  std::size_t byte_count = 0;
  std::memcpy(&byte_count, block, sizeof byte_count);
  live_bytes -= byte_count;
  std::free(block);
}

void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }
void* operator new[](std::size_t byte_count) { return operator new(byte_count); }
void operator delete[](void* memory) noexcept { operator delete(memory); }
void operator delete[](void* memory, std::size_t) noexcept { operator delete(memory); }

namespace lockd::engine {
namespace {

constexpr auto exclusive = LockKind::exclusive;
constexpr auto shared = LockKind::shared;
constexpr std::size_t infinite = std::numeric_limits<std::size_t>::max();

// Runs `call` with its n-th allocation failing (from 1 on). Whether std::bad_alloc came out of it.
template <class Call>
bool runs_out_at(std::int64_t n, Call call) {
  allocations_until_one_fails = n;
  bool thrown = false;
  try {
    call();
  } catch (const std::bad_alloc&) {
    thrown = true;
  }
  allocations_until_one_fails = never;
  return thrown;
}

// Runs `call` with every allocation failing; it must need none.
template <class Call>
void run_without_memory(Call call) {
  allocations_until_all_fail = 1;
  call();
  allocations_until_all_fail = never;
}

template <class Call>
std::int64_t count_allocations(Call call) {
  const std::int64_t before = allocation_count;
  call();
  return allocation_count - before;
}

TEST(OutOfMemory, Slab_reserve_one_changes_nothing) {
  struct Record {
    std::array<std::byte, 1024> bytes;
  };
  Slab<Record> slab;
  std::int64_t points = 0;
  for (int i = 0; i < 2000; ++i) {
    for (std::int64_t n = 1; runs_out_at(n, [&] { slab.reserve_one(); }); ++n, ++points) {
      EXPECT_EQ(slab.size(), static_cast<std::uint32_t>(i));
      EXPECT_EQ(slab.chunk_count(), static_cast<std::size_t>((i + 63) / 64));
    }
    EXPECT_TRUE(slab.is_live(slab.allocate()));
  }
  EXPECT_GT(points, 32);  // more than one for each of the 32 chunks: the lists of chunks grow too
  run_without_memory([&] {
    for (std::uint32_t i = 0; i < 2000; ++i) slab.release(i);
  });
  EXPECT_EQ(slab.chunk_count(), 1U);
}

TEST(OutOfMemory, IndexTable_reserve_one_changes_nothing) {
  IndexTable table;
  const auto hash_of = [](std::uint32_t index) { return index / 3; };
  const auto finds = [&](std::uint32_t index) {
    return table.find(hash_of(index), [&](std::uint32_t other) { return other == index; }) == index;
  };
  std::int64_t points = 0;
  for (std::uint32_t i = 0; i < 1000; ++i) {
    const std::size_t capacity = table.capacity();
    for (std::int64_t n = 1; runs_out_at(n, [&] { table.reserve_one(hash_of); }); ++n, ++points) {
      EXPECT_EQ(table.size(), i);
      EXPECT_EQ(table.capacity(), capacity);
      for (std::uint32_t other = 0; other <= i; ++other) ASSERT_EQ(finds(other), other < i);
    }
    table.insert(hash_of(i), i);
  }
  EXPECT_EQ(points, 9);  // 8, 16, ... 2048 entries
}

TEST(OutOfMemory, IndexTable_erase_needs_no_memory_and_shrinks_when_there_is_some) {
  IndexTable table;
  const auto hash_of = [](std::uint32_t index) { return index; };
  for (std::uint32_t i = 0; i < 1000; ++i) {
    table.reserve_one(hash_of);
    table.insert(i, i);
  }
  run_without_memory([&] {
    for (std::uint32_t i = 0; i < 990; ++i) table.erase(i, i, hash_of);
  });
  EXPECT_EQ(table.capacity(), 2048U);
  for (std::uint32_t i = 990; i < 1000; ++i) {
    EXPECT_EQ(table.find(i, [i](std::uint32_t other) { return other == i; }), i);
  }
  for (std::uint32_t i = 990; i < 1000; ++i) table.erase(i, i, hash_of);
  EXPECT_LT(table.capacity(), 2048U);
}

constexpr HashSeed seed{1, 2};

HashedKey hashed(std::string_view key) { return {key, SipHash13::hash(seed, key)}; }

// What can be seen of a table: each held key of both kinds with its holders.
std::vector<std::string> look(const LockTable& table) {
  std::vector<std::string> seen;
  for (const LockKind kind : {exclusive, shared}) {
    table.visit(kind, 0, infinite, [&](std::string_view key, std::uint32_t holder_count, auto for_each_holder) {
      seen.push_back(std::string(key) + " " + std::to_string(holder_count));
      for_each_holder(
          [&](SessionId holder) { seen.back() += " " + std::to_string(static_cast<std::uint64_t>(holder)); });
    });
    seen.push_back(std::to_string(table.key_count(kind)) + " " + std::to_string(table.orphan_count(kind)));
  }
  return seen;
}

// One request of the series in which every structure of a table grows: keys of both kinds, short and long, new and
// held.
struct Request {
  LockKind kind;
  SessionId session;
  std::string key;
};

Request nth_request(std::uint64_t n) {
  const LockKind kind = n % 2 == 0 ? exclusive : shared;
  const std::string key =
      n % 7 == 0 ? "one for all" : "key" + std::string(n % 20 == 1 ? 40 : 0, '.') + std::to_string(n);
  return {kind, SessionId{1 + n / 3}, key};
}

// Each allocation that this get() makes is the one that fails, once, on a copy of the table. How many there are.
std::int64_t fail_each_allocation(const LockTable& table, const Request& request) {
  const HashedKey key = hashed(request.key);
  LockTable counted(table);
  const std::int64_t points = count_allocations([&] { counted.get(request.kind, request.session, key, true); });
  const auto seen = points > 0 ? look(table) : std::vector<std::string>{};
  for (std::int64_t n = 1; n <= points; ++n) {
    LockTable copy(table);
    EXPECT_TRUE(runs_out_at(n, [&] { copy.get(request.kind, request.session, key, true); }));
    EXPECT_EQ(copy.check_invariants(), std::nullopt);
    EXPECT_EQ(look(copy), seen) << "half-taken at allocation " << n;
    const Result result = copy.get(request.kind, request.session, key, true);  // memory is back
    EXPECT_EQ(copy.check_invariants(), std::nullopt);
    EXPECT_EQ(result.answer, counted.get(request.kind, request.session, key, true).answer);
  }
  return points;
}

TEST(OutOfMemory, X1_H1_no_lock_is_half_taken) {
  LockTable table(seed, 2);
  std::int64_t points = 0;
  std::int64_t long_keys = 0;
  for (std::uint64_t i = 0; i < 2500; ++i) {
    const Request request = nth_request(i);
    points += fail_each_allocation(table, request);
    if (::testing::Test::HasFailure()) return;
    table.get(request.kind, request.session, hashed(request.key), true);
    long_keys += request.key.size() > 24 ? 1 : 0;
  }
  EXPECT_GT(points, long_keys + 16 + 8);  // one for each long key; the first lock and each growth of a table besides
}

TEST(OutOfMemory, X1_the_very_first_lock_is_not_half_taken) {
  const LockTable table(seed, 1);
  // Three slabs (a chunk and three lists), three indices, and the bytes of a long key.
  EXPECT_EQ(fail_each_allocation(table, {exclusive, SessionId{1}, std::string(100, 'k')}), 3 * 4 + 3 + 1);
  EXPECT_EQ(fail_each_allocation(table, {shared, SessionId{1}, "short"}), 3 * 4 + 3);
}

TEST(OutOfMemory, X2_H2_S2_release_and_end_need_no_memory) {
  LockTable table(seed, 2);
  for (std::uint64_t i = 0; i < 4000; ++i) {
    const Request request = nth_request(i);
    table.get(request.kind, request.session, hashed(request.key), true);
  }
  run_without_memory([&] {
    for (std::uint64_t id = 1; id < 700; ++id) table.end_some(SessionId{id}, infinite);
  });
  EXPECT_EQ(table.check_invariants(), std::nullopt);
  for (std::uint64_t i = 0; i < 4000; ++i) {
    const Request request = nth_request(i);
    const HashedKey key = hashed(request.key);
    run_without_memory([&] { table.release(request.kind, request.session, key); });
  }
  EXPECT_EQ(table.check_invariants(), std::nullopt);
  EXPECT_EQ(table.key_count(exclusive) + table.key_count(shared), 0U);
}

TEST(OutOfMemory, S2_after_the_end_of_all_sessions_no_more_memory_is_held_than_after_a_few_locks) {
  LockTable table(seed, 2);
  const auto take_and_end = [&](std::uint64_t lock_count) {
    for (std::uint64_t i = 0; i < lock_count; ++i) {
      const Request request = nth_request(i);
      table.get(request.kind, request.session, hashed(request.key), true);
    }
    for (std::uint64_t id = 1; id <= 1 + lock_count / 3; ++id) table.end_some(SessionId{id}, infinite);
  };
  take_and_end(20);
  const std::size_t before = live_bytes;
  take_and_end(100000);
  EXPECT_EQ(table.check_invariants(), std::nullopt);
  EXPECT_LE(live_bytes, before + 4096);  // each slab's lists of chunks stay as long as they were: 16 bytes a chunk
}

}  // namespace
}  // namespace lockd::engine

#endif  // LOCKD_OPERATOR_NEW_IS_TAKEN
