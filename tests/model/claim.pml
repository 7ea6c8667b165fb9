/* The claim word, slot reuse, taking back, splitting, death and replacement.
 *
 * One supervisor, two workers with two slots and two arena blocks each, three tasks of one element,
 * CHUNK elements and one element. The supervisor hands out, collects, takes back (steal: handed out
 * again at once; cancel: settled), lowers a limit to the middle, and treats the dead, in any order.
 * A worker may be killed at any of its steps; its replacement has fresh memory.
 *
 * The lap in the claim word is one bit here: the rule of reuse has to keep supervisor and worker
 * within one lap of each other.
 *
 * Promises: each element ends exactly once: accepted, cancelled, or failed; failed only when its
 * worker died after the claim and before the record was published; no element is claimed twice; no
 * slot or block is written while a live worker may read it; a record always names the slot and the
 * element that the ledger expects.
 *
 * Seeded bugs: BUG_reuse_on_claim, BUG_reuse_before_passed, BUG_read_before_claim,
 * BUG_death_before_collect, BUG_lap_not_compared, BUG_tail_before_claim_reset, BUG_resend_started.
 */

#ifndef CHUNK
#define CHUNK 2
#endif
#ifndef KILLS
#define KILLS 1
#endif
#ifndef TAKES
#define TAKES 2
#endif

#define ELEMENTS (CHUNK + 2)
#define NO 255

#define same_task(a, b) ((a) >= 1 && (b) <= CHUNK)
#define S(w, s) ((w) * 2 + (s)) /* slots and blocks: two per worker */

/* tasks memory, supervisor writes */
byte tail[2];
byte slot_first[4]; /* the task's first element here */
byte slot_block[4];
byte block_data[4];

/* results memory */
bool claim_lap[4];
byte claim_limit[4];
byte claim_next[4];
byte consumed[2];
chan results0 = [4] of { byte, byte }; /* slot number, element of the slot */
chan results1 = [4] of { byte, byte };

/* the kernel's view */
bool alive[2] = 1;
byte kills = KILLS;

/* ledger */
mtype = { slot_free, slot_out, slot_taken };
mtype state[4];
byte number[4]; /* slot number that the slot has now */
byte first[4];
byte count[4]; /* elements handed with it, less those taken back */
byte got[4];   /* records collected */
bool block_used[4];
bool waiting[ELEMENTS];
byte unsettled = ELEMENTS;
byte takes = TAKES;

/* what only the checks know */
bool claimed[ELEMENTS];
bool published[ELEMENTS];
bool ended[ELEMENTS];
byte reading_slot[2] = NO;
byte reading_block[2] = NO;

inline end_element(x) {
  assert(!ended[x]);
  ended[x] = 1;
  unsettled--
}

/* ------------------------------------------------------------------------------------- worker */

#define DIES atomic { kills > 0 && unsettled > 0 -> kills--; goto killed }

#ifdef BUG_lap_not_compared
#define lap_fits true
#else
#define lap_fits (claim_lap[s] == (pos / 2) % 2)
#endif

inline reads_nothing() {
  reading_slot[me] = NO;
  reading_block[me] = NO
}

