/* The driver protocol: who runs the supervisor's turns, and whom the worker rings.
 *
 *   caller A, B   wait for a future (each may, by choice, time out; both may wait for the same one;
 *                 with AGAIN, A waits a second time)
 *   background    the parked thread
 *   submitter     submits a task, runs a turn, never sleeps; with CANCEL it then takes back and
 *                 settles the last task that the worker has not got
 *   worker        one task at a time, so a collected result is what lets the next task be handed
 *                 out: somebody has to drive even when no caller waits any more
 *
 * Memory is sequentially consistent here: doorbell.pml is about store buffers. With YIELD a
 * turn gives the lock up on its way (a real one does that to copy, map or spawn).
 *
 * Promise: when nothing can move any more, every future is done and every caller has returned; and
 * no sleeper turns for ever (there is no cycle: every step is progress, checked with -DNP).
 *
 * Seeded bugs: BUG_leave_no_rescan, BUG_leave_no_target, BUG_settle_no_kick,
 * BUG_promoted_does_not_pass_on, BUG_pass_on_over_a_leader, BUG_settle_forgets_promotion,
 * BUG_submitter_clears_target, BUG_clear_any_target, BUG_background_does_not_arm.
 * Variant that also has to hold: TAKE_TARGET (a new leader takes over the background's target).
 */

#define CALLERS 2
#define TASKS 3
#define NOBODY 9

mtype = { nobody, to_leader, to_background };

/* pool page */
mtype target = to_background;

/* worker's memory */
byte handed = 0; /* task tail */
byte ran = 0;    /* result tail */
bool rung = 0;   /* "target's epoch is the one I last rang": a new epoch makes it false */

/* supervisor, under its lock */
bool locked = 0;
byte submitted = 0;
byte collected = 0;
byte order[TASKS];
bool done[TASKS];
byte leader = NOBODY;

bool following[CALLERS]; /* asleep on its word, or about to be */
bool promoted[CALLERS];
bool word[CALLERS];      /* what a follower sleeps on; remembers */
byte waits_for[CALLERS];
bool returned[CALLERS];

/* kernel: eventfds remember */
bool event_leader = 0;
bool event_background = 0;

inline lock() { atomic { !locked -> locked = 1 } }
inline unlock() { locked = 0 }
#define dispatchable (handed < submitted && handed == collected)
#define visible (ran > collected || dispatchable)

inline settle(f, me) {
  done[f] = 1;
  w = 0;
  do
  :: w < CALLERS ->
       if
#ifndef BUG_settle_no_kick
       :: waits_for[w] == f && leader == w && w != me -> event_leader = 1
#endif
       :: waits_for[w] == f && following[w] ->
            word[w] = 1;
            following[w] = 0
       :: else
       fi;
#ifdef BUG_settle_forgets_promotion
       if
       :: waits_for[w] == f -> promoted[w] = 0
       :: else
       fi;
#endif
       w++
  :: else -> break
  od;
  w = 0
}

inline turn(me) {
  atomic {
    do
    :: ran > collected ->
         settle(order[collected], me);
         collected++
    :: else -> break
    od;
#ifdef YIELD
    locked = 0
  }
  atomic {
    !locked -> locked = 1;
#endif
    if
    :: dispatchable -> handed++
    :: else
    fi
  }
}

inline submit(f) {
  order[submitted] = f;
  submitted++
}

inline arm(who) {
  atomic {
    rung = 0;
    target = who
  }
}

/* the lock is held, leader == NOBODY: somebody has to have the duty afterwards */
inline hand_over() {
  atomic {
    passed = 0;
    w = 0;
    do
    :: w < CALLERS && following[w] && !passed ->
         following[w] = 0;
         promoted[w] = 1;
         word[w] = 1;
         passed = 1
    :: w < CALLERS && !(following[w] && !passed) -> w++
    :: else -> w = 0; break
    od;
#ifndef BUG_leave_no_target
    arm(to_background)
#endif
  }
#ifndef BUG_leave_no_rescan
  atomic {
    if
    :: visible && !passed -> event_background = 1
    :: else
    fi;
    passed = 0
  }
#endif
}

