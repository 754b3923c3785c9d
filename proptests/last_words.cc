#include "proptests/last_words.h"

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace lockd::proptests {
namespace {

void handle_crashes(void (*handler)(int)) {
  std::signal(SIGABRT, handler);
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE}) {
    const auto before = std::signal(signal, handler);
    if (before != SIG_DFL && before != handler) std::signal(signal, before);  // a sanitizer's
  }
}

}  // namespace

LastWords* LastWords::youngest_ = nullptr;

LastWords::LastWords(std::function<int()> say) : say_(std::move(say)), older_(std::exchange(youngest_, this)) {
  static const bool handled = [] {
    handle_crashes(die);
    return true;
  }();
  static_cast<void>(handled);
}

LastWords::~LastWords() { youngest_ = older_; }

void LastWords::die(int signal) {
  constexpr unsigned seconds_to_speak = 10;  // a heap that is broken may be locked too
  std::signal(signal, SIG_DFL);
  ::alarm(seconds_to_speak);
  if (youngest_ != nullptr) std::_Exit(youngest_->say_());
  std::raise(signal);
}

int say_crash(const std::string& what) {
  std::printf("%s# it crashes, or an assert fails\n", what.c_str());
  std::fflush(stdout);
  return 1;
}

}  // namespace lockd::proptests
