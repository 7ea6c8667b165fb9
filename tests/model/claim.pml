/* The claim word, slot reuse, taking back, splitting, death and replacement.
 *
 * One supervisor, two workers with two slots and two arena blocks each, three tasks of one element,
 * CHUNK elements and one element. The supervisor hands out, collects, takes back (move: handed out
 * again at once; cancel: settled), takes back half, and treats the dead, in any order. A worker may
 * be killed at any of its steps; its replacement has fresh memory.
 *
 * Publishing a slot does not touch its claim word. A word of another lap counts as untouched for
 * the first look at a slot's call, and as "nothing left" once the worker has taken from that call.
 * Lap 0 is fresh memory. The laps wrap after LAPS: 2 is as tight as the rule of reuse allows, for
 * each call leaves its lap in the word. A message leaves nothing there: with MESSAGES of them in a
 * row in one slot it has to be LAPS = 2 + MESSAGES.
 *
 * Promises: each element ends exactly once: accepted, cancelled, or failed; failed only when its
 * worker died after the claim and before the record was published; no element is claimed twice; no
 * slot or block is written while a live worker may read it; a record always names the slot and the
 * element that the ledger expects; a dead worker's words are always legal.
 *
 * Seeded bugs: BUG_reuse_on_claim, BUG_reuse_before_passed, BUG_read_before_claim,
 * BUG_death_before_collect, BUG_lap_not_compared, BUG_take_ignores_taken, BUG_resend_started,
 * BUG_take_back_keeps_lap; and MESSAGES=1 with LAPS=2.
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
#ifndef MESSAGES
#define MESSAGES 0
#endif
#ifndef LAPS
#define LAPS (2 + MESSAGES)
#endif

#define ELEMENTS (CHUNK + 2)
#define NO 255

#define same_task(a, b) ((a) >= 1 && (b) <= CHUNK)
#define S(w, q) ((w) * 2 + (q) % 2) /* slots and blocks: two per worker */
#define lap_of(q) ((q) / 2 % LAPS + 1)

/* tasks memory, supervisor writes */
byte tail[2];
byte slot_first[4]; /* the task's first element here */
byte slot_count[4]; /* 0: a message */
byte slot_block[4];
byte block_data[4];
/* the sequence number that was last written into slot x */
#define seq_of(x) (tail[(x) / 2] - 1 - (tail[(x) / 2] - 1 + (x)) % 2)

/* results memory */
byte claim[4];
#define PACK(lap, limit, next) ((lap) * 16 + (limit) * 4 + (next))
#define LAP(c) ((c) / 16)
#define LIMIT(c) ((c) / 4 % 4)
#define NEXT(c) ((c) % 4)
byte consumed[2];
chan results0 = [4] of { byte, byte }; /* slot number, element of the slot */
chan results1 = [4] of { byte, byte };

/* the kernel's view */
bool alive[2] = 1;
byte kills = KILLS;

/* ledger; first and count of a slot are as in its memory */
bool open[4];    /* its outcome is awaited */
byte limit[4];   /* elements left to the worker */
byte settled[4]; /* of them, in order */
byte base[2];    /* oldest slot that cannot be used again yet */
byte passed[2];  /* the worker is known to have passed every slot before this one */
bool block_used[4];
bool waiting[ELEMENTS];
byte unsettled = ELEMENTS;
byte takes = TAKES;
byte messages = MESSAGES;

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
#define my_lap(c) (LAP(c) != 0)
#else
#define my_lap(c) (LAP(c) == lap_of(pos))
#endif
#ifdef BUG_take_ignores_taken
#define settled_by_home false
#else
#define settled_by_home taken
#endif

inline reads_nothing() {
  reading_slot[me] = NO;
  reading_block[me] = NO
}

