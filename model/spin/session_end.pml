// The end of a session against the wake-ups that are on their way to it. README.md beside this file says what is left
// out. Names in quotes are functions of the code; what they do in one d_step they do under one mutex or on one thread.
//
// Runs, read by ci/check-spin: which size, what is defined, what must come of it.
//
//   run gate    -                                holds safety
//   run gate    -                                holds grant_arrives
//   run gate    SOUGHT=LATE_WAKE_UP              breaks not_sought
//   run gate    SOUGHT=GRANT_MEETS_END           breaks not_sought
//   run gate    SOUGHT=GRANT_TO_ONE_WHO_ENDS     breaks not_sought
//   run gate    SOUGHT=GRANT_MEETS_TIMEOUT       breaks not_sought
//   run gate    SOUGHT=LEAVER_LETS_THROUGH       breaks not_sought
//   run gate    SOUGHT=LOCK_MOVES_BETWEEN_SLICES breaks not_sought
//   run gate    DELIVERED_UNCHECKED              breaks only_who_waits_is_woken
//   run gate    ID_REUSED                        breaks wake_up_is_its_own
//   run gate    END_KEEPS_WAIT                   breaks nothing_of_the_dead
//   run gate    END_FORGETS_GRANT                breaks held_is_exact
//   run gate    WAKE_ACCEPTS_NOTHING             breaks held_is_exact
//   run gate    TIMEOUT_OVERRULES_GRANT          breaks timeout_is_true
//   run gate    TIMEOUT_UNCHECKED                breaks answered_once
//   run gate    TOUCHED_WHEN_HELD                breaks nothing_of_the_dead
//   run gate    HOLDERS_IGNORED                  breaks one_holder
//   run gate    LEAVER_STANDS_IN_THE_WAY         breaks first_in_line_must_wait
//   run gate    TIMEOUT_BRINGS_NO_WAKE_UPS       breaks grant_arrives
//   run gate    PENDING_CLEARED_LATE             breaks grant_arrives
//   run nightly -                                holds end_completes
//   run nightly ONE_SLICE_ONLY                   breaks end_completes
//   run nightly -                                holds exclusive_wait_ends
//   run nightly -                                holds shared_wait_ends
//   run nightly PENDING_CLEARED_LATE             breaks exclusive_wait_ends
//   run nightly NEWCOMER_OVERTAKES               breaks shared_wait_ends

#ifndef SESSIONS
#define SESSIONS 3
#endif
#define THREADS 2
#define KEYS 2         // key k lies alone in shard k
#define NOTHING KEYS   // no key
#define home(s) ((s) % THREADS)

// Key 0 is exclusive, key 1 shared, where session 0 says `sgw 1` and the others `sgw 2`.
#define limit(s, k) (1 + ((k) == 1 && (s) != 0))

// ---- the state ----

// LockTable: what stands under the mutexes of the shards.
byte holder_count[KEYS];
byte holders[KEYS];  // a bit for each session
chan line[KEYS] = [SESSIONS] of { byte };
#define holds(s, k) (((holders[k] >> (s)) & 1) == 1)

// SessionLocks, used by the session's thread alone.
byte waits[SESSIONS] = NOTHING;  // the key of SessionLocks::wait
byte held[SESSIONS];
byte touched[SESSIONS];  // a bit for each shard
bool ended[SESSIONS];

// Connection, likewise: neither serving nor ending where there is none.
bool serving[SESSIONS];
bool ending[SESSIONS];
bool listed[SESSIONS];  // in Worker::waiting, and its timer runs

// One of each for each thread.
chan woken[THREADS] = [SESSIONS] of { byte, byte };    // Turn::woken: session, and the key that it got
chan mailbox[THREADS] = [SESSIONS] of { byte, byte };  // Mailbox::posted_
bool collection_pending[THREADS];
chan ends[THREADS] = [SESSIONS] of { byte };  // EndQueue::waiting_

bool owed[SESSIONS];  // for the promises alone: the session's wait has not been answered

// Scratch of a d_step, no part of the state.
hidden byte i, j, first, who, what, left_line;

