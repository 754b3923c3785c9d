// What check_invariants() must reject: each test breaks one thing in a sound table. And that a table at rest keeps no
// memory.
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>

#include "engine/lock_table.h"
#include "engine/sharded_table.h"
#include "engine/test_table.h"
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
  template struct Opened<Tag, &member>

LOCKD_OPEN(Keys, LockTable::keys_);
LOCKD_OPEN(Claims, LockTable::claims_);
LOCKD_OPEN(Sessions, LockTable::sessions_);
LOCKD_OPEN(Lines, LockTable::lines_);
LOCKD_OPEN(Waits, LockTable::waits_);
LOCKD_OPEN(KeyIndex, LockTable::key_index_);
LOCKD_OPEN(ClaimIndex, LockTable::claim_index_);
LOCKD_OPEN(SessionIndex, LockTable::session_index_);
LOCKD_OPEN(Tokens, LockTable::tokens_);
LOCKD_OPEN(Counted, LockTable::totals_);
LOCKD_OPEN(Lengths, LockTable::line_lengths_);
LOCKD_OPEN(Ages, LockTable::ages_);
LOCKD_OPEN(WaitersMax, LockTable::waiters_max_);
LOCKD_OPEN(Shards, ShardedTable<NullMutex>::shards_);
LOCKD_OPEN(Waiting, ShardedTable<NullMutex>::waiting_);

#undef LOCKD_OPEN

// A sound table, and the records of it that the canaries break: alice, bob and carol hold `s` shared, in this order;
// alice holds `a` too, and dave `d`, both exclusive. For `x`, which alice holds exclusively, erin and frank wait; for
// `l`, which bob and carol share, grace and heidi, until fewer than 2 and 5 hold it.
class Opening {
 public:
  Opening() {
    table.get(alice, g("x"));
    for (const SessionId session : {bob, carol}) table.get(session, sg("l"));
    for (const SessionId session : {alice, bob, carol}) table.get(session, sg("s"));
    table.get(alice, g("a"));
    table.get(dave, g("d"));
    for (const SessionId session : {erin, frank}) table.get(session, gw("x"));
    table.get(grace, sgw(2, "l"));
    table.get(heidi, sgw(5, "l"));
  }

  static constexpr SessionId alice{1};
  static constexpr SessionId bob{2};
  static constexpr SessionId carol{3};
  static constexpr SessionId dave{4};
  static constexpr SessionId erin{5};
  static constexpr SessionId frank{6};
  static constexpr SessionId grace{7};
  static constexpr SessionId heidi{8};

  TestTable table;

  template <class Tag>
  auto& member() {
    return table.*member_of(Tag{});
  }
  auto& keys() { return member<Keys>(); }
  auto& claims() { return member<Claims>(); }
  auto& sessions() { return member<Sessions>(); }

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
  auto& first_hold_of(std::string_view text) { return claims()[key(text).holders.first]; }
  auto& last_hold_of(std::string_view text) { return claims()[key(text).holders.last]; }
  auto& line_of(std::string_view text) { return member<Lines>()[key(text).line]; }
  auto& claim_of_waiter(SessionId id) { return claims()[session(id).wait]; }
  auto& wait_of(SessionId id) { return member<Waits>()[claim_of_waiter(id).session_next]; }
  auto& ages(LockKind kind) { return member<Ages>()[static_cast<std::size_t>(kind)]; }
  auto& lengths(LockKind kind) { return member<Lengths>()[static_cast<std::size_t>(kind)]; }
  auto& totals(LockKind kind) { return member<Counted>()[kind]; }

  // frank's wait, which is the newest exclusive one, is forgotten.
  void lose_the_newest() {
    wait_of(erin).newer = no_index;
    ages(exclusive).newest = ages(exclusive).oldest;
  }

  // A slot is taken for which there is no use.
  template <class Tag>
  void lose_a_record() {
    member<Tag>().reserve_one();
    member<Tag>().allocate();
  }
};

struct Canary {
  std::string name;
  std::string message;  // what check_invariants() must say
  void (*corrupt)(Opening&);
};

