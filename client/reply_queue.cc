#include "client/reply_queue.h"

#include "client/judge.h"
#include "client/request.h"

namespace lockd {

namespace {

/// Whether the line ends the reply; it belongs to it unless it says nothing else.
bool ends(const Reply& reply, std::string_view line, bool& belongs) {
  switch (reply.framing) {
    case Framing::line:
      return true;
    case Framing::until_end: {
      const bool is_refusal = reply.lines.empty() && line.starts_with("0 ");
      belongs = line != "END";
      return !belongs || is_refusal;
    }
    case Framing::until_pong:
      belongs = line != "1 pong";
      return !belongs;
  }
  return true;
}

/// S4 comes without a request, and may come before the first one was sent.
Error unasked(std::string_view line) {
  if (Error why = refusal(line); why.cause == Cause::too_many_connections) return why;
  return {Cause::protocol_error, "the server said without being asked: " + shown(line)};
}

}  // namespace

std::shared_ptr<const Reply> ReplyQueue::expect(Framing framing) {
  return expected_.emplace_back(std::make_shared<Reply>(Reply{.framing = framing}));
}

std::optional<Error> ReplyQueue::take(std::string_view bytes) {
  while (true) {
    const std::size_t line_feed = bytes.find('\n');
    const std::string_view part = bytes.substr(0, line_feed);
    if (reply_bytes_ + begun_.size() + part.size() > reply_bytes_max_)
      return Error{Cause::reply_too_long, "a reply of more than " + std::to_string(reply_bytes_max_) + " bytes"};
    begun_.append(part);
    if (line_feed == std::string_view::npos) return std::nullopt;
    if (auto error = deliver(begun_)) return error;
    begun_.clear();
    bytes.remove_prefix(line_feed + 1);
  }
}

std::optional<Error> ReplyQueue::deliver(std::string_view line) {
  if (expected_.empty()) return unasked(line);
  Reply& reply = *expected_.front();
  bool belongs = true;
  const bool is_last = ends(reply, line, belongs);
  if (belongs) reply.lines.emplace_back(line);
  reply_bytes_ += line.size() + sizeof(std::string);
  if (!is_last) return std::nullopt;
  reply.is_whole = true;
  reply_bytes_ = 0;
  expected_.pop_front();
  return std::nullopt;
}

}  // namespace lockd
