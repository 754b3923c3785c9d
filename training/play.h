// A server without sockets for training.cc: sessions over a lock table, driven as a pump drives them. It judges
// nothing: whether replies are right is the tests' affair.
#ifndef LOCKD_TRAINING_PLAY_H_
#define LOCKD_TRAINING_PLAY_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <type_traits>

#include "server/session.h"
#include "server/test_server.h"

namespace lockd::training {

/// Clients 0, 1, 2 and so on of one server, and their sessions. Mutex: as of ShardedTable. Stays where it is.
template <class Mutex>
class Play {
 public:
  explicit Play(std::size_t client_count) : server_(server::Settings{}, table_config()) {
    for (std::size_t number = 0; number < client_count; ++number)
      clients_.push_back({.number = number, .session = new_session(number)});
  }
  Play(const Play&) = delete;
  Play& operator=(const Play&) = delete;
  ~Play() {
    for (Client& client : clients_) end(client);
  }

  /// One read of the client's: bytes of any number of requests. A millisecond has gone by.
  void send(std::size_t client, std::string_view bytes) {
    ++server_.turn.now;
    settle(clients_[client], clients_[client].session.receive(bytes, server_.services, output_));
    bring_wakeups();
  }

  /// What is left of the time that it may wait goes by. Only while it waits.
  void time_out(std::size_t client) {
    Client& waiting = clients_[client];
    server_.turn.now = std::max(server_.turn.now, waiting.session.deadline());
    settle(waiting, waiting.session.time_out(server_.services, output_));
    bring_wakeups();
  }

  /// Its connection ends, and another one comes.
  void replace(std::size_t client) {
    start_anew(clients_[client]);
    bring_wakeups();
  }

  bool is_waiting(std::size_t client) const { return clients_[client].next == server::Next::wait; }

 private:
  using Session = server::Session<Mutex>;

  struct Client {
    std::size_t number;
    Session session;
    server::Next next = server::Next::read;
  };

  static constexpr std::size_t locks_of_slice = 128;  // of an end, as server/end_queue.h has it

  // What production has, but for the seed.
  static typename engine::ShardedTable<Mutex>::Config table_config() {
    return {.seed = {1, 2}, .shard_count = std::is_same_v<Mutex, engine::NullMutex> ? 1U : 16U};
  }

  // The home that its Wakeups name is the client's number.
  Session new_session(std::size_t number) {
    const SessionId id{++session_count_};
    return Session(id, "127.0.0.1:" + std::to_string(40'000 + session_count_), server_.services,
                   static_cast<std::uint32_t>(number));
  }

  void settle(Client& client, server::Next next) {
    client.next = next;
    while (client.next == server::Next::turn || client.next == server::Next::drain) {
      output_.clear();
      client.next = client.session.go_on(server_.services, output_);
    }
    output_.clear();  // and keeps its memory, as the buffer of an I/O thread does
    if (client.next == server::Next::end) start_anew(client);
  }

  void start_anew(Client& client) {
    end(client);
    client.session = new_session(client.number);
    client.next = server::Next::read;
  }

  void end(Client& client) {
    while (!client.session.end_some(server_.services, locks_of_slice)) {
    }
  }

  void bring_wakeups() {
    for (std::size_t i = 0; i < server_.turn.woken.size(); ++i) {  // NOLINT(modernize-loop-convert): it grows meanwhile
      const engine::Wakeup wakeup = server_.turn.woken[i];
      Client& woken = clients_[wakeup.home];
      if (woken.session.id() != wakeup.session) continue;
      settle(woken, woken.session.wake(wakeup.answer, server_.services, output_));
    }
    server_.turn.woken.clear();
  }

  server::TestServer<Mutex> server_;
  std::uint64_t session_count_ = 0;
  std::string output_;
  std::deque<Client> clients_;
};

}  // namespace lockd::training

#endif  // LOCKD_TRAINING_PLAY_H_
