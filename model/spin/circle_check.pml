// The circle check across shards and threads (W6), lock by lock as engine/sharded_table.h takes them. README.md beside
// this file says what is left out. Names in quotes are functions of the code.
//
// Runs, read by ci/check-spin: which size, what is defined, what must come of it.
//
//   run gate    SESSIONS=2 AT_ONCE               holds safety
//   run gate    SESSIONS=3 AT_ONCE               holds safety
//   run gate    SESSIONS=2                       holds safety
//   run gate    SESSIONS=2 SHARED                holds safety
//   run gate    HELD GETS=1                      holds safety
//   run gate    SESSIONS=3 AT_ONCE SOUGHT=CIRCLE_OF_THREE breaks not_sought
//   run gate    HELD GETS=1 SOUGHT=CIRCLE_REFUSED         breaks not_sought
//   run gate    HELD GETS=1 SOUGHT=HAD_IN_STEP_3          breaks not_sought
//   run gate    HELD GETS=1 SOUGHT=STALE_ENTRY            breaks not_sought
//   run gate    HELD GETS=1 SOUGHT=HAND_OVER_DURING_WALK  breaks not_sought
//   run gate    HELD GETS=1 SOUGHT=GRANT_MEETS_TIMEOUT    breaks not_sought
//   run gate    HELD GETS=1 SOUGHT=GRANT_MEETS_END        breaks not_sought
//   run gate    SESSIONS=2 AT_ONCE NO_CHECK           breaks no_circle
//   run gate    SESSIONS=2 AT_ONCE WALK_WITHOUT_MUTEX breaks no_circle
//   run gate    SESSIONS=2 AT_ONCE REFUSED_KEEPS_MUTEX breaks exactly_one_refused
//   run gate    MUTEX_FOR_WALK_ALONE  breaks no_circle
//   run gate    ENTERED_LATE          breaks no_circle
//   run gate    FORGOTTEN_FIRST       breaks no_circle
//   run gate    NO_CHECK_AGAIN        breaks who_waits_waits_for_a_holder
//   run gate    OLD_HOLDER            breaks refusal_is_true
//   run gate    SHARED SHARED_WAITS_COUNT breaks refusal_is_true
//   run gate    ENTRY_TRUSTED         breaks walk_ends
//   run gate    FORGOTTEN_UNDER_SHARD breaks end_state
//   run nightly SESSIONS=4 AT_ONCE               holds safety
//   run nightly HELD GETS=2                      holds safety
//   run nightly HELD GETS=1 SHARED               holds safety

#ifndef SESSIONS
#define SESSIONS 3
#endif
#ifndef KEYS
#define KEYS SESSIONS  // HELD: session n begins with key n. GETS: so many requests each.
#endif
#define SHARDS 2
#define NOBODY SESSIONS
#define NOTHING KEYS
#define shard_of(k) ((k) % SHARDS)

#ifdef SHARED
#define is_shared(k) ((k) == KEYS - 1)  // a semaphore of one: `sgw 1`
#else
#define is_shared(k) false
#endif

// Whether waits for k are edges
#ifdef SHARED_WAITS_COUNT
#define counts(k) true
#else
#define counts(k) (!is_shared(k))
#endif

// ---- the state ----

bool shard_mutex[SHARDS];
bool wait_mutex;

// LockTable: what stands under the mutexes of the shards.
byte holder[KEYS] = NOBODY;
chan line[KEYS] = [SESSIONS] of { byte };
byte in_line[SESSIONS] = NOTHING;  // the key of the session's claim that waits

byte entry[SESSIONS] = NOTHING;  // ShardedTable::waiting_, under wait_mutex
byte waits[SESSIONS] = NOTHING;  // the key of SessionLocks::wait
bool woken[SESSIONS];            // its wake-up has come; session_end.pml is about how

// For the promises alone: what the session asks for, and whether that has closed a circle since it asked.
byte asks[SESSIONS] = NOTHING;
bool closed_circle[SESSIONS];
bool walks;  // somebody is in step 2
byte ready;
#ifdef AT_ONCE
byte refusals;
#endif

// Scratch of a d_step, no part of the state.
hidden byte i, at, length, first;

// ---- promises ----

hidden byte no_circle, refusal_is_true, exactly_one_refused, walk_ends, who_waits_waits_for_a_holder, not_sought;

inline promise(name, condition) {
  name = (condition);
  assert(name)
}

// That the model can come to where it gets interesting: the run that seeks it must end here.
mtype = { NOT_SOUGHT, CIRCLE_REFUSED, CIRCLE_OF_THREE, HAD_IN_STEP_3, STALE_ENTRY, HAND_OVER_DURING_WALK,
          GRANT_MEETS_TIMEOUT, GRANT_MEETS_END };
#ifndef SOUGHT
#define SOUGHT NOT_SOUGHT
#endif
inline comes_up(situation) { promise(not_sought, SOUGHT != situation) }

