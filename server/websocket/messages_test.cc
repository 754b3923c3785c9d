// Messages to lines and replies to messages, by themselves and with sessions behind them.
#include "server/websocket/messages.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/test_server.h"

namespace lockd::server {
namespace {

using namespace std::string_literals;

struct Sent {
  std::string payload;
  bool is_binary = false;
  bool is_last = true;

  friend bool operator==(const Sent&, const Sent&) = default;
  friend void PrintTo(const Sent& sent, std::ostream* out) {
    *out << testing::PrintToString(sent.payload) << (sent.is_binary ? " binary" : "") << (sent.is_last ? "" : " part");
  }
};

Sent text(std::string payload) { return {.payload = std::move(payload)}; }
Sent binary(std::string payload) { return {.payload = std::move(payload), .is_binary = true}; }

// ---- lines ----

constexpr std::size_t line_bytes_max = 10;

std::string line_of(std::string_view message) {
  std::string line = "of the message before";
  Messages().take(message, false, line_bytes_max, line);
  return line;
}

TEST(Messages, F1_a_message_is_a_line_whose_end_stands_for_its_LF) {
  EXPECT_EQ(line_of("g key"), "g key\n");
  EXPECT_EQ(line_of("g key\r"), "g key\r\n");
  EXPECT_EQ(line_of("g \xff\0k"s), "g \xff\0k\n"s);
}

TEST(Messages, F6_what_is_too_long_stays_so_and_holds_no_line) {
  EXPECT_EQ(line_of("0123456789"), "0123456789\n");
  EXPECT_EQ(line_of("0123456789\r"), "0123456789\r\n");
  for (const auto& message : {"0123456789a"s, "0123456789\r\r"s, "g a\ng b\ng c"s, std::string(100, '\n')}) {
    const std::string line = line_of(message);
    EXPECT_EQ(line.find('\n'), line_bytes_max + 1) << message;
    EXPECT_EQ(line.size(), line_bytes_max + 2) << message;
  }
}

// ---- with a session ----

class Conversation {
 public:
  explicit Conversation(TestServer<>& server, std::uint64_t number = 1)
      : server_(server), session_(SessionId{number}, "A" + std::to_string(number), server.services) {}

  /// What comes back of this message, and of those before it.
  std::vector<Sent> say(std::string_view message, bool is_binary = false) {
    messages_.take(message, is_binary, server_.settings.line_bytes_max, line_);
    return call([&] { return session_.receive(line_, server_.services, output_); });
  }
  std::vector<Sent> wake(const Answer& answer) {
    return call([&] { return session_.wake(answer, server_.services, output_); });
  }
  std::vector<Sent> time_out() {
    server_.turn.now = session_.deadline();
    return call([&] { return session_.time_out(server_.services, output_); });
  }

  Next next() const { return next_; }
  bool is_idle() const { return messages_.is_idle(); }

 private:
  template <class Call>
  std::vector<Sent> call(Call first) {
    sent_.clear();
    run(first);
    while (next_ == Next::turn || next_ == Next::drain) {
      run([&] { return session_.go_on(server_.services, output_); });
    }
    return sent_;
  }

  template <class Call>
  void run(Call step) {
    std::vector<std::size_t> ends;
    server_.turn.reply_ends = &ends;
    next_ = step();
    server_.turn.reply_ends = nullptr;
    const Messages::Send send = [this](const MessagePart& part) {
      sent_.push_back({std::string(part.payload), part.is_binary, part.is_last});
    };
    output_.erase(0, messages_.send_replies(output_, ends, server_.statistics[0], send));
    if (next_ == Next::end) output_.erase(0, Messages::send_last_words(output_, send));
    if (output_.size() >= server_.settings.output_bytes_max) output_.erase(0, messages_.send_part(output_, send));
  }

