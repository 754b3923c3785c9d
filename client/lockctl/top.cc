#include "client/lockctl/top.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <ctime>
#include <future>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <variant>

#include "client/descriptor.h"
#include "client/lockctl/locking.h"
#include "client/lockctl/output.h"
#include "client/lockctl/terminal.h"
#include "client/lockctl/top_view.h"

namespace lockd::lockctl {

namespace {

using Clock = std::chrono::steady_clock;

/// Beyond this many holders and waiters a list each second is a burden to the server, and nobody reads it.
constexpr std::uint64_t listed_max = 20'000;

std::string time_of_day() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::localtime_r(&now, &parts);
  std::array<char, 16> text{};
  std::strftime(text.data(), text.size(), "%H:%M:%S", &parts);
  return text.data();
}

/// The signals that end it, stop it or resize the terminal, as something to be read.
Descriptor watch_signals() {
  sigset_t watched;
  ::sigemptyset(&watched);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH}) ::sigaddset(&watched, number);
  ::pthread_sigmask(SIG_BLOCK, &watched, nullptr);
  Descriptor descriptor(::signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK));
  if (descriptor.get() < 0) throw std::system_error(errno, std::generic_category(), "signalfd");
  return descriptor;
}

class Top {
 public:
  Top(const Options& options, Client& client, Descriptor signals)
      : options_(options), client_(client), signals_(std::move(signals)) {
    view_.server = options.server;
    if (Terminal::is_there()) terminal_.emplace();
  }

  int run() {
    const Result<std::string> version = client_.version();
    if (!version) return fail(version.error());
    view_.version = *version;
    for (std::uint64_t shown = 0;;) {
      if (const auto status = look()) return *status;
      if (terminal_ || before_) {
        if (!show()) return end(exit_status::output_error);
        if (options_.count && ++shown >= *options_.count) return end(exit_status::success);
      }
      if (const auto status = pause()) return end(*status);
    }
  }

 private:
  using Looked = std::variant<Look, Error>;

  /// Makes an event readable at its end, also where that is an exception.
  struct Teller {
    int event;
    ~Teller() { ::eventfd_write(event, 1); }
  };

  /// Takes a look, for which a server that hangs may need long: it is meanwhile that the user may want to end it. An
  /// exit status if it has ended.
  std::optional<int> look() {
    const Descriptor done = make_event();
    auto looking = std::async(std::launch::async, [&] {
      const Teller teller{done.get()};
      return ask();
    });
    if (const auto status = wait(std::nullopt, done.get())) {
      client_.close();  // which ends the look, too
      looking.wait();
      return end(*status);
    }
    auto looked = looking.get();
    if (const auto* const error = std::get_if<Error>(&looked)) return fail(*error);
    before_ = std::exchange(now_, std::get<Look>(std::move(looked)));
    view_.before = before_ ? &*before_ : nullptr;
    view_.now = &*now_;
    return std::nullopt;
  }

  static Descriptor make_event() {
    Descriptor event(::eventfd(0, EFD_CLOEXEC));
    if (event.get() < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
    return event;
  }

  /// By a thread of its own, which touches nothing but the client.
  Looked ask() {
    auto stats = client_.stats();
    if (!stats) return stats.error();
    Look next{std::move(*stats), {}, "", Clock::now()};
    if (terminal_) {
      if (const auto error = list(next)) return *error;
    }
    return next;
  }

  std::optional<Error> list(Look& next) {
    if (next.stats["holders"] + next.stats["waiters"] > listed_max) {
      next.not_listed = "more than " + std::to_string(listed_max) + " holders and waiters: too many to list";
      return std::nullopt;
    }
    auto locks = client_.list(options_.filter);
    if (locks.failed_by(Cause::disabled)) {
      next.not_listed = "this server does not list its locks (--no-dump)";
    } else if (!locks) {
      return locks.error();
    } else {
      next.locks = std::move(*locks);
    }
    return std::nullopt;
  }

  bool show() {
    view_.clock = time_of_day();
    if (terminal_) return Terminal::draw(screen_of(view_, Terminal::size().columns, Terminal::size().rows));
    if (!std::exchange(has_heading_, true)) print(plain_heading() + "\n");
    print(plain_line(view_) + "\n");
    return flush().status == exit_status::success;
  }

  /// Until it is time for the next look. An exit status if it is to end.
  std::optional<int> pause() {
    next_look_ = std::max(next_look_ + options_.interval, Clock::now());
    return wait(next_look_, -1);
  }

  /// Until that time, if there is one, or until `done` is readable. An exit status if it is to end.
  std::optional<int> wait(std::optional<Clock::time_point> until, int done) {
    std::array<pollfd, 3> watched = {{{signals_.get(), POLLIN, 0}, {keys(), POLLIN, 0}, {done, POLLIN, 0}}};
    while (watched[2].revents == 0) {
      const int left_ms = until ? milliseconds_until(*until) : -1;
      if (left_ms == 0) break;
      ::poll(watched.data(), watched.size(), left_ms);
      if (const auto status = take_signals()) return status;
      if (watched[1].revents != 0 && quits()) return exit_status::success;
    }
    return std::nullopt;
  }

  static int milliseconds_until(Clock::time_point until) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    return static_cast<int>(std::max<std::int64_t>(left, 0));  // of a day at most
  }

  /// Keys count only where there is a screen that says so.
  [[nodiscard]] int keys() const { return terminal_ && ::isatty(STDIN_FILENO) != 0 ? STDIN_FILENO : -1; }

  static bool quits() {
    char key = 0;
    return ::read(STDIN_FILENO, &key, 1) != 1 || key == 'q' || key == 'Q';
  }

  std::optional<int> take_signals() {
    signalfd_siginfo info{};
    while (::read(signals_.get(), &info, sizeof info) == sizeof info) {
      const int number = static_cast<int>(info.ssi_signo);
      if (number == SIGTSTP) {
        stop();
      } else if (number != SIGWINCH && number != SIGCONT) {
        return exit_status::signal_base + number;
      }
      if (terminal_ && now_) show();
    }
    return std::nullopt;
  }

  void stop() {
    if (terminal_) terminal_->leave();
    std::raise(SIGSTOP);
    if (terminal_) terminal_->enter();
  }

  int fail(const Error& error) {
    terminal_.reset();
    return report(failure_of(error, options_));
  }

  int end(int status) {
    terminal_.reset();
    return finish(status);
  }

  const Options& options_;
  Client& client_;
  Descriptor signals_;
  std::optional<Terminal> terminal_;
  View view_;
  std::optional<Look> before_;
  std::optional<Look> now_;
  bool has_heading_ = false;
  Clock::time_point next_look_ = Clock::now();
};

}  // namespace

int top(const Options& options) {
  auto connected = connect_to_server(options);
  if (const auto* failure = std::get_if<Failure>(&connected)) return report(*failure);
  return Top(options, std::get<Client>(connected), watch_signals()).run();
}

}  // namespace lockd::lockctl
