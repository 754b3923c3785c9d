// The reference server as a target. It says which bytes would be right rather than one answer, so the replies that a
// scenario lists are collected, and must be acceptable to it as a whole. Where they leave a number open, one is put in:
// of tokens one for each name, to see by it which grant's the name is.
#include <algorithm>
#include <map>
#include <tuple>

#include "model/server_model.h"
#include "proptests/scenario_pattern.h"
#include "proptests/scenario_target.h"

namespace lockd::proptests {
namespace {

/// T1 on the model's side: which grant each name of a token stands for.
class NamedGrants {
 public:
  /// A number that no other name has, to be shown in the place of the token.
  std::uint64_t number_of(const std::string& name) {
    const auto [found, is_new] = numbers_.try_emplace(name, numbers_.size() + 1);
    names_[found->second] = name;
    return found->second;
  }

  /// Throws unless the name stands for this grant alone, and this grant has no other.
  void see(const model::ShownToken& shown) {
    const auto found = names_.find(shown.token);
    if (found == names_.end()) throw std::runtime_error("a token that has no name");
    const Grant grant{shown.lock, shown.grant};
    const auto [named, is_new_name] = grants_.try_emplace(found->second, grant);
    const auto [known, is_new_grant] = names_of_grants_.try_emplace(grant, found->second);
    if (named->second != grant || known->second != found->second) {
      throw std::runtime_error("by the model, token " + found->second + " is not always the same, or token " +
                               known->second + " too");
    }
  }

  void expect_rising(const std::vector<std::string>& names) const {
    for (const std::string& name : names) {
      if (!grants_.contains(name)) throw std::runtime_error("token " + name + " was not shown");
      const auto& [lock, number] = grants_.at(name);
      const auto& [first_lock, first_number] = grants_.at(names.front());
      if (lock != first_lock) throw std::runtime_error("T1 orders tokens of one key and kind alone");
    }
    const auto number = [this](const std::string& name) { return grants_.at(name).second; };
    if (!std::ranges::is_sorted(names, std::ranges::less_equal(), number)) {
      throw std::runtime_error("by the model, the tokens do not grow");
    }
  }

 private:
  using Grant = std::pair<model::Lock, std::uint64_t>;

  std::map<std::string, std::uint64_t> numbers_;
  std::map<std::uint64_t, std::string> names_;
  std::map<std::string, Grant> grants_;
  std::map<Grant, std::string> names_of_grants_;
};

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
    settle(client, false);
  }

  void reset(const std::string& client) override {
    Client& resetter = clients_.at(client);
    server_.reset(resetter.id);
    resetter.end_expected = true;
    resetter.right = {};
  }

  void expect(const std::string& client, const TranscriptStep& replies) override {
    Client& reader = clients_.at(client);
    for (const std::string& line : replies.lines) reader.listed += with_numbers(line) + '\n';
    if (replies.kind != StepKind::expect_end) return;
    reader.end_expected = true;
    if (server_.is_live(reader.id)) throw Mismatch("END-OF-STREAM", "an open connection");
  }

  void expect_wait(const std::string& client) override { settle(client, true); }

  void time_out(const std::string& client) override {
    Client& waiter = clients_.at(client);
    waiter.right.append(server_.time_out(waiter.id));
  }

  void expect_rising(const std::vector<std::string>& tokens) override { grants_.expect_rising(tokens); }

  void settle(const std::string& client, bool waits) override {
    Client& reader = clients_.at(client);
    reader.right.append(server_.take_output(reader.id));
    if (const auto why = reader.right.mismatch(reader.listed)) throw std::runtime_error("by the model, " + *why);
    for (const model::ShownToken& shown : reader.right.tokens(reader.listed)) grants_.see(shown);
    reader.right = {};
    reader.listed.clear();
    if (!server_.is_live(reader.id) && !reader.end_expected) throw Mismatch("an open connection", "END-OF-STREAM");
    if (server_.waits(reader.id) != waits) throw Mismatch(waits ? "a wait" : "no wait", waits ? "none" : "a wait");
  }

  void shut_down() override {
    server_.shut_down();
    for (auto& [name, client] : clients_) {
      if (const auto why = server_.take_output(client.id).mismatch("")) throw std::runtime_error("S6: " + *why);
    }
    if (!server_.locks().locks.empty()) throw Mismatch("no locks left", "some");
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

  // `NAME: {number}` where NAME is that of a counter: its number. Other numbers are any to the model.
  std::string with_numbers(const std::string& line) {
    const auto counters = server_.statistics();
    const auto counter = counters.find(line.substr(0, line.find(": ")));
    const auto token_of = [this](const std::string& name) { return grants_.number_of(name); };
    return ReplyPattern(line).filled(token_of, counter == counters.end() ? 0 : counter->second);
  }

  model::ReferenceServer server_;
  NamedGrants grants_;
  std::map<std::string, Client> clients_;
};

}  // namespace

std::unique_ptr<Target> make_model_target(std::vector<std::string> flags) {
  model::ServerOptions options;
  options.line_bytes_max = take_number(flags, "--max-line-bytes", options.line_bytes_max);
  options.input_bytes_max = take_number(flags, "--max-input-bytes", options.input_bytes_max);
  options.max_waiters = take_number(flags, "--max-waiters", options.max_waiters);
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