std::ostream& operator<<(std::ostream& out, const Canary& canary) { return out << canary.name; }

const Canary of_keys[] = {
    {"free_key", "a key without a holder", [](Opening& open) { open.key("a").holder_count = 0; }},
    {"two_exclusive", "an exclusive key with many holders", [](Opening& open) { open.key("a").holder_count = 2; }},
    {"astray_in_the_index", "a key that its index does not find",
     [](Opening& open) { open.key("a").hash = ~open.key("a").hash; }},
    {"hold_of_another_key", "a foreign claim in a list of the key",
     [](Opening& open) { open.first_hold_of("s").key = open.key_at("d"); }},
    {"dead_hold_in_the_list", "a foreign claim in a list of the key",
     [](Opening& open) { open.key("s").holders.first = 1000; }},
    {"dead_holder", "a holder that is no session", [](Opening& open) { open.key("a").hold.session = 1000; }},
    {"no_token_alone", "a holder without a token", [](Opening& open) { open.key("a").hold.stamp = Stamp(0, 0); }},
    {"token_of_the_future_alone", "a token that was not given yet",
     [](Opening& open) { open.key("a").hold.stamp = Stamp(open.member<Tokens>().next, 0); }},
    {"broken_back_link", "a broken list of the key",
     [](Opening& open) { open.last_hold_of("s").key_previous = open.key("s").holders.first; }},
    {"circle_of_holders", "a broken list of the key",
     [](Opening& open) { open.last_hold_of("s").key_next = open.key("s").holders.first; }},
    {"holds_twice", "a session twice in the lists of the key",
     [](Opening& open) { open.last_hold_of("s").session = open.session_at(Opening::alice); }},
    {"unindexed_shared_hold", "a claim that is not found by key and session",
     [](Opening& open) { open.last_hold_of("s").session = open.session_at(Opening::dave); }},
    {"wrong_last", "a wrong last in a list of the key",
     [](Opening& open) { open.key("s").holders.last = open.key("s").holders.first; }},
    {"wrong_count", "a wrong count of a list of the key", [](Opening& open) { open.key("s").holder_count = 2; }},
    {"lost_claim", "a claim is in no key's list", [](Opening& open) { open.lose_a_record<Claims>(); }},
    {"no_token", "a holder without a token", [](Opening& open) { open.first_hold_of("s").stamp = Stamp(0, 0); }},
    {"token_going_back", "a token no larger than the one before",
     [](Opening& open) { open.last_hold_of("s").stamp = Stamp(1, 0); }},
    {"token_twice", "a token no larger than the one before",
     [](Opening& open) { open.last_hold_of("s").stamp = open.claims()[open.last_hold_of("s").key_previous].stamp; }},
    {"token_of_the_future", "a token that was not given yet",
     [](Opening& open) { open.last_hold_of("s").stamp = Stamp(open.member<Tokens>().next, 0); }},
};

const Canary of_lines[] = {
    {"dead_line", "a line that is no more", [](Opening& open) { open.key("x").line = 1000; }},
    {"lost_line", "a line is no key's", [](Opening& open) { open.lose_a_record<Lines>(); }},
    {"forgotten_line", "a claim is in no key's list", [](Opening& open) { open.key("x").line = no_index; }},
    {"waiter_of_another_key", "a foreign claim in a list of the key",
     [](Opening& open) { open.claim_of_waiter(Opening::frank).key = open.key_at("a"); }},
    {"broken_line", "a broken list of the key",
     [](Opening& open) { open.claim_of_waiter(Opening::frank).key_previous = no_index; }},
    {"circle_in_line", "a broken list of the key",
     [](Opening& open) { open.claim_of_waiter(Opening::frank).key_next = open.line_of("x").claims.first; }},
    {"wrong_last_in_line", "a wrong last in a list of the key",
     [](Opening& open) { open.line_of("x").claims.last = open.line_of("x").claims.first; }},
    {"wrong_length", "a wrong count of a list of the key", [](Opening& open) { open.line_of("x").count = 1; }},
    {"waits_for_what_he_holds", "a session twice in the lists of the key",
     [](Opening& open) { open.claim_of_waiter(Opening::erin).session = open.session_at(Opening::alice); }},
    {"empty_line", "an empty line", [](Opening& open) { open.line_of("x") = LineRecord{}; }},
    {"long_line", "a line longer than the bound", [](Opening& open) { open.member<WaitersMax>() = 1; }},
    {"waiter_with_a_token", "a waiter with a token",
     [](Opening& open) { open.claim_of_waiter(Opening::frank).stamp = Stamp(1, 0); }},
    {"unknown_to_his_session", "a waiter that its session does not know",
     [](Opening& open) { open.session(Opening::frank).wait = no_index; }},
    {"no_record", "a waiter without its record",
     [](Opening& open) { open.claim_of_waiter(Opening::frank).session_next = 1000; }},
    {"first_not_let_in", "a first in line who could be let in",
     [](Opening& open) { open.wait_of(Opening::grace).limit = 3; }},
};

