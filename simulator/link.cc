#include "simulator/link.h"

#include <algorithm>
#include <utility>

namespace lockd::simulator {

namespace asio_error = boost::asio::error;

void Link::break_off(boost::system::error_code why, bool loses_what_arrived) {
  broken_ = why;
  on_the_way_.clear();
  sent_.clear();
  if (loses_what_arrived) arrived_.clear();
}

std::string Link::take(std::size_t bytes_max) {
  std::string taken = sent_.substr(0, bytes_max);
  sent_.erase(0, taken.size());
  return taken;
}

/// What comes to a closed socket is answered with a reset, which may overtake what was sent before.
void Link::deliver(std::size_t bytes_max) {
  if (on_the_way_.empty()) {
    fin_arrived_ = true;
    return;
  }
  const std::size_t bytes = std::min(bytes_max, on_the_way_.size());
  if (!is_closed_) arrived_ += on_the_way_.substr(0, bytes);
  on_the_way_.erase(0, bytes);
  if (!is_closed_) return;
  reset_by_server_ = true;
  sent_.clear();
}

bool Link::has_event() const {
  return (reads_ && (is_called_ready_ || is_readable())) || (writes_ && (is_called_ready_ || is_writable()));
}

Readiness Link::take_event() {
  const bool is_called_ready = std::exchange(is_called_ready_, false);
  return {is_called_ready || is_readable(), is_called_ready || is_writable()};
}

void Link::notify(const Readiness& found) {
  const auto reads = found.is_readable ? std::exchange(reads_, nullptr) : nullptr;
  const auto writes = found.is_writable ? std::exchange(writes_, nullptr) : nullptr;
  if (reads) reads({});
  if (writes) writes({});
}

void Link::close() {
  require(!is_closed_, "a socket is closed twice");
  is_closed_ = true;
  if (!arrived_.empty()) {
    reset_by_server_ = true;
    sent_.clear();
  }
  context_.push([reads = std::exchange(reads_, nullptr), writes = std::exchange(writes_, nullptr)] {});
}

Socket::~Socket() {  // NOLINT(bugprone-exception-escape): that memory is out, which ends the program
  if (link_ && !link_->is_closed_) link_->close();
}

void Socket::begin_wait(Simulation::Handler& pending, Simulation::Handler handler) {
  require_open();
  require(!pending, "two waits for one direction of a socket");
  pending = std::move(handler);
}

std::size_t Socket::read(char* to, std::size_t bytes_max, boost::system::error_code& error) {
  require_open();
  error = {};
  std::string& arrived = link_->arrived_;
  const std::size_t most = std::min({arrived.size(), bytes_max, link_->read_bytes_max});
  if (most > 0 && !link_->is_held_back) {
    const std::size_t bytes = simulation->random.between(1, most);
    arrived.copy(to, bytes);
    arrived.erase(0, bytes);
    return bytes;
  }
  if (link_->is_broken()) {
    error = link_->broken_;
  } else if (link_->fin_arrived_ && !link_->is_held_back) {
    error = asio_error::eof;
  } else {
    error = asio_error::would_block;
  }
  return 0;
}

std::size_t Socket::write(std::string_view bytes, boost::system::error_code& error) {
  require_open();
  require(!link_->is_shut_, "bytes behind the end of what is sent");
  error = link_->is_broken() ? boost::system::error_code(asio_error::broken_pipe) : link_->write_error_;
  if (error) return 0;
  const std::size_t room = link_->window - std::min(link_->window, link_->sent_.size());
  if (room == 0) {
    link_->needs_room_ = true;
    error = asio_error::would_block;
    return 0;
  }
  const std::size_t taken = std::min(bytes.size(), simulation->random.between(1, room));
  if (taken < bytes.size()) simulation->count("fault: partial write");
  link_->sent_ += bytes.substr(0, taken);
  link_->needs_room_ = taken < bytes.size();
  link_->last_written_at_ = simulation->now;
  return taken;
}

void Socket::shutdown(shutdown_type, boost::system::error_code& error) {
  require_open();
  error = {};
  link_->is_shut_ = true;
}

void Socket::close(boost::system::error_code& error) {
  error = {};
  link_->close();
}

}  // namespace lockd::simulator
