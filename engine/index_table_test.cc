// IndexTable and PartitionedIndex against std::unordered_set, with hashes that collide on purpose.
#include "engine/index_table.h"

#include <algorithm>
#include <cstdint>
#include <random>
#include <unordered_set>
#include <vector>

#include "gtest/gtest.h"

namespace lockd::engine {
namespace {

// A table together with the records that it would index: the index of a record is its place in `hashes`.
template <class Table>
class Indexed {
 public:
  template <class... Arguments>
  explicit Indexed(Arguments... arguments) : table_(arguments...) {}

  std::uint32_t add_record(std::uint32_t hash) {
    hashes_.push_back(hash);
    return static_cast<std::uint32_t>(hashes_.size() - 1);
  }

  void insert(std::uint32_t index) {
    reserve_one(hashes_[index]);
    table_.insert(hashes_[index], index);
    present_.insert(index);
  }

  void erase(std::uint32_t index) {
    table_.erase(hashes_[index], index, hash_of());
    present_.erase(index);
  }

  bool finds(std::uint32_t index) const {
    return table_.find(hashes_[index], [index](std::uint32_t other) { return other == index; }) == index;
  }

  // Whether the table finds what is present, nothing else, and counts it.
  void expect_agreement() const {
    ASSERT_EQ(table_.size(), present_.size());
    for (std::uint32_t index = 0; index < hashes_.size(); ++index) {
      ASSERT_EQ(finds(index), present_.contains(index)) << "record " << index << " of " << hashes_.size();
    }
  }

  const Table& table() const { return table_; }
  const std::unordered_set<std::uint32_t>& present() const { return present_; }

 private:
  auto hash_of() const {
    return [this](std::uint32_t index) { return hashes_[index]; };
  }

  void reserve_one(std::uint32_t hash) {
    if constexpr (std::is_same_v<Table, IndexTable>) {
      table_.reserve_one(hash_of());
    } else {
      table_.reserve_one(hash, hash_of());
    }
  }

