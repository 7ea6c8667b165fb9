/* Starts under way while the template process dies.
 *
 * PLACES places want a worker each. A start is a request with a ticket; the template forks and answers, or dies
 * (DEATHS times) with requests and answers still in its socket. The supervisor reads what is there, then the
 * loss; buries what has no pid, makes another template, and asks again. A worker whose template died before
 * anybody heard of it loses its socket and ends by itself.
 *
 * Code: Supervisor::want, start_worker, on_event, lose_launcher, remake_launcher (supervisor/start.cpp).
 */
#define PLACES 2
#define DEATHS 2
#define TICKETS 7

chan requests = [PLACES] of { byte };
chan answers = [PLACES] of { byte };
bool template_lives = true;
bool lost_seen = false;
byte deaths = DEATHS;

byte place_of[TICKETS];   /* of a ticket; PLACES: nobody's any more */
bool running[TICKETS];    /* a worker that home holds a socket of */
byte worker[PLACES];      /* the ticket in this place; 0: none */
bool up[PLACES];          /* it is known to run */
bool wanted[PLACES];
byte last_ticket = 0;

active proctype Template() {
  byte ticket = 0;  /* forked, and not told yet */
  do
  :: atomic { template_lives && ticket == 0 && len(requests) > 0 ->
       requests ? ticket;
       running[ticket] = place_of[ticket] != PLACES  /* else its socket is closed: it ends at once */
     }
  :: atomic { template_lives && ticket != 0 && len(answers) < PLACES -> answers ! ticket; ticket = 0 }
  :: atomic { template_lives && deaths > 0 -> deaths--; template_lives = false; ticket = 0 }
  od
}

inline bury(p) {
  place_of[worker[p]] = PLACES;
#ifndef BUG_socket_kept
  running[worker[p]] = false;  /* its socket is closed */
#endif
  worker[p] = 0;
#ifndef BUG_wanted_stays
  wanted[p] = false
#endif
}

active proctype Supervisor() {
  byte p, ticket;
  do
  :: atomic {  /* a place is empty */
       !lost_seen && ((worker[0] == 0 && !wanted[0]) || (worker[1] == 0 && !wanted[1])) ->
       p = (worker[0] == 0 && !wanted[0] -> 0 : 1);
       wanted[p] = true;
       last_ticket++;
       ticket = last_ticket;
       assert(ticket < TICKETS);
       place_of[ticket] = p;
       worker[p] = ticket;
       if
       :: template_lives -> requests ! ticket
       :: !template_lives -> skip  /* EPIPE: its loss is soon read */
       fi
     }
  :: atomic {
       len(answers) > 0 ->
       answers ? ticket;
       p = place_of[ticket];
       if
       :: p != PLACES && worker[p] == ticket -> up[p] = true; wanted[p] = false
       :: else
       fi
     }
  :: atomic {  /* everything it said was read */
       !template_lives && !lost_seen && len(answers) == 0 ->
       lost_seen = true;
       p = 0;
       do
       :: p < PLACES && worker[p] != 0 && !up[p] -> bury(p); p++
       :: p < PLACES && (worker[p] == 0 || up[p]) -> p++
       :: p == PLACES -> break
       od
     }
  :: atomic {  /* another one */
       lost_seen ->
       do
       :: len(requests) > 0 -> requests ? ticket
       :: len(requests) == 0 -> break
       od;
       template_lives = true;
       lost_seen = false
     }
  od
}

active proctype Monitor() {
  byte t = 1, live = 0;
  timeout ->
  assert(up[0] && up[1]);
  assert(worker[0] != worker[1]);
  assert(running[worker[0]] && running[worker[1]]);
  do
  :: t < TICKETS -> live = live + (running[t] -> 1 : 0); t++
  :: t == TICKETS -> break
  od;
  assert(live == PLACES)
}
