// The state of one lock against the specification's (model/), along random ways.
#include "histories/lock_state.h"

#include <algorithm>
#include <random>
#include <vector>

#include "gtest/gtest.h"
#include "model/lock_model.h"

namespace lockd::histories {
namespace {

const model::Lock lock{LockKind::shared, "K"};

model::SessionAsks get_of(SessionId session, std::uint32_t limit) {
  return {session, Verb::get_limited_wait, "K", limit, 1};
}

// Takes one step of both, and returns the grants of the LockState's.
std::vector<LockState::Grant> step(LockState& state, model::LockModel& model, LockState::Session session,
                                   std::uint32_t limit) {
  const SessionId id{session};
  std::vector<LockState::Grant> grants;
  if (state.is_held_by(session)) {
    state.remove(session, grants);
    model = model::step(model, model::SessionAsks{id, Verb::release_shared, "K"}).state;
  } else if (state.has_in_line(session)) {
    state.remove(session, grants);
    model = model::step(model, model::WaitTimesOut{id}).state;
  } else {
    state.can_be_had(limit, true) ? state.grant(session) : state.enter_line(session, limit);
    model = model::step(model, get_of(id, limit)).state;
  }
  return grants;
}

TEST(LockState, is_the_specifications_C2_W4_W5) {
  std::mt19937 random(1);
  LockState state;
  model::LockModel model;
  constexpr std::uint32_t sessions = 6;
  for (std::uint32_t session = 1; session <= sessions; ++session)
    model = model::step(model, model::SessionBegins{SessionId{session}}).state;
  std::uniform_int_distribution<std::uint32_t> any_session(1, sessions);
  std::uniform_int_distribution<std::uint32_t> any_limit(1, 3);
  std::size_t handed_over = 0;
  for (int i = 0; i < 20'000; ++i) {
    handed_over += step(state, model, any_session(random), any_limit(random)).size();
    ASSERT_EQ(state.holders(), model.holders(lock).size());
    ASSERT_EQ(state.waiters(), model.line(lock).size());
    for (std::uint32_t session = 1; session <= sessions; ++session) {
      const auto holders = model.holders(lock);
      ASSERT_EQ(state.is_held_by(session),
                std::ranges::count(holders, SessionId{session}, &model::Holder::session) > 0);
    }
  }
  EXPECT_GT(handed_over, 1'000U);
}

TEST(LockState, has_equal_bytes_where_it_is_equal) {
  LockState one;
  LockState other;
  for (const LockState::Session session : {1U, 2U}) one.grant(session);
  for (const LockState::Session session : {2U, 1U}) other.grant(session);
  std::string one_bytes;
  std::string other_bytes;
  one.append_bytes(one_bytes);
  other.append_bytes(other_bytes);
  EXPECT_EQ(one, other);
  EXPECT_EQ(one_bytes, other_bytes);
  other.enter_line(3, 1);
  other.append_bytes(other_bytes);
  EXPECT_NE(one_bytes, other_bytes);
}

}  // namespace
}  // namespace lockd::histories