  Table table_;
  std::vector<std::uint32_t> hashes_;
  std::unordered_set<std::uint32_t> present_;
};

// Inserts and erases at random, three times up and down, comparing everything now and then.
template <class Table>
void churn(Indexed<Table>& indexed, std::uint32_t record_count, std::uint32_t seed) {
  std::mt19937 random(seed);
  for (std::uint32_t step = 0; step < 12 * record_count; ++step) {
    const bool growing = step / (2 * record_count) % 2 == 0;
    const auto index = static_cast<std::uint32_t>(random() % record_count);
    if (indexed.present().contains(index)) {
      if (!growing || random() % 4 == 0) indexed.erase(index);
    } else if (growing || random() % 4 == 0) {
      indexed.insert(index);
    }
    ASSERT_EQ(indexed.finds(index), indexed.present().contains(index));
    if (step % record_count == 0) indexed.expect_agreement();
  }
  while (!indexed.present().empty()) indexed.erase(*indexed.present().begin());
  indexed.expect_agreement();
}

// How many different hashes the records have: from all equal to hardly any collision.
class IndexTableChurn : public ::testing::TestWithParam<std::uint32_t> {};

TEST_P(IndexTableChurn, agrees_with_a_set) {
  Indexed<IndexTable> indexed;
  std::mt19937 random(GetParam());
  for (int i = 0; i < 700; ++i) indexed.add_record(static_cast<std::uint32_t>(random()) % GetParam());
  churn(indexed, 700, 1);
}

TEST_P(IndexTableChurn, agrees_with_a_set_when_runs_wrap_around) {
  Indexed<IndexTable> indexed;
  std::mt19937 random(GetParam());
  for (int i = 0; i < 700; ++i) indexed.add_record(UINT32_MAX - static_cast<std::uint32_t>(random()) % GetParam());
  churn(indexed, 700, 2);
}

TEST_P(IndexTableChurn, agrees_with_a_set_in_parts) {
  Indexed<PartitionedIndex> indexed(16U);
  std::mt19937 random(GetParam());
  for (std::uint32_t i = 0; i < 700; ++i) {
    indexed.add_record(static_cast<std::uint32_t>(random()) % GetParam() << 28 | i % 4);
  }
  churn(indexed, 700, 3);
}

INSTANTIATE_TEST_SUITE_P(differing_hashes, IndexTableChurn, ::testing::Values(1, 2, 7, 64, 1000, 1U << 31));

TEST(IndexTable, a_new_one_finds_nothing) {
  const IndexTable table;
  EXPECT_EQ(table.find(0, [](std::uint32_t) { return true; }), no_index);
  EXPECT_EQ(table.size(), 0U);
  EXPECT_EQ(table.capacity(), 32U);
}

TEST(IndexTable, every_order_of_removal_from_a_run_that_wraps_around) {
  // With homes 30, 31 and 0 of a table of 32 the run of six entries goes round the end, each in its turn is taken out,
  // and then each of the rest.
  for (std::uint32_t homes = 0; homes < 729; ++homes) {
    for (std::uint32_t first = 0; first < 6; ++first) {
      Indexed<IndexTable> indexed;
      std::uint32_t digits = homes;
      for (int i = 0; i < 6; ++i, digits /= 3) indexed.insert(indexed.add_record(30 + digits % 3));
      ASSERT_EQ(indexed.table().capacity(), 32U);
      for (std::uint32_t i = 0; i < 6; ++i) {
        indexed.erase((first + i) % 6);
        indexed.expect_agreement();
      }
    }
  }
}

TEST(IndexTable, is_at_most_three_quarters_full_and_at_least_an_eighth) {
  Indexed<IndexTable> indexed;
  std::mt19937 random(4);
  for (int i = 0; i < 10000; ++i) {
    indexed.insert(indexed.add_record(static_cast<std::uint32_t>(random())));
    ASSERT_LE(indexed.table().size() * 4, indexed.table().capacity() * 3);
  }
  EXPECT_EQ(indexed.table().capacity(), 16384U);
  for (std::uint32_t i = 0; i < 10000; ++i) {
    indexed.erase(i);
    ASSERT_TRUE(indexed.table().capacity() == 32 || indexed.table().size() * 8 >= indexed.table().capacity());
  }
  EXPECT_EQ(indexed.table().capacity(), 32U);
}

TEST(IndexTable, of_a_few_entries_neither_grows_nor_shrinks) {
  Indexed<IndexTable> indexed;
  for (std::uint32_t i = 0; i < 24; ++i) indexed.insert(indexed.add_record(i));
  EXPECT_EQ(indexed.table().capacity(), 32U);
  for (std::uint32_t i = 0; i < 24; ++i) indexed.erase(i);
  EXPECT_EQ(indexed.table().capacity(), 32U);
}

// The marks: of a run of entries whose hashes differ in their bits 19 to 23, or whose places do, only the right one is
// asked about, and none when an entry is removed.
TEST(IndexTable, asks_about_hardly_any_record_but_the_right_one) {
  IndexTable table;
  const auto hash_of = [](std::uint32_t index) { return index % 3 | index / 3 << 19; };
  for (std::uint32_t i = 0; i < 6; ++i) {
    table.reserve_one(hash_of);
    table.insert(hash_of(i), i);
  }
  for (std::uint32_t i = 0; i < 6; ++i) {
    const auto matches = [i](std::uint32_t index) {
      EXPECT_EQ(index, i);
      return index == i;
    };
    EXPECT_EQ(table.find(hash_of(i), matches), i);
  }
  for (std::uint32_t i = 0; i < 6; ++i) {
    const auto must_not_ask = [](std::uint32_t index) {
      ADD_FAILURE() << index;
      return index;
    };
    table.erase(hash_of(i), i, must_not_ask);
  }
  EXPECT_EQ(table.size(), 0U);
}

// The first indices that no longer fit beneath a mark, put in last and first, and among 100 of them.
TEST(IndexTable, indices_beyond_24_bits_are_found_and_removed_like_others) {
  constexpr std::uint32_t first_long = (1U << 24) - 1;
  const auto hash_of = [](std::uint32_t index) { return index * 0x9e3779b9 >> 3; };
  for (const std::uint32_t start : {0U, first_long - 50, first_long, first_long + 1, no_index - 100}) {
    IndexTable table;
    const auto finds = [&](std::uint32_t index) {
      return table.find(hash_of(index), [index](std::uint32_t other) { return other == index; }) == index;
    };
    for (std::uint32_t i = start; i < start + 100; ++i) {
      table.reserve_one(hash_of);
      table.insert(hash_of(i), i);
      for (std::uint32_t other = start; other < start + 100; ++other) ASSERT_EQ(finds(other), other <= i);
    }
    EXPECT_EQ(IndexTable(table).size(), 100U);
    for (std::uint32_t place = 0; place < table.capacity(); ++place) {
      const std::uint32_t first = table.first_of_run(place);
      EXPECT_TRUE(first == no_index || first - start < 100) << first;
    }
    for (std::uint32_t i = start; i < start + 100; ++i) {
      table.erase(hash_of(i), i, hash_of);
      for (std::uint32_t other = start; other < start + 100; ++other) ASSERT_EQ(finds(other), other > i);
    }
  }
}

TEST(IndexTable, shrinks_when_less_than_an_eighth_is_used_and_no_earlier) {
  Indexed<IndexTable> indexed;
  for (std::uint32_t i = 0; i < 49; ++i) indexed.insert(indexed.add_record(i));
  ASSERT_EQ(indexed.table().capacity(), 128U);
  for (std::uint32_t i = 0; i < 49 - 16; ++i) indexed.erase(i);
  EXPECT_EQ(indexed.table().capacity(), 128U);
  indexed.erase(49 - 16);
  EXPECT_EQ(indexed.table().capacity(), 64U);
}

TEST(IndexTable, a_copy_is_independent) {
  Indexed<IndexTable> indexed;
  for (std::uint32_t i = 0; i < 100; ++i) indexed.insert(indexed.add_record(i / 3));
  Indexed<IndexTable> copy(indexed);
  for (std::uint32_t i = 0; i < 50; ++i) indexed.erase(i);
  copy.expect_agreement();
  indexed.expect_agreement();
}

TEST(PartitionedIndex, the_high_bits_choose_the_part) {
  // All in one part: it alone grows, and the next entry of another part must still find room there.
  Indexed<PartitionedIndex> indexed(256U);
  for (std::uint32_t i = 0; i < 1000; ++i) indexed.insert(indexed.add_record(0xff000000 + i));
  indexed.insert(indexed.add_record(0));
  indexed.insert(indexed.add_record(UINT32_MAX));
  indexed.expect_agreement();
}

TEST(PartitionedIndex, the_worst_insert_moves_no_more_than_one_part_of_all) {
  // 300 hashes for each of 256 parts, evenly spread: a part grows for the last time when it holds 192.
  PartitionedIndex table(256);
  constexpr std::uint32_t count = 256 * 300;
  const auto hash = [](std::uint32_t index) { return index * static_cast<std::uint32_t>((1ULL << 32) / count); };
  std::uint32_t worst = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    std::uint32_t moved = 0;
    table.reserve_one(hash(i), [&](std::uint32_t index) {
      ++moved;
      return hash(index);
    });
    table.insert(hash(i), i);
    worst = std::max(worst, moved);
  }
  EXPECT_EQ(worst, 192U);
}

TEST(IndexTableDeathTest, misuse_aborts_with_a_message) {
  IndexTable table;
  const auto hash_of = [](std::uint32_t index) { return index; };
  for (std::uint32_t i = 0; i < 24; ++i) {
    table.reserve_one(hash_of);
    table.insert(i, i);
  }
  EXPECT_DEATH(table.insert(24, 24), "reserve_one\\(\\) comes before insert\\(\\)");
  EXPECT_DEATH(table.erase(24, 24, hash_of), "only what is in the table is removed");
}

TEST(PartitionedIndexDeathTest, the_number_of_parts_is_checked) {
  for (const std::uint32_t wrong : {0U, 3U, 512U}) {
    EXPECT_DEATH(PartitionedIndex{wrong}, "a power of two up to 256");
  }
}

}  // namespace
}  // namespace lockd::engine
