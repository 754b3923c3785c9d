// The epoll loop. A connection sends a batch, and the next one when the whole batch is answered; when it has all its
// locks, the next connection begins. (Connections without a lock, where there are fewer locks, are the last ones.)
#include "bench/holders.h"

#include <algorithm>
#include <stdexcept>

namespace lockd::bench {

void Holders::connect(std::uint16_t port, const Progress& progress) {
  holders_.reserve(plan_.connections());
  while (holders_.size() < plan_.connections()) {
    Holder& holder = holders_.emplace_back(Channel(Socket::connect_to(port)));
    poller_.add(holder.channel.socket(), holders_.size() - 1);
    progress(holders_.size());
  }
}

void Holders::take(const Progress& progress) {
  for (std::size_t i = 0; i < pace_.takers; ++i) start_next();
  while (taken_ < plan_.locks()) {
    poller_.wait([this](std::size_t number) { serve(number); });
    progress(taken_);
  }
}

void Holders::start_next() {
  if (started_ < holders_.size()) request_more(started_++);
}

void Holders::request_more(std::size_t number) {
  Holder& holder = holders_[number];
  const std::size_t end = std::min(holder.requested + pace_.pipeline, plan_.locks_of(number));
  std::string batch;
  while (holder.requested < end) batch += plan_.request(number, holder.requested++);
  holder.channel.send(batch);
}

void Holders::serve(std::size_t number) {
  Channel& channel = holders_[number].channel;
  channel.flush();
  for (;;) {
    const std::string_view bytes = channel.receive(buffer_);
    take_replies(number, bytes);
    if (bytes.size() < buffer_.size()) return;  // all is read, until the next edge
  }
}

void Holders::take_replies(std::size_t number, std::string_view bytes) {
  std::string& partial = holders_[number].partial_line;
  for (std::size_t end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n')) {
    take_reply(number, partial.append(bytes.substr(0, end)));
    partial.clear();
    bytes.remove_prefix(end + 1);
  }
  partial.append(bytes);
}

void Holders::take_reply(std::size_t number, std::string_view reply) {
  Holder& holder = holders_[number];
  if (holder.answered == holder.requested)
    throw std::runtime_error("a reply that nobody asked for: " + std::string(reply));
  if (!plan_.accepts(number, holder.answered, reply)) {
    throw std::runtime_error("wrong reply: " + std::string(reply) + ", to: " + plan_.request(number, holder.answered));
  }
  ++taken_;
  if (++holder.answered < holder.requested) return;
  if (holder.answered < plan_.locks_of(number)) {
    request_more(number);
  } else {
    start_next();
  }
}

void Holders::drop() {
  for (std::size_t number = 0; number < holders_.size(); ++number) {
    Socket& socket = holders_[number].channel.socket();
    number % 2 == 0 ? socket.close() : socket.reset();
  }
  holders_.clear();
}

}  // namespace lockd::bench
