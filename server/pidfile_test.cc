// The file that says which process the daemon is: what it may take the place of, who may have it, and when it goes.
#include "server/pidfile.h"

#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>

namespace lockd::server {
namespace {

class PidfileTest : public testing::Test {
 public:
  PidfileTest() : directory_(std::filesystem::temp_directory_path() / ("lockd_pidfile_" + std::to_string(::getpid()))) {
    std::filesystem::create_directory(directory_);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

 protected:
  std::string path(const std::string& name = "pid") const { return directory_ / name; }

  void write(const std::string& text) const { std::ofstream(path(), std::ios::binary) << text; }

  std::string text() const {
    std::ifstream file(path(), std::ios::binary);
    return file.is_open() ? std::string(std::istreambuf_iterator<char>(file), {}) : "no file";
  }

  std::string refusal() const {
    try {
      const Pidfile pidfile(path());
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "not refused";
  }

  const std::string ours = std::to_string(::getpid());

 private:
  std::filesystem::path directory_;
};

TEST_F(PidfileTest, is_there_as_long_as_the_process_runs) {
  {
    const Pidfile pidfile(path());
    EXPECT_EQ(text(), ours + "\n");
  }
  EXPECT_EQ(text(), "no file");
}

TEST_F(PidfileTest, none_is_written_without_a_path) { const Pidfile pidfile(""); }

// Whether such a process lives is no matter: in a container the numbers come again.
TEST_F(PidfileTest, takes_the_place_of_one_that_a_killed_process_left) {
  for (const std::string stale : {"", "1", "1\n", "4194304\n"}) {
    write(stale);
    const Pidfile pidfile(path());
    EXPECT_EQ(text(), ours + "\n") << stale;
  }
}

TEST_F(PidfileTest, refuses_a_file_that_holds_anything_else_and_leaves_it) {
  for (const std::string notes : {"important notes\n", "\n", "12 13\n", "12\n13\n", "12\n\n", "12x", " 12", "-12\n",
                                  "99999999999999999999\n", "12\r\n"}) {
    write(notes);
    EXPECT_EQ(refusal(), "--pidfile " + path() + ": it holds something else than the number of a process. Remove it, " +
                             "or take another path");
    EXPECT_EQ(text(), notes);
  }
  write(std::string(1000, '1'));
  EXPECT_NE(refusal(), "not refused");
  EXPECT_EQ(text().size(), 1000U);
}

TEST_F(PidfileTest, refuses_a_file_with_which_a_process_runs_and_names_that) {
  std::optional<Pidfile> first(path());
  EXPECT_EQ(refusal(), "--pidfile " + path() + ": process " + ours + " runs with it. End that, or take another path");
  EXPECT_EQ(text(), ours + "\n");
  first.reset();
  const Pidfile second(path());
  EXPECT_EQ(text(), ours + "\n");
}

TEST_F(PidfileTest, refuses_a_file_that_a_process_holds_before_its_number_is_there) {
  std::FILE* const file = std::fopen(path().c_str(), "we");
  ASSERT_EQ(::flock(::fileno(file), LOCK_EX | LOCK_NB), 0);
  EXPECT_EQ(refusal(), "--pidfile " + path() + ": another process runs with it. End that, or take another path");
  std::fclose(file);
}

TEST_F(PidfileTest, says_what_to_do_where_it_cannot_be_had) {
  std::filesystem::create_directory(path());
  EXPECT_EQ(refusal(), "--pidfile " + path() + ": Is a directory: take another path");
}

TEST_F(PidfileTest, leaves_another_file_that_has_come_to_its_path) {
  {
    const Pidfile pidfile(path());
    std::filesystem::rename(path(), path("elsewhere"));
    write("of another");
  }
  EXPECT_EQ(text(), "of another");
  std::filesystem::remove(path());
  {
    const Pidfile pidfile(path());
    std::filesystem::remove(path());
  }
  EXPECT_EQ(text(), "no file");
}

TEST_F(PidfileTest, leaves_a_link_with_the_file_that_it_leads_to) {
  std::filesystem::create_symlink(path("file"), path());
  for (int i = 0; i < 2; ++i) const Pidfile pidfile(path());
  EXPECT_TRUE(std::filesystem::is_symlink(path()));
  EXPECT_EQ(text(), ours + "\n");
}

// Nobody's number is in it, so that it is for anybody who wants none to be written.
TEST_F(PidfileTest, a_device_is_shared_and_stays) {
  {
    const Pidfile first("/dev/null");
    const Pidfile second("/dev/null");
  }
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
}

}  // namespace
}  // namespace lockd::server
