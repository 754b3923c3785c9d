// The reference server as a target. It says which bytes would be right rather than one answer, so the replies that a
// scenario lists are collected, and must be acceptable to it as a whole.
#include <map>

#include "model/server_model.h"
#include "proptests/scenario_target.h"

namespace lockd::proptests {
namespace {

class ModelTarget : public Target {
 public:
  explicit ModelTarget(model::ServerOptions options) : server_(std::move(options)) {}

  void connect(const std::string& client) override {
    const SessionId id{clients_.size() + 1};
    clients_[client] = {id, "127.0.0.1:" + std::to_string(50000 + clients_.size()), {}, "", false};
    server_.connect(id, address(client));
  }

  std::string address(const std::string& client) const override { return clients_.at(client).address; }

  void send(const std::string& client, std::string_view bytes) override {
    Client& sender = clients_.at(client);
    sender.right.append(server_.receive(sender.id, bytes));
  }

  void finish(const std::string& client) override {
    Client& finisher = clients_.at(client);
    server_.finish(finisher.id);
    finisher.end_expected = true;
  }

  void close(const std::string& client) override {
    finish(client);
    settle(client);
  }

  void reset(const std::string& client) override {
    Client& resetter = clients_.at(client);
    server_.reset(resetter.id);
    resetter.end_expected = true;
    resetter.right = {};
  }

  void expect(const std::string& client, const TranscriptStep& replies) override {
    Client& reader = clients_.at(client);
    for (const std::string& line : replies.lines) reader.listed += line + '\n';
    if (replies.kind != StepKind::expect_end) return;
    reader.end_expected = true;
    if (server_.is_live(reader.id)) throw Mismatch("END-OF-STREAM", "an open connection");
  }

  void settle(const std::string& client) override {
    Client& reader = clients_.at(client);
    if (const auto why = reader.right.mismatch(reader.listed)) throw std::runtime_error("by the model, " + *why);
    reader.right = {};
    reader.listed.clear();
    if (!server_.is_live(reader.id) && !reader.end_expected) throw Mismatch("an open connection", "END-OF-STREAM");
  }

  void shut_down() override {
    for (const auto& [name, client] : clients_) server_.reset(client.id);
    if (!server_.locks().held.empty()) throw Mismatch("no locks left", "some");
    for (const std::string& violation : server_.locks().violations()) throw std::runtime_error(violation);
  }

 private:
  struct Client {
    SessionId id;
    std::string address;
    model::ExpectedOutput right;  // what may come that no reply was listed for
    std::string listed;           // replies that no settle() has compared
    bool end_expected = false;
  };

  model::ReferenceServer server_;
  std::map<std::string, Client> clients_;
};

}  // namespace

std::unique_ptr<Target> make_model_target(std::vector<std::string> flags) {
  model::ServerOptions options;
  options.line_bytes_max = take_number(flags, "--max-line-bytes", options.line_bytes_max);
  options.max_locks = take_number(flags, "--max-locks", options.max_locks);
  options.classic = take_flag(flags, "--classic");
  options.dump_enabled = !take_flag(flags, "--no-dump");
  options.registry_enabled = !take_flag(flags, "--no-registry");
  options.version = LOCKD_VERSION;
  take_number(flags, "--max-output-bytes", 0);  // the model's clients take all at once
  expect_none_left(flags);
  return std::make_unique<ModelTarget>(std::move(options));
}

}  // namespace lockd::proptests
