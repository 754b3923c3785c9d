// The real daemon as a target, over TCP or over a Unix socket.
//
// How a call knows that the daemon is done, without waiting for a while: requests are followed by a `ping` on the same
// connection, whose answer comes after all others (F5) and is counted nowhere (L3); only a `1 pong` too many would be
// taken for it, and be found one request later. After FIN the stream is read to its end, which comes when the session
// is over and its locks are free (S3). After RST nothing comes; there another connection asks `q` until `connections`
// says that the session is gone, which is the last thing that happens to it. So what `q` says of itself is not known
// any more after a reset, and no client may ask.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <utility>

#include "model/reference_parser.h"
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

std::vector<std::string> with_threads(std::vector<std::string> flags) {
  if (std::ranges::find(flags, "--threads") == flags.end()) flags.insert(flags.end(), {"--threads", "2"});
  return flags;
}

bool asks_for_counters(std::string_view bytes) {
  const auto requests = model::parse_stream(bytes, bytes.size());
  return std::ranges::any_of(requests, [](const Request& request) { return request.verb == Verb::counters; });
}

class DaemonTarget : public ByteTarget {
 public:
  DaemonTarget(const std::string& binary, const std::vector<std::string>& flags, Transport transport)
      : transport_(transport),
        daemon_(binary, transport == Transport::tcp ? "tcp://127.0.0.1:0" : directory_.uri("socket"),
                with_threads(flags)) {}

  void connect(const std::string& client) override {
    Client& added =
        clients_.try_emplace(client, Client{ClientSocket(daemon_.uri()), "", State::open, false}).first->second;
    const std::string session = std::to_string(++sessions_);  // they are numbered as they come (S1)
    added.address = transport_ == Transport::tcp ? added.socket.local_address() : "unix:" + session;
  }

  std::string address(const std::string& client) const override { return clients_.at(client).address; }

  void send(const std::string& client, std::string_view bytes) override {
    if (was_reset_ && asks_for_counters(bytes)) throw std::invalid_argument("no client may ask `q` after a reset");
    Client& sender = clients_.at(client);
    sender.socket.send(bytes);
    sender.within_line = !bytes.ends_with('\n');
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
    settle(client);
  }

  void reset(const std::string& client) override {
    Client& resetter = clients_.at(client);
    resetter.socket.reset();
    resetter.state = State::ended;
    resetter.unread.clear();
    was_reset_ = true;
    await_end_of_others();
  }

  void settle(const std::string& client) override {
    Client& reader = clients_.at(client);
    if (reader.state == State::ended) return expect_no(std::exchange(reader.unread, {}));
    if (reader.within_line) return expect_no(reader.socket.at_hand());  // whatever comes later is found then
    reader.socket.send("ping\n");
    if (const std::string line = reader.socket.line(); line != "1 pong\n") throw Mismatch("nothing", shown(line));
  }

  void shut_down() override {
    const int status = daemon_.stop();
    if (status != 0) throw Mismatch("exit status 0", std::to_string(status));
    for (auto& [name, client] : clients_) {
      // The kernel resets a connection whose last bytes the daemon had not read.
      if (client.state == State::open && !client.within_line) expect_no(client.socket.rest());
    }
  }

 private:
  enum class State : std::uint8_t { open, ended };

  struct Client {
    ClientSocket socket;
    std::string address;
    State state;
    bool within_line;         // what it sent last has no LF yet
    std::string unread = {};  // of an ended one: all that came before the end and was not taken
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
    ClientSocket observer(daemon_.uri());
    ++sessions_;
    const auto deadline = std::chrono::steady_clock::now() + daemon_patience;
    for (std::string connections; connections != wanted;) {
      if (std::chrono::steady_clock::now() > deadline) throw Mismatch(wanted, connections);
      observer.send("q\nping\n");
      for (std::string line; (line = observer.line()) != "1 pong\n";) {
        if (line.empty()) throw std::runtime_error("the daemon ended a connection");
        if (line.starts_with("connections: ")) connections = line;
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
                                           Transport transport) {
  return std::make_unique<DaemonTarget>(binary, flags, transport);
}

}  // namespace lockd::proptests
