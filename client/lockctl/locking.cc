#include "client/lockctl/locking.h"

#include <chrono>
#include <utility>

#include "client/lockctl/holder_name.h"
#include "client/lockctl/socket_access.h"
#include "client/lockctl/text.h"

namespace lockd::lockctl {

namespace {

using std::chrono::milliseconds;

int status_of(Cause cause, const Options& options) {
  switch (cause) {
    case Cause::unavailable:
    case Cause::timed_out:
    case Cause::canceled:
    case Cause::deadlock:
    case Cause::already_guarded:
    case Cause::not_held:
    case Cause::too_many_locks:
    case Cause::too_many_waiters:
    case Cause::out_of_tokens:
      return options.conflict_status;
    case Cause::bad_argument:
      return exit_status::usage;
    case Cause::disabled:
    case Cause::refused:
    case Cause::protocol_error:
    case Cause::reply_too_long:
      return exit_status::refused;
    case Cause::unreachable:
    case Cause::too_many_connections:
    case Cause::connection_lost:
      return exit_status::unavailable;
  }
  return exit_status::unavailable;
}

std::string advice_for(Cause cause, const Options& options) {
  if (cause == Cause::protocol_error) return "; --server or LOCKD_SERVER has to name a lockd";
  const bool takes_prefix = options.command == Command::list || options.command == Command::top;
  if (cause == Cause::reply_too_long) return takes_prefix ? "; with a PREFIX it is shorter" : "";
  if (cause != Cause::unreachable) return {};
  if (const std::string advice = access_advice(options.server); !advice.empty()) return "; " + advice;
  return "; does lockd run there? --server or LOCKD_SERVER names another";
}

/// Where the text does not say which server it is about.
std::string place_of(const Error& error, const std::string& server) {
  switch (error.cause) {
    case Cause::disabled:
    case Cause::refused:
    case Cause::protocol_error:
    case Cause::reply_too_long:
    case Cause::too_many_connections:
    case Cause::connection_lost:
      return error.text.starts_with(server) ? "" : server + ": ";
    default:
      return {};
  }
}

/// One attempt, which may wait. Returns how many hold it.
Result<std::uint64_t> attempt(Client& client, const Options& options, milliseconds wait) {
  const LockRequest& lock = options.lock;
  if (lock.mode == Mode::shared) {
    if (!lock.limit) return client.get_shared(options.key);
    if (wait == milliseconds(0)) return client.get_shared_limited(options.key, *lock.limit);
    return client.get_shared_wait(options.key, *lock.limit, wait);
  }
  const Result<void> got = wait == milliseconds(0) ? client.get(options.key) : client.get_wait(options.key, wait);
  if (!got) return got.error();
  return std::uint64_t{1};
}

}  // namespace

Failure failure_of(const Error& error, const Options& options) {
  const bool plain_no = error.cause == Cause::unavailable || error.cause == Cause::timed_out;
  if (plain_no) return {status_of(error.cause, options), ""};
  return {status_of(error.cause, options),
          "lockctl: " + printable(place_of(error, options.server) + error.text) + advice_for(error.cause, options)};
}

std::variant<Client, Failure> connect_to_server(const Options& options) {
  lockd::Options settings;
  settings.connect_timeout = options.connect_timeout;
  settings.peer_timeout = options.peer_timeout;
  settings.name = options.name.value_or("");
  Result<Client> client = Client::connect(options.server, settings);
  if (!client) return failure_of(client.error(), options);
  const bool holds = options.command == Command::run || options.command == Command::get;
  if (holds && !options.name) (void)client->set_name(default_holder_name());  // locks can be had without a name, too
  return std::move(client).value();
}

std::variant<Held, Failure> take_lock(Client& client, const Options& options) {
  Result<std::uint64_t> holders = attempt(client, options, options.lock.wait.value_or(longest_wait));
  while (holders.failed_by(Cause::timed_out) && !options.lock.wait) {  // for ever is longer than the longest wait
    holders = attempt(client, options, longest_wait);
  }
  if (!holders) return failure_of(holders.error(), options);
  const bool shared = options.lock.mode == Mode::shared;
  const Result<std::uint64_t> token = shared ? client.shared_token(options.key) : client.token(options.key);
  if (!token) return failure_of(token.error(), options);
  return Held{*token, *holders};
}

Result<void> release_lock(Client& client, const Options& options) {
  return options.lock.mode == Mode::shared ? client.release_shared(options.key) : client.release(options.key);
}

std::string name_of(Mode mode) { return mode == Mode::shared ? "shared" : "exclusive"; }

}  // namespace lockd::lockctl