const Canary of_sessions[] = {
    {"wrong_id", "a session that its index does not find",
     [](Opening& open) {
       auto& dave = open.session(Opening::dave);
       dave.id = Opening::alice;
       dave.hash = open.session(Opening::alice).hash;
     }},
    {"wrong_hash", "a wrong hash of the session", [](Opening& open) { ++open.session(Opening::dave).hash; }},
    {"wait_of_another", "a foreign wait of the session",
     [](Opening& open) { open.session(Opening::dave).wait = open.session(Opening::erin).wait; }},
    {"dead_wait", "a foreign wait of the session", [](Opening& open) { open.session(Opening::dave).wait = 1000; }},
    {"hold_for_a_wait", "a foreign wait of the session",
     [](Opening& open) { open.session(Opening::bob).wait = open.session(Opening::bob).first_claim; }},
    {"key_of_another_session", "a foreign key in the list of the session",
     [](Opening& open) { open.session(Opening::dave).first_key = open.key_at("a"); }},
    {"shared_key_for_an_exclusive_one", "a foreign key in the list of the session",
     [](Opening& open) { open.session(Opening::dave).first_key = open.key_at("s"); }},
    {"dead_key", "a foreign key in the list of the session",
     [](Opening& open) { open.session(Opening::dave).first_key = 1000; }},
    {"broken_back_link_of_keys", "a broken list of keys of the session",
     [](Opening& open) { open.key("d").hold.session_previous = open.key_at("a"); }},
    {"circle_of_keys", "a broken list of keys of the session",
     [](Opening& open) { open.key("d").hold.session_next = open.key_at("d"); }},
    {"key_unknown_to_its_session", "an exclusive key is no session's",
     [](Opening& open) {  // the end of alice would leave `a` locked
       open.session(Opening::alice).first_key = open.key("a").hold.session_next;
       open.key("x").hold.session_previous = no_index;
     }},
    {"hold_of_another_session", "a foreign hold in the list of the session",
     [](Opening& open) { open.session(Opening::dave).first_claim = open.session(Opening::bob).first_claim; }},
    {"wait_for_a_hold", "a foreign hold in the list of the session",
     [](Opening& open) { open.session(Opening::erin).first_claim = open.session(Opening::erin).wait; }},
    {"broken_back_link_of_session", "a broken list of holds of the session",
     [](Opening& open) { open.last_hold_of("s").session_previous = open.key("s").holders.first; }},
    {"circle_of_holds", "a broken list of holds of the session",
     [](Opening& open) { open.first_hold_of("s").session_next = open.key("s").holders.first; }},
    {"unindexed_by_session", "a claim is no session's",
     [](Opening& open) { open.session(Opening::alice).first_claim = no_index; }},
};

