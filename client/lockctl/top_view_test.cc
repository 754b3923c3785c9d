// Tests of the screens of lockctl top.
#include "client/lockctl/top_view.h"

#include <gtest/gtest.h>

#include <clocale>

#include "client/lockctl/text.h"

namespace lockd::lockctl {

namespace {

using std::chrono::milliseconds;

ListedLock lock(const char* key, Mode mode, bool waiting, int age_ms, const char* holder) {
  return {mode, waiting, milliseconds(age_ms), waiting ? 0U : 42U, holder, key};
}

/// Two looks, a second apart, at a server with some traffic.
class LockctlTop : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(std::setlocale(LC_CTYPE, "C.UTF-8"), nullptr);
    before_.stats = {{"command_g", 100}, {"command_r", 50}, {"grants", 90}, {"timeouts", 4}};
    now_.stats = {{"command_g", 1100},  {"command_r", 1050},
                  {"command_stats", 1}, {"grants", 1090},
                  {"timeouts", 4},      {"waits", 3},
                  {"refusals", 250},    {"connections", 12},
                  {"locks", 2},         {"shared_locks", 1},
                  {"holders", 4},       {"waiters", 3},
                  {"longest_line", 2},  {"oldest_waiter_ms", 12'345}};
    now_.at = before_.at + std::chrono::seconds(2);
    now_.locks = {lock("idle", Mode::exclusive, false, 500, "127.0.0.1:1"),
                  lock("nightly report", Mode::exclusive, false, 3'725'000, "worker one"),
                  lock("nightly report", Mode::exclusive, true, 12'345, "worker two"),
                  lock("nightly report", Mode::exclusive, true, 345, "worker three"),
                  lock("pool", Mode::shared, false, 90'000, "a"),
                  lock("pool", Mode::shared, false, 1000, "b"),
                  lock("pool", Mode::shared, true, 100, "c")};
    view_ = {"tcp://127.0.0.1:9999", "0.1.0", "23:59:59", &before_, &now_};
  }
  void TearDown() override { std::setlocale(LC_CTYPE, "C"); }

  std::string screen(std::size_t columns, std::size_t rows) {
    std::string text;
    for (const ScreenLine& line : screen_of(view_, columns, rows)) {
      EXPECT_LE(columns_of(line.text), columns) << line.text;
      if (line.is_title) {
        EXPECT_EQ(columns_of(line.text), columns);
      }
      text += line.text.substr(0, line.text.find_last_not_of(' ') + 1) + "\n";
    }
    return text;
  }

  Look before_;
  Look now_;
  View view_;
};

}  // namespace

TEST_F(LockctlTop, a_screen) {
  EXPECT_EQ(screen(80, 24),
            "lockctl top  tcp://127.0.0.1:9999  lockd 0.1.0                          23:59:59\n"
            "requests/s    1001  acquires/s     500  waits/s          2  timeouts/s       0\n"
            "connections     12  exclusive        2  shared           1  holders          4\n"
            "waiters          3  longest line     2  oldest       12.3s  refusals/s     125\n"
            "\n"
            " LINE   OLDEST     HELD  MODE    KEY                          HOLDER\n"
            "    2    12.3s    1h02m  excl    nightly report               worker one\n"
            "    1    100ms    1m30s  shared  pool                         2: a\n"
            "    -        -    500ms  excl    idle                         127.0.0.1:1\n");
}

TEST_F(LockctlTop, a_narrow_screen_shows_whole_cells_and_as_much_as_it_can_of_the_keys) {
  EXPECT_EQ(screen(60, 24),
            "lockctl top  tcp://127.0.0.1:9999  lockd 0.1.0      23:59:59\n"
            "requests/s    1001  acquires/s     500  waits/s          2\n"
            "connections     12  exclusive        2  shared           1\n"
            "waiters          3  longest line     2  oldest       12.3s\n"
            "\n"
            " LINE   OLDEST     HELD  MODE    KEY              HOLDER\n"
            "    2    12.3s    1h02m  excl    nightly report   worker one\n"
            "    1    100ms    1m30s  shared  pool             2: a\n"
            "    -        -    500ms  excl    idle             127.0.0.1…\n");
  EXPECT_EQ(screen(40, 7),
            "lockctl top  tcp://127.0.0.1:9… 23:59:59\n"
            "requests/s    1001  acquires/s     500\n"
            "connections     12  exclusive        2\n"
            "waiters          3  longest line     2\n"
            "\n"
            " LINE   OLDEST  KEY\n"
            "       and 3 more\n");
  EXPECT_NE(screen(30, 24).find("\n    2    12.3s  nightly report\n"), std::string::npos) << screen(30, 24);
  EXPECT_NE(screen(50, 24).find("  excl    nightly report\n"), std::string::npos) << screen(50, 24);
}

TEST_F(LockctlTop, a_wide_screen_shows_more_of_the_names) {
  now_.locks = {lock("a key that is longer than there is room for in eighty columns", Mode::exclusive, false, 1,
                     "a holder with a long name")};
  EXPECT_NE(screen(200, 24).find("a key that is longer than there is room for in eighty columns  "), std::string::npos);
  EXPECT_NE(screen(200, 24).find("a holder with a long name"), std::string::npos);
  EXPECT_NE(screen(80, 24).find("a key that is longer than …  a holder with a l…"), std::string::npos)
      << screen(80, 24);
}

TEST_F(LockctlTop, what_does_not_fit_is_counted) {
  EXPECT_TRUE(screen(80, 8).ends_with("worker one\n       and 2 more\n"));
  EXPECT_TRUE(screen(80, 9).ends_with("127.0.0.1:1\n"));
  for (std::size_t rows = 1; rows < 12; ++rows) {
    for (std::size_t columns : {1U, 5U, 20U, 79U, 81U, 300U}) {
      EXPECT_LE(screen_of(view_, columns, rows).size(), rows);
      screen(columns, rows);
    }
  }
}

TEST_F(LockctlTop, keys_do_not_steer_the_terminal) {
  now_.locks = {lock("\x1b[2Jkey\x07", Mode::exclusive, false, 1, "\x1b]0;title\x07"),
                lock("\u9375\u9375\u9375\u9375\u9375\u9375\u9375\u9375\u9375\u9375\u9375\u9375\u9375\u9375\u9375",
                     Mode::exclusive, false, 1, "\xff")};
  const std::string text = screen(80, 24);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(text.find('\x07'), std::string::npos);
  EXPECT_NE(text.find("\\x1B[2Jkey\\x07"), std::string::npos);
  EXPECT_NE(text.find("鍵鍵鍵鍵鍵鍵鍵鍵鍵鍵鍵鍵鍵…  \\xFF"), std::string::npos) << text;
}

TEST_F(LockctlTop, before_the_second_look_there_are_no_rates) {
  view_.before = nullptr;
  EXPECT_NE(screen(80, 24).find("requests/s       -  acquires/s       -"), std::string::npos) << screen(80, 24);
  EXPECT_DOUBLE_EQ(rate_of(view_, "grants"), 0);
}

TEST_F(LockctlTop, who_waits_for_a_lock_that_is_just_given_on_is_shown) {
  now_.locks = {lock("k", Mode::exclusive, true, 12'345, "worker two")};
  EXPECT_TRUE(screen(80, 24).ends_with("    1    12.3s        -  excl    k\n")) << screen(80, 24);
}

TEST_F(LockctlTop, why_there_is_no_list) {
  now_.not_listed = "this server does not list its locks";
  EXPECT_TRUE(screen(80, 24).ends_with("HOLDER\nthis server does not list its locks\n"));
}

TEST_F(LockctlTop, rates) {
  EXPECT_DOUBLE_EQ(rate_of(view_, "grants"), 500);
  EXPECT_DOUBLE_EQ(rate_of(view_, "requests"), 1000.5);
  EXPECT_DOUBLE_EQ(rate_of(view_, "no such counter"), 0);
  now_.at = before_.at;
  EXPECT_DOUBLE_EQ(rate_of(view_, "grants"), 0);
}

TEST_F(LockctlTop, a_line_of_numbers_below_its_heading) {
  EXPECT_EQ(plain_heading(),
            "requests/s acquires/s    waits/s timeouts/s connections  exclusive     shared    holders    waiters "
            "longest_line oldest_ms");
  EXPECT_EQ(plain_line(view_),
            "    1000.5      500.0        1.5        0.0          12          2          1          4          3 "
            "           2     12345");
}

TEST(LockctlTopText, numbers_in_five_columns) {
  EXPECT_EQ(short_number(0), "0");
  EXPECT_EQ(short_number(99'999), "99999");
  EXPECT_EQ(short_number(100'000), "100k");
  EXPECT_EQ(short_number(999'499), "999k");
  EXPECT_EQ(short_number(999'500), "1.0M");
  EXPECT_EQ(short_number(12'345'678), "12.3M");
  EXPECT_EQ(short_number(UINT64_MAX), "18.4E");
  for (std::uint64_t number = 1; number < UINT64_MAX / 10; number *= 7) EXPECT_LE(short_number(number).size(), 5U);
}

TEST(LockctlTopText, times_in_seven_columns) {
  EXPECT_EQ(short_time(milliseconds(0)), "0ms");
  EXPECT_EQ(short_time(milliseconds(999)), "999ms");
  EXPECT_EQ(short_time(milliseconds(59'999)), "59.9s");
  EXPECT_EQ(short_time(milliseconds(60'000)), "1m00s");
  EXPECT_EQ(short_time(milliseconds(3'600'000)), "1h00m");
  EXPECT_EQ(short_time(milliseconds(86'400'000)), "1d00h");
}

}  // namespace lockd::lockctl
