// Line by line.
#include "bench/floor_replies.h"

namespace lockd::bench {
namespace {

// `line` has its LF.
void answer(std::string_view line, std::string& replies) {
  if (line.starts_with("g ")) {
    replies.append("1 Lock Get Success: ").append(line.substr(2));
  } else if (line.starts_with("r ")) {
    replies.append("1 Lock Release Success: ").append(line.substr(2));
  } else if (line == "ping\n") {
    replies.append("1 pong\n");
  } else {
    replies.append("0 Unknown Command: ").append(line);
  }
}

}  // namespace

void answer_lines(std::string_view bytes, std::string& cut, std::string& replies) {
  if (!cut.empty()) bytes = cut.append(bytes);
  replies.clear();
  for (std::size_t end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n')) {
    answer(bytes.substr(0, end + 1), replies);
    bytes.remove_prefix(end + 1);
  }
  if (!cut.empty() || !bytes.empty()) cut = std::string(bytes);
}

}  // namespace lockd::bench
