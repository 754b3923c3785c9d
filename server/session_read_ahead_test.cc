// Sessions read lines ahead of executing them, 16 at once: nothing of that may show. Each thing that ends a batch, or
// is read otherwise than its neighbours, is tried at every place of one, and the replies are those of the protocol.
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "server/session.h"
#include "server/test_server.h"

namespace lockd::server {
namespace {

// Two whole batches and what stands around their borders.
constexpr std::size_t places = 35;

// Requests, and the replies that the protocol has for them.
struct Script {
  std::string requests;
  std::string replies;

  void add(std::string_view request, std::string_view reply) {
    requests += request;
    replies += reply;
  }
  void add(const Script& more) { add(more.requests, more.replies); }
};

Script operator+(Script left, const Script& right) {
  left.add(right);
  return left;
}

std::string with(std::string_view before, std::size_t number, std::string_view behind = "\n") {
  return std::string(before) + std::to_string(number) + std::string(behind);
}

// One request for each number from `first` on: a key is taken, looked at and released, in three lines of one batch or
// of two. So each answer depends on the lines before it, and no line can be executed twice or not at all.
Script work(std::size_t first, std::size_t count) {
  Script script;
  for (std::size_t i = first; i < first + count; ++i) {
    const std::size_t key = i / 3;
    if (i % 3 == 0) script.add(with("g k", key), with("1 Lock Get Success: k", key));
    if (i % 3 == 1) script.add(with("i k", key), with("1 Lock Is Locked: k", key));
    if (i % 3 == 2) script.add(with("r k", key), with("1 Lock Release Success: k", key));
  }
  return script;
}

// Takes locks that are seen from outside.
Script takes(std::size_t first, std::size_t count) {
  Script script;
  for (std::size_t i = first; i < first + count; ++i) script.add(with("g t", i), with("1 Lock Get Success: t", i));
  return script;
}

// A server and two clients for each place, where something is to happen to Ada.
struct AtPlace {
  explicit AtPlace(std::size_t at) : place(at) {}

  std::uint64_t keys() const { return server.table.key_count(LockKind::exclusive); }

  // Whether Ada, having sent all of this, has executed `script` and nothing of what follows, and then needs `next`.
  void expect_stop(const Script& script, const Script& behind, Next next) {
    ada.receive(script.requests + behind.requests);
    EXPECT_EQ(ada.take_output(), script.replies);
    EXPECT_EQ(ada.next, next);
  }

  // `between` at the place, in as much work as there are places.
  void expect_answered(const Script& between) {
    const Script script = work(0, place) + between + work(place, places - place);
    EXPECT_EQ(ada.ask(script.requests), script.replies);
  }

  std::size_t place;
  TestServer<> server{{.line_bytes_max = 40}};
  TestClient ada{server, 1};
  TestClient bob{server, 2};
};

// Ada's output is full with the reply to the line at the place, and not before: the only stop that can come behind any
// line.
struct FullAtPlace {
  explicit FullAtPlace(std::size_t at) : place(at) { ada.receive(executed.requests + left.requests); }

  std::uint64_t keys() const { return server.table.key_count(LockKind::exclusive); }

