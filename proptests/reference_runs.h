// Who is at work, the reference or what is held against it.
#ifndef LOCKD_PROPTESTS_REFERENCE_RUNS_H_
#define LOCKD_PROPTESTS_REFERENCE_RUNS_H_

namespace lockd::proptests {

/// While one of them lives, it is the reference that runs on this thread, not what is tested: the session fuzzer, to
/// whom allocations are the largest part of the time, then does without the sanitizer's (fuzz/reference_heap.cc).
class ReferenceRuns {
 public:
  ReferenceRuns() { ++depth_; }
  ReferenceRuns(const ReferenceRuns&) = delete;
  ReferenceRuns& operator=(const ReferenceRuns&) = delete;
  ~ReferenceRuns() { --depth_; }

  static bool now() { return depth_ > 0; }

 private:
  static inline constinit thread_local int depth_ = 0;
};

}  // namespace lockd::proptests

#endif  // LOCKD_PROPTESTS_REFERENCE_RUNS_H_