// ---- promises ----

hidden byte only_who_waits_is_woken, wake_up_is_its_own, answered_once, timeout_is_true, held_is_exact,
    nothing_of_the_dead, first_in_line_must_wait, one_holder, not_sought;

inline promise(name, condition) {
  name = (condition);
  assert(name)
}

// That the model can come to where it gets interesting: the run that seeks it must end here.
mtype = { NOT_SOUGHT, LATE_WAKE_UP, GRANT_MEETS_END, GRANT_TO_ONE_WHO_ENDS, GRANT_MEETS_TIMEOUT, LEAVER_LETS_THROUGH,
          LOCK_MOVES_BETWEEN_SLICES };
#ifndef SOUGHT
#define SOUGHT NOT_SOUGHT
#endif
inline comes_up(situation) { promise(not_sought, SOUGHT != situation) }

#define granted_unknown(s) (waits[s] != NOTHING && holds(s, waits[s]))
#define in_line(s, k) (line[k] ?? [eval(s)] -> true : false)

// What holds whenever a mutex is free, whoever looks.
inline check_promises() {
  for (i : 0 .. SESSIONS - 1) {
    promise(held_is_exact, held[i] + granted_unknown(i) == holds(i, 0) + holds(i, 1));
    promise(nothing_of_the_dead, serving[i] || ending[i] ||
            !(holds(i, 0) || holds(i, 1) || in_line(i, 0) || in_line(i, 1)));
  }
  promise(one_holder, holder_count[0] <= 1);
  for (j : 0 .. KEYS - 1) {
    if
    :: len(line[j]) > 0 -> line[j] ? <first>; promise(first_in_line_must_wait, holder_count[j] >= limit(first, j))
    :: else
    fi
  }
  skip  // a d_step does not end in a loop
}

// ---- LockTable: each within a d_step, under the shard's mutex ----

inline start_holding(s, k) {
  holders[k] = holders[k] | (1 << (s));
  holder_count[k]++
}

inline stop_holding(s, k) {
  holders[k] = holders[k] & ~(1 << (s));
  holder_count[k]--
}

// "let_through" and "hand_over"
inline let_through(me, k) {
  do
  :: len(line[k]) > 0 ->
    line[k] ? <first>;
    if
    :: holder_count[k] < limit(first, k) ->
      line[k] ? first;
      start_holding(first, k);
      woken[me] ! first, k;
      if
      :: ending[first] -> comes_up(GRANT_TO_ONE_WHO_ENDS)
      :: else
      fi
    :: else -> break
    fi
  :: else -> break
  od;
  skip
}

// "free"
inline free_lock(me, s, k) {
  stop_holding(s, k);
  held[s]--;
  let_through(me, k)
}

// "leave_line"; left_line is what it returns.
inline withdraw(me, s, k) {
  left_line = in_line(s, k);
  if
  :: left_line ->
    line[k] ?? eval(s);
#ifndef LEAVER_STANDS_IN_THE_WAY
    let_through(me, k);
#endif
    if
    :: len(woken[me]) > 0 -> comes_up(LEAVER_LETS_THROUGH)
    :: else
    fi
  :: else
  fi
}

// The code leaves the bit where it is, and looks into one shard more when the session ends.
inline untouch(s, k) { touched[s] = touched[s] & ~(1 << (k)) }

// ---- ShardedTable, Session and Connection, of one request each ----

// "ShardedTable::get" that may wait, and "Connection::begin_wait"
inline get(s, k) {
  d_step {
#ifndef TOUCHED_WHEN_HELD
    touched[s] = touched[s] | (1 << k);
#endif
    if
    :: holds(s, k) -> skip
    :: else ->
      if
#ifdef HOLDERS_IGNORED
      :: len(line[k]) == 0 ->
#elif defined(NEWCOMER_OVERTAKES)
      :: holder_count[k] < limit(s, k) ->
#else
      :: holder_count[k] < limit(s, k) && len(line[k]) == 0 ->
#endif
        start_holding(s, k);
#ifdef TOUCHED_WHEN_HELD
        touched[s] = touched[s] | (1 << k);
#endif
        held[s]++
      :: else ->
        line[k] ! s;
        waits[s] = k;
        owed[s] = true;
        listed[s] = true
      fi
    fi;
    check_promises()
  }
}

