#include "server/websocket/messages.h"

#include <algorithm>
#include <utility>

#include "engine/check.h"
#include "server/protocol.h"
#include "server/utf8.h"

namespace lockd::server {

namespace {

/// F2's, and the LF, which a line has none of.
constexpr std::string_view blanks = " \t\r\v\f\n";

/// F2: up to the first blank; empty if the message is blank.
std::string_view verb_of(std::string_view message) {
  const std::size_t begin = std::min(message.find_first_not_of(blanks), message.size());
  const std::string_view words = message.substr(begin);
  return words.substr(0, words.find_first_of(blanks));
}

/// F6: a CR at the end is not counted.
bool is_too_long(std::string_view message, std::size_t line_bytes_max) {
  return message.size() - (message.ends_with('\r') ? 1 : 0) > line_bytes_max;
}

}  // namespace

void Messages::take(std::string_view message, bool is_binary, std::size_t line_bytes_max, std::string& line) {
  Request& request = requests_.emplace_back(Request{.is_binary = is_binary});
  if (is_too_long(message, line_bytes_max)) {
    line.assign(line_bytes_max + 1, '.');  // no LF inside
  } else if (const std::string_view verb = verb_of(message); verb.empty()) {
    request.answered = Answered::by_nothing;
    line.clear();  // a session keeps it like any other (W2), and does nothing (F4)
  } else if (message.find('\n') == std::string_view::npos) {
    line.assign(message);
  } else if (const auto row = std::ranges::find(verb_table, verb, &VerbRow::name); row == verb_table.end()) {
    line.assign(verb);
  } else {
    request.answered = Answered::by_usage;
    request.verb = row->verb;
    line.clear();
  }
  line.push_back('\n');
}

std::size_t Messages::send_replies(std::string_view output, std::span<const std::size_t> ends, Statistics& statistics,
                                   const Send& send) {
  std::size_t done = 0;
  for (const std::size_t end : ends) {
    answer_by_itself(statistics, send);
    LOCKD_CHECK(answered_ < requests_.size(), "no more replies than requests");
    send_reply(requests_[answered_++], output.substr(done, end - done), send);
    done = end;
  }
  answer_by_itself(statistics, send);
  requests_.erase(requests_.begin(), requests_.begin() + static_cast<std::ptrdiff_t>(answered_));
  answered_ = 0;
  if (requests_.empty() && requests_.capacity() > requests_kept_max) std::vector<Request>().swap(requests_);
  return done;
}

/// Requests that the session has no reply to, whose turn it is.
void Messages::answer_by_itself(Statistics& statistics, const Send& send) {
  for (; answered_ < requests_.size(); ++answered_) {
    const Request& request = requests_[answered_];
    if (request.answered == Answered::by_session) return;
    std::string reply;
    if (request.answered == Answered::by_usage) {
      statistics.bad_arguments.count();
      print(reply, {Outcome::bad_arguments}, verb_table[static_cast<std::size_t>(request.verb)].usage);
    }
    send_reply(request, reply, send);
  }
}

void Messages::send_reply(const Request& request, std::string_view lines, const Send& send) {
  if (lines.ends_with('\n')) lines.remove_suffix(1);
  const bool is_rest = std::exchange(is_in_parts_, false);
  send({.payload = lines, .is_binary = is_rest || request.is_binary || !is_utf8(lines), .is_first = !is_rest});
}

/// The last byte stays, as it may be the last LF of the reply.
std::size_t Messages::send_part(std::string_view output, const Send& send) {
  if (output.size() < 2) return 0;
  const bool is_first = !std::exchange(is_in_parts_, true);
  send({.payload = output.substr(0, output.size() - 1), .is_binary = true, .is_first = is_first, .is_last = false});
  return output.size() - 1;
}

std::size_t Messages::send_last_words(std::string_view output, const Send& send) {
  if (output.empty()) return 0;
  const std::string_view lines = output.substr(0, output.size() - 1);
  send({.payload = lines, .is_binary = !is_utf8(lines)});
  return output.size();
}

}  // namespace lockd::server
