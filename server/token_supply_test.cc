// Tokens are reserved before they are needed, and never given out beyond what is reserved.
#include "server/token_supply.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include "server/test_log.h"

namespace lockd::server {
namespace {

using std::chrono::microseconds;
using Time = std::chrono::system_clock::time_point;

constexpr std::uint64_t block = TokenSupply::block;

class TokenSupplyTest : public testing::Test {
 protected:
  TokenSupplyTest() {
    std::string name = testing::TempDir() + "supply-XXXXXX";
    directory_ = ::mkdtemp(name.data());
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  static engine::TokenSource first_block(TokenStore& store) {
    const std::uint64_t first = TokenSupply::reserve_first(store, Time(microseconds(1)));
    return {first, store.mark()};
  }

  // What the disk says, to a server that starts after this one was killed.
  std::uint64_t mark_on_disk() {
    const std::string copy = directory_ + "/copy";
    std::filesystem::create_directories(copy);
    std::filesystem::copy_file(directory_ + "/tokens", copy + "/tokens",
                               std::filesystem::copy_options::overwrite_existing);
    return TokenStore(copy).mark();
  }

  std::string directory_;
};

TEST_F(TokenSupplyTest, T1_tokens_start_from_the_larger_of_mark_and_clock) {
  TokenStore store(directory_);
  EXPECT_EQ(TokenSupply::reserve_first(store, Time(microseconds(1'000))), 1'000U);
  EXPECT_EQ(store.mark(), 1'000 + block);
  EXPECT_EQ(TokenSupply::reserve_first(store, Time(microseconds(2'000))), 1'000 + block);
  EXPECT_EQ(TokenSupply::reserve_first(store, Time(microseconds(9 * block))), 9 * block);
}

TEST_F(TokenSupplyTest, T1_a_clock_before_1970_does_no_harm) {
  EXPECT_EQ(token_of_clock(Time(microseconds(0))), 1U);
  EXPECT_EQ(token_of_clock(Time(microseconds(-5))), 1U);
}

TEST_F(TokenSupplyTest, T1_when_all_are_used_up_a_server_does_not_start) {
  TokenStore store(directory_);
  store.set_mark(engine::token_limit);
  EXPECT_THROW(TokenSupply::reserve_first(store, Time(microseconds(1))), std::runtime_error);
}

TEST_F(TokenSupplyTest, T1_the_next_block_is_reserved_when_half_of_the_last_is_left) {
  TokenStore store(directory_);
  engine::TokenSource source = first_block(store);
  TokenSupply supply(store, source);
  source.draw(block / 2);
  supply.top_up();
  EXPECT_EQ(source.end(), 1 + block);
  source.draw(1);
  supply.top_up();
  EXPECT_EQ(source.end(), 1 + 2 * block);
  EXPECT_EQ(mark_on_disk(), source.end());
}

TEST_F(TokenSupplyTest, T1_what_is_given_out_is_below_what_is_on_disk) {
  TokenStore store(directory_);
  engine::TokenSource source = first_block(store);
  TokenSupply supply(store, source);
  for (int i = 0; i < 40; ++i) {
    while (source.draw(block / 3)) EXPECT_LE(source.next(), mark_on_disk());
    supply.top_up();
  }
  EXPECT_GT(source.next(), 30 * block);
}

TEST_F(TokenSupplyTest, T1_where_none_can_be_reserved_the_last_are_used_and_then_no_more) {
  TokenStore store(directory_);
  engine::TokenSource source = first_block(store);
  TokenSupply supply(store, source);
  std::filesystem::create_directory(directory_ + "/tokens.new");
  source.draw(block - 1);
  supply.top_up();
  EXPECT_TRUE(source.draw(1).has_value());
  supply.top_up();
  EXPECT_FALSE(source.draw(1).has_value());
  std::filesystem::remove(directory_ + "/tokens.new");
  supply.top_up();
  EXPECT_TRUE(source.draw(1).has_value());
}

TEST_F(TokenSupplyTest, T1_the_last_block_ends_where_tokens_do) {
  TokenStore store(directory_);
  store.set_mark(engine::token_limit - 10);
  engine::TokenSource source = first_block(store);
  TokenSupply supply(store, source);
  EXPECT_EQ(source.end(), engine::token_limit);
  source.draw(10);
  supply.top_up();
  EXPECT_FALSE(source.draw(1).has_value());
}

TEST_F(TokenSupplyTest, T1_that_the_last_are_in_use_is_said_once) {
  const TestLog log;
  TokenStore store(directory_);
  store.set_mark(engine::token_limit - 10);
  engine::TokenSource source = first_block(store);
  TokenSupply supply(store, source);
  for (int i = 0; i < 3; ++i) supply.top_up();
  EXPECT_EQ(log.line_count(), 1U) << log.text();
  EXPECT_TRUE(log.says("after 10 more, grants are refused")) << log.text();
}

TEST_F(TokenSupplyTest, T1_its_keeper_reserves_the_next_block_by_itself) {
  TokenStore store(directory_);
  engine::TokenSource source = first_block(store);
  const TokenKeeper keeper(store, source);
  source.draw(block / 2 + 1);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (source.end() == 1 + block && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(source.end(), 1 + 2 * block);
}

TEST_F(TokenSupplyTest, T1_unused_tokens_are_given_back_at_an_orderly_end) {
  TokenStore store(directory_);
  engine::TokenSource source = first_block(store);
  source.draw(100);
  {
    const TokenKeeper keeper(store, source);
  }
  EXPECT_EQ(store.mark(), 101U);
}

TEST_F(TokenSupplyTest, T1_who_never_serves_gives_back_what_was_reserved) {
  const std::uint64_t ahead = 4'000'000'000'000'000;  // of the clock
  TokenStore(directory_).set_mark(ahead);
  for (int start = 0; start < 2; ++start) {
    const Tokens tokens(directory_);
    EXPECT_EQ(tokens.first(), ahead);
    EXPECT_EQ(tokens.end(), ahead + block);
    EXPECT_EQ(mark_on_disk(), ahead + block);
  }
  EXPECT_EQ(TokenStore(directory_).mark(), ahead);
}

TEST_F(TokenSupplyTest, T1_who_served_gives_back_only_what_was_not_drawn) {
  TokenStore(directory_).set_mark(4'000'000'000'000'000);
  {
    Tokens tokens(directory_);
    engine::TokenSource source(tokens.first(), tokens.end());
    const auto keeper = tokens.keep_supplied(source);
    source.draw(7);
  }
  EXPECT_EQ(TokenStore(directory_).mark(), 4'000'000'000'000'007U);
}

}  // namespace
}  // namespace lockd::server