proctype Worker(bool me) {
  byte pos, s, b, e, i, limit, next;

next_slot:
  s = S(me, pos % 2);
next_element:
  if
  :: DIES
  :: tail[me] > pos
  :: unsettled == 0 -> goto finished
  fi;
#ifdef BUG_read_before_claim
  atomic {
    reading_slot[me] = s;
    reading_block[me] = slot_block[s]
  }
#endif
  if /* read the claim word */
  :: DIES
  :: atomic {
       true ->
       limit = claim_limit[s];
       next = claim_next[s];
       if
       :: !lap_fits || next >= limit -> goto skip_slot
       :: else
       fi
     }
  fi;
  if /* CAS */
  :: DIES
  :: atomic {
       claim_limit[s] == limit && claim_next[s] == next && lap_fits ->
       i = next;
       claim_next[s] = next + 1;
       limit = 0;
       next = 0;
       e = first[s] + i;
       assert(!claimed[e]);
       claimed[e] = 1;
       reading_slot[me] = s
     }
  :: atomic {
       !(claim_limit[s] == limit && claim_next[s] == next && lap_fits) ->
       limit = 0;
       next = 0;
       reads_nothing();
       goto next_element
     }
  fi;
  if /* read the slot */
  :: DIES
  :: atomic {
       true ->
       assert(slot_first[s] + i == e);
       b = slot_block[s];
       reading_block[me] = b
     }
  fi;
  if /* read the arguments, run, publish */
  :: DIES
  :: atomic {
       true ->
       assert(block_data[b] == slot_first[s]);
       b = 0;
       reads_nothing();
       published[e] = 1;
       if
       :: me == 0 -> results0 ! pos, i
       :: else -> results1 ! pos, i
       fi;
       i = 0;
       e = 0;
       goto next_element
     }
  fi;

skip_slot:
  if
  :: DIES
  :: atomic {
       true ->
       limit = 0;
       next = 0;
       reads_nothing();
       pos++;
       consumed[me] = pos;
       goto next_slot
     }
  fi;

killed:
  atomic {
    reads_nothing();
    pos = 0;
    s = 0;
    b = 0;
    e = 0;
    i = 0;
    limit = 0;
    next = 0;
    alive[me] = 0
  };
  if /* the replacement */
  :: alive[me] -> goto next_slot
  :: unsettled == 0 && !alive[me]
  fi;
finished:
  skip
}

/* --------------------------------------------------------------------------------- supervisor */

inline free_slot(x) {
  state[x] = slot_free;
  first[x] = 0;
  count[x] = 0;
  got[x] = 0;
  number[x] = 0;
  slot_first[x] = 0;
  slot_block[x] = 0
}

inline free_block(x) {
  block_used[slot_block[x]] = 0;
  block_data[slot_block[x]] = 0
}

inline accept_record(w) {
  t = S(w, p % 2);
  assert(state[t] == slot_out && number[t] == p && got[t] == i && i < count[t]);
  end_element(first[t] + i);
  got[t]++;
  if
  :: got[t] == count[t] -> free_block(t); free_slot(t)
  :: else
  fi;
  t = S(w, (p + 1) % 2);
  if /* the worker has passed every slot before this one */
  :: state[t] == slot_taken && number[t] < p -> free_slot(t)
  :: else
  fi;
  p = 0;
  i = 0;
  t = 0
}

/* the first task that waits, and where it goes: slot t, elements e to e+n, block b */
inline choose(w) {
  t = S(w, tail[w] % 2);
  e = 0;
  do
  :: !waiting[e] -> e++
  :: else -> break
  od;
  n = 1;
  waiting[e] = 0;
  do
  :: e + n < ELEMENTS && waiting[e + n] && same_task(e, e + n) -> waiting[e + n] = 0; n++
  :: else -> break
  od;
  b = (block_used[S(w, 0)] -> S(w, 1) : S(w, 0));
  assert(!block_used[b])
}

#ifdef BUG_reuse_on_claim
#define settled(t) \
  (state[t] == slot_free || (state[t] == slot_out && claim_next[t] == claim_limit[t]))
#else
#define settled(t) (state[t] == slot_free)
#endif
#ifdef BUG_reuse_before_passed
#define passed(w, t) true
#else
#define passed(w, t) (consumed[w] > number[t])
#endif
#define reusable(w, t) (settled(t) || (state[t] == slot_taken && passed(w, t)))
#define block_free(w) (!block_used[S(w, 0)] || !block_used[S(w, 1)])
#define can_hand_out(w) (any_waiting && reusable(w, S(w, tail[w] % 2)) && block_free(w))

inline hand_out(w) {
  atomic {
    choose(w);
    assert(reading_slot[w] != t);
    assert(reading_block[w] != b);
    state[t] = slot_out;
    number[t] = tail[w];
    first[t] = e;
    count[t] = n;
    got[t] = 0;
    block_used[b] = 1;
    slot_first[t] = e;
    slot_block[t] = b;
    block_data[b] = e;
    e = 0;
    b = 0;
#ifdef BUG_tail_before_claim_reset
    tail[w] = tail[w] + 1
  };
  atomic {
    claim_lap[t] = (number[t] / 2) % 2;
#else
    claim_lap[t] = (number[t] / 2) % 2;
    tail[w] = tail[w] + 1; /* nobody looks at the claim of this lap before he sees the tail */
#endif
    claim_limit[t] = n;
    claim_next[t] = 0;
    t = 0;
    n = 0
  }
}