// Goes from the holder of k to the one that he waits for, and on, by what the tables say at this moment: ends at s if
// s waiting for k closes a circle, else at NOBODY.
inline follow(s, k) {
  at = holder[k];
  length = 1;
  do
  :: at == NOBODY || at == s || length > SESSIONS -> break
  :: else ->
    if
    :: in_line[at] == NOTHING || is_shared(in_line[at]) -> at = NOBODY
    :: else -> at = holder[in_line[at]]
    fi;
    length++
  od
}

// After each change of a table
inline check_promises() {
  for (i : 0 .. SESSIONS - 1) {
    if
    :: in_line[i] != NOTHING ->
      promise(who_waits_waits_for_a_holder, holder[in_line[i]] != NOBODY);
      if
      :: !is_shared(in_line[i]) -> follow(i, in_line[i]); promise(no_circle, at != i)
      :: else
      fi
    :: else
    fi;
    if
    :: asks[i] != NOTHING && !is_shared(asks[i]) -> follow(i, asks[i]); closed_circle[i] = closed_circle[i] || at == i
    :: else
    fi
  }
  skip  // a d_step does not end in a loop
}

// ---- mutexes ----

// An atomic ends where a mutex is not to be had, and goes on when it is. What is done under one mutex, with none taken
// meanwhile, is one step: nobody could come between. So are a mutex that is taken and the step after it.
inline lock(mutex) { !mutex -> mutex = true }
inline unlock(mutex) { mutex = false }
inline lock_shard(k) { lock(shard_mutex[shard_of(k)]) }
inline unlock_shard(k) { unlock(shard_mutex[shard_of(k)]) }

inline lock_waits() {
#ifdef WALK_WITHOUT_MUTEX
  skip
#else
  lock(wait_mutex)
#endif
}
inline unlock_waits() { unlock(wait_mutex) }

// ---- LockTable: each within a d_step, under the shard's mutex ----

inline enter_line(s, k) {
  line[k] ! s;
  in_line[s] = k;
  waits[s] = k  // "ShardedTable::apply"
}

inline hand_over(k) {
  if
  :: len(line[k]) > 0 ->
    line[k] ? first;
    in_line[first] = NOTHING;
    holder[k] = first;
    granted = first;
    if
    :: walks -> comes_up(HAND_OVER_DURING_WALK)
    :: else
    fi
  :: else -> holder[k] = NOBODY
  fi
}

// ---- ShardedTable ----

inline answered(s) {
  asks[s] = NOTHING;
  closed_circle[s] = false;
  undecided = false;
  next = NOBODY;
  passed = 0;
  k = 0
}

// Step 1: "get", where s neither holds k nor waits. Undecided where it would have to wait for an exclusive lock.
inline try_get(s, k) {
  asks[s] = k;
  d_step { check_promises() };
  lock_shard(k);
  d_step {
#ifdef OLD_HOLDER
    next = holder[k];
#endif
    if
    :: holder[k] == NOBODY -> holder[k] = s
    :: holder[k] != NOBODY && !counts(k) -> enter_line(s, k)
    :: holder[k] != NOBODY && counts(k) -> undecided = true
    fi;
    check_promises()
  };
  unlock_shard(k);
  if
  :: !undecided -> answered(s)
  :: else
  fi
}

// "ShardedTable::holder"
inline first_blocker(k) {
#ifndef OLD_HOLDER
  lock_shard(k);
  next = holder[k];
  unlock_shard(k)
#else
  skip
#endif
}

// "blocker": from `next` to the one for whom he waits
inline next_blocker() {
  place = entry[next];
  if
  :: place == NOTHING -> next = NOBODY
  :: else ->
    lock_shard(place);
    d_step {
      if
#ifdef ENTRY_TRUSTED
      :: next = holder[place]
#else
      :: in_line[next] == place -> next = holder[place]
      :: in_line[next] != place ->
        comes_up(STALE_ENTRY);
        next = NOBODY
#endif
      fi
    };
    unlock_shard(place);
    place = NOTHING
  fi
}

// Step 2: "closes_circle"
inline walk(s) {
  do
  :: next == NOBODY || next == s -> break
  :: else ->
    atomic {
      passed++;
      promise(walk_ends, passed <= SESSIONS);
      next_blocker()
    }
  od
}

inline refuse(s) {
  promise(refusal_is_true, closed_circle[s]);
  comes_up(CIRCLE_REFUSED);
  if
  :: passed > 1 -> comes_up(CIRCLE_OF_THREE)
  :: else
  fi;
#ifdef AT_ONCE
  refusals++
#endif
}

// Step 3: as step 1, and into the line where it can't be had yet
inline get_or_wait(s, k) {
  lock_shard(k);
  d_step {
    if
#ifdef NO_CHECK_AGAIN
    :: enter_line(s, k)
#else
    :: holder[k] == NOBODY ->
      holder[k] = s;
      comes_up(HAD_IN_STEP_3)
    :: holder[k] != NOBODY -> enter_line(s, k)
#endif
    fi;
    check_promises()
  };
  unlock_shard(k)
}

