// What a program of tests still says when the code under test crashes, or one of its asserts fails: what it did last,
// so that it can be done again.
#ifndef LOCKD_PROPTESTS_LAST_WORDS_H_
#define LOCKD_PROPTESTS_LAST_WORDS_H_

#include <functional>
#include <string>

namespace lockd::proptests {

/// While one of these lives, a crash calls say() of the youngest one, and the process ends with its result. (What a
/// sanitizer reports of a bad access is its own to say.) For one thread; they go in the reverse order in which they
/// came.
class LastWords {
 public:
  explicit LastWords(std::function<int()> say);
  LastWords(const LastWords&) = delete;
  LastWords& operator=(const LastWords&) = delete;
  ~LastWords();

 private:
  static void die(int signal);

  static LastWords* youngest_;

  std::function<int()> say_;
  LastWords* older_;
};

/// The usual words: prints `what`, and that there it crashed. Returns 1.
int say_crash(const std::string& what);

}  // namespace lockd::proptests

#endif  // LOCKD_PROPTESTS_LAST_WORDS_H_