// "ShardedTable::release"
inline release(me, s, k) {
  d_step {
    free_lock(me, s, k);
    untouch(s, k);
    check_promises()
  }
}

// "Session::answer_wait" and "Connection::end_wait"
inline answer_wait(s) {
  promise(answered_once, owed[s]);
  owed[s] = false;
  listed[s] = false
}

// "Connection::on_wait_deadline" and "Session::time_out", or a `cancel`: both come to "ShardedTable::leave_line".
inline leave_line(me, s) {
  d_step {
    what = waits[s];
    withdraw(me, s, what);
#ifdef TIMEOUT_OVERRULES_GRANT
    left_line = true;
#endif
    if
    :: left_line ->
      promise(timeout_is_true, !holds(s, what));
      untouch(s, what);
      waits[s] = NOTHING;
      answer_wait(s)
    :: else -> comes_up(GRANT_MEETS_TIMEOUT)
    fi;
#ifdef TIMEOUT_BRINGS_NO_WAKE_UPS
    do
    :: woken[me] ? first, what
    :: len(woken[me]) == 0 -> break
    od;
#endif
    check_promises()
  }
}

// "Worker::deliver", "Session::wake", "ShardedTable::accept_grant"
inline deliver(s, k) {
  d_step {
    if
#ifdef DELIVERED_UNCHECKED
    :: true ->
#else
    :: listed[s] ->
#endif
      promise(only_who_waits_is_woken, serving[s] && waits[s] != NOTHING);
      promise(wake_up_is_its_own, waits[s] == k && holds(s, k));
      waits[s] = NOTHING;
#ifndef WAKE_ACCEPTS_NOTHING
      held[s]++;
#endif
#ifdef TOUCHED_WHEN_HELD
      touched[s] = touched[s] | (1 << k);
#endif
      answer_wait(s);
      check_promises()
    :: else -> comes_up(LATE_WAKE_UP)
    fi
  }
}

// "Connection::end", but for the slices that "EndQueue::push" may begin with
inline end(me, s) {
  d_step {
    serving[s] = false;
    ending[s] = true;
    listed[s] = false;
    owed[s] = false;
    ends[me] ! s
  }
}

// The first half of "ShardedTable::end_some"
inline withdraw_at_end(me, s) {
  d_step {
    if
    :: ended[s] && holds(s, 1) && holder_count[0] > 0 -> comes_up(LOCK_MOVES_BETWEEN_SLICES)  // it was s that had key 0
    :: else
    fi;
    ended[s] = true;
    if
    :: waits[s] != NOTHING ->
#ifndef END_KEEPS_WAIT
      withdraw(me, s, waits[s]);
      if
      :: !left_line ->
#ifndef END_FORGETS_GRANT
        held[s]++;
#endif
        comes_up(GRANT_MEETS_END)
      :: else
      fi;
#endif
      waits[s] = NOTHING
    :: else
    fi;
    check_promises()
  }
}

// "ShardedTable::release_slice" with a budget of one lock: from shard to shard, one mutex at a time
inline release_slice(me, s) {
  left = 1;
  do
  :: atomic {
      left > 0 && touched[s] != 0 ->
      d_step {
        what = ((touched[s] & 1) == 1 -> 0 : 1);
        if
        :: holds(s, what) ->
          free_lock(me, s, what);
          left = 0
        :: else -> touched[s] = touched[s] & (touched[s] - 1)
        fi;
        check_promises()
      }
    }
  :: else -> break
  od
}

// "Worker::bring_wakeups" and "Mailbox::post": each by itself, when no shard is locked any more
inline bring_wakeups(me) {
  do
  :: atomic {
      len(woken[me]) > 0 ->
      d_step {
        woken[me] ? who, what;
        mailbox[home(who)] ! who, what;
        collection_pending[home(who)] = true
      }
    }
  :: else -> break
  od
}

