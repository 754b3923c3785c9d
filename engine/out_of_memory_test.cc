// What the engine does when memory is out, at each single allocation, and that it keeps none when nothing is held.
#include <array>
#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "engine/index_table.h"
#include "engine/line_lengths.h"
#include "engine/lock_table.h"
#include "engine/slab.h"
#include "engine/test_heap.h"
#include "engine/test_table.h"
#include "gtest/gtest.h"

namespace lockd::engine {
namespace {

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
  allocations_until_one_fails = never_fails;
  return thrown;
}

// Runs `call` with every allocation failing; it must need none.
template <class Call>
void run_without_memory(Call call) {
  allocations_until_all_fail = 1;
  call();
  allocations_until_all_fail = never_fails;
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

TEST(OutOfMemory, Slab_a_copy_releases_without_memory) {
  struct Record {
    std::array<std::byte, 1024> bytes;
  };
  Slab<Record> slab;
  for (int i = 0; i < 2048; ++i) {
    slab.reserve_one();
    slab.allocate();
  }
  Slab<Record> copy(slab);
  run_without_memory([&] {
    for (std::uint32_t i = 0; i < 2048; i += 64) copy.release(i);  // each chunk has room now
    for (std::uint32_t i = 0; i < 2048; ++i) {
      if (i % 64 != 0) copy.release(i);
    }
  });
  EXPECT_EQ(copy.chunk_count(), 1U);
}

TEST(OutOfMemory, a_key_of_23_bytes_lies_in_its_record) {
  StoredKey key;
  EXPECT_EQ(count_allocations([&] { key.assign(hashed("a key of 23 bytes......")); }), 0);
  EXPECT_EQ(key.view(), "a key of 23 bytes......");
  EXPECT_EQ(count_allocations([&] { key.assign(hashed("a key of 24 bytes.......")); }), 1);
  EXPECT_EQ(key.view(), "a key of 24 bytes.......");
  key.free();
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
  EXPECT_EQ(points, 6);  // 64, 128, ... 2048 entries
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

// What can be seen of a table: each key of both kinds with its holders and its line, and how many orphans there were.
std::vector<std::string> look(const LockTable& table) {
  std::vector<std::string> seen;
  table.visit_claims(0, infinite, [&](LockKind kind, std::string_view key, std::uint32_t, auto for_each_claim) {
    seen.push_back((kind == exclusive ? "x " : "s ") + std::string(key));
    for_each_claim([&](const Claim& claim) {
      seen.back() +=
          " " + std::to_string(static_cast<std::uint64_t>(claim.session)) + "@" + std::to_string(claim.token);
    });
  });
  for (const LockKind kind : {exclusive, shared}) seen.push_back(std::to_string(table.orphan_count(kind)));
  return seen;
}

// One request of the series in which every structure of a table grows: keys of both kinds, short and long, new, held
// and waited for.
struct Request {
  SessionId session;
  std::string key;
  Get form;

  Get get() const {
    Get get = form;
    get.key = key;
    return get;
  }
};

Request nth_request(std::uint64_t n) {
  const std::string key =
      n % 7 == 0 ? "one for all" : "key" + std::string(n % 20 == 1 ? 40 : 0, '.') + std::to_string(n);
  return {SessionId{1 + n / 3}, key, n % 2 == 0 ? g("") : sg("")};
}

// By a session of its own each, for one key, for an earlier key, or for another's of the series.
Request nth_wait(std::uint64_t n) {
  const std::string key = n % 3 == 0 ? "one for all" : nth_request(n).key;
  return {SessionId{1000000 + n}, key, n % 2 == 0 ? gw("") : sgw(1, "")};
}

// Each allocation that `call` makes is the one that fails, once, on a copy of the table. Either it is missed, and
// nothing has changed; or it would have served to give memory back, and nobody notices. How many are missed.
template <class Call>
std::int64_t fail_each_allocation(const TestTable& table, Call call) {
  TestTable counted(table);
  const std::int64_t points = count_allocations([&] { call(counted); });
  const auto seen_before = points > 0 ? look(table) : std::vector<std::string>{};
  const auto seen_after = points > 0 ? look(counted) : std::vector<std::string>{};
  std::int64_t missed = 0;
  for (std::int64_t n = 1; n <= points; ++n) {
    TestTable copy(table);
    if (runs_out_at(n, [&] { call(copy); })) {
      EXPECT_EQ(copy.check_invariants(), std::nullopt);
      EXPECT_EQ(look(copy), seen_before) << "half-done at allocation " << n;
      EXPECT_EQ(copy.woken, table.woken);
      call(copy);  // memory is back
      ++missed;
    }
    EXPECT_EQ(copy.check_invariants(), std::nullopt);
    EXPECT_EQ(look(copy), seen_after);
    EXPECT_EQ(copy.woken, counted.woken);
  }
  return missed;
}

std::int64_t fail_each_allocation_of(const TestTable& table, const Request& request) {
  return fail_each_allocation(table, [&](TestTable& copy) { copy.get(request.session, request.get()); });
}

TEST(OutOfMemory, X1_H1_no_lock_is_half_taken) {
  TestTable table({.part_count = 2});
  std::int64_t points = 0;
  std::int64_t long_keys = 0;
  for (std::uint64_t i = 0; i < 2500; ++i) {
    const Request request = nth_request(i);
    points += fail_each_allocation_of(table, request);
    if (::testing::Test::HasFailure()) return;
    table.get(request.session, request.get());
    long_keys += request.key.size() > StoredKey::inline_bytes_max ? 1 : 0;
  }
  EXPECT_GT(points, long_keys + 16 + 8);  // one for each long key; the first lock and each growth of a table besides
}

TEST(OutOfMemory, X1_the_very_first_lock_is_not_half_taken) {
  const TestTable table({.part_count = 1});
  // Two slabs (a chunk and three lists), three if it is shared, and the bytes of a long key.
  EXPECT_EQ(fail_each_allocation_of(table, {SessionId{1}, std::string(100, 'k'), g("")}), 2 * 4 + 1);
  EXPECT_EQ(fail_each_allocation_of(table, {SessionId{1}, "short", sg("")}), 3 * 4);
}

TEST(OutOfMemory, X1_a_lock_is_taken_again_and_again_without_memory_once_there_was_one) {
  TestTable table({.part_count = 1});
  table.get(SessionId{1}, g("k"));
  table.release(SessionId{1}, exclusive, "k");
  run_without_memory([&] {
    for (int i = 0; i < 100; ++i) {
      table.get(SessionId{1}, g("k"));
      table.release(SessionId{1}, exclusive, "k");
    }
  });
  EXPECT_EQ(table.held, 0U);
}

TEST(OutOfMemory, W1_C2_no_line_is_half_entered) {
  TestTable table({.part_count = 2});
  for (std::uint64_t i = 0; i < 2500; ++i) table.get(nth_request(i).session, nth_request(i).get());
  std::int64_t points = 0;
  for (std::uint64_t i = 0; i < 2500; ++i) {
    const Request request = nth_wait(i);
    points += fail_each_allocation_of(table, request);
    if (::testing::Test::HasFailure()) return;
    table.get(request.session, request.get());
  }
  EXPECT_GT(table.totals(exclusive).waiters, 1000U);
  EXPECT_GT(table.totals(shared).waiters, 500U);
  EXPECT_GT(points, 2 * 4 + 16);  // the slabs of lines and waits, each growth of the indices and of the line's length
}

TEST(OutOfMemory, W1_C2_the_very_first_wait_is_not_half_begun) {
  TestTable table({.part_count = 1});
  table.get(SessionId{1}, g("k"));
  table.get(SessionId{1}, sg("k"));
  // Two slabs, and the lengths of lines of that kind.
  EXPECT_EQ(fail_each_allocation_of(table, {SessionId{2}, "k", gw("")}), 2 * 4 + 1);
  EXPECT_EQ(fail_each_allocation_of(table, {SessionId{2}, "k", sgw(1, "")}), 2 * 4 + 1);
}

// Ten who wait for `k` until nobody holds it, then three each of whom bears the other two.
TestTable with_a_line() {
  TestTable table({.part_count = 2});
  table.get(SessionId{1}, sg("k"));
  table.get(SessionId{2}, sg("k"));
  for (std::uint64_t i = 0; i < 10; ++i) table.get(SessionId{10 + i}, sgw(1, "k"));
  for (std::uint64_t i = 0; i < 3; ++i) table.get(SessionId{20 + i}, sgw(3, "k"));
  return table;
}

TEST(OutOfMemory, W4_no_lock_is_half_handed_over) {
  TestTable table = with_a_line();
  const auto release = [&](std::uint64_t id) {
    const auto call = [id](TestTable& copy) { copy.release(SessionId{id}, shared, "k"); };
    const std::int64_t points = fail_each_allocation(table, call);
    call(table);
    return points;
  };
  EXPECT_EQ(release(1), 0);  // nobody is let through
  std::int64_t points = release(2);
  for (std::uint64_t i = 0; i < 10; ++i) points += release(10 + i);
  EXPECT_EQ(table.woken.size(), 13U);
  EXPECT_EQ(points, 11);  // room for the wake-ups, of which a copy has none to spare
}

TEST(OutOfMemory, W5_no_line_is_half_left) {
  TestTable table;
  table.get(SessionId{1}, sg("k"));
  const std::uint32_t head = table.get(SessionId{2}, sgw(1, "k")).claim;
  for (std::uint64_t i = 0; i < 3; ++i) table.get(SessionId{10 + i}, sgw(4, "k"));
  const auto leave = [&](TestTable& copy) { copy.leave_line(SessionId{2}, head); };
  EXPECT_EQ(fail_each_allocation(table, leave), 1);
  leave(table);
  EXPECT_EQ(table.woken.size(), 3U);
}

TEST(OutOfMemory, S2_E1_what_was_released_before_memory_was_out_is_counted) {
  TestTable table;
  for (int i = 0; i < 5; ++i) {
    const std::string key = "key" + std::to_string(i);
    table.get(SessionId{1}, g(key));
    table.get(SessionId{10 + static_cast<std::uint64_t>(i)}, gw(key));
  }
  for (std::int64_t n = 1; n <= 4; ++n) {  // room for 1, 2, 4 and 8 wake-ups
    TestTable copy(table);
    EXPECT_TRUE(runs_out_at(n, [&] { copy.release_some(SessionId{1}, infinite, Release::orphaned); }));
    EXPECT_EQ(copy.check_invariants(), std::nullopt);
    EXPECT_EQ(copy.woken.size(), copy.orphan_count(exclusive));
    EXPECT_EQ(copy.held, 5 - copy.orphan_count(exclusive));
  }
}

TEST(OutOfMemory, X2_H2_S2_release_and_end_need_no_memory_where_nobody_waits) {
  TestTable table({.part_count = 2});
  for (std::uint64_t i = 0; i < 4000; ++i) table.get(nth_request(i).session, nth_request(i).get());
  run_without_memory([&] {
    for (std::uint64_t id = 1; id < 700; ++id) table.end_some(SessionId{id}, infinite);
  });
  EXPECT_EQ(table.check_invariants(), std::nullopt);
  for (std::uint64_t i = 0; i < 4000; ++i) {
    const Request request = nth_request(i);
    run_without_memory([&] { table.release(request.session, request.get().kind, request.key); });
  }
  EXPECT_EQ(table.check_invariants(), std::nullopt);
  EXPECT_EQ(table.key_count(exclusive) + table.key_count(shared), 0U);
}

TEST(OutOfMemory, W5_who_leaves_from_behind_another_needs_no_memory_whoever_is_behind_him) {
  TestTable table({.part_count = 2});
  table.get(SessionId{1}, sg("k"));
  table.get(SessionId{2}, sgw(1, "k"));
  const std::uint32_t claim = table.get(SessionId{3}, sgw(1, "k")).claim;
  table.get(SessionId{4}, sgw(5, "k"));
  run_without_memory([&] { EXPECT_TRUE(table.leave_line(SessionId{3}, claim)); });
  EXPECT_TRUE(table.woken.empty());
  EXPECT_EQ(table.check_invariants(), std::nullopt);
}

TEST(OutOfMemory, W4_W5_with_room_for_the_wake_ups_lines_are_emptied_without_memory) {
  TestTable table({.part_count = 2});
  table.get(SessionId{1}, g("k"));
  std::vector<std::uint32_t> claims;
  for (std::uint64_t i = 0; i < 5000; ++i) claims.push_back(table.get(SessionId{10 + i}, gw("k")).claim);
  table.woken.reserve(5000);
  run_without_memory([&] {
    for (std::uint64_t i = 0; i < 5000; i += 2) table.leave_line(SessionId{10 + i}, claims[i]);
    table.end_some(SessionId{1}, 1);
    for (std::uint64_t i = 1; i < 5000; i += 2) table.end_some(SessionId{10 + i}, infinite);
  });
  EXPECT_EQ(table.woken.size(), 2500U);
  EXPECT_EQ(table.key_count(exclusive), 0U);
  EXPECT_EQ(table.check_invariants(), std::nullopt);
}

TEST(OutOfMemory, S2_after_the_end_of_all_sessions_no_more_memory_is_held_than_after_a_few_locks) {
  TestTable table({.part_count = 2});
  const auto take_and_end = [&](std::uint64_t lock_count) {
    for (std::uint64_t i = 0; i < lock_count; ++i) {
      table.get(nth_request(i).session, nth_request(i).get());
      table.get(nth_wait(i).session, nth_wait(i).get());
    }
    for (std::uint64_t id = 1; id <= 1 + lock_count / 3; ++id) table.end_some(SessionId{id}, infinite);
    for (std::uint64_t i = 0; i < lock_count; ++i) table.end_some(nth_wait(i).session, infinite);
    Wakeups().swap(table.woken);
  };
  take_and_end(20);
  const std::int64_t before = heap_bytes_in_use;
  take_and_end(100000);
  EXPECT_EQ(table.check_invariants(), std::nullopt);
  EXPECT_EQ(table.held, 0U);
  EXPECT_LE(heap_bytes_in_use,
            before + 16384);  // each slab's lists of chunks stay as long as they were: 16 bytes a chunk
}

TEST(OutOfMemory, LineLengths_gives_back_what_a_long_line_took) {
  const std::int64_t before = heap_bytes_in_use;
  LineLengths lengths;
  for (std::uint32_t length = 1; length <= 15000; ++length) {
    lengths.reserve(length);
    lengths.grew_to(length);
  }
  for (std::uint32_t length = 15000; length > 0; --length) lengths.shrank_to(length - 1);
  EXPECT_LE(heap_bytes_in_use, before + std::int64_t{8 * sizeof(std::uint32_t)});
}

TEST(OutOfMemory, a_table_that_goes_gives_back_all_that_it_had_as_does_its_copy) {
  const std::int64_t before = heap_bytes_in_use;
  {
    TestTable table;
    for (const char byte : {'a', 'b', 'c'}) table.get(SessionId{1}, g(std::string(100, byte)));
    const TestTable copy(table);
    EXPECT_GT(heap_bytes_in_use, before + 6 * 100U);
    table.release(SessionId{1}, exclusive, std::string(100, 'b'));
  }
  EXPECT_EQ(heap_bytes_in_use, before);
}

}  // namespace
}  // namespace lockd::engine
