/* The driver protocol: who runs the supervisor's turns, and whom the worker rings.
 *
 *   caller A, B   wait for a future (each may, by choice, time out; both may wait for the same one;
 *                 with AGAIN, A waits a second time)
 *   background    the parked thread; while results keep coming and nobody leads it naps without an
 *                 announcement, for any time, and so it does after a submitter has collected in
 *                 passing; with CHORE it lets the lock go in between
 *   submitter     submits a task, supplies the worker in passing (or, while work waits, leaves that
 *                 to the next turn), never sleeps; with CANCEL it then takes back and settles the
 *                 last task that the worker has not got
 *   worker        one task at a time, so a collected result is what lets the next task be handed
 *                 out: somebody has to drive even when no caller waits any more
 *
 * Memory is sequentially consistent here: doorbell.pml is about store buffers.
 *
 * Promise: when nothing can move any more, every future is done and every caller has returned; and
 * no sleeper turns for ever (there is no cycle: every step is progress, checked with -DNP).
 *
 * Seeded bugs: BUG_leave_no_rescan, BUG_leave_no_target, BUG_settle_no_kick,
 * BUG_promoted_does_not_pass_on, BUG_announce_over_a_leader, BUG_submitter_clears_target,
 * BUG_clear_any_target, BUG_background_does_not_announce,
 * BUG_nap_without_end.
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
bool leader_asleep = 0;
bool saturated = 0;      /* work waits that no worker takes */
bool passing = 0;        /* a submitter has collected in passing */

bool following[CALLERS]; /* in the followers' list */
bool word[CALLERS];      /* what a follower sleeps on; remembers */
byte waits_for[CALLERS];
bool returned[CALLERS];

/* kernel: eventfds remember */
bool event_leader = 0;
bool event_background = 0;

inline lock() { atomic { !locked -> locked = 1 } }
inline unlock() { locked = 0 }
#define dispatchable (handed < submitted && handed == collected)
#define visible (ran > collected)

/* its waiters are woken; a leader that is awake looks for itself before it sleeps */
inline settle(f) {
  done[f] = 1;
  w = 0;
  do
  :: w < CALLERS ->
       if
#ifndef BUG_settle_no_kick
       :: waits_for[w] == f && leader == w && leader_asleep -> event_leader = 1
#endif
       :: waits_for[w] == f && leader != w -> word[w] = 1
       :: else
       fi;
       w++
  :: else -> break
  od;
  w = 0
}

inline collect(some) {
  do
  :: ran > collected ->
       settle(order[collected]);
       collected++;
       some = 1
  :: else -> break
  od
}

inline dispatch() {
  if
  :: dispatchable -> handed++
  :: else
  fi;
  saturated = handed < submitted
}

inline turn() {
  atomic {
    some = 0;
    collect(some);
    dispatch()
  }
}

inline submit(f) {
  order[submitted] = f;
  submitted++
}

inline announce(who) {
  atomic {
    rung = 0;
    target = who
  }
}

inline awake(who) {
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

/* the lock is held and nobody leads: to the oldest follower, or to the background */
inline pass_on() {
  atomic {
    w = 0;
    do
    :: w < CALLERS && following[w] -> following[w] = 0; word[w] = 1; break
    :: w < CALLERS && !following[w] -> w++
    :: w == CALLERS ->
#ifndef BUG_leave_no_rescan
         if
         :: visible -> event_background = 1
         :: else
         fi;
#endif
         break
    od;
    w = 0
  }
}

#define satisfied done[waits_for[me]]

proctype Caller(byte me; bool may_time_out; bool again) {
  byte w;
  bool late, some, led;

next_wait:
  lock();
  do
  :: satisfied || late -> break
  :: !(satisfied || late) && leader == NOBODY ->
       leader = me;
       led = 1;
       awake(to_background);
       do
       :: turn();
          if
          :: satisfied || late -> break
          :: else
          fi;
          if /* looks around before it sleeps: others may take the lock */
          :: unlock(); lock();
             if
             :: visible || satisfied -> goto led_on
             :: else
             fi
          :: true
          fi;
          announce(to_leader);
          if
          :: visible
          :: else ->
               atomic { leader_asleep = 1; unlock() };
               if
               :: atomic { event_leader -> event_leader = 0 }
               :: may_time_out -> late = 1
               fi;
               atomic { lock(); leader_asleep = 0 }
          fi;
          awake(to_leader);
led_on:   skip
       od;
       leader = NOBODY;
       some = 0;
#ifndef BUG_leave_no_target
       announce(to_background)
#endif
  :: !(satisfied || late) && leader != NOBODY ->
       atomic {
         following[me] = 1;
         led = 0;
         word[me] = 0;
         unlock()
       };
       if
       :: word[me]
       :: may_time_out -> late = 1
       fi;
       atomic { lock(); following[me] = 0 }
  od;
#ifdef BUG_announce_over_a_leader
  announce(to_background);
#endif
  if
#ifdef BUG_promoted_does_not_pass_on
  :: leader == NOBODY && led -> pass_on()
#else
  :: leader == NOBODY -> pass_on()
#endif
  :: else
  fi;
  atomic {
    unlock();
    late = 0;
    led = 0;
    if
    :: again -> again = 0; waits_for[me] = 2; goto next_wait
    :: else -> returned[me] = 1
    fi
  }
}

/* outside: a call of sleep(), which only its event ends */
#define sleep_background() \
  unlock(); \
  atomic { event_background -> event_background = 0 }; \
  lock()

proctype Background() {
  byte w;
  bool some;
  /* asleep and announced: so it begins */
  atomic { event_background -> event_background = 0 };
  atomic { lock(); awake(to_background) };
  do
  :: leader == NOBODY && passing -> /* a submitter keeps the results flowing */
     atomic { passing = 0; unlock() };
     atomic {
       if
       :: event_background -> event_background = 0
       :: true
       fi
     };
     atomic { lock(); awake(to_background) }
  :: !(leader == NOBODY && passing) ->
     passing = 0;
     turn();
#ifdef CHORE
     if
     :: unlock(); lock(); turn()
     :: true
     fi;
#endif
     if
     :: leader != NOBODY -> sleep_background()
     :: leader == NOBODY && some && collected < submitted ->
          unlock();
#ifdef BUG_nap_without_end
          atomic { event_background -> event_background = 0 };
#else
          atomic {
            if
            :: event_background -> event_background = 0
            :: true
            fi
          };
#endif
          lock()
     :: leader == NOBODY && !(some && collected < submitted) ->
#ifndef BUG_background_does_not_announce
          announce(to_background);
#endif
          if
          :: visible
          :: else -> sleep_background()
          fi
     fi;
     awake(to_background)
  od
}

/* supplies the worker from the submitter's own thread; while work waits, only now and then */
inline supply() {
  atomic {
    if
    :: saturated
    :: saturated -> collect(some); passing = 1; dispatch()
    :: !saturated -> dispatch()
    fi;
    some = 0
  }
}

proctype Submitter() {
  byte w;
  bool some;
  lock();
#ifdef BUG_submitter_clears_target
  target = nobody;
#endif
  submit(2);
  supply();
#ifdef CANCEL
  unlock();

  lock();
  if /* cancel the last one, if the worker has not got it */
  :: d_step {
       ran < submitted ->
       submitted--;
       if
       :: handed > submitted -> handed = submitted
       :: else
       fi;
       settle(order[submitted]);
       saturated = handed < submitted
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