// "EndQueue::slice" and "Connection::end_some", after withdraw_at_end()
inline rest_of_slice(me, s) {
  release_slice(me, s);
  bring_wakeups(me);
  atomic {
    if
    :: touched[s] == 0 ->
      ending[s] = false;
      ended[s] = false;
      d_step { check_promises() }
#ifdef ONE_SLICE_ONLY
    :: else
#else
    :: else -> ends[me] ! s
#endif
    fi;
    s = 0
  }
}

// "Mailbox::collect"
inline collect(me) {
  if
  :: collection_pending[me] ->
    mailbox[me] ? s, k;
    collection_pending[me] = len(mailbox[me]) > 0;
    deliver(s, k)
  :: else
  fi
}

// The same, with the flag set when the mutex is free again
inline collect_in_two_steps(me) {
  if
  :: atomic { collection_pending[me] -> mailbox[me] ? s, k; left = len(mailbox[me]) > 0 }
    atomic { collection_pending[me] = left; deliver(s, k) }
  :: else
  fi
}

// "Connection::serve", of a session with a fresh id: ids are few here, so one is fresh when nothing bears it any more.
#ifdef ID_REUSED
#define is_fresh(s) true
#else
#define is_fresh(s) (!(mailbox[home(s)] ?? [eval(s), _]) && !(woken[0] ?? [eval(s), _]) && !(woken[1] ?? [eval(s), _]))
#endif

// ---- the threads ----

// io_context::run(): one handler after the other. A pass of the loop delivers one wake-up, lets at most one session act
// and serves one end, so each gets its turn; what a client sends, and when its deadline comes, is anybody's guess. What
// only the thread itself can see is one step with what follows.
active [THREADS] proctype io_thread() {
  byte s, k;
  bit left;
  bool rested;  // a pass went by without a slice, as the ends had had their share

pass:
#ifdef PENDING_CLEARED_LATE
  collect_in_two_steps(_pid);
#endif
  atomic {
#ifndef PENDING_CLEARED_LATE
    collect(_pid);
#endif
    s = _pid;
    do
    :: s + THREADS < SESSIONS -> s = s + THREADS
    :: break
    od;
    if
    :: k = 0
    :: k = 1
    fi;
    if
    :: serving[s] && waits[s] == NOTHING -> get(s, k)
    :: serving[s] && waits[s] == NOTHING && holds(s, k) -> release(_pid, s, k)
#ifdef TIMEOUT_UNCHECKED
    :: serving[s] && waits[s] == NOTHING -> answer_wait(s)
#endif
    :: serving[s] && listed[s] -> leave_line(_pid, s)
    :: serving[s] -> end(_pid, s)
    :: !serving[s] && !ending[s] && is_fresh(s) -> serving[s] = true
    :: true
    fi;
    s = 0;
    k = 0;
    left = 0
  };
  bring_wakeups(_pid);

  // "EndQueue::begin_share", or a slice that "EndQueue::push" begins with
  atomic {
    if
    :: len(ends[_pid]) > 0 ->
      rested = false;
      ends[_pid] ? s;
      withdraw_at_end(_pid, s)
    :: len(ends[_pid]) > 0 && !rested ->
      rested = true;
      goto pass
    :: len(ends[_pid]) == 0 -> goto pass
    fi
  };
  rest_of_slice(_pid, s);
  goto pass
}

// ---- what must come in the end, each thread being given its time ----

#define is_granted(s) (serving[s] && granted_unknown(s))

ltl grant_arrives { !(<>[] is_granted(0)) && !(<>[] is_granted(1)) && !(<>[] is_granted(2)) }

ltl end_completes { !(<>[] ending[0]) }  // whose thread is the busier one

// A wait ends if each holder leaves at some time, even if he comes back; no deadline is needed.
ltl exclusive_wait_ends { ([]<> !holds(1, 0) && []<> !holds(2, 0)) -> !(<>[] (waits[0] == 0)) }

ltl shared_wait_ends { ([]<> !holds(1, 1) && []<> !holds(2, 1)) -> !(<>[] (waits[0] == 1)) }
