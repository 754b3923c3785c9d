#include "histories/nemesis.h"

#include <algorithm>
#include <cmath>
#include <csignal>
#include <utility>

namespace lockd::histories {
namespace {

constexpr Moment millisecond = nanoseconds_of_millisecond;

std::string name_of_end(Act act) { return request_text({}, {.act = act}); }

}  // namespace

Nemesis::Nemesis(Crowd& crowd, std::vector<std::unique_ptr<Child>>& children, pid_t daemon,
                 std::function<std::uint32_t()> next_session, Random& random)
    : crowd_(crowd),
      children_(children),
      daemon_(daemon),
      next_session_(std::move(next_session)),
      random_(random),
      child_stopped_until_(children.size(), 0),
      kinds_{{{"end", 6 * millisecond, true, &Nemesis::end_client},
              {"slow reader", 40 * millisecond, false, &Nemesis::slow_client},
              {"kill", 400 * millisecond, true, &Nemesis::kill_child},
              {"stop of clients", 300 * millisecond, false, &Nemesis::stop_child},
              {"stop of the daemon", 500 * millisecond, false, &Nemesis::stop_daemon}}} {
  start_children();
}

void Nemesis::act(bool spares) {
  wake();
  if (!spares) start_children();
  for (Kind& kind : kinds_) {
    const Moment moment = now();
    if (moment < kind.next || (spares && kind.ends_somebody)) continue;
    if (kind.next > 0) (this->*kind.act)();
    std::exponential_distribution<double> distance(1 / static_cast<double>(kind.mean));
    kind.next = moment + static_cast<Moment>(distance(random_));
  }
}

void Nemesis::start_children() {
  for (const auto& child : children_) {
    if (child->is_running()) continue;
    const std::uint32_t first = next_session_();
    for (std::size_t i = 1; i < child->clients(); ++i) next_session_();
    child->start(first, random_());
  }
}

// Half of the time with fresh requests on their way, a few times with half a line.
void Nemesis::end_client() {
  Client* const client = crowd_.client(below(random_, static_cast<std::uint32_t>(crowd_.size())));
  if (client == nullptr || !client->is_open()) return;
  if (below(random_, 2) == 0) client->ask(random_);
  constexpr std::array ways{Act::rst, Act::rst, Act::close, Act::fin, Act::fin, Act::quit};
  const Act way = ways[below(random_, ways.size())];
  if (way != Act::quit && below(random_, 4) == 0) {
    client->send_cut_line(random_);
    count("cut line");
  }
  end_client(*client, way);
}

// What is not sent yet cannot come before a FIN.
void Nemesis::end_client(Client& client, Act act) {
  const Act way = client.has_unsent() && (act == Act::fin || act == Act::quit) ? Act::rst : act;
  count(name_of_end(way));
  if (Operation* const end = client.end(way)) ends_.push_back(end);
}

void Nemesis::slow_client() {
  const std::uint32_t number = below(random_, static_cast<std::uint32_t>(crowd_.size()));
  Client* const client = crowd_.client(number);
  if (client == nullptr || !client->is_open()) return;
  client->ask_for_much(random_);
  crowd_.pause(number, now() + (1 + below(random_, 100)) * millisecond);
  count("slow reader");
}

void Nemesis::kill_child() {
  if (children_.empty()) return;
  const std::size_t number = below(random_, static_cast<std::uint32_t>(children_.size()));
  Child& child = *children_[number];
  if (!child.is_running()) return;
  const auto ends = child.kill();
  ends_.insert(ends_.end(), ends.begin(), ends.end());
  child_stopped_until_[number] = 0;
  count("kill");
}

void Nemesis::stop_child() {
  if (children_.empty()) return;
  const std::size_t number = below(random_, static_cast<std::uint32_t>(children_.size()));
  if (!children_[number]->is_running()) return;
  children_[number]->stop();
  child_stopped_until_[number] = now() + (5 + below(random_, 60)) * millisecond;
  count("stop of clients");
}

void Nemesis::stop_daemon() {
  if (daemon_ == 0) return;
  ::kill(daemon_, SIGSTOP);
  daemon_stopped_until_ = now() + (2 + below(random_, 25)) * millisecond;
  count("stop of the daemon");
}

void Nemesis::wake() {
  const Moment moment = now();
  for (std::size_t i = 0; i < children_.size(); ++i) {
    if (child_stopped_until_[i] == 0 || child_stopped_until_[i] > moment) continue;
    children_[i]->go_on();
    child_stopped_until_[i] = 0;
  }
  if (daemon_stopped_until_ == 0 || daemon_stopped_until_ > moment) return;
  ::kill(daemon_, SIGCONT);
  daemon_stopped_until_ = 0;
}

void Nemesis::calm() {
  for (Moment& until : child_stopped_until_) until = std::min<Moment>(until, 1);
  daemon_stopped_until_ = std::min<Moment>(daemon_stopped_until_, 1);
  wake();
}

void Nemesis::end_all() {
  for (const auto& child : children_) {
    if (!child->is_running()) continue;
    const auto ends = child->kill();
    ends_.insert(ends_.end(), ends.begin(), ends.end());
  }
  constexpr std::array ways{Act::rst, Act::close, Act::fin, Act::quit};
  for (std::size_t number = 0; number < crowd_.size(); ++number) {
    Client* const client = crowd_.client(number);
    if (client != nullptr && client->is_open()) end_client(*client, ways[number % ways.size()]);
  }
}

}  // namespace lockd::histories
