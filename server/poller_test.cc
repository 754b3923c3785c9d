// The epoll set and the sockets in it, over socket pairs.
#include "server/poller.h"

#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/test_log.h"

namespace {

// An errno with which the kernel refuses to watch the next socket that it is told of, or 0.
int next_socket_is_refused_with = 0;

}  // namespace

extern "C" int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) noexcept {
  const int refused = operation == EPOLL_CTL_ADD ? std::exchange(next_socket_is_refused_with, 0) : 0;
  if (refused == 0) return static_cast<int>(::syscall(SYS_epoll_ctl, epoll, operation, fd, event));
  errno = refused;
  return -1;
}

namespace lockd::server {
namespace {

namespace asio = boost::asio;
using Error = boost::system::error_code;

constexpr auto wait_read = PolledSocket::wait_read;
constexpr auto wait_write = PolledSocket::wait_write;

// A socket that is polled, and the other end of it.
struct Pair {
  explicit Pair(Poller& poller) : Pair(poller, descriptors()) {}
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;
  ~Pair() { hang_up(); }

  static std::array<int, 2> descriptors() {
    std::array<int, 2> both{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, both.data()), 0);
    return both;
  }

  void send(std::string_view bytes) const {
    EXPECT_EQ(::send(peer, bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  }
  void hang_up() {
    if (peer >= 0) ::close(std::exchange(peer, -1));
  }

  // As many bytes as have come, up to so many; or the error.
  std::string read(std::size_t bytes_max = 100) {
    std::string bytes(bytes_max, '\0');
    Error error;
    bytes.resize(socket.read_some(asio::buffer(bytes), error));
    return error ? error.message() : bytes;
  }

  PolledSocket socket;
  int peer;

 private:
  Pair(Poller& poller, const std::array<int, 2>& both) : socket(poller, both[0]), peer(both[1]) {}
};

class PollerTest : public testing::Test {
 protected:
  // Runs all that is due. How many of Asio's handlers that were.
  std::size_t run() {
    context_.restart();
    return context_.poll();
  }

  // Counts each call of a handler.
  auto counting() {
    return [this](const Error& error) {
      EXPECT_FALSE(error);
      ++calls_;
    };
  }

  static std::string would_block() { return Error(asio::error::would_block).message(); }

  asio::io_context context_;
  std::optional<Poller> poller_{context_};
  int calls_ = 0;
};

TEST_F(PollerTest, a_wait_is_over_when_there_is_something_to_read) {
  Pair pair(*poller_);
  pair.socket.async_wait(wait_read, counting());
  run();
  EXPECT_EQ(calls_, 0);
  EXPECT_EQ(pair.read(), would_block());
  pair.send("abc");
  run();
  EXPECT_EQ(calls_, 1);
  EXPECT_EQ(pair.read(), "abc");
}

TEST_F(PollerTest, what_was_not_read_is_told_to_the_next_wait_and_to_nobody_else) {
  Pair pair(*poller_);
  pair.socket.async_wait(wait_read, counting());
  pair.send("abc");
  run();
  EXPECT_EQ(pair.read(1), "a");
  EXPECT_LE(run(), 2U);
  EXPECT_EQ(run(), 0U) << "nobody waits, and the loop rests";
  EXPECT_EQ(calls_, 1);
  pair.socket.async_wait(wait_read, counting());
  run();
  EXPECT_EQ(calls_, 2);
  EXPECT_EQ(pair.read(), "bc");
}

TEST_F(PollerTest, a_wait_for_room_is_over_when_the_peer_has_read) {
  Pair pair(*poller_);
  const std::string bytes(100'000, 'x');
  Error error;
  while (!error) pair.socket.write_some(asio::buffer(bytes), error);
  EXPECT_EQ(error, asio::error::would_block);
  pair.socket.async_wait(wait_write, counting());
  pair.socket.async_wait(wait_read, counting());
  run();
  EXPECT_EQ(calls_, 0);
  std::string taken(1'000'000, '\0');
  while (::recv(pair.peer, taken.data(), taken.size(), MSG_DONTWAIT) > 0) continue;
  run();
  EXPECT_EQ(calls_, 1) << "the other one waits on";
  run();
  EXPECT_EQ(run(), 0U) << "there is room, but nobody waits for it";
  pair.send("abc");
  run();
  EXPECT_EQ(calls_, 2);
}

TEST_F(PollerTest, a_peer_that_goes_ends_both_waits) {
  Pair pair(*poller_);
  const std::string bytes(100'000, 'x');
  Error error;
  while (!error) pair.socket.write_some(asio::buffer(bytes), error);
  pair.socket.async_wait(wait_read, counting());
  pair.socket.async_wait(wait_write, counting());
  pair.hang_up();
  run();
  EXPECT_EQ(calls_, 2);
  pair.socket.write_some(asio::buffer(bytes), error);
  EXPECT_EQ(error, asio::error::broken_pipe) << "and no signal";
}

TEST_F(PollerTest, the_end_of_the_input_is_an_error_of_its_own) {
  Pair pair(*poller_);
  ::shutdown(pair.peer, SHUT_WR);
  EXPECT_EQ(pair.read(), Error(asio::error::eof).message());
  Error error;
  pair.socket.shutdown(PolledSocket::shutdown_send, error);
  EXPECT_FALSE(error);
  char byte = 0;
  EXPECT_EQ(::recv(pair.peer, &byte, 1, 0), 0);
}

TEST_F(PollerTest, a_peer_that_has_gone_does_not_keep_the_loop_busy) {
  Pair pair(*poller_);
  pair.socket.async_wait(wait_read, counting());
  pair.hang_up();
  run();
  EXPECT_EQ(calls_, 1);
  run();
  EXPECT_EQ(run(), 0U);
  pair.socket.async_wait(wait_read, counting());
  run();
  EXPECT_EQ(calls_, 2) << "who asks is told again";
}

TEST_F(PollerTest, a_socket_that_another_closes_in_the_same_pass_is_not_served) {
  auto one = std::make_unique<Pair>(*poller_);
  auto other = std::make_unique<Pair>(*poller_);
  const auto waits_and_ends = [this](std::unique_ptr<Pair>& waiting, std::unique_ptr<Pair>& ended) {
    waiting->socket.async_wait(wait_read, [this, &ended](const Error&) {
      ++calls_;
      Error ignored;
      ended->socket.close(ignored);
      ended.reset();
    });
    waiting->send("abc");
  };
  waits_and_ends(one, other);
  waits_and_ends(other, one);
  run();
  EXPECT_EQ(calls_, 1);
}

TEST_F(PollerTest, a_handler_may_destroy_its_own_socket) {
  auto pair = std::make_shared<Pair>(*poller_);
  const std::weak_ptr<Pair> seen = pair;
  pair->socket.async_wait(wait_read, [this, pair](const Error&) { ++calls_; });
  pair->socket.async_wait(wait_write, [this, pair](const Error&) { ++calls_; });
  pair->send("abc");
  pair.reset();
  run();
  EXPECT_EQ(calls_, 2);
  EXPECT_TRUE(seen.expired());
}

TEST_F(PollerTest, a_closed_socket_is_silent_though_a_duplicate_of_its_descriptor_is_open) {
  auto pair = std::make_unique<Pair>(*poller_);
  const int duplicate = ::dup(pair->socket.native_handle());
  pair->socket.async_wait(wait_read, counting());
  run();
  Error error;
  pair->socket.close(error);
  EXPECT_FALSE(error);
  pair->send("abc");
  run();
  EXPECT_EQ(run(), 0U);
  EXPECT_EQ(calls_, 0);
  ::close(duplicate);
}

TEST_F(PollerTest, what_a_dropped_handler_owns_lives_until_the_loop_comes_to_it) {
  auto pair = std::make_shared<Pair>(*poller_);
  const std::weak_ptr<Pair> seen = pair;
  Pair& kept = *pair;
  kept.socket.async_wait(wait_read, [this, pair = std::move(pair)](const Error&) { ++calls_; });
  Error error;
  kept.socket.close(error);
  EXPECT_FALSE(seen.expired()) << "who closes may be a part of it";
  run();
  EXPECT_TRUE(seen.expired());
  EXPECT_EQ(calls_, 0);
}

TEST_F(PollerTest, its_end_drops_all_handlers) {
  std::vector<std::weak_ptr<Pair>> seen;
  for (int i = 0; i < 3; ++i) {
    auto pair = std::make_shared<Pair>(*poller_);
    seen.push_back(pair);
    pair->socket.async_wait(i == 0 ? wait_write : wait_read, [this, pair](const Error&) { ++calls_; });
  }
  Pair outlives(*poller_);
  outlives.socket.async_wait(wait_read, counting());
  poller_.reset();
  for (const auto& pair : seen) EXPECT_TRUE(pair.expired());
  run();
  EXPECT_EQ(calls_, 0);
}

TEST_F(PollerTest, with_many_sockets_ready_others_have_their_turn_in_between) {
  std::vector<std::unique_ptr<Pair>> pairs;
  int calls_before = 0;
  for (int i = 0; i < 300; ++i) {
    Pair& pair = *pairs.emplace_back(std::make_unique<Pair>(*poller_));
    pair.send("abc");
    pair.socket.async_wait(wait_read, [&](const Error&) {
      if (++calls_ == 1) asio::post(context_, [&] { calls_before = calls_; });
    });
  }
  run();
  EXPECT_EQ(calls_, 300);
  EXPECT_GT(calls_before, 0);
  EXPECT_LT(calls_before, 300);
}

TEST_F(PollerTest, a_busy_socket_does_not_starve_the_others) {
  std::vector<std::unique_ptr<Pair>> pairs;
  std::vector<int> calls(200);
  const auto serve = [&](auto&& self, std::size_t i) -> void {
    pairs[i]->socket.async_wait(wait_read, [&, i](const Error&) {  // and never reads: it is ready again at once
      if (++calls[i] < 10) self(self, i);
    });
  };
  for (std::size_t i = 0; i < calls.size(); ++i) {
    pairs.emplace_back(std::make_unique<Pair>(*poller_))->send("abc");
    serve(serve, i);
  }
  run();
  for (const int each : calls) EXPECT_EQ(each, 10);
}

TEST_F(PollerTest, what_can_not_be_waited_for_is_said_to_the_handler) {
  std::FILE* const file = std::tmpfile();
  PolledSocket no_socket(*poller_, ::dup(::fileno(file)));
  std::fclose(file);
  Error why;
  no_socket.async_wait(wait_read, [&](const Error& error) { why = error; });
  EXPECT_FALSE(why) << "not from within the call";
  run();
  EXPECT_EQ(why, boost::system::errc::operation_not_permitted);
}

TEST_F(PollerTest, a_socket_may_be_closed_twice) {
  Pair pair(*poller_);
  Error error;
  pair.socket.close(error);
  EXPECT_FALSE(error);
  pair.socket.close(error);
  EXPECT_FALSE(error);
}

TEST_F(PollerTest, a_socket_is_writable_until_it_is_full_and_again_when_there_is_room) {
  Pair pair(*poller_);
  EXPECT_TRUE(pair.socket.is_writable());
  const std::string bytes(65536, 'x');
  for (Error error; !error;) pair.socket.write_some(asio::buffer(bytes), error);
  EXPECT_FALSE(pair.socket.is_writable());
  std::array<char, 65536> taken{};
  while (::recv(pair.peer, taken.data(), taken.size(), MSG_DONTWAIT) > 0) {
  }
  EXPECT_TRUE(pair.socket.is_writable());
}

TEST_F(PollerTest, that_sockets_can_not_be_waited_for_is_logged_once_for_many) {
  const TestLog log;
  for (int i = 0; i < 3; ++i) {
    Pair pair(*poller_);
    next_socket_is_refused_with = ENOMEM;
    pair.socket.async_wait(wait_read, [](const Error&) {});
  }
  const std::string line = "a connection is lost, as its socket can't be watched: Cannot allocate memory\n";
  EXPECT_TRUE(log.text().ends_with(line)) << log.text();
  EXPECT_EQ(log.line_count(), 1U) << log.text();
}

TEST_F(PollerTest, of_a_limit_that_can_be_raised_the_log_says_which) {
  const TestLog log;
  Pair pair(*poller_);
  next_socket_is_refused_with = ENOSPC;
  pair.socket.async_wait(wait_read, [](const Error&) {});
  EXPECT_NE(log.text().find("fs.epoll.max_user_watches"), std::string::npos) << log.text();
}

TEST_F(PollerTest, a_socket_moves_before_it_waits) {
  Pair pair(*poller_);
  PolledSocket moved = std::move(pair.socket);
  EXPECT_EQ(pair.socket.native_handle(), -1);
  moved.async_wait(wait_read, counting());
  pair.send("abc");
  run();
  EXPECT_EQ(calls_, 1);
}

TEST_F(PollerTest, out_of_descriptors_it_says_so) {
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  const rlimit none{.rlim_cur = 0, .rlim_max = before.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &none);
  Error why;
  try {
    const Poller another(context_);
  } catch (const boost::system::system_error& error) {
    why = error.code();
  }
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(why, asio::error::no_descriptors);
}

using PollerDeathTest = PollerTest;

TEST_F(PollerDeathTest, misuse_is_a_mistake_of_ours) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  Pair pair(*poller_);
  pair.socket.async_wait(wait_read, counting());
  EXPECT_DEATH(pair.socket.async_wait(wait_read, counting()), "one wait for each direction");
  EXPECT_DEATH(const PolledSocket moved = std::move(pair.socket), "does not move");
  Error error;
  pair.socket.close(error);
  EXPECT_DEATH(pair.socket.async_wait(wait_write, counting()), "only an open socket");
}

}  // namespace
}  // namespace lockd::server
