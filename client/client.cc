// The public functions: each verb as a request and what its reply says.
#include "lockd/client.h"

#include <algorithm>
#include <utility>

#include "client/connection.h"
#include "client/judge.h"
#include "client/request.h"
#include "client/uri.h"
#include "client/verbs.h"

namespace lockd {

using std::chrono::milliseconds;

namespace {

Error no_connection() { return {Cause::connection_lost, "this Client was moved from"}; }

/// That nothing can be done with it, not even lock its mutex.
std::optional<Error> unusable(const Connection* connection) {
  if (connection == nullptr) return no_connection();
  if (!connection->is_own_process()) return Connection::in_a_child();
  return std::nullopt;
}

std::optional<Error> options_error(const Options& options) {
  const auto bad = [](const char* text) { return Error{Cause::bad_argument, text}; };
  if (options.connect_timeout < milliseconds(1) || options.connect_timeout > longest_wait)
    return bad("connect_timeout must be 1 to 2147483647 ms");
  if (options.peer_timeout < milliseconds(2000) || options.peer_timeout > milliseconds(3600000))
    return bad("peer_timeout must be 2000 to 3600000 ms");
  if (options.reply_timeout < milliseconds(0) || options.reply_timeout > longest_wait)
    return bad("reply_timeout must be 0 to 2147483647 ms");
  return text_error("the name", options.name);
}

/// The lines of one request, and none but the lines: refusals are errors.
Result<Lines> ask(Connection* connection, std::string line, Framing framing = Framing::line) {
  if (connection == nullptr) return no_connection();
  auto replies = connection->exchange({{std::move(line), framing}});
  if (!replies) return replies.error();
  return std::move(replies->front());
}

/// A request whose only good reply is this line.
Result<void> ask_for(Connection* connection, std::string line, std::string_view good) {
  const auto lines = ask(connection, std::move(line));
  if (!lines) return lines.error();
  if (lines->front() != good) return checked(*connection, refusal(lines->front()));
  return {};
}

/// The same, where what follows these first words is the value.
Result<std::string> ask_behind(Connection* connection, std::string line, std::string_view words) {
  const auto lines = ask(connection, std::move(line));
  if (!lines) return lines.error();
  if (!lines->front().starts_with(words)) return checked(*connection, refusal(lines->front()));
  return lines->front().substr(words.size());
}

/// A listing, each line of it parsed. `word`: what is listed of, checked as a text that may be empty.
template <class Row, class Parse>
Result<std::vector<Row>> ask_rows(Connection* connection, std::string_view verb, std::string_view word, Framing framing,
                                  Parse parse) {
  if (auto error = text_error("the text to look for", word)) return std::move(*error);
  const auto lines = ask(connection, std::string(verb).append(" ").append(word), framing);
  if (!lines) return lines.error();
  std::vector<Row> rows;
  for (const std::string& line : *lines) {
    auto row = parse(std::string_view(line));
    if (!row) return checked(*connection, refusal(line));
    rows.push_back(std::move(*row));
  }
  return rows;
}

Result<std::map<std::string, std::uint64_t>> ask_counters(Connection* connection, std::string_view verb,
                                                          Framing framing) {
  const auto rows = ask_rows<std::pair<std::string, std::uint64_t>>(connection, verb, "", framing, parse_counter);
  if (!rows) return rows.error();
  return std::map<std::string, std::uint64_t>(rows->begin(), rows->end());
}

/// A request about a key whose number is of no interest.
Result<void> without_number(const Result<std::uint64_t>& result) {
  if (!result) return result.error();
  return {};
}

Result<std::uint64_t> ask_key(Connection* connection, const KeyVerb& verb, std::string_view key,
                              const Patience& patience = {}) {
  if (connection == nullptr) return no_connection();
  return ask_about_key(*connection, verb, key, patience);
}

std::string get_wait_words(milliseconds wait) { return "gw " + std::to_string(wait.count()); }

std::string limited_words(std::uint32_t limit) { return "sgl " + std::to_string(limit); }

std::string limited_wait_words(std::uint32_t limit, milliseconds wait) {
  return "sgw " + std::to_string(limit) + " " + std::to_string(wait.count());
}

/// Takes a lock and asks for its token in one go. The key is claimed already.
Result<std::uint64_t> take_with_token(Connection& connection, const KeyVerb& verb, std::string_view key,
                                      const Patience& patience) {
  const std::string behind = " " + std::string(key);
  const std::string token_verb = verb.mode == Mode::shared ? "st" : "t";
  const auto replies = connection.exchange({{verb.words + behind}, {token_verb + behind}}, patience);
  if (!replies) return replies.error();
  const auto taken = judge(verb.family, verb.mode, key, replies->at(0).front());
  if (!taken) return checked(connection, taken.error());
  auto token = judge(Family::token, verb.mode, key, replies->at(1).front());
  if (!token) return checked(connection, token.error());
  return token;
}

/// A Lock's claim to its key, given up at the end unless it was handed on to one.
class Claim {
 public:
  Claim(Connection& connection, Mode mode, std::string_view key)
      : connection_(connection), mode_(mode), key_(key), is_had_(connection.claim(mode, key_)) {}
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;
  ~Claim() {
    if (is_had_) connection_.give_up(mode_, key_);
  }

