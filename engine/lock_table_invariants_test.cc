// What check_invariants() must reject: each test breaks one thing in a sound table. And that a table at rest keeps no
// memory.
#include <cstdint>
#include <limits>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "engine/lock_table.h"
#include "engine/sharded_table.h"
#include "gtest/gtest.h"

namespace lockd::engine {
namespace {

// The way to a private member without a friend in its header: an explicit instantiation may name it.
template <class Tag, auto Member>
struct Opened {
  friend constexpr auto member_of(Tag) { return Member; }
};

#define LOCKD_OPEN(Tag, member)           \
  struct Tag {                            \
    friend constexpr auto member_of(Tag); \
  };                                      \
  template struct Opened<Tag, &member>  // NOLINT(bugprone-macro-parentheses): a name, not a value

LOCKD_OPEN(Keys, LockTable::keys_);
LOCKD_OPEN(Holds, LockTable::holds_);
LOCKD_OPEN(Sessions, LockTable::sessions_);
LOCKD_OPEN(KeyIndex, LockTable::key_index_);
LOCKD_OPEN(HoldIndex, LockTable::hold_index_);
LOCKD_OPEN(SessionIndex, LockTable::session_index_);
LOCKD_OPEN(KeyCounts, LockTable::key_counts_);
LOCKD_OPEN(Shards, ShardedTable<NullMutex>::shards_);

#undef LOCKD_OPEN

constexpr auto exclusive = LockKind::exclusive;
constexpr auto shared = LockKind::shared;
constexpr std::size_t infinite = std::numeric_limits<std::size_t>::max();
constexpr HashSeed seed{1, 2};

HashedKey hashed(std::string_view key) { return {key, SipHash13::hash(seed, key)}; }

// A sound table, and the records of it that the canaries break: alice, bob and carol hold `s` shared, in this order;
// alice holds `a` too, and dave `d`, both exclusive.
class Opening {
 public:
  Opening() {
    for (const SessionId session : {alice, bob, carol}) table.get(shared, session, hashed("s"), true);
    table.get(exclusive, alice, hashed("a"), true);
    table.get(exclusive, dave, hashed("d"), true);
  }

  static constexpr SessionId alice{1};
  static constexpr SessionId bob{2};
  static constexpr SessionId carol{3};
  static constexpr SessionId dave{4};

  LockTable table{seed, 4};

  auto& keys() { return table.*member_of(Keys{}); }
  auto& holds() { return table.*member_of(Holds{}); }
  auto& sessions() { return table.*member_of(Sessions{}); }

