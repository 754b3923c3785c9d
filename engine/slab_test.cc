// Slab: indices that stay, slots that come again, chunks that come and go.
#include "engine/slab.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <vector>

#include "gtest/gtest.h"

namespace lockd::engine {
namespace {

// 1 KiB, so that a chunk holds no more than 64 of them.
struct LargeRecord {
  std::uint64_t value = 7;
  std::array<std::uint64_t, 127> rest{};
};

using LargeSlab = Slab<LargeRecord>;
using SmallSlab = Slab<std::uint32_t>;

constexpr std::uint32_t per_chunk = LargeSlab::records_per_chunk;

template <class Record>
std::uint32_t add(Slab<Record>& slab) {
  slab.reserve_one();
  return slab.allocate();
}

std::vector<std::uint32_t> add_many(LargeSlab& slab, std::uint32_t count) {
  std::vector<std::uint32_t> indices;
  for (std::uint32_t i = 0; i < count; ++i) indices.push_back(add(slab));
  return indices;
}

std::vector<std::uint32_t> live_indices(const LargeSlab& slab) {
  std::vector<std::uint32_t> found;
  for (auto at = slab.next_live(0); at != no_index; at = slab.next_live(at + 1)) found.push_back(at);
  return found;
}

TEST(Slab, a_chunk_is_at_most_64_kib_with_its_header_and_at_least_one_word_of_its_bitmap) {
  struct Huge {
    std::array<std::byte, 5000> bytes;
  };
  EXPECT_EQ(per_chunk, 64U);
  EXPECT_EQ(SmallSlab::records_per_chunk, 15835U);
  EXPECT_EQ(SmallSlab::index_stride, 16384U);
  EXPECT_EQ(Slab<Huge>::records_per_chunk, 64U);
}

TEST(Slab, a_chunk_of_cache_lines_is_full_but_for_its_header) {
  struct alignas(64) Line {
    std::uint32_t value = 0;
  };
  using Lines = Slab<Line>;
  EXPECT_EQ(Lines::records_per_chunk, 1018U);
  EXPECT_EQ(Lines::index_stride, 1024U);

  Lines slab;
  std::set<std::uint32_t> live;
  for (std::uint32_t i = 0; i < 3 * Lines::records_per_chunk; ++i) {
    const std::uint32_t index = add(slab);
    EXPECT_LT(index % Lines::index_stride, Lines::records_per_chunk);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(&slab[index]) % 64, 0U);
    EXPECT_TRUE(live.insert(index).second);
  }
  EXPECT_EQ(slab.chunk_count(), 3U);
  std::set<std::uint32_t> found;
  for (auto at = slab.next_live(0); at != no_index; at = slab.next_live(at + 1)) found.insert(at);
  EXPECT_EQ(found, live);
  for (std::uint32_t at = 0; at < 4 * Lines::index_stride; ++at) EXPECT_EQ(slab.is_live(at), live.contains(at));
  for (const std::uint32_t index : live) slab.release(index);
  EXPECT_EQ(slab.chunk_count(), 1U);
}

TEST(Slab, a_new_one_holds_nothing) {
  const LargeSlab slab;
  EXPECT_EQ(slab.size(), 0U);
  EXPECT_EQ(slab.chunk_count(), 0U);
  EXPECT_EQ(slab.next_live(0), no_index);
  EXPECT_FALSE(slab.is_live(0));
  EXPECT_FALSE(slab.is_live(no_index));
}

TEST(Slab, a_new_record_is_value_initialised_also_where_another_was) {
  LargeSlab slab;
  const std::uint32_t first = add(slab);
  EXPECT_EQ(slab[first].value, 7U);
  slab[first].value = 1;
  slab[first].rest.fill(1);
  slab.release(first);
  const std::uint32_t second = add(slab);
  ASSERT_EQ(second, first);
  EXPECT_EQ(slab[second].value, 7U);
  EXPECT_EQ(slab[second].rest, LargeRecord{}.rest);
}

TEST(Slab, an_index_and_an_address_stay_while_the_record_lives) {
  LargeSlab slab;
  const auto indices = add_many(slab, 5 * per_chunk);
  std::vector<LargeRecord*> addresses;
  for (const std::uint32_t index : indices) {
    slab[index].value = index;
    addresses.push_back(&slab[index]);
  }
  for (std::uint32_t i = 0; i < indices.size(); i += 2) slab.release(indices[i]);
  add_many(slab, 20 * per_chunk);
  for (std::uint32_t i = 1; i < indices.size(); i += 2) {
    EXPECT_EQ(&slab[indices[i]], addresses[i]);
    EXPECT_EQ(slab[indices[i]].value, indices[i]);
  }
}

TEST(Slab, live_indices_are_all_different) {
  LargeSlab slab;
  const auto indices = add_many(slab, 3 * per_chunk + 1);
  EXPECT_EQ(std::set(indices.begin(), indices.end()).size(), indices.size());
  EXPECT_EQ(slab.size(), indices.size());
  EXPECT_EQ(slab.chunk_count(), 4U);
}

TEST(Slab, free_slots_are_used_before_a_chunk_is_added) {
  LargeSlab slab;
  const auto indices = add_many(slab, 3 * per_chunk);
  std::set<std::uint32_t> freed;
  for (const std::uint32_t at : {0U, 63U, 64U, 100U, 191U}) freed.insert(indices[at]);
  for (const std::uint32_t index : freed) slab.release(index);
  std::set<std::uint32_t> taken;
  for (std::size_t i = 0; i < freed.size(); ++i) taken.insert(add(slab));
  EXPECT_EQ(taken, freed);
  EXPECT_EQ(slab.chunk_count(), 3U);
}

TEST(Slab, next_index_says_what_allocate_will_give) {
  LargeSlab slab;
  std::mt19937 random(1);
  for (int i = 0; i < 1000; ++i) {
    slab.reserve_one();
    const std::uint32_t promised = slab.next_index();
    EXPECT_FALSE(slab.is_live(promised));
    EXPECT_EQ(slab.allocate(), promised);
    const auto live = live_indices(slab);
    if (random() % 3 == 0) slab.release(live[random() % live.size()]);
  }
}

TEST(Slab, empty_chunks_go_back_all_but_one) {
  LargeSlab slab;
  const auto indices = add_many(slab, 10 * per_chunk);
  ASSERT_EQ(slab.chunk_count(), 10U);
  for (std::uint32_t chunk = 0; chunk < 10; ++chunk) {
    for (std::uint32_t i = 0; i < per_chunk; ++i) slab.release(indices[chunk * per_chunk + i]);
    EXPECT_EQ(slab.chunk_count(), 10U - chunk);  // the first stays as the spare one
  }
  EXPECT_EQ(slab.size(), 0U);
  EXPECT_EQ(slab.chunk_count(), 1U);
}

TEST(Slab, the_spare_chunk_is_used_again_and_then_another_can_be_spare) {
  LargeSlab slab;
  auto indices = add_many(slab, 2 * per_chunk);
  for (const std::uint32_t index : indices) slab.release(index);
  ASSERT_EQ(slab.chunk_count(), 1U);
  indices = add_many(slab, 2 * per_chunk);
  EXPECT_EQ(slab.chunk_count(), 2U);
  for (std::uint32_t i = 0; i < per_chunk; ++i) slab.release(indices[i]);
  EXPECT_EQ(slab.chunk_count(), 2U);
  EXPECT_EQ(live_indices(slab).size(), per_chunk);
}

TEST(Slab, a_chunk_that_was_reserved_and_not_used_is_the_spare_one) {
  LargeSlab slab;
  const auto indices = add_many(slab, per_chunk);
  slab.reserve_one();
  ASSERT_EQ(slab.chunk_count(), 2U);
  for (const std::uint32_t index : indices) slab.release(index);
  EXPECT_EQ(slab.chunk_count(), 1U);
}

TEST(Slab, a_new_chunk_takes_the_number_of_one_that_went_back) {
  LargeSlab slab;
  for (int round = 0; round < 3; ++round) {
    const auto indices = add_many(slab, 4 * per_chunk);
    EXPECT_LT(*std::ranges::max_element(indices), 4 * per_chunk);
    for (const std::uint32_t index : indices) slab.release(index);
  }
}

TEST(Slab, next_live_finds_each_record_once_in_order) {
  LargeSlab slab;
  const auto indices = add_many(slab, 4 * per_chunk);
  std::set<std::uint32_t> live(indices.begin(), indices.end());
  std::mt19937 random(2);
  for (const std::uint32_t index : indices) {
    const bool whole_chunk = index / per_chunk == 2;
    if (!whole_chunk && random() % 4 != 0) continue;
    slab.release(index);
    live.erase(index);
  }
  const auto found = live_indices(slab);
  EXPECT_EQ(found, std::vector(live.begin(), live.end()));
  EXPECT_EQ(slab.next_live(4 * per_chunk), no_index);
  for (std::uint32_t from = 0; from < 4 * per_chunk; ++from) {
    const auto next = live.lower_bound(from);
    EXPECT_EQ(slab.next_live(from), next == live.end() ? no_index : *next);
  }
}

TEST(Slab, finds_what_is_live_by_an_index_that_may_be_of_nothing) {
  LargeSlab slab;
  add_many(slab, 3 * per_chunk);
  slab[2 * per_chunk].value = 8;
  for (std::uint32_t i = 0; i < per_chunk; ++i) slab.release(per_chunk + i);  // the spare one
  for (std::uint32_t i = 0; i < per_chunk; ++i) slab.release(i);
  EXPECT_EQ(slab.chunk_count(), 2U);
  EXPECT_EQ(slab.find(2 * per_chunk)->value, 8U);
  EXPECT_EQ(slab.find(2 * per_chunk).index, 2 * per_chunk);
  EXPECT_FALSE(slab.find(0)) << "its chunk has gone back";
  EXPECT_FALSE(slab.find(per_chunk)) << "in the spare chunk";
  EXPECT_FALSE(slab.find(3 * per_chunk)) << "no chunk yet";
  EXPECT_FALSE(slab.find(no_index));
}

TEST(Slab, where_a_chunk_has_gone_back_nothing_is_live_and_the_walk_goes_past) {
  LargeSlab slab;
  add_many(slab, 3 * per_chunk);
  for (std::uint32_t i = 0; i < per_chunk; ++i) slab.release(per_chunk + i);  // the spare one
  for (std::uint32_t i = 0; i < per_chunk; ++i) slab.release(i);
  EXPECT_EQ(slab.chunk_count(), 2U);
  EXPECT_FALSE(slab.is_live(0));
  EXPECT_EQ(slab.next_live(0), 2 * per_chunk);
}

TEST(Slab, a_copy_is_independent) {
  LargeSlab slab;
  const auto indices = add_many(slab, 3 * per_chunk);
  for (const std::uint32_t index : indices) slab[index].value = index;
  for (std::uint32_t i = per_chunk; i < 2 * per_chunk; ++i) slab.release(indices[i]);  // the spare one
  LargeSlab copy(slab);
  EXPECT_EQ(live_indices(copy), live_indices(slab));

  slab[indices[0]].value = 1000;
  for (std::uint32_t i = 2 * per_chunk; i < 3 * per_chunk; ++i) slab.release(indices[i]);
  EXPECT_EQ(copy[indices[0]].value, indices[0]);
  EXPECT_EQ(copy[indices[3 * per_chunk - 1]].value, indices[3 * per_chunk - 1]);
  EXPECT_EQ(copy.size(), 2 * per_chunk);

  copy.release(indices[1]);
  EXPECT_TRUE(slab.is_live(indices[1]));
}

TEST(Slab, a_copy_has_no_chunk_either_where_one_went_back) {
  LargeSlab slab;
  const auto indices = add_many(slab, 3 * per_chunk);
  for (std::uint32_t i = 0; i < 2 * per_chunk; ++i) slab.release(indices[i]);
  ASSERT_EQ(slab.chunk_count(), 2U);  // the first is the spare one
  LargeSlab copy(slab);
  EXPECT_EQ(copy.chunk_count(), 2U);
  EXPECT_EQ(live_indices(copy), live_indices(slab));
  for (std::uint32_t i = 0; i < 2 * per_chunk; ++i) EXPECT_FALSE(copy.is_live(indices[i]));
}

TEST(Slab, a_copy_of_a_copy_has_all_records) {
  LargeSlab slab;
  for (std::uint32_t i = 0; i < per_chunk; ++i) slab[add(slab)].value = 1000 + i;
  const LargeSlab copy(slab);
  const LargeSlab copy_of_copy(copy);
  for (std::uint32_t i = 0; i < per_chunk; ++i) EXPECT_EQ(copy_of_copy[i].value, 1000 + i);
}

TEST(Slab, a_copy_goes_on_as_the_original_does) {
  LargeSlab slab;
  auto indices = add_many(slab, 5 * per_chunk);
  for (std::uint32_t i = 0; i < indices.size(); i += 3) slab.release(indices[i]);
  LargeSlab copy(slab);
  for (std::uint32_t i = 0; i < 6 * per_chunk; ++i) ASSERT_EQ(add(copy), add(slab));
  for (const std::uint32_t index : live_indices(slab)) {
    slab.release(index);
    copy.release(index);
    ASSERT_EQ(copy.chunk_count(), slab.chunk_count());
  }
  EXPECT_EQ(copy.chunk_count(), 1U);
}

TEST(Slab, random_use_agrees_with_a_map) {
  SmallSlab slab;
  std::map<std::uint32_t, std::uint32_t> expected;
  std::mt19937 random(3);
  for (std::uint32_t i = 0; i < 200000; ++i) {
    const bool growing = (i / 50000) % 2 == 0;
    if (expected.empty() || random() % 3 < (growing ? 2U : 1U)) {
      const std::uint32_t index = add(slab);
      ASSERT_TRUE(expected.emplace(index, i).second);
      slab[index] = i;
    } else {
      auto victim = expected.lower_bound(static_cast<std::uint32_t>(random() % SmallSlab::records_per_chunk));
      if (victim == expected.end()) victim = expected.begin();
      ASSERT_EQ(slab[victim->first], victim->second);
      slab.release(victim->first);
      expected.erase(victim);
    }
    ASSERT_EQ(slab.size(), expected.size());
  }
  for (const auto& [index, value] : expected) EXPECT_EQ(slab[index], value);
}

TEST(SlabDeathTest, misuse_aborts_with_a_message) {
  LargeSlab slab;
  EXPECT_DEATH(slab.allocate(), "reserve_one\\(\\) comes before allocate\\(\\)");
  EXPECT_DEATH(slab.next_index(), "reserve_one\\(\\) comes before allocate\\(\\)");
  EXPECT_DEATH(slab.release(0), "only a live record is released");
  const std::uint32_t index = add(slab);
  EXPECT_DEATH(slab[index + 1].value = 1, "only live records are used");
  EXPECT_DEATH(slab[no_index].value = 1, "only live records are used");
  slab.release(index);
  EXPECT_DEATH(slab[index].value = 1, "only live records are used");
  EXPECT_DEATH(slab.release(index), "only a live record is released");
}

TEST(SlabDeathTest, a_full_slab_needs_another_reserve_one) {
  LargeSlab slab;
  add_many(slab, per_chunk);
  EXPECT_DEATH(slab.allocate(), "reserve_one\\(\\) comes before allocate\\(\\)");
}

}  // namespace
}  // namespace lockd::engine
