#include "proptests/web_socket_frames.h"

#include <cstddef>
#include <cstdint>

namespace lockd::proptests {
namespace {

constexpr unsigned char last_frame = 0x80;
constexpr unsigned char binary = 0x2;
constexpr unsigned char close = 0x8;
constexpr unsigned char masked = 0x80;
constexpr std::string_view mask_key("\0\0\0\0", 4);  // leaves the payload as it is

/// Of a number in the network's order.
std::uint64_t number(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

std::string in_network_order(std::uint64_t value, std::size_t byte_count) {
  std::string bytes;
  for (std::size_t left = byte_count; left > 0; --left) bytes += static_cast<char>(value >> 8 * (left - 1));
  return bytes;
}

std::string frame(unsigned char opcode, std::string_view payload) {
  std::string bytes{static_cast<char>(last_frame | opcode)};
  if (payload.size() < 126) {
    bytes += static_cast<char>(masked | payload.size());
  } else if (payload.size() <= 0xffff) {
    bytes += static_cast<char>(masked | 126);
    bytes += in_network_order(payload.size(), 2);
  } else {
    bytes += static_cast<char>(masked | 127);
    bytes += in_network_order(payload.size(), 8);
  }
  return bytes.append(mask_key).append(payload);
}

}  // namespace

std::string web_socket_handshake(std::string_view host) {
  return "GET / HTTP/1.1\r\nHost: " + std::string(host) +
         "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
         "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
}

std::string client_frame(std::string_view message) { return frame(binary, message); }

std::string client_close_frame() { return frame(close, in_network_order(1000, 2)); }

bool FrameReader::read(std::string_view bytes, std::string& lines) {
  unread_ += bytes;
  while (take_frame(lines)) continue;
  return has_closed_;
}

/// False if there is no whole one.
bool FrameReader::take_frame(std::string& lines) {
  if (unread_.size() < 2) return false;
  const auto first = static_cast<unsigned char>(unread_[0]);
  std::uint64_t size = static_cast<unsigned char>(unread_[1]);
  const std::size_t size_bytes = size == 126 ? 2 : size == 127 ? 8 : 0;
  if (unread_.size() < 2 + size_bytes) return false;
  if (size_bytes > 0) size = number(std::string_view(unread_).substr(2, size_bytes));
  if (unread_.size() - 2 - size_bytes < size) return false;
  const std::string payload = unread_.substr(2 + size_bytes, size);
  unread_.erase(0, 2 + size_bytes + size);
  if ((first & 0xf) == close) {
    has_closed_ = true;
    return true;
  }
  message_ += payload;
  if ((first & last_frame) == 0) return true;
  if (!message_.empty()) lines += message_ + '\n';
  message_.clear();
  return true;
}

}  // namespace lockd::proptests
