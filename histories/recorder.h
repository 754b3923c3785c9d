// Where clients write down what they do, in a way that outlives them.
#ifndef LOCKD_HISTORIES_RECORDER_H_
#define LOCKD_HISTORIES_RECORDER_H_

#include <cstddef>
#include <span>

#include "histories/history.h"

namespace lockd::histories {

/// Operations in memory that a process shares with the children which it forks later: what one of them has written is
/// there when it is killed, at whatever moment that comes. One process at a time writes to a recorder.
class Recorder {
 public:
  /// Address space for so many; memory is taken as it is used.
  explicit Recorder(std::size_t capacity);
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;
  ~Recorder();

  bool is_full() const;
  /// Appends one that has not been answered: call it before the first byte is sent. Throws where it is full.
  Operation& begin(const Operation& operation);
  /// Call it after the last byte was read.
  static void answer(Operation& operation, const Answer& answer, Moment now);

  std::span<const Operation> operations() const;

 private:
  struct Shared;

  std::size_t bytes_;
  std::size_t capacity_;
  Shared* shared_;
};

/// Of the clock that all processes share.
Moment now();

}  // namespace lockd::histories

#endif  // LOCKD_HISTORIES_RECORDER_H_