  std::uint32_t key_at(std::string_view text) {
    std::uint32_t at = keys().next_live(0);
    while (keys()[at].text.view() != text) at = keys().next_live(at + 1);
    return at;
  }
  std::uint32_t session_at(SessionId id) {
    std::uint32_t at = sessions().next_live(0);
    while (sessions()[at].id != id) at = sessions().next_live(at + 1);
    return at;
  }
  auto& key(std::string_view text) { return keys()[key_at(text)]; }
  auto& session(SessionId id) { return sessions()[session_at(id)]; }
  auto& first_hold_of(std::string_view text) { return holds()[key(text).first_holder]; }
  auto& last_hold_of(std::string_view text) { return holds()[key(text).last_holder]; }
};

struct Canary {
  std::string name;
  std::string message;  // what check_invariants() must say
  void (*corrupt)(Opening&);
};

std::ostream& operator<<(std::ostream& out, const Canary& canary) { return out << canary.name; }

const std::vector<Canary> canaries = {
    {"free_key", "a key without a holder", [](Opening& open) { open.key("a").holder_count = 0; }},
    {"two_exclusive", "an exclusive key with many holders", [](Opening& open) { open.key("a").holder_count = 2; }},
    {"astray_in_the_index", "a key that its index does not find",
     [](Opening& open) { open.key("a").hash = ~open.key("a").hash; }},
    {"hold_of_another_key", "a foreign hold in the list of the key",
     [](Opening& open) { open.first_hold_of("a").key = open.key_at("d"); }},
    {"dead_hold_in_the_list", "a foreign hold in the list of the key",
     [](Opening& open) { open.key("a").first_holder = 1000; }},
    {"broken_back_link", "a broken list of holders of the key",
     [](Opening& open) { open.last_hold_of("s").key_previous = open.key("s").first_holder; }},
    {"circle_of_holders", "a broken list of holders of the key",
     [](Opening& open) { open.last_hold_of("s").key_next = open.key("s").first_holder; }},
    {"holds_twice", "a session twice in the list of the key",
     [](Opening& open) { open.last_hold_of("s").session = open.session_at(Opening::alice); }},
    {"unindexed_shared_hold", "a hold that is not found by key and session",
     [](Opening& open) { open.last_hold_of("s").session = open.session_at(Opening::dave); }},
    {"wrong_last", "a wrong last holder of the key",
     [](Opening& open) { open.key("s").last_holder = open.key("s").first_holder; }},
    {"wrong_count", "a wrong count of holders of the key", [](Opening& open) { open.key("s").holder_count = 2; }},
    {"lost_hold", "a hold is in no key's list",
     [](Opening& open) {
       open.holds().reserve_one();
       open.holds().allocate();
     }},
    {"wrong_id", "a session that its index does not find",
     [](Opening& open) { open.session(Opening::dave).id = SessionId{77}; }},
    {"idle_session", "a session without a hold",
     [](Opening& open) { open.session(Opening::dave).first_hold = no_index; }},
    {"hold_of_another_session", "a foreign hold in the list of the session",
     [](Opening& open) { open.session(Opening::dave).first_hold = open.key("a").first_holder; }},
    {"broken_back_link_of_session", "a broken list of holds of the session",
     [](Opening& open) { open.first_hold_of("d").session_previous = open.key("a").first_holder; }},
    {"circle_of_holds", "a broken list of holds of the session",
     [](Opening& open) { open.first_hold_of("d").session_next = open.key("d").first_holder; }},
    {"unindexed_by_session", "a hold is in no session's list",
     [](Opening& open) {  // the end of alice would leave `a` locked
       const auto lost = open.first_hold_of("a");
       open.session(Opening::alice).first_hold = lost.session_next;
       open.holds()[lost.session_next].session_previous = no_index;
     }},
    {"drifting_count", "the counts of keys differ from the keys",
     [](Opening& open) { ++(open.table.*member_of(KeyCounts{}))[0]; }},
    {"key_indexed_twice", "the index of keys has entries without a key",
     [](Opening& open) { (open.table.*member_of(KeyIndex{})).insert(open.key("a").hash, open.key_at("a")); }},
    {"session_indexed_twice", "the index of sessions has entries without a session",
     [](Opening& open) { (open.table.*member_of(SessionIndex{})).insert(0, open.session_at(Opening::dave)); }},
    {"hold_indexed_twice", "the index of holds has entries without a shared hold",
     [](Opening& open) {
       auto& index = open.table.*member_of(HoldIndex{});
       index.reserve_one(0, [](std::uint32_t) { return 0U; });
       index.insert(0, open.key("s").first_holder);
     }},
};

class CheckInvariants : public ::testing::TestWithParam<Canary> {};

TEST_P(CheckInvariants, rejects) {
  Opening open;
  ASSERT_EQ(open.table.check_invariants(), std::nullopt);
  GetParam().corrupt(open);
  const auto broken = open.table.check_invariants();
  ASSERT_TRUE(broken.has_value());
  EXPECT_NE(broken->find(GetParam().message), std::string::npos) << *broken;
}

INSTANTIATE_TEST_SUITE_P(canary, CheckInvariants, ::testing::ValuesIn(canaries),
                         [](const auto& canary) { return canary.param.name; });

TEST(CheckInvariantsOfShards, a_key_in_the_wrong_shard_is_rejected) {
  ShardedTable<NullMutex> table({.seed = seed, .shard_count = 2});
  auto& shards = table.*member_of(Shards{});
  const HashedKey key = hashed("k");
  const std::size_t right = key.hash >> 63;
  shards[right].table.get(exclusive, SessionId{1}, key, true);
  EXPECT_EQ(table.check_invariants(), std::nullopt);
  shards[1 - right].table.get(shared, SessionId{1}, key, true);
  EXPECT_EQ(table.check_invariants(), "shard " + std::to_string(1 - right) + ": a key that belongs elsewhere");
}

TEST(CheckInvariantsOfShards, the_tables_of_all_shards_are_checked) {
  ShardedTable<NullMutex> table({.seed = seed, .shard_count = 4});
  for (std::size_t i = 0; i < 4; ++i) {
    auto copy = table;
    ++((copy.*member_of(Shards{}))[i].table.*member_of(KeyCounts{}))[1];
    EXPECT_EQ(copy.check_invariants(), "shard " + std::to_string(i) + ": the counts of keys differ from the keys");
  }
}

TEST(LockTableAtRest, S2_each_slab_keeps_one_chunk_at_most) {
  Opening open;
  for (std::uint64_t i = 0; i < 100000; ++i) {
    const std::string key = "key" + std::to_string(i);
    open.table.get(i % 2 == 0 ? exclusive : shared, SessionId{1 + i / 10}, hashed(key), true);
  }
  EXPECT_GT(open.keys().chunk_count(), 50U);
  for (std::uint64_t id = 1; id <= 10000; ++id) open.table.end_some(SessionId{id}, infinite);
  EXPECT_EQ(open.table.check_invariants(), std::nullopt);
  EXPECT_EQ(open.keys().size() + open.holds().size() + open.sessions().size(), 0U);
  EXPECT_EQ(open.keys().chunk_count(), 1U);
  EXPECT_EQ(open.holds().chunk_count(), 1U);
  EXPECT_EQ(open.sessions().chunk_count(), 1U);
}

}  // namespace
}  // namespace lockd::engine