// "wait_unless_in_circle": steps 2 and 3
inline wait_unless_in_circle(s, k) {
#ifndef NO_CHECK
  atomic {
    lock_waits();
    walks = true;
    first_blocker(k)
  };
  walk(s);
#endif
  atomic {
    walks = false;
    if
    :: next == s -> d_step { refuse(s) }
    :: else ->
#ifdef MUTEX_FOR_WALK_ALONE
      unlock_waits();
#endif
      get_or_wait(s, k)
    fi
  };
#ifdef ENTERED_LATE
  unlock_waits();
#endif
  atomic {
    if
    :: waits[s] != NOTHING -> entry[s] = k
    :: else
    fi;
#ifdef REFUSED_KEEPS_MUTEX
    if
    :: next != s -> unlock_waits()
    :: next == s
    fi;
#else
    unlock_waits();
#endif
    answered(s)
  }
}

// "release"; whom `granted` names is to be woken when the mutex is free again.
inline release(k) {
  lock_shard(k);
  d_step {
    hand_over(k);
    check_promises()
  };
  unlock_shard(k)
}

inline bring_wakeup() {
  atomic {
    woken[granted] = (waits[granted] != NOTHING);  // "Worker::deliver"
    granted = NOBODY
  }
}

inline forget_entry(s) {
  if
  :: counts(waits[s]) ->
    lock_waits();
    entry[s] = NOTHING;
    unlock_waits()
  :: else
  fi
}

inline forget_wait(s) {
  forget_entry(s);
  waits[s] = NOTHING
}

// "withdraw": in `left` whether s was still in line
inline withdraw(s) {
  lock_shard(waits[s]);
  d_step {
    left = (in_line[s] != NOTHING);
    if
    :: left ->
      line[waits[s]] ?? eval(s);
      in_line[s] = NOTHING
    :: else
    fi;
    check_promises()
  };
#ifdef FORGOTTEN_UNDER_SHARD
  forget_entry(s);
#endif
  unlock_shard(waits[s])
}

inline accept_grant(s) {
  woken[s] = false;
  forget_wait(s)
}

// A timeout or a `cancel`
inline leave_line(s) {
#ifdef FORGOTTEN_FIRST
  atomic { forget_entry(s) };
#endif
  atomic { withdraw(s) };
  atomic {
    if
    :: left -> forget_wait(s)
    :: else -> comes_up(GRANT_MEETS_TIMEOUT)
    fi;
    left = false
  }
}

// "end_some": first the wait, then a lock at a time
inline end_wait(s) {
  atomic { withdraw(s) };
  atomic {
    ending = true;
    if
    :: !left -> comes_up(GRANT_MEETS_END)
    :: else -> left = false
    fi;
    forget_wait(s)
  }
}

inline end_some(s) {
  ending = true;
  do
  :: k < KEYS && holder[k] != s -> k++
  :: else -> break
  od;
  if
  :: k < KEYS -> release(k)
  :: else -> over = true
  fi;
  k = 0
}

// ---- the sessions, each on a thread of its own ----

inline choose_key() {
  k = 0;
  do
  :: k < KEYS - 1 -> k++
  :: break
  od
}

#ifndef AT_ONCE
#define may_act (!undecided && granted == NOBODY)

active [SESSIONS] proctype session() {
  byte k, next = NOBODY, place = NOTHING, granted = NOBODY, passed;
  bool undecided, left, ending, over;
#ifdef GETS
  byte gets;
#endif

  atomic {
#ifdef HELD
    holder[_pid] = _pid;
#endif
    ready++
  };
  ready == SESSIONS;
  do
  :: atomic {
      may_act && !ending && waits[_pid] == NOTHING ->
      choose_key();
      if
      :: holder[k] == _pid -> release(k); k = 0
#ifdef GETS
      :: holder[k] != _pid && gets < GETS -> gets++; try_get(_pid, k)
      :: holder[k] != _pid && gets == GETS -> k = 0
#else
      :: holder[k] != _pid -> try_get(_pid, k)
#endif
      fi
    }
  :: undecided -> wait_unless_in_circle(_pid, k)
  :: granted != NOBODY -> bring_wakeup()
  :: atomic { waits[_pid] != NOTHING && woken[_pid] -> accept_grant(_pid) }
  :: waits[_pid] != NOTHING -> leave_line(_pid)
  :: waits[_pid] != NOTHING -> end_wait(_pid)
  :: atomic { may_act && waits[_pid] == NOTHING -> end_some(_pid) }
  :: over -> break
  od
}
#else
// Each holds one key and asks for the next one's: of the requests that close the circle together one is refused, and
// the others wait for ever.
active [SESSIONS] proctype session() {
  byte k, next = NOBODY, place = NOTHING, passed;
  bool undecided;

  atomic {
    holder[_pid] = _pid;
    ready++
  };
  atomic {
    ready == SESSIONS ->
    k = (_pid + 1) % KEYS;
    try_get(_pid, k)
  };
  wait_unless_in_circle(_pid, k)
}

active proctype judge() {
  timeout -> promise(exactly_one_refused, refusals == 1 && !wait_mutex && !shard_mutex[0] && !shard_mutex[1])
}
#endif