  TestServer<>& server_;
  Session<engine::NullMutex> session_;
  Messages messages_;
  std::string line_;
  std::string output_;
  std::vector<Sent> sent_;
  Next next_ = Next::read;
};

using Replies = std::vector<Sent>;

TEST(Messages, F10_each_message_gets_one_reply_without_its_last_LF) {
  TestServer<> server;
  Conversation one(server);
  EXPECT_EQ(one.say("g a"), Replies{text("1 Lock Get Success: a")});
  EXPECT_EQ(one.say("sg a"), Replies{text("1 Shared Lock Get Success: a")});
  EXPECT_EQ(one.say("d"), Replies{text("a: A1")});
  EXPECT_EQ(one.say("ra"), Replies{text("2 Locks Released")});
  EXPECT_TRUE(one.is_idle());
}

TEST(Messages, L1_lines_stand_in_one_message_with_LFs_between_them) {
  TestServer<> server;
  Conversation one(server);
  for (const char* request : {"sg a", "iam somebody", "sg b"}) one.say(request);
  const Replies reply = one.say("list");
  ASSERT_EQ(reply.size(), 1U);
  EXPECT_EQ(std::ranges::count(reply[0].payload, '\n'), 2);
  EXPECT_TRUE(reply[0].payload.ends_with("\nEND"));
}

TEST(Messages, F4_where_there_is_no_line_the_reply_is_empty) {
  TestServer<> server;
  Conversation one(server);
  for (const char* request : {"", " ", "\t\r\v\f", "\n", " \n ", "d", "sd nothing", "who"})
    EXPECT_EQ(one.say(request), Replies{text("")}) << request;
  EXPECT_EQ(one.say("", true), Replies{binary("")});
}

TEST(Messages, F8_with_classic_an_unknown_verb_gets_an_empty_reply) {
  TestServer<> silent({.classic = true});
  EXPECT_EQ(Conversation(silent, 1).say("nonsense"), Replies{text("")});
  EXPECT_EQ(Conversation(silent, 2).say("non\nsense"), Replies{text("")});
  TestServer<> server;
  EXPECT_EQ(Conversation(server).say("nonsense"), Replies{text("0 Unknown Command: nonsense")});
}

TEST(Messages, F9_an_LF_is_a_bad_argument_of_any_verb) {
  TestServer<> server;
  Conversation one(server);
  EXPECT_EQ(one.say("g a\nr b"), Replies{text("0 Bad Arguments: g KEY")});
  EXPECT_EQ(one.say("g\n"), Replies{text("0 Bad Arguments: g KEY")});
  EXPECT_EQ(one.say("\n gw 5 a"), Replies{text("0 Bad Arguments: gw MILLISECONDS KEY")});
  EXPECT_EQ(one.say("cancel\r\n", true), Replies{binary("0 Bad Arguments: cancel")});
  EXPECT_EQ(one.say("quit\n"), Replies{text("0 Bad Arguments: quit")});
  EXPECT_EQ(server.statistics[0].bad_arguments.value(), 5U);
  EXPECT_EQ(one.say("no\ng a"), Replies{text("0 Unknown Command: no")});
  EXPECT_EQ(server.statistics[0].invalid_commands.value(), 1U);
  EXPECT_EQ(server.table.key_count(LockKind::exclusive), 0U);
}

TEST(Messages, F3_binary_where_the_request_was_or_where_it_is_no_UTF8) {
  TestServer<> server;
  Conversation one(server);
  EXPECT_EQ(one.say("ping", true), Replies{binary("1 pong")});
  EXPECT_EQ(one.say("g \xff", true), Replies{binary("1 Lock Get Success: \xff")});
  EXPECT_EQ(one.say("d"), Replies{binary("\xff: A1")});
  EXPECT_EQ(one.say("g k\xc3\xa9y"), Replies{text("1 Lock Get Success: k\xc3\xa9y")});
  EXPECT_EQ(one.say("ping"), Replies{text("1 pong")});
}

class WaitingMessages : public testing::Test {
 protected:
  WaitingMessages() {
    holder_.say("g k");
    EXPECT_EQ(waiter_.say("gw 1000 k", true), Replies{});
    EXPECT_EQ(waiter_.next(), Next::wait);
  }

