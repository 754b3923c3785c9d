// Bytes to one connection of the HTTP listener, over a pair of sockets. Requests of a plain form are answered as a
// naive reader expects; whatever else comes, what goes back is HTTP, and the connection ends with what it is sent.
//
// Input: a byte of settings, a byte that says how many of the others come first, then what the peer sends. Which page a
// target has is left to unit tests: here each is answered with itself.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "engine/check.h"
#include "server/http/http_connection.h"

namespace {

using namespace lockd::server;  // NOLINT(google-build-using-namespace): a program of its own

constexpr std::size_t input_bytes_max = 1024;  // as in session_fuzzer.cc

/// Up to a separator, which is taken too; nothing, and nothing taken, where there is none.
std::optional<std::string_view> take_until(std::string_view& rest, std::string_view separator) {
  const std::size_t at = rest.find(separator);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view taken = rest.substr(0, at);
  rest.remove_prefix(at + separator.size());
  return taken;
}

bool is_made_of(std::string_view text, std::string_view signs) {
  return !text.empty() && text.find_first_not_of(signs) == std::string_view::npos;
}

struct PlainRequest {
  std::string_view method;
  std::string_view target;
  bool is_old = false;  // HTTP/1.0
  int hosts = 0;
  bool closes = false;
};

/// A header field of those that are plain; false where it is another one.
bool read_field(std::string_view line, PlainRequest& request) {
  if (line == "Connection: close") return request.closes = true;
  const auto name = take_until(line, ": ");
  if (!name || !is_made_of(line, "abcdefghijklmnopqrstuvwxyz")) return false;
  if (*name == "Host") ++request.hosts;
  return *name == "Host" || *name == "X";
}

/// The request that stands first; nothing, and nothing taken, where it is none of the plain form.
std::optional<PlainRequest> take_plain(std::string_view& sent, std::size_t bytes_max) {
  std::string_view rest = sent;
  auto lines = take_until(rest, "\r\n\r\n");
  if (!lines || lines->size() + 4 >= bytes_max) return std::nullopt;
  const std::string head = std::string(*lines) + "\r\n";
  std::string_view left = head;
  std::string_view first = *take_until(left, "\r\n");
  PlainRequest request;
  const auto method = take_until(first, " "), target = take_until(first, " ");
  if (!method || !target || (first != "HTTP/1.0" && first != "HTTP/1.1")) return std::nullopt;
  if (!is_made_of(*method, "ADEGHLOPSTU") || !is_made_of(*target, "/abcdefghijklmnopqrstuvwxyz")) return std::nullopt;
  if (!target->starts_with('/')) return std::nullopt;
  request.method = sent.substr(0, method->size());
  request.target = sent.substr(method->size() + 1, target->size());
  request.is_old = first == "HTTP/1.0";
  while (const auto line = take_until(left, "\r\n"))
    if (!read_field(*line, request)) return std::nullopt;
  sent = rest;
  return request;
}

/// What is expected of it (RFC 9112, 3.2; RFC 9110, 15.5.6).
unsigned status_of(const PlainRequest& request) {
  if (request.hosts > 1 || (request.hosts == 0 && !request.is_old)) return 400;
  return request.method == "GET" || request.method == "HEAD" ? 200 : 405;
}

struct Answer {
  unsigned status = 0;
  std::string_view body;
};

/// The response that stands first. It is one.
Answer take_answer(std::string_view& received, bool has_body) {
  const auto head = take_until(received, "\r\n\r\n");
  LOCKD_CHECK(head && (head->starts_with("HTTP/1.0 ") || head->starts_with("HTTP/1.1 ")), "what goes back is HTTP");
  constexpr std::string_view name = "\r\nContent-Length: ";
  const std::size_t at = head->find(name);
  LOCKD_CHECK(at != std::string_view::npos, "a response says how long it is");
  const std::size_t bytes = has_body ? std::stoul(std::string(head->substr(at + name.size()))) : 0;
  LOCKD_CHECK(bytes <= received.size(), "a response is whole");
  const Answer answer{static_cast<unsigned>(std::stoul(std::string(head->substr(9, 3)))), received.substr(0, bytes)};
  received.remove_prefix(bytes);
  return answer;
}

/// Up to the first request that is not plain: of that one only that its answer, if there is one, is an answer.
void check(std::string_view sent, std::string_view received, std::size_t header_bytes_max) {
  while (const auto request = take_plain(sent, header_bytes_max)) {
    const unsigned status = status_of(*request);
    const Answer answer = take_answer(received, request->method != "HEAD");
    LOCKD_CHECK(answer.status == status, "the status is the expected one");
    LOCKD_CHECK(status != 200 || request->method == "HEAD" || answer.body == request->target, "so is the page");
    if (!request->is_old && !request->closes) continue;
    LOCKD_CHECK(received.empty(), "the last response is the last thing that is said");
    return;
  }
  if (received.empty()) return;
  LOCKD_CHECK(!sent.empty(), "nobody is answered who asked nothing");
  constexpr std::array known{200U, 400U, 405U, 413U, 431U};
  const unsigned status = take_answer(received, false).status;
  LOCKD_CHECK(std::ranges::find(known, status) != known.end(), "the status is a known one");
}

/// A connection, and its peer, who says something, and no more.
class Conversation {
 public:
  explicit Conversation(const HttpLimits& limits) : limits_(limits) {
    std::array<int, 2> ends{};
    LOCKD_CHECK(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0, "a pair of sockets is to be had");
    peer_ = ends[0];
    const StreamProtocol protocol(AF_UNIX, 0);
    connection_.emplace(Socket(context_, protocol, ends[1]), limits_, pages_);
    boost::asio::co_spawn(context_, connection_->serve(), [this](const std::exception_ptr& error) {
      LOCKD_CHECK(error == nullptr, "no input makes it throw");
      connection_->close();
    });
  }
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;
  ~Conversation() { ::close(peer_); }

  void say(std::string_view bytes) {
    ::send(peer_, bytes.data(), bytes.size(), MSG_NOSIGNAL);  // to one that has ended it may fail
    context_.poll();
  }

  /// All that came back, when the connection has ended.
  std::string end() {
    ::shutdown(peer_, SHUT_WR);
    context_.run();
    std::string received;
    std::array<char, 4096> some{};
    for (ssize_t bytes = 0; (bytes = ::recv(peer_, some.data(), some.size(), 0)) > 0;)
      received.append(some.data(), static_cast<std::size_t>(bytes));
    return received;
  }

 private:
  const HttpLimits limits_;
  const HttpConnection::Pages pages_ = [](std::string target) -> boost::asio::awaitable<PageText> {
    co_return PageText{.body = std::move(target)};
  };
  boost::asio::io_context context_{1};
  std::optional<HttpConnection> connection_;
  int peer_ = -1;
};

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name by which libFuzzer calls it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2 || size > input_bytes_max) return 0;
  const HttpLimits limits{.header_bytes_max = (data[0] & 1) != 0 ? 64U : 8192U};
  const std::string_view sent(reinterpret_cast<const char*>(data + 2), size - 2);
  const std::string_view first = sent.substr(0, data[1]);
  Conversation conversation(limits);
  conversation.say(first);
  conversation.say(sent.substr(first.size()));
  check(sent, conversation.end(), limits.header_bytes_max);
  return 0;
}
