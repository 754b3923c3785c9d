// The real daemon as a target, over TCP, over a Unix socket or over WebSockets.
//
// How a call knows that the daemon is done, without waiting for a while: requests are followed by a `ping` on the same
// connection, whose answer comes after all others (F5) and which `q` does not count (L3); only a `1 pong` too many
// would be taken for it, and be found one request later. After FIN the stream is read to its end, which comes when the
// session is over and its locks are free (S3). After RST nothing comes; there another connection asks `q` until
// `connections` says that the session is gone, which is the last thing that happens to it. So what `q` says of itself
// is not known any more after a reset, and no client may ask. Who waits answers no `ping`: there another connection
// asks `list` until it shows the wait. So `stats` (E3) says of `ping` and `list` what no scenario knows. A reply that
// comes to a client because of what another one did is waited for.
//
// A wait whose milliseconds are few may be over before it is seen, and this is not to fail then: it is enough that its
// reply has come, whatever that is.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>
#include <utility>

#include "model/reference_parser.h"
#include "model/reference_printer.h"
#include "proptests/scenario_byte_target.h"
#include "proptests/scenario_daemon.h"
#include "proptests/scenario_socket.h"

namespace lockd::proptests {
namespace {

/// A folder for one socket.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string path = std::filesystem::temp_directory_path() / "lockd-scenario-XXXXXX";
    if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error("no temporary directory to be had");
    path_ = path;
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  std::string uri(const std::string& name) const { return "unix://" + (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

std::vector<std::string> with_threads(std::vector<std::string> flags, unsigned threads) {
  if (std::ranges::find(flags, "--threads") == flags.end()) {
    flags.insert(flags.end(), {"--threads", std::to_string(threads)});
  }
  return flags;
}

bool asks_for_counters(std::string_view bytes) {
  const auto requests = model::parse_stream(bytes, bytes.size());
  return std::ranges::any_of(requests, [](const Request& request) { return request.verb == Verb::counters; });
}

/// Whether there is a wait among these that may be over before it is seen.
bool waits_shortly(const std::vector<Request>& requests) {
  constexpr std::uint32_t long_enough_ms = 3 * std::chrono::milliseconds(daemon_patience).count();
  return std::ranges::any_of(requests, [](const Request& request) {
    const bool waits = request.verb == Verb::get_wait || request.verb == Verb::get_limited_wait;
    return waits && request.milliseconds < long_enough_ms;
  });
}

/// A line of `list` (E2): MODE, STATE, AGE_MS and TOKEN stand before HOLDER.
bool shows_wait_of(const std::set<std::string>& holders, std::istringstream line) {
  std::string mode, state, age, token, holder;
  line >> mode >> state >> age >> token >> holder;
  return state == "waiting" && holders.contains(holder);
}

class DaemonTarget : public ByteTarget {
 public:
  DaemonTarget(const std::string& binary, const std::vector<std::string>& flags, Transport transport, unsigned threads)
      : transport_(transport), daemon_(binary, listen_uri(), with_threads(flags, threads)) {}

  void connect(const std::string& client) override {
    Client& added = clients_.try_emplace(client, Client{ClientSocket(daemon_.uri()), ""}).first->second;
    const std::string session = std::to_string(++sessions_);  // they are numbered as they come (S1)
    added.address = transport_ == Transport::unix_socket ? "unix:" + session : added.socket.local_address();
  }

  std::string address(const std::string& client) const override { return clients_.at(client).address; }

  void send(const std::string& client, std::string_view bytes) override {
    if (was_reset_ && asks_for_counters(bytes)) throw std::invalid_argument("no client may ask `q` after a reset");
    Client& sender = clients_.at(client);
    sender.socket.send(bytes);
    sender.sent += bytes;
    sender.settled = false;
  }

  void finish(const std::string& client) override {
    Client& finisher = clients_.at(client);
    finisher.socket.finish();
    finisher.unread = finisher.socket.rest();
    finisher.state = State::ended;
  }

  void close(const std::string& client) override {
    Client& closer = clients_.at(client);
    if (closer.state == State::open) finish(client);
    closer.socket.close();
    settle(client, false);
  }

  void reset(const std::string& client) override {
    Client& resetter = clients_.at(client);
    resetter.socket.reset();
    resetter.state = State::ended;
    resetter.unread.clear();
    was_reset_ = true;
    await_end_of_others();
  }

  void expect_wait(const std::string& client) override {
    Client& waiter = clients_.at(client);
    const auto requests = model::parse_stream(waiter.sent, waiter.sent.size());
    waiter.waits_shortly = waits_shortly(requests);
    std::set<std::string> holders{model::listed_holder(waiter.address)};
    for (const Request& request : requests) {
      if (request.verb == Verb::name_me) holders.insert(model::listed_holder(request.text));
    }
    await("a wait", "list\n", "END\n", [&](const std::string& line) {
      return (waiter.waits_shortly && waiter.socket.has_come()) || shows_wait_of(holders, std::istringstream(line));
    });
    settle(client, true);
    waiter.settled = true;
  }

  void time_out(const std::string& client) override { clients_.at(client).socket.await(); }

  void settle(const std::string& client, bool waits) override {
    Client& reader = clients_.at(client);
    if (reader.state == State::ended) return expect_no(std::exchange(reader.unread, {}));
    if (waits && reader.waits_shortly) return;
    // Whatever comes later is found then.
    if (waits || (!reader.sent.empty() && !reader.sent.ends_with('\n'))) return expect_no(reader.socket.at_hand());
    reader.socket.send("ping\n");
    if (const std::string line = reader.socket.line(); line != "1 pong\n") throw Mismatch("nothing", shown(line));
    reader.settled = true;
  }

  void shut_down() override {
    const int status = daemon_.stop();
    if (status != 0) throw Mismatch("exit status 0", std::to_string(status));
    for (auto& [name, client] : clients_) {
      // The kernel resets a connection whose last bytes the daemon had not read.
      if (client.state == State::open && client.settled) expect_no(client.socket.rest());
    }
  }

 private:
  enum class State : std::uint8_t { open, ended };

  std::string listen_uri() const {
    if (transport_ == Transport::unix_socket) return directory_.uri("socket");
    return transport_ == Transport::tcp ? "tcp://127.0.0.1:0" : "ws://127.0.0.1:0";
  }

  struct Client {
    ClientSocket socket;
    std::string address;
    State state = State::open;
    std::string sent = {};
    bool settled = true;         // the daemon has read all of that
    bool waits_shortly = false;  // where it waits: no matter if it does no more
    std::string unread = {};     // of an ended one: all that came before the end and was not taken
  };

  static void expect_no(const std::string& bytes) {
    if (!bytes.empty()) throw Mismatch("nothing", shown(bytes));
  }

  std::string take_line(const std::string& client) override {
    Client& reader = clients_.at(client);
    if (reader.state == State::open) return reader.socket.line();
    const std::size_t line_feed = reader.unread.find('\n');
    const std::string line = reader.unread.substr(0, line_feed == std::string::npos ? line_feed : line_feed + 1);
    reader.unread.erase(0, line.size());
    return line;
  }

  std::string take_rest(const std::string& client) override {
    Client& reader = clients_.at(client);
    if (reader.state == State::ended) return std::exchange(reader.unread, {});
    reader.state = State::ended;
    return reader.socket.rest();
  }

  // Until the sessions are this one and those of clients whose connections are open. Then this one ends too.
  void await_end_of_others() {
    const auto open = std::ranges::count(clients_, State::open, [](const auto& named) { return named.second.state; });
    const std::string wanted = "connections: " + std::to_string(open + 1) + "\n";
    await(wanted, "q\nping\n", "1 pong\n", [&](const std::string& line) { return line == wanted; });
  }

  // Asks on a connection of its own until one of the lines, of which this is the last, is `seen`.
  template <class Seen>
  void await(const std::string& wanted, const std::string& request, const std::string& last, Seen seen) {
    ClientSocket observer(daemon_.uri());
    ++sessions_;
    const auto deadline = std::chrono::steady_clock::now() + daemon_patience;
    for (bool done = false; !done;) {
      if (std::chrono::steady_clock::now() > deadline) throw Mismatch(wanted, "none");
      observer.send(request);
      for (std::string line; line != last;) {
        line = observer.line();
        if (!line.ends_with('\n')) throw std::runtime_error("the daemon ended a connection");
        if (line == "0 disabled\n") throw std::invalid_argument("where `list` is disabled no wait can be seen");
        done = done || seen(line);
      }
    }
    observer.finish();
    observer.rest();
  }

  const Transport transport_;
  const TemporaryDirectory directory_;
  Daemon daemon_;
  std::map<std::string, Client> clients_;
  std::size_t sessions_ = 0;  // connections so far
  bool was_reset_ = false;
};

}  // namespace

std::unique_ptr<Target> make_daemon_target(const std::string& binary, const std::vector<std::string>& flags,
                                           Transport transport, unsigned threads) {
  return std::make_unique<DaemonTarget>(binary, flags, transport, threads);
}

}  // namespace lockd::proptests
