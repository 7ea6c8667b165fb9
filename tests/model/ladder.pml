/* The stop ladder against natural ends, and death at every step of a worker.
 *
 * A worker has ELEMENTS elements of one call, in order: claim, run, publish, the next. It may be killed between
 * any two steps (once from outside), and by the ladder. The supervisor collects, gives up on the element that
 * would be settled next (a timeout, at any moment at which it has begun), asks, and kills. A dead worker's
 * outcomes are collected before its claim word is judged; what had not begun is sent to a replacement.
 *
 * Code: Supervisor::begin_stop, climb, end_ladder, timed_out (stop.cpp), accept, advanced (collect.cpp), reap,
 * settle_dead (end.cpp); Invoke::claim (worker/invoke.cpp); TaskHeader::stop (shm/element.hpp).
 */
#define ELEMENTS 3
#define NOBODY 255

/* Shared: the worker's words. */
byte claimed = 0;    /* elements begun, by this worker, counted over the call */
byte published = 0;  /* outcomes, likewise */
byte stop = NOBODY;  /* the element that is to stop */
bool alive = true;
bool kill_sent = false;

/* The supervisor's ledger. */
byte settled = 0;
byte ends[ELEMENTS];   /* how often each element has ended */
byte runs[ELEMENTS];   /* how often it has begun */
bool timed[ELEMENTS];  /* its end was the timeout */
byte ladder = NOBODY;  /* the element it is for */
bool overdue[ELEMENTS];
byte kills = 1;        /* left, from outside */
byte lives = 0;        /* workers so far */
bool stopped_unasked = false;

inline end_one(e, by_timeout) {
  ends[e]++;
  assert(ends[e] == 1);
  timed[e] = by_timeout
}

/* What has arrived. An element that is over while its ladder stands has run out of time. */
inline collect() {
  do
  :: settled < published ->
     end_one(settled, ladder == settled);
     settled++;
#ifndef BUG_ladder_stays
     if
     :: ladder != NOBODY && ladder < settled -> ladder = NOBODY; stop = NOBODY
     :: else
     fi
#endif
  :: else -> break
  od
}

active proctype Supervisor() {
  byte begun;
  do
  :: settled == ELEMENTS -> break
  :: atomic { alive && published > settled -> collect() }
  :: atomic {  /* the element runs out of time: only one that has begun */
       alive && ladder == NOBODY && settled < claimed && published == settled ->
       ladder = settled;
       overdue[settled] = true;
       stop = settled
     }
  :: atomic {  /* its grace is over */
       alive && ladder != NOBODY && !kill_sent ->
       assert(ladder == settled);  /* it is for the element in front */
       kill_sent = true
     }
  :: atomic {  /* it is dead */
       !alive ->
#ifndef BUG_judge_before_collect
       collect();
#endif
       begun = claimed;
       if
       :: settled < begun ->
          end_one(settled, ladder == settled);
          settled++
       :: else
       fi;
       assert(settled == begun);  /* at most one element was running */
       ladder = NOBODY;
       stop = NOBODY;
       kill_sent = false;
#ifdef BUG_unstarted_lost
       settled = ELEMENTS
#else
       published = settled;
#ifdef BUG_started_sent_again
       if :: begun > 0 -> claimed = begun - 1; published = claimed; settled = claimed :: else fi;
#else
       claimed = settled;
#endif
       lives++;
       alive = true
#endif
     }
  od
}

active proctype Worker() {
  byte mine = NOBODY;
  byte life = 0;
  do
  :: settled == ELEMENTS -> break
  :: atomic { life != lives -> life = lives; mine = NOBODY }  /* this is the replacement */
  :: atomic { alive && life == lives && (kills > 0 || kill_sent) ->
       if
       :: kill_sent
       :: !kill_sent && kills > 0 -> kills--
       fi;
       alive = false
     }
  :: atomic { alive && life == lives && mine == NOBODY && claimed < ELEMENTS ->
       mine = claimed;
       claimed++;
       runs[mine]++
     }
  :: atomic { alive && life == lives && mine != NOBODY ->  /* it ends, by itself or because it was asked */
#ifdef BUG_stop_names_no_element
       if :: stop != NOBODY && !overdue[mine] -> stopped_unasked = true :: else fi;
#else
       if :: stop == mine && !overdue[mine] -> stopped_unasked = true :: else fi;
#endif
       published++;
       mine = NOBODY
     }
  od
}

/* When nothing can move any more. */
active proctype Monitor() {
  byte e = 0;
  timeout ->
  assert(settled == ELEMENTS);
  do
  :: e < ELEMENTS ->
     assert(ends[e] == 1);
     assert(runs[e] == 1);
     assert(!timed[e] || overdue[e]);
     e++
  :: else -> break
  od;
  assert(!stopped_unasked)
}
