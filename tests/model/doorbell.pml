/* Doorbells in both directions between one worker and the threads of the supervisor.
 *
 * Every process owns a store buffer of one entry (TSO): a plain store becomes visible to others at
 * any later time, but before the next store of the same process; a seq_cst store, a CAS, a lock or
 * a system call waits until the buffer is empty. Loads see the own buffer first, then memory.
 *
 *   D  the sleeper (leader or background; here they do not differ): turn, arm, rescan, sleep
 *   U  a submitter: submits, takes its task back (perhaps), submits again, runs turns, never sleeps
 *   W  the worker: one task slot, a result ring of one record, two records for each task, so that
 *      it also has to wait for room in the result ring
 *
 * Promise: when nothing can move any more, every task has been settled (no lost wake-up).
 *
 * Seeded bugs: BUG_worker_no_fence, BUG_sleeper_no_fence, BUG_supervisor_no_fence,
 * BUG_worker_sleep_no_fence, BUG_sleeper_no_rescan, BUG_worker_no_recheck,
 * BUG_submitter_clears_target, BUG_resleep_same_epoch, BUG_first_epoch_zero,
 * BUG_silent_skip, BUG_no_look_at_passed (both need CANCEL: a task is taken back from its slot).
 */

#ifdef CANCEL
#define PIECES 1 /* records that one task publishes */
#define FIRST 0  /* tasks that wait before anybody runs */
#else
#define PIECES 2
#define FIRST 0
#endif
#define RING 1   /* records that the result ring holds */

#define D_ 0
#define U_ 1
#define W_ 2

/* shared words */
#define NONE 0
#define TARGET 1    /* epoch * 2 + armed; pool page, supervisor writes */
#define TASK_TAIL 2 /* supervisor */
#define CLAIM 3     /* lap * 2 + unclaimed; CAS by both */
#define WAKE 4      /* futex word, supervisor */
#define RES_HEAD 5  /* supervisor */
#define RES_TAIL 6  /* worker */
#define ASLEEP 7    /* worker; odd = sleeping */
#define CONSUMED 8  /* worker */

byte mem[9];
byte buf_var[3];
byte buf_val[3];

#define load(p, v) (buf_var[p] == (v) -> buf_val[p] : mem[v])
#define drained(p) (buf_var[p] == NONE)

inline store(p, v, x) {
  atomic { drained(p); buf_val[p] = x; buf_var[p] = v }
}
inline store_seq_cst(p, v, x) {
  atomic { drained(p); mem[v] = x }
}

proctype Flush(byte p) {
  do
  :: d_step {
       buf_var[p] != NONE ->
       mem[buf_var[p]] = buf_val[p];
       buf_var[p] = NONE;
       buf_val[p] = 0
     }
  od
}

/* kernel objects */
#ifdef CANCEL
bool event = 1;         /* the sleeper's eventfd: remembers; a timer or a kick wakes it once */
#else
bool event = 0;
#endif
bool futex_waiter = 0;  /* the worker lies in futex_wait */

/* supervisor, under its lock */
bool locked = 0;
byte pending = FIRST;
byte settled = 0;
byte submitted = FIRST;
bool u_done = 0;
byte task_tail = 0;
byte res_head = 0;
byte pieces = 0;
byte rung_asleep = 0;
#ifdef BUG_first_epoch_zero
byte epoch = 0; /* and a new worker's "last rung" is 0, too */
#else
byte epoch = 1;
#endif

mtype = { slot_free, slot_out, slot_taken };
mtype slot = slot_free;

/* work waited for a slot, and the worker had passed `hint` then */
bool no_room = 0;
byte hint = 0;
#ifdef BUG_no_look_at_passed
#define passes_visible(p) false
#else
#define passes_visible(p) (pending > 0 && no_room && load(p, CONSUMED) != hint)
#endif
#define visible(p) (load(p, RES_TAIL) > res_head || passes_visible(p))

inline lock(p) { atomic { drained(p) && !locked -> locked = 1 } }
inline unlock(p) { atomic { drained(p); locked = 0 } }

/* supervisor -> worker; called after tail or head was stored */
inline ring_worker(p) {
  atomic {
    a = load(p, ASLEEP);
    if
    :: a % 2 == 1 && a != rung_asleep -> rung_asleep = a
    :: else -> a = 0
    fi
  }
  if
  :: a != 0 ->
       atomic { drained(p); mem[WAKE] = mem[WAKE] + 1; a = 0 }
       futex_waiter = 0 /* futex_wake */
  :: a == 0
  fi
}

inline publish(p, v, x) {
#ifdef BUG_supervisor_no_fence
  store(p, v, x);
#else
  store_seq_cst(p, v, x);
#endif
  ring_worker(p)
}

