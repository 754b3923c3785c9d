// Where reading ahead ends, and what it hands on.
#include "server/read_ahead.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace lockd::server {
namespace {

class ReadAhead : public testing::Test {
 protected:
  // The texts of the requests that are read at once, from where the last reading ended.
  std::vector<std::string> read(std::string_view input) {
    std::vector<std::string> texts;
    for (const PendingRequest& request : read_ahead(parser_, input, read_, table_, room_)) {
      texts.emplace_back(request.line.text);
      EXPECT_LE(request.end, read_);
      if (!is_about_a_lock(request.line)) continue;
      EXPECT_EQ(request.key.hash, table_.hashed(request.line.text).hash);
      EXPECT_EQ(request.key.bytes, request.line.text);
    }
    return texts;
  }

  Parser parser_{8192};
  engine::ShardedTable<engine::NullMutex> table_{{.seed = {1, 2}, .cached_keys_max = 0}};
  PendingRequests room_;
  std::size_t read_ = 0;
};

using Texts = std::vector<std::string>;

TEST_F(ReadAhead, F5_takes_all_whole_lines_and_leaves_the_rest) {
  const std::string_view input = "g a\n\nsr b\ni c\nr";
  EXPECT_EQ(read(input), (Texts{"a", "b", "c"}));
  EXPECT_EQ(read_, input.size() - 1);
  EXPECT_EQ(read(input), Texts{});
  EXPECT_EQ(read_, input.size() - 1);
}

TEST_F(ReadAhead, F5_takes_no_more_than_there_is_room_for) {
  std::string input;
  for (std::size_t i = 0; i < room_.size() + 1; ++i) input += "g key-of-some-length\n";
  EXPECT_EQ(read(input).size(), room_.size());
  EXPECT_EQ(read(input).size(), 1U);
}

TEST_F(ReadAhead, W1_C2_ends_behind_a_request_that_may_wait) {
  EXPECT_EQ(read("g a\ngw 5 b\nr a\n"), (Texts{"a", "b"}));
  EXPECT_EQ(read("g a\ngw 5 b\nr a\n"), Texts{"a"});
  read_ = 0;
  EXPECT_EQ(read("sgw 1 5 a\nr b\n"), Texts{"a"});
  read_ = 0;
  EXPECT_EQ(read("gw 0 a\nsgl 2 b\nr c\n"), (Texts{"a", "b", "c"})) << "these do not wait";
}

TEST_F(ReadAhead, ends_behind_what_is_not_about_a_lock) {
  for (const std::string line : {"ra\n", "quit\n", "d a\n", "ping\n", "gw x\n", "nothing\n"}) {
    read_ = 0;
    EXPECT_EQ(read("g a\n" + line + "r b\n").size(), 2U) << line;
    EXPECT_EQ(read("g a\n" + line + "r b\n"), Texts{"b"}) << line;
  }
}

TEST_F(ReadAhead, F3_ends_behind_a_text_that_lies_in_the_parser) {
  EXPECT_EQ(read("g a\ng b\t b\nr c\n"), (Texts{"a", "b b"}));
  EXPECT_EQ(read("g a\ng b\t b\nr c\n"), Texts{"c"});
}

}  // namespace
}  // namespace lockd::server
