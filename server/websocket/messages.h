// WebSocket messages to a session's lines, and a session's output to messages. Pure: no socket, no frame, no session.
#ifndef LOCKD_SERVER_WEBSOCKET_MESSAGES_H_
#define LOCKD_SERVER_WEBSOCKET_MESSAGES_H_

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/types.h"
#include "server/statistics.h"

namespace lockd::server {

/// A message to be sent, or a part of one.
struct MessagePart {
  std::string_view payload;
  bool is_binary = false;  // of all parts of a message the same
  bool is_first = true;
  bool is_last = true;

  friend bool operator==(const MessagePart&, const MessagePart&) = default;
};

/// One connection's requests, from their messages to those of their replies.
///
/// A message, text or binary, is one request without its line end; its end stands for that, so a CR before it is
/// dropped (F1). Each message gets one reply, in order, unless the request ends the session: the lines of the reply
/// with LFs between them, without the last one; empty where there is no line (a blank message, an empty listing, an
/// unknown verb with --classic). It is binary where the request was, or where it is no UTF-8: a browser on which such
/// a text comes drops the connection, and its locks with it.
///
/// An LF inside a message is a bad argument (F9) of the verb that stands before it, whichever that is.
///
/// A value. A call takes what the session has appended to its output, and returns how many bytes of that are done with.
class Messages {
 public:
  using Send = std::function<void(const MessagePart&)>;

  /// A message has come, or what is beyond any bound of it: its first line_bytes_max + 2 bytes or more, F6's limit
  /// being line_bytes_max. `line` becomes what the session is to be given, LF included.
  void take(std::string_view message, bool is_binary, std::size_t line_bytes_max, std::string& line);

  /// Sends the replies that are whole. `ends`: where in `output` the session's replies end. Counts what is refused
  /// here.
  std::size_t send_replies(std::string_view output, std::span<const std::size_t> ends, Statistics& statistics,
                           const Send& send);

  /// Sends what is there of a reply that is not whole yet, as a part of a message. That is binary: nobody knows whether
  /// what follows is UTF-8.
  std::size_t send_part(std::string_view output, const Send& send);

  /// Sends what a session has said at its end, beyond all replies (W2), as a message; nothing if there is nothing.
  static std::size_t send_last_words(std::string_view output, const Send& send);

  /// Whether no request waits for its reply.
  bool is_idle() const { return requests_.empty(); }

 private:
  enum class Answered : std::uint8_t { by_session, by_nothing, by_usage };

  struct Request {
    bool is_binary;
    Answered answered = Answered::by_session;
    Verb verb = Verb::get;  // by_usage: whose
  };

  void answer_by_itself(Statistics& statistics, const Send& send);
  void send_reply(const Request& request, std::string_view lines, const Send& send);

  /// Room for so many stays, in the smallest piece of memory that there is.
  static constexpr std::size_t requests_kept_max = 8;

  std::vector<Request> requests_;  // without a reply yet, in order
  std::size_t answered_ = 0;       // so many at their front have got it in this call
  bool is_in_parts_ = false;       // the first one's reply has been sent in part
};

}  // namespace lockd::server

#endif  // LOCKD_SERVER_WEBSOCKET_MESSAGES_H_
