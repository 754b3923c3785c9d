#include "simulator/poller.h"

namespace lockd::simulator {

bool Poller::wake() {
  if (std::exchange(is_woken_, true)) return false;
  context_.push([this] {
    is_woken_ = false;
    pass();
  });
  return true;
}

/// One at least, if there is one.
std::vector<Poller::Event> Poller::draw_events() {
  std::erase_if(links_, [](const auto& link) { return link.expired(); });
  std::vector<std::shared_ptr<Link>> ready;
  for (const auto& watched : links_) {
    const auto link = watched.lock();
    if (link->has_event()) ready.push_back(link);
  }
  std::vector<Event> events;
  for (std::size_t left = ready.empty() ? 0 : simulation->random.between(1, ready.size()); left > 0; --left) {
    std::swap(simulation->random.pick(ready), ready.back());
    const Readiness found = ready.back()->take_event();
    events.push_back({std::move(ready.back()), found});
    ready.pop_back();
  }
  return events;
}

void Poller::pass() {
  const auto events = draw_events();
  if (events.size() > 1) simulation->count("several sockets in a pass");
  ++pass_count_;
  pass_began_ = simulation->now;
  is_passing_ = true;
  for (const auto& [link, found] : events) {
    simulation->ahead_of_a_socket();
    link->notify(found);
  }
  is_passing_ = false;
}

}  // namespace lockd::simulator
