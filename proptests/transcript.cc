// One line at a time: what it says, then whether its client can do that now.
#include "proptests/transcript.h"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <iterator>
#include <optional>
#include <utility>

namespace lockd::proptests {
namespace {

// What a client can still do: send and receive, receive only, or nothing but close.
enum class ClientState { open, receiving, drained, gone };

// The last state in which a client can do a thing.
ClientState last_state_for(StepKind kind) {
  switch (kind) {
    case StepKind::send:
    case StepKind::finish:
    case StepKind::wait:  // S3: who waits has not sent FIN
    case StepKind::time_out:
      return ClientState::open;
    case StepKind::close:
    case StepKind::reset:
      return ClientState::drained;
    default:
      return ClientState::receiving;
  }
}

std::optional<unsigned> hex_digit(char character) {
  constexpr std::string_view digits = "0123456789abcdef";
  const auto value = digits.find(static_cast<char>(std::tolower(static_cast<unsigned char>(character))));
  return value == std::string_view::npos ? std::nullopt : std::optional(static_cast<unsigned>(value));
}

// Takes off and returns what stands before the first blank; the blank goes too.
std::string_view take_word(std::string_view& text) {
  const auto word = text.substr(0, text.find(' '));
  text.remove_prefix(std::min(text.size(), word.size() + 1));
  return word;
}

class Reader {
 public:
  Reader(std::string file, TranscriptFormat format) : file_(std::move(file)), format_(format) {}

  std::vector<TranscriptStep> read(std::string_view text) {
    while (!text.empty()) {
      const auto line = text.substr(0, text.find('\n'));
      text.remove_prefix(std::min(text.size(), line.size() + 1));
      ++line_;
      if (format_ == TranscriptFormat::scenario && line.starts_with("#!")) {
        steps_.push_back({StepKind::beyond_clients, line_, "", "", {std::string(line)}});
      } else if (line.find_first_not_of(" \t") != std::string_view::npos && line.front() != '#') {
        read_line(line);
      }
    }
    return std::move(steps_);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw TranscriptError(file_ + ":" + std::to_string(line_) + ": " + what);
  }

  void read_line(std::string_view line) {
    static const std::map<std::string_view, StepKind> words{
        {"connect", StepKind::connect}, {"finish", StepKind::finish}, {"close", StepKind::close},
        {"reset", StepKind::reset},     {"waits", StepKind::wait},    {"timeout", StepKind::time_out}};
    std::string_view rest = line;
    const auto word = take_word(rest);
    if (word == "flags") {
      read_flags(rest);
    } else if (word == "tokens") {
      read_tokens(rest);
    } else if (const auto found = words.find(word); found != words.end()) {
      add({found->second, line_, client_name(rest), "", {}});
    } else {
      read_bytes(word, rest, line.size() > word.size());
    }
  }

  void read_flags(std::string_view rest) {
    if (!steps_.empty()) fail("flags must be the first step");
    TranscriptStep step{StepKind::flags, line_, "", "", {}};
    while (!rest.empty()) {
      if (const auto flag = take_word(rest); !flag.empty()) step.lines.emplace_back(flag);
    }
    steps_.push_back(std::move(step));
  }

  // `A < B < C`
  void read_tokens(std::string_view rest) {
    TranscriptStep step{StepKind::tokens, line_, "", "", {}};
    while (true) {
      step.lines.push_back(checked_name(take_word(rest), "token"));
      if (rest.empty()) break;
      if (take_word(rest) != "<") fail("no `<` between tokens");
    }
    if (step.lines.size() < 2) fail("one token has no order");
    steps_.push_back(std::move(step));
  }

  // `word` is a client and a sign, `rest` the bytes.
  void read_bytes(std::string_view word, std::string_view rest, bool has_rest) {
    const auto sign_at = std::min(word.find_first_of("<>"), word.size());
    const auto sign = word.substr(sign_at);
    if (sign != ">" && sign != ">|" && sign != "<" && sign != "<*") fail("no step: " + std::string(word));
    const std::string client = client_name(word.substr(0, sign_at));
    if (sign == ">") {
      add({StepKind::send, line_, client, decoded(rest, false) + '\n', {}});
    } else if (sign == ">|") {
      if (!has_rest) fail("no bytes to send");
      add({StepKind::send, line_, client, decoded(rest, true), {}});
    } else if (sign == "<" && rest == "(nothing)") {
      add({StepKind::expect_nothing, line_, client, "", {}});
    } else if (sign == "<" && rest == "END-OF-STREAM") {
      add({StepKind::expect_end, line_, client, "", {}});
    } else {
      add_reply(sign == "<" ? StepKind::expect : StepKind::expect_any_order, client, decoded_reply(rest));
    }
  }

  std::string client_name(std::string_view text) const { return checked_name(text, "client"); }

