// Listings (L1, L2, L5, R3): whole ones, and long ones in slices while others take and release.
#include "server/listing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "server/test_server.h"

namespace lockd::server {
namespace {

using TestListing = Listing<engine::NullMutex>;

std::string padded(int number) {
  std::string digits = std::to_string(number);
  return std::string(6 - digits.size(), '0') + digits;
}

std::multiset<std::string> lines_of(const std::string& text) {
  std::multiset<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.insert(line);
  return lines;
}

class ListingTest : public testing::Test {
 protected:
  // A listing from its first slice to its last; `between` is called after each but the last.
  template <class Between>
  std::string list(Verb verb, std::string_view text, Between between) {
    TestListing listing(verb, text);
    std::string all;
    for (int slices = 1;; ++slices) {
      std::string out;
      const bool finished = listing.go_on(server_.services, out);
      EXPECT_LT(out.size(), TestListing::slice_bytes_max + 100) << "one line at most beyond the bound";
      all += out;
      if (finished) {
        EXPECT_TRUE(listing.go_on(server_.services, out)) << "a finished listing";
        EXPECT_TRUE(all.ends_with(out)) << "which has nothing to add";
        slice_count_ = slices;
        return all;
      }
      EXPECT_LT(slices, 10000) << "it comes to its end";
      if (slices >= 10000) return all;
      between();
    }
  }
  std::string list(Verb verb, std::string_view text = "") {
    return list(verb, text, [] {});
  }

  TestClient& client(std::uint64_t number) { return clients_.try_emplace(number, server_, number).first->second; }

