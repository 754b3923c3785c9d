// The frames that a server's messages are sent in.
#ifndef LOCKD_SERVER_WEBSOCKET_FRAME_H_
#define LOCKD_SERVER_WEBSOCKET_FRAME_H_

#include <string>

#include "server/websocket/messages.h"

namespace lockd::server {

/// Appends a frame with this part of a message: RFC 6455, section 5.2, without a mask. (Beast frames nothing any more
/// once it has read a close frame, when replies may still be owed.)
void append_frame(std::string& outbox, const MessagePart& part);

}  // namespace lockd::server

#endif  // LOCKD_SERVER_WEBSOCKET_FRAME_H_
