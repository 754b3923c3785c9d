// What a client of a WebSocket sends and reads, as far as a scenario needs it.
#ifndef LOCKD_PROPTESTS_WEB_SOCKET_FRAMES_H_
#define LOCKD_PROPTESTS_WEB_SOCKET_FRAMES_H_

#include <string>
#include <string_view>

namespace lockd::proptests {

/// A handshake for the path / at this host, and how the answer to one that was taken begins.
std::string web_socket_handshake(std::string_view host);
inline constexpr std::string_view web_socket_accepted = "HTTP/1.1 101 ";

/// A binary message in one frame; and the frame that answers a close.
std::string client_frame(std::string_view message);
std::string client_close_frame();

/// Turns a stream of frames back into the lines that they came from: an LF behind each message, but for empty ones. A
/// value.
class FrameReader {
 public:
  /// Appends to `lines` what is whole by these bytes. True if a close frame has come.
  bool read(std::string_view bytes, std::string& lines);

 private:
  bool take_frame(std::string& lines);

  std::string unread_;   // the beginning of a frame
  std::string message_;  // that of a message
  bool has_closed_ = false;
};

}  // namespace lockd::proptests

#endif  // LOCKD_PROPTESTS_WEB_SOCKET_FRAMES_H_