  TestServer<> server_;
  Conversation holder_{server_, 1};
  Conversation waiter_{server_, 2};
};

TEST_F(WaitingMessages, W1_a_waits_reply_comes_when_it_ends) {
  EXPECT_EQ(waiter_.time_out(), Replies{binary("0 Lock Get Timeout: k")});
  EXPECT_TRUE(waiter_.is_idle());
}

TEST_F(WaitingMessages, W2_what_comes_meanwhile_is_answered_after_it_each_by_itself) {
  for (const char* request : {"", "g a\nb", "d a", "ping"}) EXPECT_EQ(waiter_.say(request), Replies{});
  holder_.say("r k");
  ASSERT_EQ(server_.turn.woken.size(), 1U);
  EXPECT_EQ(
      waiter_.wake(server_.turn.woken.front().answer),
      (Replies{binary("1 Lock Get Success: k"), text(""), text("0 Bad Arguments: g KEY"), text(""), text("1 pong")}));
}

TEST_F(WaitingMessages, W2_too_much_input_is_said_in_a_message_of_its_own) {
  server_.settings.input_bytes_max = 9;
  EXPECT_EQ(waiter_.say("\n"), Replies{});
  EXPECT_EQ(waiter_.say("ping"), Replies{});
  EXPECT_EQ(waiter_.say("ping"), Replies{text("0 Too Much Input: limit 9 bytes")});
  EXPECT_EQ(waiter_.next(), Next::end);
}

TEST_F(WaitingMessages, W9_cancel_answers_the_wait_then_what_was_kept_then_itself) {
  EXPECT_EQ(waiter_.say("ping"), Replies{});
  EXPECT_EQ(waiter_.say("cancel\n"), Replies{}) << "bad arguments cancel nothing";
  EXPECT_EQ(waiter_.say("cancel"), (Replies{binary("0 Lock Get Canceled: k"), text("1 pong"),
                                            text("0 Bad Arguments: cancel"), text("1 Canceled")}));
}

TEST(Messages, E4_a_request_that_ends_the_session_has_no_reply) {
  TestServer<> server;
  std::uint64_t number = 0;
  for (const char* request : {"quit", "GET / HTTP/1.1"}) {
    Conversation one(server, ++number);
    EXPECT_EQ(one.say(request), Replies{});
    EXPECT_EQ(one.next(), Next::end);
  }
}

TEST(Messages, L5_a_reply_beyond_the_bound_comes_in_binary_parts) {
  TestServer<> server({.output_bytes_max = 100'000});
  Conversation one(server);
  std::size_t listed = 0;
  for (int i = 0; i < 300; ++i) {
    const std::string key = std::to_string(i) + std::string(1000, 'k');
    one.say("g " + key);
    listed += key.size() + 5;  // ": A1" and an LF
  }
  const Replies parts = one.say("d");
  ASSERT_GT(parts.size(), 2U);
  std::string whole;
  for (const Sent& part : parts) {
    EXPECT_TRUE(part.is_binary);
    EXPECT_EQ(part.is_last, &part == &parts.back());
    whole += part.payload;
  }
  EXPECT_EQ(whole.size(), listed - 1);
  EXPECT_EQ(std::ranges::count(whole, '\n'), 299);
  EXPECT_EQ(one.say("ping"), Replies{text("1 pong")}) << "the next one is a text again";
}

TEST(Messages, L5_a_part_leaves_what_may_be_the_last_LF) {
  Messages messages;
  std::string line;
  messages.take("d", false, line_bytes_max, line);
  Replies sent;
  const Messages::Send send = [&](const MessagePart& part) {
    sent.push_back({std::string(part.payload), part.is_binary, part.is_last});
  };
  Statistics statistics;
  EXPECT_EQ(messages.send_part("\n", send), 0U);
  EXPECT_EQ(messages.send_part("a: A1\n", send), 5U);
  const std::vector<std::size_t> ends{1};
  EXPECT_EQ(messages.send_replies("\n", ends, statistics, send), 1U);
  EXPECT_EQ(sent, (Replies{{"a: A1", true, false}, {"", true, true}}));
}

}  // namespace
}  // namespace lockd::server