inline clear_own_target(who) {
#ifdef BUG_clear_any_target
  target = nobody
#else
  atomic {
    if
    :: target == who -> target = nobody
    :: else
    fi
  }
#endif
}

proctype Caller(byte me; bool may_time_out; bool again) {
  byte w;
  bool passed, late;

next_wait:
  lock();
  do
  :: done[waits_for[me]] || late -> break
  :: !(done[waits_for[me]] || late) && leader == NOBODY ->
       atomic {
         leader = me;
         promoted[me] = 0;
#ifdef TAKE_TARGET
         target = nobody
#endif
       }
       do
       :: turn(me);
          if
          :: done[waits_for[me]] || late -> break
          :: else
          fi;
          arm(to_leader);
          if
          :: visible -> target = nobody
          :: else ->
               unlock();
               if
               :: atomic { event_leader -> event_leader = 0 }
               :: may_time_out -> late = 1
               fi;
               atomic {
                 lock();
                 clear_own_target(to_leader)
               }
          fi
       od;
       leader = NOBODY;
       hand_over()
  :: !(done[waits_for[me]] || late) && leader != NOBODY ->
       atomic {
         following[me] = 1;
         word[me] = 0;
#ifndef BUG_promoted_does_not_pass_on
         promoted[me] = 0 /* the leader that is there has the duty */
#endif
       }
       unlock();
       if
       :: word[me]
       :: may_time_out -> late = 1
       fi;
       lock();
       following[me] = 0
  od;
#ifndef BUG_promoted_does_not_pass_on
  if
#ifdef BUG_pass_on_over_a_leader
  :: promoted[me] -> promoted[me] = 0; hand_over()
#else
  :: promoted[me] && leader == NOBODY -> promoted[me] = 0; hand_over()
#endif
  :: else -> promoted[me] = 0
  fi;
#endif
  atomic {
    unlock();
    late = 0;
    if
    :: again -> again = 0; waits_for[me] = 2; goto next_wait
    :: else -> returned[me] = 1
    fi
  }
}

proctype Background() {
  byte w;
  do
  :: /* asleep, with the target already set: so it begins */
     atomic { event_background -> event_background = 0 };
     atomic {
       lock();
       clear_own_target(to_background)
     }
     do
     :: turn(NOBODY);
#ifndef BUG_background_does_not_arm
        if
        :: leader == NOBODY ->
             arm(to_background);
             if
             :: visible -> target = nobody
             :: else -> break
             fi
        :: else -> break
        fi
#else
        break
#endif
     od;
     unlock()
  od
}

proctype Submitter() {
  byte w;
  lock();
#ifdef BUG_submitter_clears_target
  target = nobody;
#endif
  submit(2);
  turn(NOBODY);
#ifdef CANCEL
  unlock();

  lock();
  if /* cancel the last one, if the worker has not got it; this is no turn */
  :: d_step {
       ran < submitted ->
       submitted--;
       if
       :: handed > submitted -> handed = submitted
       :: else
       fi;
       settle(order[submitted], NOBODY)
     }
  :: true
  fi;
#endif
  unlock()
}

proctype Worker() {
  mtype to;
  do
  :: handed > ran ->
       ran++;
       atomic {
         if
         :: target != nobody && !rung -> rung = 1; to = target
         :: else -> to = nobody
         fi
       }
       atomic {
         if
         :: to == to_leader -> event_leader = 1
         :: to == to_background -> event_background = 1
         :: else
         fi;
         to = nobody
       }
  od
}

proctype Monitor() {
  timeout;
  assert(done[0] && done[1] && done[2] && returned[0] && returned[1])
}

init {
  bool a, b, again;
  byte f;
  atomic {
    select(a : 0 .. 1);
    select(b : 0 .. 1);
#ifdef CANCEL
    select(f : 0 .. 2);
#else
    select(f : 0 .. 1);
#endif
#ifdef AGAIN
    again = 1;
#endif
    waits_for[0] = 0;
    waits_for[1] = f;
    submit(0);
    submit(1);
    handed = 1;
    run Caller(0, a, again);
    run Caller(1, b, 0);
    run Background();
    run Submitter();
    run Worker();
    run Monitor();
    f = 0;
    again = 0;
    a = 0;
    b = 0
  }
}