  std::string checked_name(std::string_view text, const std::string& whose) const {
    const auto ordinary = [](unsigned char byte) { return std::isalnum(byte) != 0 || byte == '_'; };
    if (text.empty() || !std::ranges::all_of(text, ordinary)) fail("no " + whose + "'s name: " + std::string(text));
    return std::string(text);
  }

  void add_reply(StepKind kind, const std::string& client, std::string line) {
    if (!steps_.empty() && steps_.back().kind == kind && steps_.back().client == client) {
      steps_.back().lines.push_back(std::move(line));
    } else {
      add({kind, line_, client, "", {std::move(line)}});
    }
  }

  void add(TranscriptStep step) {
    if (step.kind == StepKind::connect) {
      if (!clients_.try_emplace(step.client, ClientState::open).second) fail("connects twice: " + step.client);
    } else {
      follow(step);
    }
    steps_.push_back(std::move(step));
  }

  // Whether the client can do that, and what it can do from now on.
  void follow(const TranscriptStep& step) {
    const auto found = clients_.find(step.client);
    if (found == clients_.end()) fail("never connected: " + step.client);
    ClientState& state = found->second;
    if (state > last_state_for(step.kind)) fail("too late for that: " + step.client);
    if (step.kind == StepKind::finish) state = ClientState::receiving;
    if (step.kind == StepKind::expect_end) state = ClientState::drained;
    if (step.kind == StepKind::close || step.kind == StepKind::reset) state = ClientState::gone;
  }

  std::string decoded(std::string_view text, bool line_ends) const {
    return format_ == TranscriptFormat::recorded ? from_latin1(text) : unescaped(text, line_ends);
  }

  std::string decoded_reply(std::string_view text) const {
    if (format_ == TranscriptFormat::scenario) return unescaped(text, false);
    if (!text.ends_with("\\r")) return from_latin1(text);
    return from_latin1(text.substr(0, text.size() - 2)) + '\r';
  }

  // Each character below U+0100 is a byte, written in UTF-8.
  std::string from_latin1(std::string_view text) const {
    std::string bytes;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const auto byte = static_cast<unsigned char>(text[i]);
      if (byte < 0x80) {
        bytes += text[i];
        continue;
      }
      if ((byte != 0xC2 && byte != 0xC3) || i + 1 == text.size()) fail("a character that is no byte");
      const auto next = static_cast<unsigned char>(text[++i]);
      if ((next & 0xC0) != 0x80) fail("a character that is no byte");
      bytes += static_cast<char>((byte & 3) * 64 + (next & 0x3F));
    }
    return bytes;
  }

  std::string unescaped(std::string_view text, bool line_ends) const {
    std::string bytes;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] != '\\') {
        bytes += text[i];
        continue;
      }
      const char name = ++i < text.size() ? text[i] : '\0';
      const auto high = name == 'x' && i + 2 < text.size() ? hex_digit(text[i + 1]) : std::nullopt;
      const auto low = high ? hex_digit(text[i + 2]) : std::nullopt;
      if (name == '\\') {
        bytes += '\\';
      } else if (name == 't') {
        bytes += '\t';
      } else if (name == 'r') {
        bytes += '\r';
      } else if (name == 'n' && line_ends) {
        bytes += '\n';
      } else if (high && low) {
        bytes += static_cast<char>(*high * 16 + *low);
        i += 2;
      } else {
        fail("no escape: \\" + std::string(text.substr(std::min(i, text.size()), 3)));
      }
    }
    return bytes;
  }

  std::string file_;
  TranscriptFormat format_;
  int line_ = 0;
  std::map<std::string, ClientState> clients_;
  std::vector<TranscriptStep> steps_;
};

}  // namespace

std::vector<TranscriptStep> read_transcript(std::string_view text, const std::string& file, TranscriptFormat format) {
  return Reader(file, format).read(text);
}

std::vector<TranscriptStep> load_transcript(const std::string& path, TranscriptFormat format) {
  std::ifstream stream(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  if (!stream.is_open() || stream.bad()) throw TranscriptError(path + ":0: can't be read");
  return read_transcript(text, path, format);
}

bool is_playable(const std::vector<TranscriptStep>& steps) {
  return std::ranges::any_of(steps, [](const TranscriptStep& step) {
    return step.kind != StepKind::flags && step.kind != StepKind::beyond_clients;
  });
}

std::string with_addresses(std::string_view text, const std::map<std::string, std::string>& addresses) {
  std::string filled;
  while (!text.empty()) {
    const auto end = text.front() == '{' ? text.find('}') : std::string_view::npos;
    const auto name = end == std::string_view::npos ? "" : std::string(text.substr(1, end - 1));
    const auto found = addresses.find(name);
    if (end == std::string_view::npos || found == addresses.end()) {
      filled += text.front();
      text.remove_prefix(1);
    } else {
      filled += found->second;
      text.remove_prefix(end + 1);
    }
  }
  return filled;
}

}  // namespace lockd::proptests
