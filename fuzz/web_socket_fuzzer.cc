// WebSocket messages with a session behind them: each gets one reply, which is what the reference server says to the
// same request as a line.
//
// Input: a byte of settings, then messages: a byte with their size in its lower seven bits, and with the eighth if they
// are binary; then their bytes. There is one connection, so that nobody ever waits.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/check.h"
#include "model/reference_printer.h"
#include "model/server_model.h"
#include "server/test_server.h"
#include "server/websocket/messages.h"

namespace {

using namespace lockd;          // NOLINT(google-build-using-namespace): a program of its own
using namespace lockd::server;  // NOLINT(google-build-using-namespace)

constexpr std::size_t input_bytes_max = 1024;  // as in session_fuzzer.cc
constexpr std::string_view address = "A1";

Settings settings_of(std::uint8_t bits) {
  Settings settings;
  settings.classic = (bits & 1) != 0;
  settings.dump = (bits & 2) == 0;
  settings.registry = (bits & 4) == 0;
  if ((bits & 8) != 0) settings.line_bytes_max = 12;
  return settings;
}

/// How many bytes follow the first one of a character; none if it can't be one. (RFC 3629.)
std::optional<std::size_t> following(unsigned char first) {
  if (first < 0x80) return 0;
  if (first >= 0xC2 && first < 0xE0) return 1;
  if (first >= 0xE0 && first < 0xF0) return 2;
  if (first >= 0xF0 && first < 0xF5) return 3;
  return std::nullopt;
}

bool is_text(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto first = static_cast<unsigned char>(bytes[0]);
    const auto count = following(first);
    if (!count || bytes.size() <= *count) return false;
    for (std::size_t i = 1; i <= *count; ++i)
      if ((static_cast<unsigned char>(bytes[i]) & 0xC0) != 0x80) return false;
    const unsigned char second = *count > 0 ? static_cast<unsigned char>(bytes[1]) : 0;
    const bool is_overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
    const bool is_no_character = (first == 0xED && second > 0x9F) || (first == 0xF4 && second > 0x8F);
    if (is_overlong || is_no_character) return false;
    bytes.remove_prefix(*count + 1);
  }
  return true;
}

/// The reference server, given messages.
class Reference {
 public:
  explicit Reference(const Settings& settings)
      : line_bytes_max_(settings.line_bytes_max),
        model_({.line_bytes_max = settings.line_bytes_max,
                .classic = settings.classic,
                .dump_enabled = settings.dump,
                .registry_enabled = settings.registry,
                .version = LOCKD_VERSION}) {
    model_.connect(id, std::string(address));
  }

  bool is_live() const { return model_.is_live(id); }

  model::ExpectedOutput reply(std::string_view message) {
    if (message.size() - (message.ends_with('\r') ? 1 : 0) > line_bytes_max_) return line(too_long());
    if (message.find('\n') == std::string_view::npos) return line(message);
    constexpr std::string_view blanks = " \t\r\v\f\n";
    const std::size_t begin = std::min(message.find_first_not_of(blanks), message.size());
    const std::string_view verb = message.substr(begin, message.find_first_of(blanks, begin) - begin);
    for (std::size_t i = 0; i < verb_count; ++i)
      if (model::spelling(static_cast<Verb>(i)) == verb) return bad_arguments(static_cast<Verb>(i));
    return line(verb);
  }

 private:
  static constexpr SessionId id{1};

  std::string too_long() const { return std::string(line_bytes_max_ + 1, 'x'); }
  model::ExpectedOutput line(std::string_view bytes) { return model_.receive(id, std::string(bytes) + "\n"); }

  /// F9, of an LF. (The model knows no such line: another one is counted in its place.)
  model::ExpectedOutput bad_arguments(Verb verb) {
    line("gw");
    model::ExpectedOutput expected;
    expected.add("0 Bad Arguments: " + model::usage(verb) + "\n");
    return expected;
  }

  std::size_t line_bytes_max_;
  model::ReferenceServer model_;
};

/// The session, given messages.
class Conversation {
 public:
  explicit Conversation(const Settings& settings)
      : server_(settings), session_(SessionId{1}, std::string(address), server_.services) {}

  /// What comes back, as lines; nothing where the session is at its end.
  std::optional<std::string> say(std::string_view message, bool is_binary) {
    std::string line;
    messages_.take(message, is_binary, server_.settings.line_bytes_max, line);
    LOCKD_CHECK(line.find('\n') == line.size() - 1, "a message is one line");
    reply_.reset();
    run([&](std::string& output) { return session_.receive(line, server_.services, output); });
    while (next_ == Next::turn) run([&](std::string& output) { return session_.go_on(server_.services, output); });
    if (next_ == Next::end) return std::nullopt;
    LOCKD_CHECK(next_ == Next::read && messages_.is_idle() && reply_, "each message gets its reply");
    LOCKD_CHECK(reply_->is_binary == (is_binary || !is_text(payload_)), "a reply is text if it can be");
    return payload_.empty() ? "" : payload_ + "\n";
  }

 private:
  /// As WebSocketConnection does, whose output never fills here.
  template <class Step>
  void run(Step step) {
    std::vector<std::size_t> ends;
    server_.turn.reply_ends = &ends;
    next_ = step(output_);
    server_.turn.reply_ends = nullptr;
    output_.erase(0, messages_.send_replies(output_, ends, server_.statistics[0], [this](const MessagePart& part) {
      LOCKD_CHECK(!reply_ && part.is_last, "no message gets two replies");
      payload_ = part.payload;
      reply_ = part;
    }));
  }

  TestServer<> server_;
  Session<engine::NullMutex> session_;
  Messages messages_;
  std::string output_;
  std::optional<MessagePart> reply_;
  std::string payload_;  // of reply_
  Next next_ = Next::read;
};

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name by which libFuzzer calls it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > input_bytes_max) return 0;
  const Settings settings = settings_of(data[0]);
  Conversation conversation(settings);
  Reference reference(settings);
  for (std::string_view rest(reinterpret_cast<const char*>(data + 1), size - 1); !rest.empty();) {
    const auto head = static_cast<unsigned char>(rest[0]);
    const std::string_view message = rest.substr(1, head & 0x7F);
    rest.remove_prefix(1 + message.size());
    const auto reply = conversation.say(message, (head & 0x80) != 0);
    const model::ExpectedOutput expected = reference.reply(message);
    LOCKD_CHECK(reply.has_value() == reference.is_live(), "the model or the session is at its end");
    if (!reply) return 0;
    const auto mismatch = expected.mismatch(*reply);
    LOCKD_CHECK(!mismatch, mismatch->c_str());
  }
  return 0;
}