const Canary of_the_whole[] = {
    {"waiter_of_another_kind", "a foreign claim in the list of waiters",
     [](Opening& open) { open.ages(exclusive).oldest = open.ages(shared).oldest; }},
    {"holder_among_waiters", "a foreign claim in the list of waiters",
     [](Opening& open) { open.ages(exclusive).oldest = open.key("s").holders.first; }},
    {"broken_ages", "a broken list of waiters", [](Opening& open) { open.wait_of(Opening::frank).older = no_index; }},
    {"wrong_newest", "a wrong newest waiter",
     [](Opening& open) { open.ages(shared).newest = open.ages(shared).oldest; }},
    {"ageless_waiter", "a waiter is not in the list of waiters", [](Opening& open) { open.lose_the_newest(); }},
    {"drifting_keys", "the count of keys differs", [](Opening& open) { ++open.totals(exclusive).keys; }},
    {"drifting_holders", "the count of holders differs", [](Opening& open) { --open.totals(shared).holders; }},
    {"drifting_waiters", "the count of waiters differs",
     [](Opening& open) {
       open.lose_the_newest();
       --open.totals(exclusive).waiters;
     }},
    {"drifting_grants", "a grant that neither lasts nor ended", [](Opening& open) { ++open.totals(shared).grants; }},
    {"drifting_waits", "a wait that neither lasts nor ended", [](Opening& open) { ++open.totals(exclusive).waits; }},
    {"longer_than_the_longest", "the longest line is not the longest",
     [](Opening& open) { open.lengths(shared).grew_to(3); }},
    {"drifting_lengths", "the lengths of lines differ", [](Opening& open) { open.lengths(shared).grew_to(1); }},
    {"tokens_given_away", "fewer tokens than waiters",
     [](Opening& open) { open.member<Tokens>().next = open.member<Tokens>().end - 3; }},
    {"lost_wait", "a wait record is nobody's", [](Opening& open) { open.lose_a_record<Waits>(); }},
    {"key_indexed_twice", "the index of keys has entries without a key",
     [](Opening& open) { open.member<KeyIndex>().insert(open.key("a").hash, open.key_at("a")); }},
    {"session_indexed_twice", "the index of sessions has entries without a session",
     [](Opening& open) {
       open.member<SessionIndex>().reserve_one([](std::uint32_t) { return 0U; });
       open.member<SessionIndex>().insert(1, open.session_at(Opening::dave));
     }},
    {"claim_indexed_twice", "the index of claims has entries without a shared claim",
     [](Opening& open) {
       open.member<ClaimIndex>().reserve_one(0, [](std::uint32_t) { return 0U; });
       open.member<ClaimIndex>().insert(0, open.key("s").holders.first);
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

const auto name_of = [](const auto& canary) { return canary.param.name; };
INSTANTIATE_TEST_SUITE_P(canary_of_keys, CheckInvariants, ::testing::ValuesIn(of_keys), name_of);
INSTANTIATE_TEST_SUITE_P(canary_of_lines, CheckInvariants, ::testing::ValuesIn(of_lines), name_of);
INSTANTIATE_TEST_SUITE_P(canary_of_sessions, CheckInvariants, ::testing::ValuesIn(of_sessions), name_of);
INSTANTIATE_TEST_SUITE_P(canary_of_the_whole, CheckInvariants, ::testing::ValuesIn(of_the_whole), name_of);

// A table of several shards, each of which can be changed behind its back.
struct OpenShards : ShardedTable<NullMutex> {
  explicit OpenShards(std::uint32_t count)
      : ShardedTable({.seed = test_seed, .shard_count = count}), source(1, token_limit) {}

  LockTable& shard(std::size_t number) { return (this->*member_of(Shards{}))[number].table; }
  LockTable& shard_of_key(std::string_view key) { return shard(engine::hashed(key).hash >> 63); }  // of two
  Result get_there(LockTable& table, SessionId session, const Get& get) {
    const Asker asker{.session = engine::hashed(session), .closes_no_circle = true};
    return table.get(get, engine::hashed(get.key), asker, source, 0);
  }

  TokenSource source;
};

TEST(CheckInvariantsOfShards, a_key_in_the_wrong_shard_is_rejected) {
  OpenShards table(2);
  const std::size_t right = hashed("k").hash >> 63;
  table.get_there(table.shard(right), SessionId{1}, g("k"));
  EXPECT_EQ(table.check_invariants(), std::nullopt);
  for (const Get& get : {g("k"), sg("k")}) table.get_there(table.shard(1 - right), SessionId{1}, get);
  EXPECT_EQ(table.check_invariants(), "shard " + std::to_string(1 - right) + ": a key that belongs elsewhere");
}

TEST(CheckInvariantsOfShards, the_tables_of_all_shards_are_checked) {
  OpenShards table(4);
  for (std::size_t i = 0; i < 4; ++i) {
    auto copy = table;
    ++(copy.shard(i).*member_of(Counted{}))[shared].keys;
    EXPECT_EQ(copy.check_invariants(), "shard " + std::to_string(i) + ": the count of keys differs from the keys");
  }
}

TEST(CheckInvariantsOfShards, W6_a_waiter_unknown_or_known_to_be_elsewhere_is_rejected) {
  OpenShards table(2);
  LockTable& shard = table.shard_of_key("k");
  table.get_there(shard, SessionId{1}, g("k"));
  const std::uint32_t claim = table.get_there(shard, SessionId{2}, gw("k")).claim;
  const auto expected =
      "shard " + std::to_string(hashed("k").hash >> 63) + ": a session that waits and is not known to";
  EXPECT_EQ(table.check_invariants(), expected);

  WaitMap& waiting = table.*member_of(Waiting{});
  const auto here = static_cast<std::uint32_t>(hashed("k").hash >> 63);
  for (const WaitPlace& place : {WaitPlace{1 - here, claim}, WaitPlace{here, claim + 1}, WaitPlace{here, claim}}) {
    waiting.reserve_one();
    waiting.add(SessionId{2}, place);
    EXPECT_EQ(table.check_invariants().has_value(), place != (WaitPlace{here, claim}));
    waiting.remove(SessionId{2});
  }
  table.get_there(shard, SessionId{3}, gw("k"));
  EXPECT_EQ(table.check_invariants(), expected) << "and several of them are";
}

TEST(CheckInvariantsOfShards, W6_a_circle_is_rejected) {
  OpenShards table(1);
  SessionLocks alice(SessionId{1});
  SessionLocks bob(SessionId{2});
  table.get(alice, g("a"), 0);
  table.get(bob, g("b"), 0);
  table.get(alice, gw("b"), 0);
  EXPECT_EQ(table.check_invariants(), std::nullopt);
  WaitMap& waiting = table.*member_of(Waiting{});
  waiting.reserve_one();
  waiting.add(bob.id, {0, table.get_there(table.shard(0), bob.id, gw("a")).claim});
  EXPECT_EQ(table.check_invariants(), "a circle of sessions that wait for one another");
}

TEST(LockTableAtRest, S2_each_slab_keeps_one_chunk_at_most) {
  TestTable table;
  for (std::uint64_t i = 0; i < 100000; ++i) {
    const std::string key = "key" + std::to_string(i);
    table.get(SessionId{1 + i / 10}, get_of(i % 2 == 0 ? exclusive : shared, key));
    if (i % 4 == 0) table.get(SessionId{1000000 + i}, gw(key));
  }
  EXPECT_GT((table.*member_of(Keys{})).chunk_count(), 50U);
  EXPECT_GT((table.*member_of(Waits{})).chunk_count(), 5U);
  for (std::uint64_t id = 1; id <= 10000; ++id) table.end_some(SessionId{id}, infinite);
  for (std::uint64_t i = 0; i < 100000; i += 4) table.end_some(SessionId{1000000 + i}, infinite);
  EXPECT_EQ(table.check_invariants(), std::nullopt);
  const auto keeps_one_chunk = [](const auto& slab) { return slab.size() == 0 && slab.chunk_count() == 1; };
  EXPECT_TRUE(keeps_one_chunk(table.*member_of(Keys{})));
  EXPECT_TRUE(keeps_one_chunk(table.*member_of(Claims{})));
  EXPECT_TRUE(keeps_one_chunk(table.*member_of(Sessions{})));
  EXPECT_TRUE(keeps_one_chunk(table.*member_of(Lines{})));
  EXPECT_TRUE(keeps_one_chunk(table.*member_of(Waits{})));
}

}  // namespace
}  // namespace lockd::engine
