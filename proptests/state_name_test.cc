// Which states a search takes for one.
#include "proptests/state_name.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace lockd::proptests {
namespace {

const std::vector<SessionId> sessions = {SessionId{1}, SessionId{2}, SessionId{3}};
const std::vector<Key> keys = {"a", "b"};

Event asks(std::uint64_t session, Verb verb, const char* key) {
  return {.session = SessionId{session}, .verb = verb, .key = key, .limit = 1, .milliseconds = 1000};
}

class StateNamesTest : public testing::Test {
 protected:
  static Lockstep after(const std::vector<Event>& events) {
    Lockstep pair({.sessions = sessions});
    for (const Event& event : events) EXPECT_EQ(pair.act(event), std::nullopt);
    return pair;
  }

  std::string name(const std::vector<Event>& events) const { return names_.name(after(events)); }
  std::string renamed(const std::vector<Event>& events) const { return names_.name_up_to_renaming(after(events)); }

 private:
  StateNames names_{sessions, keys};
};

TEST_F(StateNamesTest, counts_and_times_are_no_part_of_it) {
  EXPECT_EQ(name({asks(1, Verb::get, "a"), asks(1, Verb::release, "a")}), name({}));
}

TEST_F(StateNamesTest, sessions_and_keys_are_but_for_renaming) {
  const std::vector<Event> one = {asks(1, Verb::get, "a"), asks(2, Verb::get_shared, "a"), asks(3, Verb::get, "b")};
  const std::vector<Event> other = {asks(2, Verb::get, "b"), asks(3, Verb::get_shared, "b"), asks(1, Verb::get, "a")};
  EXPECT_NE(name(one), name(other));
  EXPECT_EQ(renamed(one), renamed(other));
}

// Whoever holds one key exclusively shares the other, or another does: no renaming makes these the same.
TEST_F(StateNamesTest, who_holds_both_is_seen_through_renaming) {
  EXPECT_NE(renamed({asks(1, Verb::get, "a"), asks(1, Verb::get_shared, "b")}),
            renamed({asks(1, Verb::get, "a"), asks(2, Verb::get_shared, "b")}));
  EXPECT_NE(renamed({asks(1, Verb::get, "a"), asks(1, Verb::get_shared, "a")}),
            renamed({asks(1, Verb::get, "a"), asks(1, Verb::get_shared, "b")}));
}

TEST_F(StateNamesTest, the_order_of_taking_is_seen_through_renaming) {
  const std::vector<Event> same_order = {asks(1, Verb::get_shared, "a"), asks(2, Verb::get_shared, "a"),
                                         asks(1, Verb::get_shared, "b"), asks(2, Verb::get_shared, "b")};
  const std::vector<Event> other_order = {asks(1, Verb::get_shared, "a"), asks(2, Verb::get_shared, "a"),
                                          asks(2, Verb::get_shared, "b"), asks(1, Verb::get_shared, "b")};
  EXPECT_NE(renamed(same_order), renamed(other_order));
}

TEST_F(StateNamesTest, the_order_of_taking_can_be_merged_and_that_of_a_line_stays) {
  const StateNames merged(sessions, keys, Order::merged);
  const std::vector<Event> one = {asks(1, Verb::get_shared, "a"), asks(2, Verb::get_shared, "a")};
  const std::vector<Event> other = {asks(2, Verb::get_shared, "a"), asks(1, Verb::get_shared, "a")};
  EXPECT_NE(name(one), name(other));
  EXPECT_EQ(merged.name(after(one)), merged.name(after(other)));
  const std::vector<Event> line = {asks(1, Verb::get_shared, "a"), asks(2, Verb::get_limited_wait, "a"),
                                   asks(3, Verb::get_limited_wait, "a")};
  const std::vector<Event> other_line = {asks(1, Verb::get_shared, "a"), asks(3, Verb::get_limited_wait, "a"),
                                         asks(2, Verb::get_limited_wait, "a")};
  EXPECT_NE(merged.name(after(line)), merged.name(after(other_line)));
  EXPECT_NE(merged.name(after(line)), merged.name(after({asks(1, Verb::get_shared, "a"), asks(2, Verb::get_shared, "a"),
                                                         asks(3, Verb::get_limited_wait, "a")})));
}

TEST_F(StateNamesTest, holding_waiting_with_either_limit_and_having_been_told_are_seen) {
  const std::vector<Event> held = {asks(1, Verb::get_shared, "a")};
  std::vector<Event> waited = held;
  waited.push_back(asks(2, Verb::get_limited_wait, "a"));
  EXPECT_NE(renamed(held), renamed(waited));
  std::vector<Event> with_room = held;
  with_room.push_back(asks(3, Verb::get_shared, "a"));
  auto other_limit = asks(2, Verb::get_limited_wait, "a");
  other_limit.limit = 2;
  std::vector<Event> one_limit = with_room;
  one_limit.push_back(asks(2, Verb::get_limited_wait, "a"));
  with_room.push_back(other_limit);
  EXPECT_NE(renamed(one_limit), renamed(with_room));
  std::vector<Event> granted = waited;
  granted.push_back(asks(1, Verb::release_shared, "a"));
  std::vector<Event> told = granted;
  told.push_back({.session = SessionId{2}, .what = What::learns});
  EXPECT_NE(renamed(granted), renamed(told));
}

TEST_F(StateNamesTest, the_dead_are_seen) {
  EXPECT_NE(renamed({{.session = SessionId{1}, .what = What::ends}}), renamed({}));
  EXPECT_EQ(renamed({{.session = SessionId{1}, .what = What::ends}}),
            renamed({{.session = SessionId{3}, .what = What::ends}}));
}

}  // namespace
}  // namespace lockd::proptests