proctype Worker(bool me) {
  byte pos, s, first, count; /* of the call's header: copies */
  byte b = NO;
  byte e, was, left, next;
  bool taken;
  bool heard;  /* the record of the slot's last element tells that it was reached */
  bool silent; /* it passed slots of which no record tells */

next_slot:
  if
  :: DIES
  :: atomic { /* the header */
       tail[me] > pos ->
       s = S(me, pos);
       assert(seq_of(s) == pos);
       first = slot_first[s];
       count = slot_count[s];
       if
       :: count == 0 -> goto pass_slot
       :: else
       fi;
#ifdef BUG_read_before_claim
       b = slot_block[s];
       reading_slot[me] = s;
       reading_block[me] = b
#endif
     }
  :: atomic { /* before it sleeps */
       tail[me] == pos && silent ->
       silent = 0;
       consumed[me] = pos;
       goto next_slot
     }
  :: unsettled == 0 -> goto finished
  fi;

next_element:
  if /* read the claim word */
  :: DIES
  :: atomic {
       true ->
       was = claim[s];
       if
       :: my_lap(was) -> left = LIMIT(was); next = NEXT(was)
       :: !my_lap(was) && settled_by_home -> goto pass_slot
       :: !my_lap(was) && !settled_by_home -> left = count; next = 0
       fi;
       if
       :: next >= left -> goto pass_slot
       :: else
       fi
     }
  fi;
  if /* CAS */
  :: DIES
  :: atomic {
       claim[s] == was ->
       claim[s] = PACK(lap_of(pos), left, next + 1);
       was = 0;
       left = 0;
       taken = 1;
       heard = (next + 1 == count);
       e = first + next;
       assert(!claimed[e]);
       claimed[e] = 1;
       if
       :: b == NO -> reading_slot[me] = s
       :: else -> reading_block[me] = b; goto run_it
       fi
     }
  :: atomic {
       claim[s] != was ->
       was = 0;
       left = 0;
       next = 0;
       goto next_element
     }
  fi;
  if /* read where the arguments are */
  :: DIES
  :: atomic {
       true ->
       assert(seq_of(s) == pos);
       b = slot_block[s];
       reading_block[me] = b
     }
  fi;
run_it:
  if /* read the arguments, run, publish */
  :: DIES
  :: atomic {
       true ->
       assert(block_data[b] == first);
       reads_nothing();
       published[e] = 1;
       if
       :: me == 0 -> results0 ! pos, next
       :: else -> results1 ! pos, next
       fi;
       next = 0;
       e = 0;
       goto next_element
     }
  fi;

pass_slot:
  atomic {
    reads_nothing();
    pos++;
    silent = !heard;
    heard = 0;
    taken = 0;
    s = 0;
    first = 0;
    count = 0;
    b = NO;
    was = 0;
    left = 0;
    next = 0;
    goto next_slot
  };

killed:
  atomic {
    reads_nothing();
    pos = 0;
    silent = 0;
    heard = 0;
    taken = 0;
    s = 0;
    first = 0;
    count = 0;
    b = NO;
    e = 0;
    was = 0;
    left = 0;
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

#define oldest(w) S(w, base[w])
#define exhausted(x, q) (LAP(claim[x]) == lap_of(q) && LIMIT(claim[x]) == NEXT(claim[x]))
#ifdef BUG_reuse_on_claim
#define over(w) \
  (base[w] < passed[w] && !open[oldest(w)] || \
   open[oldest(w)] && exhausted(oldest(w), base[w]))
#else
#ifdef BUG_reuse_before_passed
#define over(w) (!open[oldest(w)])
#else
#define over(w) (base[w] < passed[w] && !open[oldest(w)])
#endif
#endif
#define reusable(w) (base[w] < tail[w] && over(w))

inline has_passed(w, q) {
  if
  :: q > passed[w] -> passed[w] = q
  :: else
  fi;
  do
  :: reusable(w) -> base[w]++
  :: else -> break
  od
}

inline close(x) {
  block_used[slot_block[x]] = 0;
  block_data[slot_block[x]] = 0;
  open[x] = 0;
  limit[x] = 0;
  settled[x] = 0
}

inline accept_record(w) {
  t = S(w, p);
  assert(open[t] && seq_of(t) == p && settled[t] == i && i < limit[t]);
  end_element(slot_first[t] + i);
  settled[t]++;
  if
  :: settled[t] == limit[t] -> close(t); p++
  :: else
  fi;
  has_passed(w, p);
  p = 0;
  i = 0;
  t = 0
}

/* the first task that waits, and where it goes: elements e to e+n, block b */
inline choose(w) {
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

#define has_room(w) (tail[w] - base[w] < 2)
#define block_free(w) (!block_used[S(w, 0)] || !block_used[S(w, 1)])
#define can_hand_out(w) (any_waiting && has_room(w) && block_free(w))

inline hand_out(w) {
  t = S(w, tail[w]);
  choose(w);
  assert(reading_slot[w] != t);
  assert(reading_block[w] != b);
  open[t] = 1;
  limit[t] = n;
  settled[t] = 0;
  block_used[b] = 1;
  slot_first[t] = e;
  slot_count[t] = n;
  slot_block[t] = b;
  block_data[b] = e;
  tail[w] = tail[w] + 1;
  e = 0;
  b = 0;
  t = 0;
  n = 0
}

inline send_message(w) {
  t = S(w, tail[w]);
  assert(reading_slot[w] != t);
  slot_first[t] = 0;
  slot_count[t] = 0;
  slot_block[t] = 0;
  tail[w] = tail[w] + 1;
  messages--;
  t = 0
}

/* n: how far the worker got in slot x; the word has to be one that an honest worker leaves */
inline progress() {
  if
  :: LAP(claim[x]) == lap_of(seq_of(x)) ->
       assert(LIMIT(claim[x]) == limit[x] && NEXT(claim[x]) <= limit[x]);
       n = NEXT(claim[x])
  :: else ->
       assert(limit[x] == slot_count[x] && NEXT(claim[x]) == LIMIT(claim[x]));
       n = 0
  fi
}

/* takes back from slot x all from element m on that the worker has not taken */
inline take_back(cancel) {
  progress();
  m = (n > m -> n : m);
  if
  :: m < limit[x] ->
       takes--;
#ifdef BUG_take_back_keeps_lap
       claim[x] = PACK(LAP(claim[x]), m, n);
#else
       claim[x] = PACK(lap_of(seq_of(x)), m, n);
#endif
       do
       :: limit[x] > m ->
            limit[x]--;
            e = slot_first[x] + limit[x];
            if
            :: cancel -> end_element(e)
            :: else -> waiting[e] = 1
            fi
       :: else -> break
       od;
       if
       :: settled[x] == m -> close(x)
       :: else
       fi
  :: else
  fi;
  n = 0;
  e = 0;
  m = 0
}

/* the elements that were begun have failed, the others wait again; one runs at most */
inline settle_dead_slot() {
  if
  :: open[x] ->
       progress();
       assert(settled[x] <= n && n <= settled[x] + 1 && (!end_seen || n == 0));
       end_seen = 1;
       do
       :: settled[x] < limit[x] ->
            e = slot_first[x] + settled[x];
#ifdef BUG_resend_started
            waiting[e] = 1;
#else
            if
            :: settled[x] < n ->
                 assert(!published[e]); /* a published outcome stands */
                 end_element(e)
            :: else -> waiting[e] = 1
            fi;
#endif
            settled[x]++
       :: else -> break
       od;
       n = 0;
       e = 0
  :: else
  fi
}

inline forget_slot() {
  open[x] = 0;
  limit[x] = 0;
  settled[x] = 0;
  slot_first[x] = 0;
  slot_count[x] = 0;
  slot_block[x] = 0;
  claim[x] = 0;
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
  x = S(w, tail[w]); /* the older one */
  settle_dead_slot();
  x = S(w, tail[w] + 1);
  settle_dead_slot();
  end_seen = 0;
#ifdef BUG_death_before_collect
  collect_all(w, results);
#endif
  x = S(w, 0);
  forget_slot();
  x = S(w, 1);
  forget_slot();
  x = 0;
  tail[w] = 0;
  base[w] = 0;
  passed[w] = 0;
  consumed[w] = 0;
  alive[w] = 1
}

#if CHUNK == 3
#define any_waiting (waiting[0] || waiting[1] || waiting[2] || waiting[3] || waiting[4])
#else
#define any_waiting (waiting[0] || waiting[1] || waiting[2] || waiting[3])
#endif

/* told, or closed without an outcome that would have told */
#define news_of(w) (consumed[w] > passed[w] || reusable(w))

proctype Supervisor() {
  byte p, i, t, e, n, b, m, x;
  bool end_seen;
  bool begun; /* the workers are alike: let worker 0 be the one that gets the first task */
  do
  :: unsettled == 0 -> break
  :: atomic { results0 ? p, i -> accept_record(0) }
  :: atomic { results1 ? p, i -> accept_record(1) }
  :: atomic { news_of(0) -> has_passed(0, consumed[0]) }
  :: atomic { news_of(1) -> has_passed(1, consumed[1]) }
  :: atomic { can_hand_out(0) -> begun = 1; hand_out(0) }
  :: atomic { begun && can_hand_out(1) -> hand_out(1) }
#if MESSAGES > 0
  :: atomic { messages > 0 && has_room(0) -> begun = 1; send_message(0) }
#endif
  :: atomic { !alive[0] -> treat_dead(0, results0) }
  :: atomic { !alive[1] -> treat_dead(1, results1) }
  :: atomic { /* take back from any slot all that is not taken, or half of it */
       takes > 0 ->
       select(x : 0 .. 3);
       if
       :: open[x] -> m = settled[x]; take_back(false)
       :: open[x] -> m = settled[x]; take_back(true)
       :: open[x] && limit[x] - settled[x] > 1 ->
            m = settled[x] + (limit[x] - settled[x] + 1) / 2;
            take_back(false)
       :: !open[x]
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
    for (x : 0 .. (ELEMENTS - 1)) { waiting[x] = 1 }
    x = 0;
    run Supervisor();
    run Worker(0);
    run Worker(1);
    run Monitor()
  }
}
