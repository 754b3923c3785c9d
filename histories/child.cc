#include "histories/child.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <new>
#include <system_error>
#include <utility>

#include "histories/crowd.h"

namespace lockd::histories {

// Shared between parent and child.
struct Child::Board {
  std::atomic<bool> is_greeted;
  std::atomic<bool> has_fault;
  std::array<char, 512> fault;
};

Child::Child(std::string uri, std::size_t clients, std::size_t operations_max)
    : uri_(std::move(uri)), clients_(clients), recorder_(operations_max) {
  void* const memory = mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
  board_ = new (memory) Board{};
}

Child::~Child() {
  if (is_running()) kill();
  munmap(board_, sizeof(Board));
}

void Child::start(std::uint32_t first_session, std::uint64_t seed) {
  board_->is_greeted = false;
  first_session_ = first_session;
  first_operation_ = recorder_.operations().size();
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (pid_ > 0) return;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  close_range(3, ~0U, 0);  // the parent's connections must not live on here
  if (getppid() != parent) _exit(1);
  live(first_session, seed);
}

// Until it is killed, or the server is at fault.
void Child::live(std::uint32_t first_session, std::uint64_t seed) {
  try {
    Random random(seed);
    Crowd crowd(uri_, clients_, recorder_, [=]() mutable { return first_session++; }, random);
    while (true) {
      crowd.turn();
      if (crowd.is_steady()) board_->is_greeted = true;
    }
  } catch (const std::exception& error) {
    const std::string what = error.what();
    what.copy(board_->fault.data(), board_->fault.size() - 1);
    board_->has_fault = true;
  }
  while (true) pause();
}

std::vector<Operation*> Child::kill() {
  const Moment moment = now();
  ::kill(pid_, SIGKILL);
  waitpid(std::exchange(pid_, -1), nullptr, 0);
  std::vector<Operation*> ends;
  std::vector<Moment> last(clients_, moment);
  for (const Operation& operation : recorder_.operations().subspan(first_operation_)) {
    const std::size_t client = operation.session - first_session_;
    if (client < clients_) last[client] = std::max(last[client], operation.invoked);
  }
  for (std::uint32_t client = 0; client < clients_; ++client) {
    ends.push_back(&recorder_.begin({.session = first_session_ + client, .act = Act::kill, .invoked = last[client]}));
  }
  return ends;
}

void Child::stop() const { ::kill(pid_, SIGSTOP); }

void Child::go_on() const { ::kill(pid_, SIGCONT); }

bool Child::is_greeted() const { return board_->is_greeted; }

std::optional<std::string> Child::fault() const {
  if (!board_->has_fault) return std::nullopt;
  return std::string(board_->fault.data());
}

}  // namespace lockd::histories
