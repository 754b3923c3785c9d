// Members of the server's pump once more, each as in production but for a fault that can be planted. For production.cc
// alone, which includes the definitions of the others before it.
#ifndef LOCKD_SIMULATOR_FAULTY_CONNECTION_H_
#define LOCKD_SIMULATOR_FAULTY_CONNECTION_H_

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <utility>

#include "server/connection.h"
#include "server/worker.h"
#include "simulator/virtual_edge.h"
#include "simulator/watched_session.h"

namespace lockd::server {

using simulator::EdgeMutex;
using simulator::is_planted;

template <>
inline void Worker<EdgeMutex>::deliver(const engine::Wakeup& wakeup) {
  if (is_planted("wakeup_lost") && simulator::simulation->random.chance(200)) return;
  auto found = waiting.find(wakeup.session);
  if (found == waiting.end() && is_planted("wakeup_reaches_another")) found = waiting.begin();
  if (found != waiting.end()) found->second->wake(wakeup.answer);
}

template <>
inline const Services<EdgeMutex>& Worker<EdgeMutex>::services_now(std::size_t input_bytes) {
  services.turn.wait_begun = false;
  const std::uint64_t pass = poller.current_pass();
  const bool is_known = pass == clock_read_in_ || (is_planted("clock_of_an_earlier_pass") && clock_read_in_ != 0);
  if (pass == 0 || !is_known || input_bytes_since_ >= input_bytes_of_a_moment) {
    services.turn.now = now();
    input_bytes_since_ = 0;
  }
  clock_read_in_ = pass;
  input_bytes_since_ += input_bytes;
  return services;
}

template <>
inline std::string& Connection<EdgeMutex>::output() {
  return unsent_.empty() || is_planted("output_reordered") ? worker_.output : unsent_;
}

template <>
inline void Connection<EdgeMutex>::on_readable() {
  if (phase_ == Phase::ending) return;
  if (has_turn_to_take() && !is_planted("reads_while_a_turn_is_due")) return;
  Error error;
  const std::size_t bytes = socket_.read_some(asio::buffer(worker_.input), error);
  if (would_block(error)) return wait_readable();
  if (error && error != asio::error::eof) return peer_failed(error);
  peer_done_ = error == asio::error::eof;
  if (phase_ == Phase::closing) return peer_done_ ? close() : wait_readable();
  if (is_planted("clean_up_overtakes") && !peer_done_) {
    std::array<char, 1> ahead{};
    socket_.read_some(asio::buffer(ahead), error);
    peer_done_ = error == asio::error::eof;
  }
  if (peer_done_) return proceed(session_->finish());
  proceed(session_->receive({worker_.input.data(), bytes}, worker_.services_now(bytes), output()));
}

template <>
inline void Connection<EdgeMutex>::flush() {
  if (is_planted("output_reordered") && writing_) {
    unsent_.insert(0, std::exchange(worker_.output, {}));
    return;
  }
  if (writing_) return;
  const auto sent = send(worker_.output);
  if (sent && *sent < worker_.output.size()) unsent_.assign(worker_.output, *sent);
  worker_.output.clear();
  if (unsent_.empty()) return;
  set_deadline(worker_.peer_timeout);
  wait_writable();
}

template <>
inline void Connection<EdgeMutex>::on_writable() {
  const auto sent = send(unsent_);
  if (!sent) return;
  const bool is_partial = *sent < unsent_.size();
  if (!is_partial || !is_planted("write_restarted")) unsent_.erase(0, *sent);
  if (!unsent_.empty()) {
    if (*sent > 0 && phase_ == Phase::serving && !is_planted("deadline_not_moved")) set_deadline(worker_.peer_timeout);
    wait_writable();
  } else {
    std::string().swap(unsent_);
    if (phase_ == Phase::serving) deadline_.lift();
    if (phase_ == Phase::closing) return say_goodbye();
  }
  if (!is_planted("turn_forgotten")) take_turn_if_drained();
}

template <>
inline void ConnectionBase<Connection<EdgeMutex>, EdgeMutex>::begin_wait() {
  worker_.waiting[session_->id()] = this;
  auto left = std::chrono::milliseconds(session_->deadline() - worker_.services.turn.now);
  if (is_planted("wait_too_short")) left -= std::chrono::milliseconds(5);
  auto from = Worker<EdgeMutex>::Clock::now();
  if (is_planted("wait_from_its_pass")) from -= std::chrono::milliseconds(worker_.now() - worker_.services.turn.now);
  worker_.expiries.set(wait_, from + left);
}

template <>
inline void ConnectionBase<Connection<EdgeMutex>, EdgeMutex>::end_wait() {
  if (worker_.waiting.erase(session_->id()) != 0 && !is_planted("timer_not_cancelled")) wait_.lift();
}

template <>
inline void ConnectionBase<Connection<EdgeMutex>, EdgeMutex>::end() {
  if (phase_ != Phase::serving) return;
  phase_ = Phase::ending;
  end_wait();
  worker_.ends.push(this->shared_from_this());
  if (is_planted("end_runs_twice")) worker_.ends.push(this->shared_from_this());
}

template <>
inline void Connection<EdgeMutex>::close_gently() {
  phase_ = Phase::closing;
  if (peer_done_ && (unsent_.empty() || is_planted("closes_at_once"))) return close();
  set_deadline(closing_time);
  if (unsent_.empty()) say_goodbye();
}

}  // namespace lockd::server

#endif  // LOCKD_SIMULATOR_FAULTY_CONNECTION_H_