  TestServer<> server_;
  std::map<std::uint64_t, TestClient> clients_;
  int slice_count_ = 0;
};

// ---- L1, L2: what a listing shows ----

TEST_F(ListingTest, L1_a_line_for_each_exclusive_key_with_its_holder) {
  EXPECT_EQ(list(Verb::list_locks), "");
  client(1).ask("g a b\ng \nsg s\n");
  client(2).ask("iam bob\ng c\nsg s\n");
  EXPECT_EQ(lines_of(list(Verb::list_locks)), (std::multiset<std::string>{": A1", "a b: A1", "c: bob"}));
  EXPECT_EQ(list(Verb::list_locks, "a b"), "a b: A1\n");
  EXPECT_EQ(list(Verb::list_locks, "c"), "c: bob\n");
  EXPECT_EQ(list(Verb::list_locks, "s"), "");
  EXPECT_EQ(list(Verb::list_locks, "a"), "");
}

TEST_F(ListingTest, L1_the_holders_of_a_shared_key_in_the_order_of_taking) {
  client(3).ask("sg k\n");
  client(1).ask("sg k\nsg l\niam first\n");
  client(2).ask("sg k\n");
  EXPECT_EQ(list(Verb::list_shared, "k"), "k: A3\nk: first\nk: A2\n");
  client(3).ask("sg k\n");
  EXPECT_EQ(list(Verb::list_shared, "k"), "k: A3\nk: first\nk: A2\n") << "taking again changes nothing";
  client(3).ask("sr k\nsg k\n");
  EXPECT_EQ(list(Verb::list_shared, "k"), "k: first\nk: A2\nk: A3\n");
  EXPECT_EQ(list(Verb::list_shared, "none"), "");
  const std::string all = list(Verb::list_shared);
  EXPECT_TRUE(all == "k: first\nk: A2\nk: A3\nl: first\n" || all == "l: first\nk: first\nk: A2\nk: A3\n") << all;
}

TEST_F(ListingTest, L1_keys_are_shown_as_they_are) {
  const std::string key("\0\"\\\xff: x", 7);
  client(1).ask("g " + key + "\n");
  EXPECT_EQ(list(Verb::list_locks), key + ": A1\n");
}

TEST_F(ListingTest, L2_dump_is_one_line_of_JSON) {
  EXPECT_EQ(list(Verb::dump), "{}\n");
  EXPECT_EQ(list(Verb::dump, "shared"), "{}\n");
  client(1).ask("iam never shown\ng a\"b\nsg s\n");
  EXPECT_EQ(list(Verb::dump), "{\"a\\\"b\":\"A1\"}\n");
  EXPECT_EQ(list(Verb::dump, "shared"), "{\"s\":[\"A1\"]}\n");
  client(2).ask("g \xff\nsg s\nsg t\n");
  const std::string locks = list(Verb::dump, "anything else");
  EXPECT_TRUE(locks == "{\"a\\\"b\":\"A1\",\"\\u00ff\":\"A2\"}\n" ||
              locks == "{\"\\u00ff\":\"A2\",\"a\\\"b\":\"A1\"}\n")
      << locks;
  const std::string shared = list(Verb::dump, "shared");
  EXPECT_TRUE(shared == "{\"s\":[\"A1\",\"A2\"],\"t\":[\"A2\"]}\n" ||
              shared == "{\"t\":[\"A2\"],\"s\":[\"A1\",\"A2\"]}\n")
      << shared;
}

TEST_F(ListingTest, L2_dump_of_many_slices_is_one_well_formed_object) {
  std::set<std::string> members;
  for (int i = 0; i < 10'000; ++i) {
    client(1).ask("g " + padded(i) + "\n");
    members.insert("\"" + padded(i) + R"(":"A1")");
  }
  const std::string dump = list(Verb::dump);
  EXPECT_GT(slice_count_, 1);
  ASSERT_TRUE(dump.starts_with("{") && dump.ends_with("}\n"));
  std::istringstream inner(dump.substr(1, dump.size() - 3));
  std::size_t count = 0;
  for (std::string member; std::getline(inner, member, ','); ++count) ASSERT_EQ(members.erase(member), 1U) << member;
  EXPECT_EQ(count, 10'000U);
}

TEST_F(ListingTest, L2_an_array_that_is_cut_by_slices_is_whole) {
  constexpr std::uint64_t holder_count = 12'000;
  std::string expected = "{\"k\":[";
  for (std::uint64_t i = 1; i <= holder_count; ++i) {
    client(i).ask("sg k\n");
    expected += (i == 1 ? "\"A" : ",\"A") + std::to_string(i) + "\"";
  }
  EXPECT_EQ(list(Verb::dump, "shared"), expected + "]}\n");
  EXPECT_GT(slice_count_, 1);
}

// ---- R3 ----

TEST_F(ListingTest, R3_who_in_the_order_of_setting) {
  EXPECT_EQ(list(Verb::who), "");
  for (const std::uint64_t number : {3U, 1U, 2U}) client(number).ask("iam n" + std::to_string(number % 2) + "\n");
  EXPECT_EQ(list(Verb::who), "A3: n1\nA1: n1\nA2: n0\n");
  EXPECT_EQ(list(Verb::who, "n1"), "A3: n1\nA1: n1\n");
  EXPECT_EQ(list(Verb::who, "n"), "");
  client(3).ask("iam n1\n");
  EXPECT_EQ(list(Verb::who), "A1: n1\nA2: n0\nA3: n1\n");
}

TEST_F(ListingTest, R3_who_of_thousands_keeps_the_order) {
  std::string expected;
  for (std::uint64_t number = 5000; number > 0; --number) {
    client(number).ask("iam name " + std::to_string(number) + "\n");
    expected += "A" + std::to_string(number) + ": name " + std::to_string(number) + "\n";
  }
  EXPECT_EQ(list(Verb::who), expected);
  EXPECT_GT(slice_count_, 1);
  EXPECT_EQ(list(Verb::who, "name 77"), "A77: name 77\n");
}

// ---- L5: in slices, while others work ----

TEST_F(ListingTest, L5_the_first_bytes_come_at_once_and_a_slice_is_bounded) {
  for (int i = 0; i < 20'000; ++i) client(1).ask("g " + padded(i) + "\n");
  TestListing listing(Verb::list_locks, "");
  std::string out = "earlier replies\n";
  EXPECT_FALSE(listing.go_on(server_.services, out));
  EXPECT_GT(out.size(), 1000U);
  EXPECT_LE(out.size(), TestListing::slice_bytes_max + 100);
}

class ListingChurn : public ListingTest, public testing::WithParamInterface<Verb> {
 protected:
  static bool shared() { return GetParam() == Verb::list_shared; }
  static std::string request(bool take, const std::string& key) {
    return (shared() ? "s" : "") + std::string(take ? "g " : "r ") + key + "\n";
  }
};

INSTANTIATE_TEST_SUITE_P(verbs, ListingChurn, testing::Values(Verb::list_locks, Verb::list_shared, Verb::dump));

TEST_P(ListingChurn, L5_each_lasting_key_once_whatever_else_comes_and_goes) {
  constexpr int key_count = 6000;
  TestClient& keeper = client(1);
  TestClient& other = client(2);
  for (int i = 0; i < key_count; ++i) {
    other.ask(request(true, "fleeting" + padded(i)));
    keeper.ask(request(true, "lasting" + padded(i)));
    if (i % 3 == 0) keeper.ask((shared() ? "g " : "sg ") + padded(i) + "\n");  // of the kind that is not listed
  }
  std::mt19937 random(20261121);
  int next_fleeting = 0;
  const auto churn = [&] {
    for (int i = 0; i < 300; ++i) {
      other.ask(request(random() % 2 == 0, "fleeting" + padded(static_cast<int>(random() % key_count))));
      other.ask(request(true, "newcomer" + padded(next_fleeting++)));
    }
  };
  const std::string listing = list(GetParam(), "", churn);
  EXPECT_GT(slice_count_, 2);
  std::map<std::string, int> seen;
  for (std::size_t at = listing.find("lasting"); at != std::string::npos; at = listing.find("lasting", at + 1)) {
    ++seen[listing.substr(at, 13)];
  }
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(key_count));
  EXPECT_TRUE(std::ranges::all_of(seen, [](const auto& key) { return key.second == 1; }));
  EXPECT_EQ(listing.find("\"000"), std::string::npos) << "the other kind is not listed";
  EXPECT_EQ(listing.find("\n000"), std::string::npos) << "the other kind is not listed";
}

TEST_F(ListingTest, L5_what_existed_at_no_moment_does_not_appear) {
  for (int i = 0; i < 6000; ++i) client(1).ask("g " + padded(i) + "\n");
  for (int i = 0; i < 3000; ++i) client(1).ask("r " + padded(2 * i) + "\n");
  std::multiset<std::string> expected;
  for (int i = 0; i < 3000; ++i) expected.insert(padded(2 * i + 1) + ": A1");
  EXPECT_EQ(lines_of(list(Verb::list_locks)), expected);
}

TEST_F(ListingTest, L5_a_dump_begins_at_once_though_its_first_key_is_far) {
  std::string gets;
  for (int key = 0; key < 10'000; ++key) gets += "g " + std::to_string(key) + "\n";
  TestServer<> server;
  TestClient client(server, 1);
  client.ask(gets);
  client.receive("dump shared\n");
  EXPECT_EQ(client.next, Next::turn);
  EXPECT_EQ(client.output, "{");
  EXPECT_EQ(client.finish_asking(), "{}\n");
}

TEST_F(ListingTest, L5_one_keys_lines_are_of_one_moment) {
  constexpr std::uint64_t holder_count = 20'000;
  for (std::uint64_t i = 1; i <= holder_count; ++i) client(i).ask("sg k\n");
  // After each slice so many of those who came first leave, and as many newcomers take the lock.
  std::uint64_t left = 0;
  const auto lines = [](std::uint64_t first, std::uint64_t last) {
    std::string text;
    for (std::uint64_t i = first; i <= last; ++i) text += "k: A" + std::to_string(i) + "\n";
    return text;
  };
  for (const std::string_view text : {"k", ""}) {
    const std::uint64_t left_before = left;
    const std::string listing = list(Verb::list_shared, text, [&] {
      for (int i = 0; i < 500; ++i) {
        client(++left).ask("sr k\n");
        client(left + holder_count).ask("sg k\n");
      }
    });
    EXPECT_GT(slice_count_, 2);
    bool of_one_moment = false;
    for (std::uint64_t then = left_before; then <= left; ++then) {
      of_one_moment = of_one_moment || listing == lines(then + 1, then + holder_count);
    }
    EXPECT_TRUE(of_one_moment) << "sd " << text;
  }
}

TEST_F(ListingTest, L5_a_session_that_ends_meanwhile_is_shown_as_it_was_or_not_at_all) {
  for (std::uint64_t i = 1; i <= 5000; ++i)
    client(i).ask("iam n" + std::to_string(i) + "\nsg k\ng x" + std::to_string(i) + "\n");
  std::uint64_t gone = 0;
  const std::string listing = list(Verb::list_shared, "", [&] {
    for (int i = 0; i < 100; ++i) client(++gone).end();
  });
  EXPECT_GT(gone, 0U);
  const auto lines = lines_of(listing);
  for (std::uint64_t i = gone + 1; i <= 5000; ++i) ASSERT_EQ(lines.count("k: n" + std::to_string(i)), 1U);
  EXPECT_EQ(lines.size(), 5000U) << "all lines of the one key are of the moment of its first";
}

TEST_F(ListingTest, L5_who_shows_each_lasting_name_once_while_others_change) {
  for (std::uint64_t i = 1; i <= 6000; ++i) client(i).ask("iam n" + std::to_string(i) + "\n");
  std::mt19937 random(20261121);
  const std::string listing = list(Verb::who, "", [&] {
    for (int i = 0; i < 100; ++i) {
      const std::uint64_t even = 2 + 2 * (random() % 3000);
      client(even).ask(random() % 2 == 0 ? "iam\n" : "iam changed\n");
    }
  });
  EXPECT_GT(slice_count_, 1);
  const auto lines = lines_of(listing);
  for (std::uint64_t i = 1; i <= 6000; i += 2) {
    ASSERT_EQ(lines.count("A" + std::to_string(i) + ": n" + std::to_string(i)), 1U);
  }
}

// Else clients that rename themselves without end would keep whoever asked from ever going on.
TEST_F(ListingTest, L5_who_comes_to_its_end_although_all_names_move_all_the_time) {
  for (std::uint64_t i = 1; i <= 3000; ++i) client(i).ask("iam x\n");
  std::string listing;
  int slices = 0;
  TestListing who(Verb::who, "");
  while (!who.go_on(server_.services, listing) && ++slices < 100) {
    for (std::uint64_t i = 1; i <= 3000; ++i) client(i).ask("iam x\n");
  }
  EXPECT_LT(slices, 100);
}

}  // namespace
}  // namespace lockd::server