/* lowers the limit of slot x to m; elements from m on are cancelled, or wait again */
inline take_back(cancel) {
  takes--;
  claim_limit[x] = m;
  do
  :: count[x] > m ->
       count[x]--;
       e = first[x] + count[x];
       if
       :: cancel -> end_element(e)
       :: else -> waiting[e] = 1
       fi
  :: else -> break
  od;
  if
  :: count[x] == 0 -> free_block(x); state[x] = slot_taken
  :: count[x] > 0 && got[x] == count[x] -> free_block(x); free_slot(x)
  :: else
  fi;
  e = 0;
  m = 0
}

inline settle_dead_slot() {
  if
  :: state[x] == slot_out ->
       assert(claim_next[x] <= got[x] + 1 && claim_next[x] <= count[x]);
       do
       :: got[x] < count[x] ->
            e = first[x] + got[x];
#ifdef BUG_resend_started
            waiting[e] = 1;
#else
            if
            :: got[x] < claim_next[x] ->
                 assert(!published[e]); /* a published outcome stands */
                 end_element(e)
            :: else -> waiting[e] = 1
            fi;
#endif
            got[x]++
       :: else -> break
       od;
       e = 0
  :: else
  fi;
  free_slot(x);
  claim_lap[x] = 0;
  claim_limit[x] = 0;
  claim_next[x] = 0;
  block_data[x] = 0;
  block_used[x] = 0
}

inline collect_all(w, results) {
  do
  :: results ? p, i -> accept_record(w)
  :: empty(results) -> break
  od
}

inline treat_dead(w, results) {
#ifndef BUG_death_before_collect
  collect_all(w, results);
#endif
  x = S(w, 0);
  settle_dead_slot();
  x = S(w, 1);
  settle_dead_slot();
  x = 0;
#ifdef BUG_death_before_collect
  collect_all(w, results);
#endif
  tail[w] = 0;
  consumed[w] = 0;
  alive[w] = 1
}

#if CHUNK == 3
#define any_waiting (waiting[0] || waiting[1] || waiting[2] || waiting[3] || waiting[4])
#else
#define any_waiting (waiting[0] || waiting[1] || waiting[2] || waiting[3])
#endif

proctype Supervisor() {
  byte p, i, t, e, n, b, m, x;
  bool begun; /* the workers are alike: let worker 0 be the one that gets the first task */
  do
  :: unsettled == 0 -> break
  :: atomic { results0 ? p, i -> accept_record(0) }
  :: atomic { results1 ? p, i -> accept_record(1) }
  :: can_hand_out(0) -> begun = 1; hand_out(0)
  :: begun && can_hand_out(1) -> hand_out(1)
  :: atomic { !alive[0] -> treat_dead(0, results0) }
  :: atomic { !alive[1] -> treat_dead(1, results1) }
  :: atomic { /* take back from any slot all that is unclaimed, or half of it */
       takes > 0 ->
       select(x : 0 .. 3);
       if
       :: state[x] == slot_out && claim_next[x] < claim_limit[x] ->
            if
            :: m = claim_next[x]; take_back(false)
            :: m = claim_next[x]; take_back(true)
            :: claim_limit[x] - claim_next[x] > 1 ->
                 m = (claim_next[x] + claim_limit[x]) / 2;
                 take_back(false)
            fi
       :: else
       fi;
       x = 0
     }
  od
}

proctype Monitor() {
  timeout;
  assert(unsettled == 0);
  assert(empty(results0) && empty(results1))
}

init {
  byte x;
  atomic {
    for (x : 0 .. 3) { state[x] = slot_free }
    for (x : 0 .. (ELEMENTS - 1)) { waiting[x] = 1 }
    x = 0;
    run Supervisor();
    run Worker(0);
    run Worker(1);
    run Monitor()
  }
}
