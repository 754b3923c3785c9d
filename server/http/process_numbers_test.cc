// What is read of the kernel about this very process.
#include "server/http/process_numbers.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <vector>

#include "server/descriptors.h"

namespace lockd::server {
namespace {

TEST(ProcessNumbers, fields_of_the_text) {
  const auto stat = parse_process_stat(
      "7 (lockd) S 1 7 7 0 -1 4194560 100 0 0 0 5 6 0 0 20 0 3 0 424242 310710272 1513 18446744073709551615 1 1 0\n");
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->start_ticks, 424242U);
  EXPECT_EQ(stat->virtual_bytes, 310710272U);
  EXPECT_EQ(stat->resident_pages, 1513U);
}

TEST(ProcessNumbers, a_name_with_blanks_and_parentheses) {
  const auto stat = parse_process_stat("7 (a) 1 (b c) S 1 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 3 0 22 23 24 0 0\n");
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->start_ticks, 22U);
  EXPECT_EQ(stat->resident_pages, 24U);
}

TEST(ProcessNumbers, what_is_no_such_text) {
  EXPECT_FALSE(parse_process_stat(""));
  EXPECT_FALSE(parse_process_stat("7 lockd S 1"));
  EXPECT_FALSE(parse_process_stat("7 (lockd) S 1 7 7 0"));
  EXPECT_FALSE(parse_process_stat("7 (lockd) S 1 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 3 0 x 23 24 0 0\n"));
}

TEST(ProcessNumbers, of_this_process) {
  const ProcessNumbers numbers = process_numbers();
  const double now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  EXPECT_GT(numbers.start_time_seconds, now - 24 * 3600);
  EXPECT_LE(numbers.start_time_seconds, now + 1);
  EXPECT_GT(numbers.virtual_bytes, numbers.resident_bytes);
  EXPECT_GT(numbers.resident_bytes, 100'000U);
  EXPECT_GE(process_numbers().cpu_seconds, numbers.cpu_seconds);
  EXPECT_EQ(process_numbers().start_time_seconds, numbers.start_time_seconds);
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_EQ(numbers.descriptors_max, limit.rlim_cur);
}

TEST(ProcessNumbers, open_descriptors_are_counted) {
  EXPECT_EQ(process_numbers().descriptors, open_descriptors());
  std::vector<int> opened;
  for (int i = 0; i < 100; ++i) opened.push_back(::dup(STDERR_FILENO));
  EXPECT_EQ(process_numbers().descriptors, open_descriptors());
  for (const int fd : opened) ::close(fd);
}

TEST(ProcessNumbers, entries_are_counted_up_to_a_bound) {
  const std::string folder = testing::TempDir() + "process_numbers_test." + std::to_string(::getpid());
  std::filesystem::create_directory(folder);
  for (const char* const name : {"a", "b", "c"}) std::ofstream(folder + "/" + name) << "";
  EXPECT_EQ(count_entries(folder, 100), 3U);
  EXPECT_EQ(count_entries(folder, 2), 2U);
  EXPECT_EQ(count_entries(folder + "/missing", 100), 0U);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace lockd::server
