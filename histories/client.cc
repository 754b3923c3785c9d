#include "histories/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace lockd::histories {
namespace {

constexpr std::string_view uri_prefix = "tcp://127.0.0.1:";
constexpr std::string_view lines_to_end = "END";
constexpr std::string_view any_object = "{";

[[noreturn]] void throw_errno(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

void set(int fd, int level, int option, int value) {
  if (setsockopt(fd, level, option, &value, sizeof value) != 0) throw_errno("setsockopt");
}

int connected(const std::string& uri, bool small_window) {
  if (!uri.starts_with(uri_prefix)) throw std::runtime_error("where is " + uri + "?");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<in_port_t>(std::stoi(uri.substr(uri_prefix.size()))));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) throw_errno("socket");
  if (small_window) set(fd, SOL_SOCKET, SO_RCVBUF, 4096);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) throw_errno("connect");
  set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  return fd;
}

}  // namespace

Client::Client(const std::string& uri, std::uint32_t session, Recorder& recorder, Random& random)
    : fd_(connected(uri, below(random, 3) == 0)), session_(session), recorder_(recorder), habits_(random) {
  std::string bytes;
  append_other(bytes, "iam s" + std::to_string(session), "1 ok");
  send(bytes);
}

Client::~Client() { close(false); }

void Client::ask(Random& random) {
  std::string bytes;
  write_batch(bytes, random);
  const std::size_t cut = below(random, 8) == 0 ? below(random, static_cast<std::uint32_t>(bytes.size())) : 0;
  if (cut > 0) send(std::string_view(bytes).substr(0, cut));
  send(std::string_view(bytes).substr(cut));
}

void Client::ask_for_much(Random& random) {
  std::string bytes;
  for (std::uint32_t left = 1 + below(random, 3); left > 0; --left) {
    write_batch(bytes, random);
    for (std::uint32_t i = below(random, 60); i > 0; --i) append_other(bytes, "help", lines_to_end);
  }
  write_batch(bytes, random);
  send(bytes);
}

void Client::ask_for(Operation operation) {
  std::string bytes;
  append(bytes, operation);
  send(bytes);
}

void Client::send_cut_line(Random& random) {
  const std::string line = request_text(all_keys(), habits_.draw(random));
  send(std::string_view(line).substr(0, 1 + below(random, static_cast<std::uint32_t>(line.size()))));
}

void Client::write_batch(std::string& bytes, Random& random) {
  for (std::size_t left = habits_.draw_batch(random); left > 0; --left) {
    append(bytes, habits_.draw(random));
    if (below(random, 64) == 0) append_other(bytes, "list h", lines_to_end);
    if (below(random, 128) == 0) append_other(bytes, "dump", any_object);
  }
}

void Client::append(std::string& bytes, const Operation& operation) {
  Operation& recorded = recorder_.begin(operation);
  recorded.session = session_;
  recorded.invoked = now();
  bytes += request_text(all_keys(), recorded);
  bytes += '\n';
  pending_.push_back({&recorded, {}});
}

void Client::append_other(std::string& bytes, std::string_view request, std::string_view reply) {
  bytes.append(request).push_back('\n');
  pending_.push_back({nullptr, reply});
}

void Client::send(std::string_view bytes) {
  unsent_ += bytes;
  flush();
}

// What goes wrong here, the next read tells.
void Client::flush() {
  if (unsent_.empty()) return;
  const ssize_t sent = ::send(fd_, unsent_.data(), unsent_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent > 0) unsent_.erase(0, static_cast<std::size_t>(sent));
}

void Client::read() {
  static std::array<char, 262144> buffer;
  const ssize_t bytes = ::recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (bytes < 0 && errno == EAGAIN) return;
  if (bytes < 0) throw ServerFault("session " + std::to_string(session_) + " was reset");
  if (bytes == 0) return take_end();
  read_at_ = now();
  received_.append(buffer.data(), static_cast<std::size_t>(bytes));
  std::size_t begin = 0;
  for (std::size_t end = 0; (end = received_.find('\n', begin)) != std::string::npos; begin = end + 1) {
    take_line(std::string_view(received_).substr(begin, end - begin));
  }
  received_.erase(0, begin);
}

void Client::take_line(std::string_view line) {
  const auto who = [this] { return "session " + std::to_string(session_); };
  if (pending_.empty()) throw ServerFault(who() + " asked nothing and was told: " + std::string(line));
  const auto [operation, text] = pending_.front();
  if (operation == nullptr) {
    is_greeted_ = true;
    if (text == lines_to_end && line != lines_to_end) return;
    if (!line.starts_with(text))
      throw ServerFault(who() + " was told: " + std::string(line) + ", not: " + std::string(text));
    return pending_.pop_front();
  }
  const auto answer = read_reply(line, operation->act, has_key(operation->act) ? all_keys()[operation->key] : "");
  if (!answer)
    throw ServerFault(who() + " was told: " + std::string(line) + ", for " + request_text(all_keys(), *operation));
  Recorder::answer(*operation, *answer, read_at_);
  pending_.pop_front();
}

// The server has shut the stream: after `fin` and `quit` alone.
void Client::take_end() {
  if (state_ != State::ending) throw ServerFault("the server ended session " + std::to_string(session_));
  if (!received_.empty()) throw ServerFault("a reply was cut: " + received_);
  Recorder::answer(*end_, {}, now());
  close(false);
}

Operation* Client::end(Act act) {
  Operation& operation = recorder_.begin({.session = session_, .act = act, .invoked = now()});
  if (act == Act::fin || act == Act::quit) {
    state_ = State::ending;
    end_ = &operation;
    if (act == Act::quit) {
      send("quit\n");
    } else {
      ::shutdown(fd_, SHUT_WR);
    }
    return nullptr;
  }
  close(act == Act::rst);
  return &operation;
}

void Client::close(bool reset) {
  state_ = State::over;
  if (fd_ < 0) return;
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  if (reset) setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ::close(std::exchange(fd_, -1));
}

}  // namespace lockd::histories
