#include "server/websocket/frame.h"

#include <cstddef>
#include <cstdint>

namespace lockd::server {

namespace {

constexpr std::uint8_t last_frame = 0x80;
enum Opcode : std::uint8_t { continuation = 0, text = 1, binary = 2 };

/// In network byte order.
void append_number(std::string& outbox, std::uint64_t number, int byte_count) {
  for (int shift = 8 * (byte_count - 1); shift >= 0; shift -= 8) outbox += static_cast<char>(number >> shift & 0xFF);
}

}  // namespace

void append_frame(std::string& outbox, const MessagePart& part) {
  const Opcode opcode = !part.is_first ? continuation : part.is_binary ? binary : text;
  outbox += static_cast<char>((part.is_last ? last_frame : 0) | opcode);
  const std::size_t size = part.payload.size();
  if (size < 126) {
    append_number(outbox, size, 1);
  } else if (size < 65536) {
    append_number(outbox, 126, 1);
    append_number(outbox, size, 2);
  } else {
    append_number(outbox, 127, 1);
    append_number(outbox, size, 8);
  }
  outbox += part.payload;
}

}  // namespace lockd::server