  std::size_t place;
  Script executed = takes(0, place + 1);
  Script left = takes(place + 1, places);
  TestServer<> server{{.output_bytes_max = executed.replies.size()}};
  TestClient ada{server, 1};
  TestClient bob{server, 2};
};

template <class World, class Test>
void at_each_place(Test test) {
  for (std::size_t place = 0; place < places; ++place) {
    SCOPED_TRACE(place);
    World world(place);
    test(world);
  }
}

// ---- lines that are read otherwise than those around them ----

TEST(SessionReadAhead, F3_a_key_with_blanks_to_fold) {
  at_each_place<AtPlace>([](AtPlace& at) {
    Script folded;
    folded.add("g  a \t b\n", "1 Lock Get Success: a b\n");
    at.expect_answered(folded);
    EXPECT_EQ(at.bob.ask("i a b\n"), "1 Lock Is Locked: a b\n");
  });
}

TEST(SessionReadAhead, F3_several_such_keys_beside_each_other_and_apart) {
  at_each_place<AtPlace>([](AtPlace& at) {
    Script folded;
    folded.add("g  a \t b\n", "1 Lock Get Success: a b\n");
    folded.add("sg\tc\r\vd\n", "1 Shared Lock Get Success: c d\n");
    folded.add("g a  bb\r\n", "1 Lock Get Success: a bb\n");
    folded.add("r a bb\n", "1 Lock Release Success: a bb\n");
    folded.add("i a\f b\n", "1 Lock Is Locked: a b\n");
    folded.add("st e\t \tf\n", "0 Shared Lock Not Held: e f\n");
    at.expect_answered(folded);
  });
}

TEST(SessionReadAhead, F2_F3_the_case_of_letters_counts) {
  at_each_place<AtPlace>([](AtPlace& at) {
    Script letters;
    letters.add("g key\n", "1 Lock Get Success: key\n");
    letters.add("i KEY\n", "0 Lock Not Locked: KEY\n");
    letters.add("G key\n", "0 Unknown Command: G\n");
    letters.add("g Key\n", "1 Lock Get Success: Key\n");
    letters.add("Ping\n", "0 Unknown Command: Ping\n");
    letters.add("r key\n", "1 Lock Release Success: key\n");
    letters.add("i Key\n", "1 Lock Is Locked: Key\n");
    at.expect_answered(letters);
  });
}

TEST(SessionReadAhead, F4_blank_lines) {
  at_each_place<AtPlace>([](AtPlace& at) {
    Script blank;
    blank.add("\n \t\r\n\n", "");
    at.expect_answered(blank);
  });
}

TEST(SessionReadAhead, F6_a_line_too_long_and_one_that_just_fits) {
  at_each_place<AtPlace>([](AtPlace& at) {
    Script lines;
    const std::string fits(38, 'k');  // with "g " before it 40 bytes
    lines.add("g " + fits + "\r\n", "1 Lock Get Success: " + fits + "\n");
    lines.add("g " + fits + "k\n", "0 Line Too Long: limit 40 bytes\n");
    lines.add("i " + fits + "\n", "1 Lock Is Locked: " + fits + "\n");
    lines.add(std::string(500, 'x') + " quit\n", "0 Line Too Long: limit 40 bytes\n");
    lines.add("r " + fits + "\n", "1 Lock Release Success: " + fits + "\n");
    at.expect_answered(lines);
    EXPECT_EQ(at.server.statistics[0].lines_too_long.value(), 2U);
  });
}

TEST(SessionReadAhead, F6_a_line_too_long_whose_end_comes_later) {
  at_each_place<AtPlace>([](AtPlace& at) {
    const Script before = work(0, at.place);
    const Script behind = work(at.place, places - at.place);
    EXPECT_EQ(at.ada.ask(before.requests + std::string(41, 'x')), before.replies);
    EXPECT_EQ(at.ada.ask(std::string(100, 'y')), "");
    EXPECT_EQ(at.ada.ask(" quit\n" + behind.requests), "0 Line Too Long: limit 40 bytes\n" + behind.replies);
  });
}

TEST(SessionReadAhead, F8_F9_mistakes) {
  at_each_place<AtPlace>([](AtPlace& at) {
    Script mistakes;
    mistakes.add("gw x k\n", "0 Bad Arguments: gw MILLISECONDS KEY\n");
    mistakes.add("frob\n", "0 Unknown Command: frob\n");
    mistakes.add("ping now\n", "0 Bad Arguments: ping\n");
    at.expect_answered(mistakes);
    EXPECT_EQ(at.server.statistics[0].bad_arguments.value(), 2U);
    EXPECT_EQ(at.server.statistics[0].invalid_commands.value(), 1U);
  });
}

// ---- what ends a batch ----

TEST(SessionReadAhead, E4_quit) {
  at_each_place<AtPlace>([](AtPlace& at) {
    Script script = takes(0, at.place);
    script.add("quit\n", "");
    at.expect_stop(script, takes(at.place, places), Next::end);
    EXPECT_EQ(at.keys(), at.place);
  });
}

TEST(SessionReadAhead, F11_a_browser) {
  at_each_place<AtPlace>([](AtPlace& at) {
    Script script = takes(0, at.place);
    script.add("Host: a.example\n", "");
    at.expect_stop(script, takes(at.place, places), Next::end);
    EXPECT_EQ(at.keys(), at.place);
  });
}

TEST(SessionReadAhead, L5_a_walk_ends_the_turn) {
  at_each_place<AtPlace>([](AtPlace& at) {
    Script script = work(0, at.place);
    script.add("who\n", "");
    at.expect_stop(script, takes(0, places), Next::turn);
    EXPECT_EQ(at.bob.ask("g t0\n"), "1 Lock Get Success: t0\n") << "others are served between";
    EXPECT_EQ(at.ada.finish_asking(), "0 Lock Get Failure: t0\n" + takes(1, places - 1).replies);
  });
}

TEST(SessionReadAhead, E1_the_release_of_many_locks_ends_the_turn) {
  at_each_place<AtPlace>([](AtPlace& at) {
    constexpr std::size_t slice = 1024;
    at.ada.ask(takes(places, slice).requests);
    const std::size_t held = slice + (at.place % 3 == 0 ? 0 : 1);
    Script script = work(0, at.place);
    script.add("ra\n", "");
    at.expect_stop(script, takes(0, places), Next::turn);
    EXPECT_EQ(at.keys(), held - slice);
    EXPECT_EQ(at.ada.finish_asking(), with("", held, " Locks Released\n") + takes(0, places).replies);
  });
}

TEST(SessionReadAhead, W2_a_wait_and_what_follows_it) {
  at_each_place<AtPlace>([](AtPlace& at) {
    at.bob.ask("g busy\n");
    Script script = work(0, at.place);
    script.add("gw 1000 busy\n", "");
    at.expect_stop(script, takes(0, places), Next::wait);
    EXPECT_EQ(at.bob.ask("g t0\nr busy\n"), "1 Lock Get Success: t0\n1 Lock Release Success: busy\n");
    EXPECT_EQ(at.ada.take_output(),
              "1 Lock Get Success: busy\n0 Lock Get Failure: t0\n" + takes(1, places - 1).replies);
    EXPECT_EQ(at.ada.next, Next::read);
  });
}

TEST(SessionReadAhead, W1_a_wait_that_times_out) {
  at_each_place<AtPlace>([](AtPlace& at) {
    at.bob.ask("g busy\n");
    Script script = work(0, at.place);
    script.add("gw 1000 busy\n", "");
    at.expect_stop(script, takes(0, places), Next::wait);
    at.ada.time_out();
    EXPECT_EQ(at.ada.finish_asking(), "0 Lock Get Timeout: busy\n" + takes(0, places).replies);
  });
}

TEST(SessionReadAhead, W9_a_cancel_behind_a_wait) {
  at_each_place<AtPlace>([](AtPlace& at) {
    at.bob.ask("g busy\n");
    Script script;
    script.add("gw 1000 busy\n", "0 Lock Get Canceled: busy\n");
    script.add(work(0, at.place));
    script.add("cancel\n", "1 Canceled\n");
    script.add(work(at.place, places - at.place));
    EXPECT_EQ(at.ada.ask(script.requests), script.replies);
  });
}

TEST(SessionReadAhead, S3_the_end_of_the_input_behind_a_line_without_its_LF) {
  at_each_place<AtPlace>([](AtPlace& at) {
    at.expect_stop(takes(0, at.place), {"g unfinished", ""}, Next::read);
    EXPECT_EQ(at.ada.session.finish(), Next::end);
    at.ada.end();
    EXPECT_EQ(at.keys(), 0U);
    EXPECT_EQ(at.bob.ask("i unfinished\n"), "0 Lock Not Locked: unfinished\n");
  });
}

// ---- the output is full ----

TEST(SessionReadAheadOutput, F5_what_is_not_answered_is_not_executed) {
  at_each_place<FullAtPlace>([](FullAtPlace& at) {
    EXPECT_EQ(at.ada.next, Next::drain);
    EXPECT_EQ(at.ada.output, at.executed.replies);
    EXPECT_EQ(at.keys(), at.place + 1);
    EXPECT_EQ(at.ada.finish_asking(), at.executed.replies + at.left.replies);
    EXPECT_EQ(at.ada.next, Next::read);
  });
}

TEST(SessionReadAheadOutput, F5_what_others_do_meanwhile_counts) {
  at_each_place<FullAtPlace>([](FullAtPlace& at) {
    const std::string next = with("t", at.place + 1, "");
    EXPECT_EQ(at.bob.ask("g " + next + "\n"), "1 Lock Get Success: " + next + "\n");
    EXPECT_EQ(at.ada.finish_asking(),
              at.executed.replies + "0 Lock Get Failure: " + next + "\n" + takes(at.place + 2, places - 1).replies);
  });
}

TEST(SessionReadAheadOutput, S2_nothing_is_executed_after_an_end_in_the_middle) {
  at_each_place<FullAtPlace>([](FullAtPlace& at) {
    at.ada.end();
    EXPECT_EQ(at.keys(), 0U);
    EXPECT_EQ(at.server.table.totals()[LockKind::exclusive].orphans, at.place + 1);
    EXPECT_EQ(at.server.statistics[0].commands[static_cast<std::size_t>(Verb::get)].value(), at.place + 1);
  });
}

TEST(SessionReadAheadOutput, a_copy_goes_on_from_where_the_session_stands) {
  at_each_place<FullAtPlace>([](FullAtPlace& at) {
    TestServer<> other(at.server);
    Session<engine::NullMutex> copy(at.ada.session);
    EXPECT_EQ(at.ada.finish_asking(), at.executed.replies + at.left.replies);
    std::string replies;
    for (Next next = Next::drain; next == Next::drain;) {
      std::string written;
      next = copy.go_on(other.services, written);
      replies += written;
    }
    EXPECT_EQ(replies, at.left.replies);
  });
}

// ---- one batch, or several, at the same keys ----

TEST(SessionReadAheadKeys, X1_X2_each_line_finds_what_the_one_before_has_left) {
  TestServer<> server;
  TestClient ada(server, 1);
  Script script;
  for (std::size_t i = 0; i < places; ++i) {
    script.add("g k\n", "1 Lock Get Success: k\n");
    script.add("r k\n", "1 Lock Release Success: k\n");
    script.add("r k\n", "0 Lock Release Failure: k\n");
    script.add(with("g another", i), with("1 Lock Get Success: another", i));  // lies where k has lain
    script.add("i k\n", "0 Lock Not Locked: k\n");
  }
  EXPECT_EQ(ada.ask(script.requests), script.replies);
}

TEST(SessionReadAheadKeys, X1_while_the_table_grows_and_shrinks) {
  TestServer<> server;
  TestClient ada(server, 1);
  constexpr std::size_t many = 20'000;
  Script released;
  for (std::size_t i = 0; i < many; ++i) released.add(with("r t", i), with("1 Lock Release Success: t", i));
  EXPECT_EQ(ada.ask(takes(0, many).requests), takes(0, many).replies);
  EXPECT_EQ(ada.ask(takes(0, many).requests), takes(0, many).replies) << "held by her already";
  EXPECT_EQ(ada.ask(released.requests), released.replies);
  EXPECT_EQ(server.table.key_count(LockKind::exclusive), 0U);
}

TEST(SessionReadAheadKeys, W4_a_lock_that_is_handed_over_in_the_middle_of_a_batch_is_gone_for_its_rest) {
  TestServer<> server;
  TestClient ada(server, 1);
  TestClient bob(server, 2);
  for (std::size_t place = 0; place < places; ++place) {
    const std::string key = with("h", place, "");
    ada.ask("g " + key + "\n");
    bob.receive("gw 1000 " + key + "\n");
    Script script = work(0, place);
    script.add("r " + key + "\n", "1 Lock Release Success: " + key + "\n");
    script.add("g " + key + "\n", "0 Lock Get Failure: " + key + "\n");
    script.add("r " + key + "\n", "0 Lock Release Failure: " + key + "\n");
    script.add(work(place, places - place));
    EXPECT_EQ(ada.ask(script.requests), script.replies) << place;
    EXPECT_EQ(bob.take_output(), "1 Lock Get Success: " + key + "\n");
    ada.ask("ra\n");
  }
}

TEST(SessionReadAheadKeys, E3_each_line_is_counted_once) {
  for (std::size_t lines = 0; lines < places; ++lines) {
    TestServer<> server;
    TestClient ada(server, 1);
    ada.ask(takes(0, lines).requests);
    EXPECT_EQ(server.statistics[0].commands[static_cast<std::size_t>(Verb::get)].value(), lines);
  }
}

// ---- F5: where the bytes were cut shows nowhere ----

// All kinds of lines; some as long as they may be, and a byte longer.
Script all_kinds() {
  Script script = work(0, 20);
  script.add("g 3456789012\r\n", "1 Lock Get Success: 3456789012\n");
  script.add("g 34567890123\r\n", "0 Line Too Long: limit 12 bytes\n");
  script.add("\r\n", "");
  script.add("r 3456789012\n", "1 Lock Release Success: 3456789012\n");
  script.add("i 34567890123\n", "0 Line Too Long: limit 12 bytes\n");
  script.add(" g a \t b\r\n", "1 Lock Get Success: a b\n");
  script.add("i a\vb \n", "1 Lock Is Locked: a b\n");
  script.add("frob\r\n", "0 Unknown Command: frob\n");
  script.add(" \n", "");
  script.add("gw\n", "0 Bad Arguments: gw MILLISECONDS KEY\n");
  script.add("12345678901\r\r\n", "0 Unknown Command: 12345678901\n");
  script.add("gw 0 k\r\n", "1 Lock Get Success: k\n");
  return script + work(20, 20);
}

constexpr Settings short_lines = {.line_bytes_max = 12};

TEST(SessionReadAheadCuts, F1_F5_F6_at_each_byte) {
  const auto [requests, replies] = all_kinds();
  for (std::size_t cut = 0; cut <= requests.size(); ++cut) {
    TestServer<> server(short_lines);
    TestClient ada(server, 1);
    const std::string first = ada.ask(requests.substr(0, cut));
    EXPECT_EQ(first + ada.ask(requests.substr(cut)), replies) << "cut at " << cut;
  }
}

TEST(SessionReadAheadCuts, F1_F5_F6_into_pieces_of_each_size) {
  const auto [requests, replies] = all_kinds();
  for (std::size_t size = 1; size <= requests.size(); ++size) {
    TestServer<> server(short_lines);
    TestClient ada(server, 1);
    std::string all;
    for (std::size_t at = 0; at < requests.size(); at += size) all += ada.ask(requests.substr(at, size));
    EXPECT_EQ(all, replies) << "in pieces of " << size;
  }
}

TEST(SessionReadAheadCuts, F5_W2_kept_during_a_wait_and_executed_from_there) {
  const auto [requests, replies] = all_kinds();
  for (std::size_t cut = 0; cut <= requests.size(); ++cut) {
    TestServer<> server(short_lines);
    TestClient ada(server, 1);
    TestClient bob(server, 2);
    bob.ask("g busy\n");
    EXPECT_EQ(ada.ask("gw 9 busy\n" + requests.substr(0, cut)), "");
    bob.ask("r busy\n");
    const std::string first = ada.take_output();
    EXPECT_EQ(first + ada.ask(requests.substr(cut)), "1 Lock Get Success: busy\n" + replies) << "cut at " << cut;
  }
}

}  // namespace
}  // namespace lockd::server
