// The high-water mark on disk: it survives whatever happens to its server, and what is not its own is left alone.
#include "server/token_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

// What was made safe and put in place, in order, since it was emptied.
std::vector<std::string> steps;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables): what libc calls knows it

}  // namespace

// These stand in for the library's own.
extern "C" int fsync(int fd) {
  struct stat status{};
  ::fstat(fd, &status);
  steps.push_back(S_ISDIR(status.st_mode) ? "directory" : "file of " + std::to_string(status.st_size));
  return static_cast<int>(::syscall(SYS_fsync, fd));
}
// NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): the library's begin with underscores
extern "C" int renameat(int old_directory, const char* old_name, int directory, const char* name) noexcept {
  steps.push_back("rename to " + std::string(name));
  return static_cast<int>(::syscall(SYS_renameat, old_directory, old_name, directory, name));
}

namespace lockd::server {
namespace {

class TokenStoreTest : public testing::Test {
 protected:
  TokenStoreTest() {
    std::string name = testing::TempDir() + "tokens-XXXXXX";
    directory_ = ::mkdtemp(name.data());
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string path(const std::string& name) const { return directory_ + "/" + name; }

  std::string content(const std::string& name) const {
    std::ifstream file(path(name));
    return {std::istreambuf_iterator<char>(file), {}};
  }

  void write(const std::string& name, const std::string& text) const { std::ofstream(path(name)) << text; }

  // What opening the store says, if it can't be opened.
  std::optional<std::string> refusal() const {
    try {
      const TokenStore store(directory_);
      return std::nullopt;
    } catch (const std::runtime_error& error) {
      return error.what();
    }
  }

  std::string directory_;
};

TEST_F(TokenStoreTest, T1_there_is_no_mark_at_first) { EXPECT_EQ(TokenStore(directory_).mark(), 0U); }

TEST_F(TokenStoreTest, T1_a_mark_is_found_again) {
  for (const std::uint64_t mark : {std::uint64_t{1}, std::uint64_t{1} << 53, UINT64_MAX, std::uint64_t{7}}) {
    TokenStore(directory_).set_mark(mark);
    EXPECT_EQ(TokenStore(directory_).mark(), mark);
  }
  EXPECT_FALSE(std::filesystem::exists(path("tokens.new")));
}

// So that at each moment the old mark or the new one is whole on disk, and a mark that set_mark() returned from stays.
TEST_F(TokenStoreTest, T1_a_mark_is_on_disk_before_it_takes_the_old_one_s_place_and_then_its_place_is) {
  TokenStore store(directory_);
  steps.clear();
  store.set_mark(7);
  const std::string size = std::to_string(content("tokens").size());
  EXPECT_EQ(steps, (std::vector<std::string>{"file of " + size, "rename to tokens", "directory"}));
}

TEST_F(TokenStoreTest, T1_a_pipe_in_its_place_is_refused_at_once) {
  ASSERT_EQ(::mkfifo(path("tokens").c_str(), 0600), 0);
  EXPECT_NE(refusal().value_or("").find("this is no file of lockd's"), std::string::npos);
  std::filesystem::remove(path("tokens"));
  ASSERT_EQ(::mkfifo(path("tokens.new").c_str(), 0600), 0);
  EXPECT_THROW(TokenStore(directory_).set_mark(7), std::runtime_error);
}

TEST_F(TokenStoreTest, T1_a_folder_in_its_place_is_refused) {
  std::filesystem::create_directory(path("tokens"));
  EXPECT_EQ(refusal(), path("tokens") + ": Is a directory");
}

TEST_F(TokenStoreTest, T1_what_a_killed_server_was_writing_does_not_count) {
  TokenStore(directory_).set_mark(7);
  write("tokens.new", "lockd has given out no token fr");
  EXPECT_EQ(TokenStore(directory_).mark(), 7U);
  TokenStore(directory_).set_mark(8);
  EXPECT_EQ(TokenStore(directory_).mark(), 8U);
}

TEST_F(TokenStoreTest, T1_every_torn_mark_is_refused_and_left_alone) {
  TokenStore(directory_).set_mark(1234567);
  const std::string whole = content("tokens");
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
    write("tokens", whole.substr(0, bytes));
    const auto said = refusal();
    ASSERT_TRUE(said.has_value()) << bytes << " bytes of it";
    EXPECT_NE(said->find(path("tokens")), std::string::npos) << *said;
    EXPECT_EQ(content("tokens"), whole.substr(0, bytes));
  }
}

TEST_F(TokenStoreTest, T1_what_is_no_mark_is_refused_and_left_alone) {
  for (const char* text :
       {"garbage", "lockd has given out no token from -1 on\n", "lockd has given out no token from on\n",
        "lockd has given out no token from 1x on\n", "lockd has given out no token from 1 on\n\n",
        "lockd has given out no token from 18446744073709551616 on\n"}) {
    write("tokens", text);
    EXPECT_TRUE(refusal().has_value()) << text;
    EXPECT_EQ(content("tokens"), text);
  }
  write("tokens", std::string(1 << 20, '1'));
  EXPECT_TRUE(refusal().has_value());
}

TEST_F(TokenStoreTest, T1_two_servers_do_not_share_it) {
  {
    const TokenStore store(directory_);
    EXPECT_EQ(refusal(), directory_ + ": another server uses it");
  }
  EXPECT_EQ(refusal(), std::nullopt);
}

TEST_F(TokenStoreTest, T1_a_directory_must_be_there) {
  std::filesystem::remove_all(directory_);
  EXPECT_TRUE(refusal()->starts_with(directory_ + ": "));
  std::ofstream(directory_) << "a file";
  EXPECT_TRUE(refusal()->starts_with(directory_ + ": "));
}

TEST_F(TokenStoreTest, T1_a_mark_that_cannot_be_written_stays_as_it_was) {
  TokenStore store(directory_);
  store.set_mark(7);
  std::filesystem::create_directory(path("tokens.new"));  // nobody writes a file there, root neither
  EXPECT_THROW(store.set_mark(8), std::system_error);
  EXPECT_EQ(store.mark(), 7U);
  std::filesystem::remove(path("tokens.new"));
  store.set_mark(9);
  EXPECT_EQ(store.mark(), 9U);
}

}  // namespace
}  // namespace lockd::server
