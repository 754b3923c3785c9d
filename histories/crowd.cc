#include "histories/crowd.h"

#include <algorithm>
#include <utility>

namespace lockd::histories {
namespace {

constexpr std::size_t outstanding_max = 24;  // then a client waits for answers

}  // namespace

Crowd::Crowd(std::string uri, std::size_t clients, Recorder& recorder, std::function<std::uint32_t()> next_session,
             Random& random)
    : uri_(std::move(uri)), recorder_(recorder), next_session_(std::move(next_session)), random_(random) {
  slots_.resize(clients);
}

void Crowd::turn() {
  const Moment moment = now();
  polled_.clear();
  for (Slot& slot : slots_) {
    if (slot.client && slot.client->is_over()) slot.client.reset();
    if (!slot.client && replaces_) slot.client = std::make_unique<Client>(uri_, next_session_(), recorder_, random_);
    if (slot.paused_until <= moment) slot.paused_until = 0;
    const bool listens = slot.client && slot.paused_until == 0;
    const short events = listens && slot.client->has_unsent() ? POLLIN | POLLOUT : POLLIN;
    polled_.push_back({.fd = listens ? slot.client->fd() : -1, .events = events, .revents = 0});
  }
  poll(polled_.data(), polled_.size(), 1);
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (polled_[i].fd >= 0) serve(slots_[i], polled_[i].revents);
  }
}

void Crowd::serve(Slot& slot, short events) {
  Client& client = *slot.client;
  if ((events & POLLOUT) != 0) client.flush();
  if ((events & (POLLIN | POLLERR | POLLHUP)) != 0) client.read();
  const std::size_t outstanding = client.outstanding();
  if (!asks_ || !client.is_open() || outstanding > outstanding_max || recorder_.is_full()) return;
  const bool is_moved = (events & POLLIN) != 0;
  if (outstanding == 0 || below(random_, is_moved ? 4 : 64) == 0) client.ask(random_);
}

void Crowd::resume_all() {
  for (Slot& slot : slots_) slot.paused_until = 0;
}

bool Crowd::is_steady() const {
  return std::ranges::all_of(slots_, [this](const Slot& slot) {
    return slot.client ? slot.client->is_open() && slot.client->is_greeted() : !replaces_;
  });
}

std::size_t Crowd::outstanding() const {
  std::size_t sum = 0;
  for (const Slot& slot : slots_) sum += slot.client && slot.client->is_open() ? slot.client->outstanding() : 0;
  return sum;
}

std::size_t Crowd::present() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(slots_, [](const Slot& slot) { return slot.client != nullptr; }));
}

}  // namespace lockd::histories