  explicit operator bool() const { return is_had_; }
  /// The key, for the Lock that has the claim from now on.
  std::string hand_on() {
    is_had_ = false;
    return std::move(key_);
  }

 private:
  Connection& connection_;
  Mode mode_;
  std::string key_;
  bool is_had_;
};

/// The same for a Lock. Nobody could release what was granted where there is no memory left to say so.
Result<std::uint64_t> take_for_guard(Connection& connection, const KeyVerb& verb, std::string_view key,
                                     const Patience& patience) {
  try {
    return take_with_token(connection, verb, key, patience);
  } catch (...) {
    connection.end({Cause::connection_lost, "out of memory"});
    throw;
  }
}

/// What a connection begins with: that it is a lockd, that it has a place for us, and our name.
Result<void> greet(Connection& connection, const Options& options, Clock::time_point deadline) {
  const std::string& name = options.name;
  std::vector<Request> requests = {{"ping"}};
  if (!name.empty()) requests.push_back({"iam " + name});
  const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
  const Patience patience = {.reply_timeout = std::max(left, milliseconds(1)), .bytes_extend = false};
  const auto replies = connection.exchange(requests, patience);
  if (!replies && replies.error().cause == Cause::connection_lost) {
    const bool in_time = Clock::now() < deadline;  // else it was what is left of the limit that is over
    return Error{Cause::unreachable, in_time ? replies.error().text : no_reply_within(options.connect_timeout)};
  }
  if (replies.failed_by(Cause::reply_too_long)) return Error{Cause::protocol_error, replies.error().text};
  if (!replies) return replies.error();
  if (replies->front().front() != "1 pong") return refusal(replies->front().front());
  if (replies->back().front() != "1 ok" && !name.empty()) return refusal(replies->back().front());
  return {};
}

}  // namespace

// ---- connecting, and the end ----

Client::Client(std::shared_ptr<Connection> connection) noexcept : connection_(std::move(connection)) {}

Client::Client(Client&& other) noexcept = default;

Client& Client::operator=(Client&& other) noexcept {
  Client taken(std::move(other));
  std::swap(connection_, taken.connection_);
  return *this;
}

Client::~Client() {
  if (!connection_) return;
  if (connection_->is_own_process()) {
    connection_->close();
  } else {
    Connection::abandon(connection_);
  }
}

Result<Client> Client::connect(std::string_view uri, const Options& options) {
  const auto address = parse_uri(uri);
  if (!address) return address.error();
  if (auto error = options_error(options)) return std::move(*error);
  const Clock::time_point deadline = Clock::now() + options.connect_timeout;
  auto socket = connect_socket(*address, deadline, std::string(uri));
  if (!socket) return socket.error();
  set_peer_options(socket->get(), options.peer_timeout);
  auto connection = Connection::start(std::move(*socket), options);
  if (!connection) return connection.error();
  Client client(*connection);
  const auto greeted = greet(**connection, options, deadline);
  if (!greeted) return Error{greeted.error().cause, std::string(uri) + ": " + greeted.error().text};
  return client;
}

void Client::close() noexcept {
  if (!unusable(connection_.get())) connection_->close();
}

bool Client::is_connected() const noexcept { return !unusable(connection_.get()) && !connection_->has_ended(); }

std::optional<Error> Client::loss() const {
  if (auto error = unusable(connection_.get())) return error;
  return connection_->reason();
}

std::stop_token Client::lost() const noexcept { return connection_ ? connection_->lost() : std::stop_token(); }

void Client::on_loss(std::function<void(const Error&)> fn) {
  const auto connection = connection_;  // and the reason with it: the function may destroy this Client
  if (!unusable(connection.get())) connection->on_loss(std::move(fn));
}

// ---- guards ----

Result<Lock> Client::guard(Mode mode, const std::string& words, std::string_view key, milliseconds wait,
                           const std::stop_token& stop) {
  if (auto error = unusable(connection_.get())) return std::move(*error);
  if (auto error = text_error("the key", key)) return std::move(*error);
  if (auto error = wait_error(wait)) return std::move(*error);
  Claim claim(*connection_, mode, key);
  if (!claim) return Error{Cause::already_guarded, shown(key) + " is under another Lock of this Client"};
  const auto token = take_for_guard(*connection_, {words, Family::get, mode}, key, {wait, stop});
  if (!token) return token.error();
  return Lock(connection_, mode, claim.hand_on(), *token);
}

Result<Lock> Client::try_lock(std::string_view key) { return guard(Mode::exclusive, "g", key, {}, {}); }

Result<Lock> Client::lock(std::string_view key, const std::stop_token& stop) {
  return lock_for(key, longest_wait, stop);
}

Result<Lock> Client::lock_for(std::string_view key, milliseconds wait, const std::stop_token& stop) {
  return guard(Mode::exclusive, get_wait_words(wait), key, wait, stop);
}

Result<Lock> Client::try_lock_shared(std::string_view key, std::uint32_t limit) {
  if (auto error = limit_error(limit)) return std::move(*error);
  return guard(Mode::shared, limited_words(limit), key, {}, {});
}

Result<Lock> Client::lock_shared(std::string_view key, std::uint32_t limit, const std::stop_token& stop) {
  return lock_shared_for(key, limit, longest_wait, stop);
}

Result<Lock> Client::lock_shared_for(std::string_view key, std::uint32_t limit, milliseconds wait,
                                     const std::stop_token& stop) {
  if (auto error = limit_error(limit)) return std::move(*error);
  return guard(Mode::shared, limited_wait_words(limit, wait), key, wait, stop);
}

// ---- exclusive locks ----

Result<void> Client::get(std::string_view key) {
  return without_number(ask_key(connection_.get(), {"g", Family::get, Mode::exclusive}, key));
}

Result<void> Client::get_wait(std::string_view key, milliseconds wait, const std::stop_token& stop) {
  if (auto error = wait_error(wait)) return std::move(*error);
  const KeyVerb verb{get_wait_words(wait), Family::get, Mode::exclusive};
  return without_number(ask_key(connection_.get(), verb, key, {wait, stop}));
}

Result<void> Client::release(std::string_view key) {
  if (!connection_) return no_connection();
  return release_verb(*connection_, Mode::exclusive, key);
}

Result<bool> Client::is_locked(std::string_view key) {
  const auto number = ask_key(connection_.get(), {"i", Family::inspect, Mode::exclusive}, key);
  if (!number) return number.error();
  return *number != 0;
}

Result<std::uint64_t> Client::waiters(std::string_view key) {
  return ask_key(connection_.get(), {"iw", Family::waiters, Mode::exclusive}, key);
}

Result<std::uint64_t> Client::token(std::string_view key) {
  return ask_key(connection_.get(), {"t", Family::token, Mode::exclusive}, key);
}

// ---- shared locks ----

Result<std::uint64_t> Client::get_shared(std::string_view key) {
  return ask_key(connection_.get(), {"sg", Family::get, Mode::shared}, key);
}

Result<std::uint64_t> Client::get_shared_limited(std::string_view key, std::uint32_t limit) {
  if (auto error = limit_error(limit)) return std::move(*error);
  return ask_key(connection_.get(), {limited_words(limit), Family::get, Mode::shared}, key);
}

Result<std::uint64_t> Client::get_shared_wait(std::string_view key, std::uint32_t limit, milliseconds wait,
                                              const std::stop_token& stop) {
  if (auto error = limit_error(limit)) return std::move(*error);
  if (auto error = wait_error(wait)) return std::move(*error);
  const KeyVerb verb{limited_wait_words(limit, wait), Family::get, Mode::shared};
  return ask_key(connection_.get(), verb, key, {wait, stop});
}

Result<void> Client::release_shared(std::string_view key) {
  if (!connection_) return no_connection();
  return release_verb(*connection_, Mode::shared, key);
}

Result<std::uint64_t> Client::shared_holder_count(std::string_view key) {
  return ask_key(connection_.get(), {"si", Family::inspect, Mode::shared}, key);
}

Result<std::uint64_t> Client::shared_waiters(std::string_view key) {
  return ask_key(connection_.get(), {"siw", Family::waiters, Mode::shared}, key);
}

Result<std::uint64_t> Client::shared_token(std::string_view key) {
  return ask_key(connection_.get(), {"st", Family::token, Mode::shared}, key);
}

// ---- both ----

Result<std::uint64_t> Client::release_all() {
  const auto lines = ask(connection_.get(), "ra");
  if (!lines) return lines.error();
  auto count = judge_released(lines->front());
  if (!count) return checked(*connection_, count.error());
  return count;
}

Result<bool> Client::cancel() {
  if (!connection_) return no_connection();
  const auto lines = connection_->cancel();
  if (!lines) return lines.error();
  if (lines->front() == "1 Canceled") return true;
  if (lines->front() == "0 Nothing To Cancel") return false;
  return checked(*connection_, refusal(lines->front()));
}

// ---- looking ----

Result<std::vector<ListedLock>> Client::list(std::string_view prefix) {
  return ask_rows<ListedLock>(connection_.get(), "list", prefix, Framing::until_end, parse_listed);
}

Result<std::vector<KeyHolder>> Client::holders(std::string_view key) {
  return ask_rows<KeyHolder>(connection_.get(), "d", key, Framing::until_pong,
                             [key](std::string_view line) { return parse_holder(line, key); });
}

Result<std::vector<KeyHolder>> Client::shared_holders(std::string_view key) {
  return ask_rows<KeyHolder>(connection_.get(), "sd", key, Framing::until_pong,
                             [key](std::string_view line) { return parse_holder(line, key); });
}

Result<std::string> Client::dump(Mode mode) {
  const auto json = ask_behind(connection_.get(), mode == Mode::shared ? "dump shared" : "dump", "{");
  if (!json) return json.error();
  return "{" + *json;
}

Result<std::map<std::string, std::uint64_t>> Client::counters() {
  return ask_counters(connection_.get(), "q", Framing::until_pong);
}

Result<std::map<std::string, std::uint64_t>> Client::stats() {
  return ask_counters(connection_.get(), "stats", Framing::until_end);
}

// ---- names ----

Result<Identity> Client::me() {
  const auto text = ask_behind(connection_.get(), "me", "1 ");
  if (!text) return text.error();
  const std::size_t space = text->find(' ');
  if (space == std::string::npos) return checked(*connection_, refusal("1 " + *text));
  return Identity{text->substr(0, space), text->substr(space + 1)};
}

Result<void> Client::set_name(std::string_view name) {
  if (name.empty()) return Error{Cause::bad_argument, "the name must not be empty"};
  if (auto error = text_error("the name", name)) return std::move(*error);
  return ask_for(connection_.get(), "iam " + std::string(name), "1 ok");
}

Result<void> Client::clear_name() { return ask_for(connection_.get(), "iam", "1 ok"); }

Result<std::vector<Identity>> Client::who(std::string_view name) {
  return ask_rows<Identity>(connection_.get(), "who", name, Framing::until_pong, parse_identity);
}

// ---- the rest ----

Result<void> Client::ping() { return ask_for(connection_.get(), "ping", "1 pong"); }

Result<std::string> Client::version() { return ask_behind(connection_.get(), "version", "1 lockd "); }

Result<std::vector<std::string>> Client::help() {
  return ask_rows<std::string>(connection_.get(), "help", "", Framing::until_end, [](std::string_view line) {
    return line.starts_with("0 ") ? std::nullopt : std::optional<std::string>(line);
  });
}

Result<void> Client::quit() {
  if (!connection_) return no_connection();
  return connection_->quit();
}

}  // namespace lockd
