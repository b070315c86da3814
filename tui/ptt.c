#include "tui/ptt.h"

#include <assert.h>

/* DOWN: held, its release is known. FIRST: pressed, a tap or a hold, nobody knows yet. AGAIN: pressed soon
 * after a hold ended; the end may have been a stall of the line, so this never becomes a latch. HELD: repeats
 * flow. LATCHED: open until the next tap. AFTER: a hold just ended. SHUT: closed while the key may still
 * repeat; until it is quiet it opens nothing. STUCK: the same where releases are known. */
enum state { OFF, DOWN, FIRST, AGAIN, HELD, LATCHED, AFTER, SHUT, STUCK, STATE__COUNT };

/* PRESS, REPEAT, RELEASE: of a key whose release is known. TAP: a press that may be a repeat. TIMER: the
 * state's time is over. ON: from outside. CLOSE: by outside, by the maximum, or muted. */
enum event { PRESS, REPEAT, RELEASE, TAP, TIMER, ON, CLOSE, EVENT__COUNT };

static const unsigned char next_state[STATE__COUNT][EVENT__COUNT] = {
    /* PRESS, REPEAT, RELEASE, TAP, TIMER, ON, CLOSE */
    [OFF] = {DOWN, OFF, OFF, FIRST, OFF, LATCHED, OFF},
    [DOWN] = {DOWN, DOWN, OFF, HELD, DOWN, LATCHED, STUCK},
    [FIRST] = {DOWN, HELD, OFF, HELD, LATCHED, LATCHED, SHUT},
    [AGAIN] = {DOWN, HELD, OFF, HELD, AFTER, LATCHED, SHUT},
    [HELD] = {DOWN, HELD, OFF, HELD, AFTER, LATCHED, SHUT},
    [LATCHED] = {STUCK, LATCHED, LATCHED, SHUT, LATCHED, LATCHED, OFF},
    [AFTER] = {DOWN, AFTER, OFF, AGAIN, OFF, LATCHED, AFTER},
    [SHUT] = {DOWN, SHUT, OFF, SHUT, OFF, LATCHED, SHUT},
    [STUCK] = {DOWN, STUCK, OFF, SHUT, STUCK, LATCHED, STUCK},
};

static const struct {
  bool open;
  int ms; /* on entering; 0: no limit */
  const char *words;
} states[STATE__COUNT] = {
    [OFF] = {false, 0, "MIC OFF"},
    [DOWN] = {true, 0, "TALK (hold)"},
    [FIRST] = {true, PTT_FIRST_MS, "TALK (hold)"},
    [AGAIN] = {true, PTT_FIRST_MS, "TALK (hold)"},
    [HELD] = {true, PTT_REPEAT_MS, "TALK (hold)"},
    [LATCHED] = {true, 0, "TALK (latched - SPACE ends)"},
    [AFTER] = {false, PTT_FIRST_MS, "MIC OFF"},
    [SHUT] = {false, PTT_FIRST_MS, "MIC OFF"},
    [STUCK] = {false, 0, "MIC OFF"},
};

static void step(struct ptt *p, us_t now, enum event e) {
  bool was_open = states[p->state].open;
  int next = next_state[p->state][e];
  if (next == p->state && e != TAP && e != REPEAT)
    return;
  /* In SHUT the first repeat may be far, later ones are near: quiet for PTT_REPEAT_MS after one means the key
   * is up. */
  int ms = next == SHUT && p->state == SHUT ? PTT_REPEAT_MS : states[next].ms;
  us_t until = ms ? now + ms * US_PER_MS : US_NEVER;
  if (next == SHUT && p->state == SHUT && p->until > until)
    until = p->until;
  p->state = next;
  p->until = until;
  if (states[next].open && !was_open) {
    if (!p->tail_until)
      p->opened_at = now;
    p->tail_until = 0;
  } else if (!states[next].open && was_open) {
    p->tail_until = now + PTT_TAIL_MS * US_PER_MS;
  }
}

void ptt_init(struct ptt *p) {
  *p = (struct ptt){.state = OFF, .until = US_NEVER};
}

/* settle: what time alone has changed up to now. */
static void settle(struct ptt *p, us_t now) {
  while (p->until <= now)
    step(p, p->until, TIMER);
  us_t most = p->opened_at + PTT_MAX_MS * US_PER_MS;
  if (states[p->state].open && now >= most)
    step(p, most, CLOSE);
  if (p->tail_until && now >= p->tail_until)
    p->tail_until = 0;
}

void ptt_key(struct ptt *p, us_t now, enum key_phase phase, bool releases_known) {
  settle(p, now);
  if (phase == KEY_RELEASE)
    step(p, now, RELEASE);
  else if (!releases_known)
    step(p, now, TAP);
  else
    step(p, now, phase == KEY_REPEAT ? REPEAT : PRESS);
}

void ptt_set(struct ptt *p, us_t now, bool on) {
  settle(p, now);
  step(p, now, on ? ON : CLOSE);
}

void ptt_cut(struct ptt *p, us_t now) {
  settle(p, now);
  step(p, now, CLOSE);
  p->tail_until = 0;
}

bool ptt_poll(struct ptt *p, us_t now, bool voice) {
  settle(p, now);
  if (!voice)
    p->tail_until = 0;
  return ptt_is_open(p);
}

us_t ptt_next_timeout(const struct ptt *p) {
  us_t next = p->until;
  if (states[p->state].open && p->opened_at + PTT_MAX_MS * US_PER_MS < next)
    next = p->opened_at + PTT_MAX_MS * US_PER_MS;
  if (p->tail_until && p->tail_until < next)
    next = p->tail_until;
  return next;
}

bool ptt_is_open(const struct ptt *p) {
  return states[p->state].open || p->tail_until;
}

const char *ptt_words(const struct ptt *p) {
  assert(p->state >= 0 && p->state < STATE__COUNT);
  return p->tail_until ? states[HELD].words : states[p->state].words;
}

int ptt_left_ms(const struct ptt *p, us_t now) {
  us_t left = p->opened_at + PTT_MAX_MS * US_PER_MS - now;
  return states[p->state].open && left > 0 ? (int)(left / US_PER_MS) : 0;
}
