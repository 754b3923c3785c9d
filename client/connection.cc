#include "client/connection.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>

#include "client/request.h"
#include "client/thread.h"

namespace lockd {

using std::chrono::milliseconds;

namespace {

constexpr std::size_t buffer_bytes = 65536;

Error ended(std::string text) { return {Cause::connection_lost, std::move(text)}; }

}  // namespace

std::string no_reply_within(milliseconds timeout) {
  return "no reply within " + std::to_string(timeout.count()) + " ms";
}

Result<std::shared_ptr<Connection>> Connection::start(Descriptor socket, const Options& options) {
  Descriptor wake = beyond_standard_streams(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake) return Error{Cause::unreachable, system_text(errno)};
  const auto connection = std::make_shared<Connection>(std::move(socket), std::move(wake), options);
  auto thread = start_thread([self = connection] { self->run(); });
  if (!thread) return Error{Cause::unreachable, "no thread can be started to watch the connection"};
  connection->thread_ = std::move(*thread);
  return connection;
}

Connection::Connection(Descriptor socket, Descriptor wake, const Options& options)
    : socket_(std::move(socket)),
      wake_(std::move(wake)),
      options_(options),
      process_(::getpid()),
      replies_(options.reply_bytes_max),
      is_tcp_(silence(socket_.get()).has_value()) {}

Connection::~Connection() {
  if (!thread_.joinable()) return;
  if (thread_.get_id() == std::this_thread::get_id()) {
    thread_.detach();
  } else {
    thread_.join();  // it has dropped its share of this, and is all but over
  }
}

// ---- calls ----

Result<std::vector<Lines>> Connection::exchange(const std::vector<Request>& requests, const Patience& patience) {
  if (!is_own_process()) return in_a_child();
  if (auto error = line_error(requests)) return std::move(*error);
  Guard guard(mutex_);
  if (auto error = take_turn(guard, patience.stop)) return std::move(*error);
  const Turn turn(*this);
  may_be_canceled_ = patience.wait.count() > 0;
  const auto sent = converse(guard, requests, patience);
  if (!sent.back()->is_whole) return *reason_;
  std::vector<Lines> replies;
  for (std::size_t i = 0; i < requests.size(); ++i) replies.push_back(sent[i]->lines);
  return replies;
}

Result<Lines> Connection::cancel() {
  if (!is_own_process()) return in_a_child();
  Guard guard(mutex_);
  if (reason_) return *reason_;
  const bool acts_now = is_taken_ && may_be_canceled_;
  std::optional<Turn> turn;
  if (!acts_now) {
    if (auto error = take_turn(guard, {})) return std::move(*error);
    turn.emplace(*this);
  }
  const auto sent = converse(guard, {{"cancel"}}, {});
  if (!sent.back()->is_whole) return *reason_;
  return sent.back()->lines;
}

Result<void> Connection::quit() {
  if (!is_own_process()) return in_a_child();
  {
    Guard guard(mutex_);
    if (auto error = take_turn(guard, {})) return std::move(*error);
    const Turn turn(*this);
    outbox_.append("quit\n");
    flush();
  }
  close();
  return {};
}

std::optional<Error> Connection::line_error(const std::vector<Request>& requests) const {
  const auto is_too_long = [&](const Request& request) { return request.line.size() > options_.line_bytes_max; };
  if (std::ranges::none_of(requests, is_too_long)) return std::nullopt;
  const std::string limit = std::to_string(options_.line_bytes_max);
  return Error{Cause::bad_argument,
               "too long: a key, a prefix or a name has to fit, with its verb, into a line of " + limit + " bytes"};
}

std::optional<Error> Connection::take_turn(Guard& guard, const std::stop_token& stop) {
  changed_.wait(guard, stop, [&] { return !is_taken_ || reason_; });
  if (reason_) return reason_;
  if (stop.stop_requested()) return Error{Cause::canceled, "canceled before it was asked for"};
  is_taken_ = true;
  may_be_canceled_ = false;
  return std::nullopt;
}

void Connection::give_turn() {
  is_taken_ = false;
  changed_.notify_all();
}

/// Sends the requests and waits for what await() waits for. A request that is cut short by a lack of memory would be
/// the beginning of the next one: then it is the end.
std::vector<Connection::ReplyPointer> Connection::converse(Guard& guard, const std::vector<Request>& requests,
                                                           const Patience& patience) {
  try {
    std::vector<ReplyPointer> sent;
    for (const Request& request : requests) sent.push_back(send(request));
    send_out();
    await(guard, sent, patience);
    return sent;
  } catch (...) {
    end_locked(ended("out of memory"), false);  // a text so short takes none
    throw;
  }
}

Connection::ReplyPointer Connection::send(const Request& request) {
  outbox_.append(request.line).push_back('\n');
  if (request.framing == Framing::until_pong) outbox_.append("ping\n");
  return replies_.expect(request.framing);
}

/// Waits until the last reply is there, or the end. Sends `cancel` when the stop is requested before the first is.
void Connection::await(Guard& guard, std::vector<ReplyPointer>& sent, const Patience& patience) {
  const milliseconds timeout = patience.reply_timeout.value_or(options_.reply_timeout);
  auto overdue = Clock::now() + patience.wait + timeout;
  std::stop_token stop = patience.stop;  // while there is something to cancel
  const auto is_over = [&] { return sent.back()->is_whole || reason_; };
  const auto deadline = [&] { return patience.bytes_extend ? std::max(overdue, heard_ + timeout) : overdue; };
  while (!is_over()) {
    if (stop.stop_requested()) {
      stop = {};
      if (!sent.front()->is_whole) sent.push_back(send({"cancel"}));
      overdue = Clock::now() + timeout;
      send_out();
    }
    if (timeout.count() == 0) {
      changed_.wait(guard, stop, is_over);
    } else if (!changed_.wait_until(guard, stop, deadline(), is_over) && Clock::now() >= deadline()) {
      end_locked(ended(no_reply_within(timeout)), false);
    }
  }
}

/// What the kernel does not take now is the thread's to send.
void Connection::send_out() {
  flush();
  if (!outbox_.empty()) ::eventfd_write(wake_.get(), 1);
}

/// An error is left to the thread, which reads what came before the end, and then the end.
void Connection::flush() {
  while (!outbox_.empty() && !reason_) {
    const ssize_t count = ::send(socket_.get(), outbox_.data(), outbox_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && errno != EINTR) return;
    if (count > 0) outbox_.erase(0, static_cast<std::size_t>(count));
  }
}

// ---- the end ----

Error Connection::end(Error reason) {
  const Guard guard(mutex_);
  end_locked(std::move(reason), false);
  return *reason_;
}

void Connection::end_locked(Error reason, bool is_own_wish) {
  if (reason_) return;
  reason_ = std::move(reason);
  is_own_wish_ = is_own_wish;
  has_ended_ = true;
  ::shutdown(socket_.get(), SHUT_RDWR);  // the server is to know now, not when the last has let go of this
  ::eventfd_write(wake_.get(), 1);
  changed_.notify_all();
}

void Connection::close() noexcept {
  {
    const Guard guard(mutex_);
    end_locked(ended("the client has been closed"), true);
    if (watcher_ == std::this_thread::get_id()) return;
  }
  const Guard joining(join_mutex_);
  if (thread_.joinable()) thread_.join();
}

std::optional<Error> Connection::reason() const {
  const Guard guard(mutex_);
  return reason_;
}

void Connection::on_loss(std::function<void(const Error&)> fn) {
  {
    const Guard guard(mutex_);
    if (!is_told_) return on_loss_.push_back(std::move(fn));
    if (is_own_wish_) return;
  }
  fn(*reason_);  // which does not change any more
}

void Connection::tell_of_the_end() {
  std::vector<std::function<void(const Error&)>> functions;
  {
    const Guard guard(mutex_);
    is_told_ = true;
    functions.swap(on_loss_);
  }
  lost_.request_stop();
  if (is_own_wish_) return;
  for (const auto& fn : functions) fn(*reason_);
}

// ---- claims ----

bool Connection::claim(Mode mode, const std::string& key) {
  const Guard guard(mutex_);
  return claimed_.at(static_cast<std::size_t>(mode)).insert(key).second;
}

void Connection::give_up(Mode mode, const std::string& key) noexcept {
  if (!is_own_process()) return;
  const Guard guard(mutex_);
  claimed_[static_cast<std::size_t>(mode)].erase(key);
}

// ---- fork ----

bool Connection::is_own_process() const noexcept { return process_ == ::getpid(); }

Error Connection::in_a_child() { return ended("this process is a child of the one that connected"); }

void Connection::abandon(const std::shared_ptr<Connection>& connection) noexcept {
  ::close(connection->socket_.get());
  ::close(connection->wake_.get());
  connection->itself_ = connection;  // there is no thread to be joined, nor a mutex to be trusted
}

// ---- the thread ----

void Connection::run() {
  {
    const Guard guard(mutex_);
    watcher_ = std::this_thread::get_id();
  }
  watch();
  tell_of_the_end();
}

/// Until the end.
void Connection::watch() {
  std::array<pollfd, 2> watched = {{{wake_.get(), POLLIN, 0}, {socket_.get(), POLLIN, 0}}};
  while (prepare(watched[1].events)) {
    ::poll(watched.data(), watched.size(), is_tcp_ ? static_cast<int>(check_silence().count()) : -1);
    eventfd_t ignored = 0;
    if (watched[0].revents != 0) ::eventfd_read(wake_.get(), &ignored);
    if ((watched[1].revents & ~POLLOUT) != 0) receive();
  }
}

/// Sends what is left, and says what is to be waited for; false at the end.
bool Connection::prepare(short& events) {
  const Guard guard(mutex_);
  flush();
  events = outbox_.empty() ? POLLIN : POLLIN | POLLOUT;
  return !reason_;
}

/// Ends the connection if the peer has been silent for too long; else, how long it may be before it has.
milliseconds Connection::check_silence() {
  const Clock::time_point now = Clock::now();
  if (now >= next_look_) {
    const milliseconds most = silence_max(options_.peer_timeout);
    const milliseconds left = most - silence(socket_.get()).value_or(milliseconds(0));
    if (left.count() <= 0) {
      end(ended("nothing was heard of the server's host for " + std::to_string(most.count()) + " ms"));
      return milliseconds(0);
    }
    next_look_ = now + left;
  }
  return std::chrono::ceil<milliseconds>(next_look_ - now);
}

void Connection::receive() {
  std::array<char, buffer_bytes> buffer;
  const ssize_t count = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return;
  const int error = errno;
  const Guard guard(mutex_);
  if (count < 0) return end_locked(ended(system_text(error)), false);
  if (count == 0) return end_locked(ended("the server closed the connection"), false);
  heard_ = Clock::now();
  try {
    if (auto wrong = replies_.take({buffer.data(), static_cast<std::size_t>(count)}))
      end_locked(std::move(*wrong), false);
  } catch (const std::bad_alloc&) {  // for a reply: whose it is nobody would know
    end_locked(ended("out of memory"), false);
  }
  changed_.notify_all();
}

}  // namespace lockd