inline turn(p) {
  do
  :: atomic {
       load(p, RES_TAIL) > res_head ->
       res_head++;
       pieces++;
       if
       :: pieces == PIECES -> pieces = 0; settled++; slot = slot_free
       :: else
       fi
     }
     publish(p, RES_HEAD, res_head)
  :: atomic {
       !(load(p, RES_TAIL) > res_head) ->
       if
       :: pending > 0 && slot != slot_out ->
            hint = load(p, CONSUMED);
            no_room = (slot == slot_taken && hint != task_tail)
       :: else
       fi;
       if
       :: pending > 0 && slot != slot_out && !no_room -> pending--; slot = slot_out; b = 1
       :: else -> b = 0
       fi
     }
     if
     :: b ->
          store(p, CLAIM, task_tail * 2 + 1);
          task_tail++;
          publish(p, TASK_TAIL, task_tail);
          b = 0
     :: else
     fi;
     break
  od
}

proctype D() {
  byte a;
  bool b;
  do
  :: /* asleep, with the target already set: so it begins */
     atomic { event -> event = 0 };
     lock(D_);
again:
     if
     :: load(D_, TARGET) % 2 == 1 -> store(D_, TARGET, epoch * 2)
     :: else
     fi;
     turn(D_);
     epoch++;
     assert(epoch < 60); /* else it turns for ever */
#ifdef BUG_sleeper_no_fence
     store(D_, TARGET, epoch * 2 + 1);
#else
     store_seq_cst(D_, TARGET, epoch * 2 + 1);
#endif
#ifndef BUG_sleeper_no_rescan
     if
     :: visible(D_) -> goto again
     :: else
     fi;
#endif
     unlock(D_)
  od
}

proctype U() {
  byte a;
  bool b;

  lock(U_);
  pending++;
  submitted++;
#ifdef BUG_submitter_clears_target
  store(U_, TARGET, epoch * 2);
#endif
  turn(U_);
#ifdef CANCEL
  unlock(U_);

  lock(U_);
  if /* what lies in the slot, unless it is claimed */
  :: atomic {
       drained(U_) && slot == slot_out && mem[CLAIM] == (task_tail - 1) * 2 + 1 ->
       mem[CLAIM] = (task_tail - 1) * 2;
       slot = slot_taken;
       settled++
     }
  :: else
  fi;
  pending++;
  submitted++;
  turn(U_);
#endif
  u_done = 1;
  unlock(U_)
}

inline ring_supervisor() {
  atomic {
    t = load(W_, TARGET);
    if
    :: t % 2 == 1 && t / 2 != rung -> rung = t / 2
    :: else -> t = 0
    fi
  }
  if
  :: t != 0 -> atomic { drained(W_); event = 1; t = 0 } /* write(eventfd) */
  :: t == 0
  fi
}

inline announce() {
  asleep++;
#ifdef BUG_worker_sleep_no_fence
  store(W_, ASLEEP, asleep)
#else
  store_seq_cst(W_, ASLEEP, asleep)
#endif
}

/* what the worker waits for: a task, or room for its next record */
#define has_room (res_tail - load(W_, RES_HEAD) < RING)
#define has_task (load(W_, TASK_TAIL) > pos)
#define ready ((running && has_room) || (!running && has_task))

proctype W() {
  byte pos, res_tail, asleep, rung, seen, t, n;
  bool running;
  bool silent; /* it passed slots of which no record told */

wait:
  if
  :: silent && !running && !has_task -> /* before it sleeps */
       silent = 0;
#ifdef BUG_silent_skip
       store(W_, CONSUMED, pos)
#else
       store_seq_cst(W_, CONSUMED, pos);
       ring_supervisor()
#endif
  :: else
  fi;
  do
  :: ready -> break
  :: else ->
       seen = load(W_, WAKE);
#ifdef BUG_resleep_same_epoch
       if
       :: asleep % 2 == 0 -> announce()
       :: else
       fi;
#else
       announce();
#endif
       if
#ifndef BUG_worker_no_recheck
       :: ready
       :: else ->
#else
       :: true ->
#endif
            atomic { /* futex_wait */
              drained(W_);
              if
              :: mem[WAKE] == seen -> futex_waiter = 1
              :: else
              fi
            }
            !futex_waiter
       fi;
       seen = 0;
#ifdef BUG_resleep_same_epoch
       if
       :: ready -> asleep++; store(W_, ASLEEP, asleep)
       :: else
       fi
#else
       asleep++;
       assert(asleep < 100);
       store(W_, ASLEEP, asleep)
#endif
  od;
  if
  :: running -> goto write_record
  :: else
  fi;

  if
  :: atomic {
       drained(W_) && mem[CLAIM] == pos * 2 + 1 ->
       mem[CLAIM] = pos * 2;
       running = 1
     };
     goto wait
  :: atomic { drained(W_) && mem[CLAIM] != pos * 2 + 1 -> pos++; silent = 1; goto wait }
  fi;

write_record:
  res_tail++;
#ifdef BUG_worker_no_fence
  store(W_, RES_TAIL, res_tail);
#else
  store_seq_cst(W_, RES_TAIL, res_tail);
#endif
  ring_supervisor();
  n++;
  if
  :: n == PIECES -> atomic { n = 0; running = 0; pos++; silent = 0 }
  :: else
  fi;
  goto wait
}

proctype Monitor() {
  timeout;
  assert(u_done && settled == submitted)
}

init {
  atomic {
    mem[TARGET] = epoch * 2 + 1;
    run D();
    run U();
    run W();
    run Flush(D_);
    run Flush(U_);
    run Flush(W_);
    run Monitor()
  }
}
