/* ways.c: by which way datagrams get to the server: directly, through a relay, or inside the signalling
 * connection. One path (path.h), one answer, one or two agents: all use the answer's credentials, and the
 * server takes an address that passed a check, so going over needs no offer and no handshake.
 *
 *   answer ... 1.5 s ... relays ... 4 s (no relays: 1 s) ... tunnel ... 15 s: whatever is not up is given up
 *
 * What works stays in use until a better one is up. It is asked for when nothing was heard for a while
 * (RFC 7675); without an answer all ways are tried again, as when the machine's addresses change. */
#include "core/session/session_private.h"

#include <stdlib.h>
#include <string.h>

#define RELAY_AFTER_US (1500 * US_PER_MS)
#define TUNNEL_AFTER_RELAYS_US (4 * US_PER_S)
#define TUNNEL_AFTER_US US_PER_S
#define ROUND_US (15 * US_PER_S)
#define BETTER_US (60 * US_PER_S)      /* between two tries to get off a worse way */
#define QUIET_US (2 * US_PER_S)        /* nothing heard, though somebody speaks: is the server there? */
#define SILENT_QUIET_US (5 * US_PER_S) /* or nobody does */
#define SPOKE_US (10 * US_PER_S)       /* so long ago is lately */
#define PROBE_US (6 * US_PER_S) /* a line that is only slow is not hung up */
#define ASK_AGAIN_US (300 * US_PER_MS)
#define ASKS_MAX 4          /* unanswered: this way is dead */
#define PRIORITY 0x7e0000ff /* of the one in use: as a host candidate */

static const struct ice_relays NO_RELAYS;
enum { STEP_RELAY, STEP_TUNNEL, STEP_END };

static struct ice_kind *kind_of(struct session *s, enum way_kind kind) {
  return kind == WAY_TUNNEL ? &s->cfg.tunnel : &s->cfg.ice;
}

bool ways_any(const struct session *s) {
  for (unsigned i = 0; i < WAYS_MAX; i++)
    if (s->way[i].ice && !s->way[i].over)
      return true;
  return s->tunnel_id != 0 || s->relays_id != 0;
}

static bool has(const struct session *s, enum way_kind kind) {
  for (unsigned i = 0; i < WAYS_MAX; i++)
    if (s->way[i].ice && !s->way[i].over && s->way[i].kind == kind)
      return true;
  return false;
}

static void free_way(struct session *s, struct way *w) {
  if (s->on == w)
    s->on = NULL;
  if (w->ice)
    kind_of(s, w->kind)->destroy(w->ice);
  *w = (struct way){0};
}

/* ---- agents ---- */

static void give_answer(struct way *w) {
  struct session *s = w->s;
  char pwd[257];
  struct sdp_candidate none[SDP_CANDIDATES_MAX];
  if (!w->ice || !w->gathered || !s->answer || w->told)
    return;
  w->told = true;
  (void)kind_of(s, w->kind)->local(w->ice, w->ufrag, pwd, none, SDP_CANDIDATES_MAX);
  kind_of(s, w->kind)->remote(w->ice, s->answer);
}

/* The agent may call this while it is being created. */
static void on_gathered(void *ctx, us_t now) {
  struct way *w = ctx;
  w->s->now = now;
  if (w->gathered)
    return;
  w->gathered = true;
  give_answer(w);
  if (w->ice && !w->s->gathered)
    media_gathered(w->s);
}

/* He goes over to w; what is no better than w is not needed any more. */
static void go_over(struct session *s, struct way *w) {
  for (unsigned i = 0; i < WAYS_MAX; i++)
    if (&s->way[i] != w && s->way[i].kind >= w->kind)
      s->way[i].over = true; /* freed at the next tick: this may be its own callback */
  s->on = w;
  s->lost = false;
  s->asks = 0;
  s->reached_at = s->now;
  s->check_at = s->now + QUIET_US;
  s->tunnelled = w->kind == WAY_TUNNEL;
  s->again = false;
  if (w->kind == WAY_DIRECT)
    s->step_at = s->better_at = US_NEVER; /* else the round goes on: a better one may come */
  media_reached(s);
}

static void on_up(void *ctx, us_t now) {
  struct way *w = ctx;
  struct session *s = w->s;
  s->now = now;
  if (w->up || w->over)
    return;
  w->up = true;
  bool worse = s->on && !s->lost && s->on->kind < w->kind;
  if (worse)
    w->over = true;
  else
    go_over(s, w);
}

static void on_failed(void *ctx, us_t now) {
  struct way *w = ctx;
  w->s->now = now;
  if (w->over)
    return;
  w->over = true;
  if (w->s->on == w)
    w->s->again = true; /* at the next tick: this is its own callback */
  else if (!ways_any(w->s) && w->s->step_at != US_NEVER)
    w->s->step_at = now;
}

static void on_packet(void *ctx, us_t now, uint8_t *p, size_t n) {
  struct way *w = ctx;
  struct session *s = w->s;
  s->now = now;
  if (n > 0 && p[0] <= 3) {
    if (s->answer && check_answered(&s->check, s->answer->pwd, p, n)) {
      s->reached_at = now;
      s->asks = 0;
      s->check_at = now + QUIET_US;
    }
    return;
  }
  if (s->lost && s->on == w) { /* it was only late */
    s->lost = false;
    s->check_at = now + QUIET_US;
  }
  media_packet(s, p, n);
}

static bool start(struct session *s, enum way_kind kind) {
  struct way *w = NULL;
  for (unsigned i = 0; i < WAYS_MAX && !w; i++)
    if (!s->way[i].ice)
      w = &s->way[i];
  if (!w || !kind_of(s, kind)->create)
    return false;
  *w = (struct way){.s = s, .kind = kind};
  struct ice_events ev = {on_gathered, on_up, on_failed, on_packet, w};
  w->ice = kind_of(s, kind)->create(kind_of(s, kind)->env, &ev, kind == WAY_RELAY ? &s->relays : &NO_RELAYS);
  if (!w->ice) {
    *w = (struct way){0};
    return false;
  }
  give_answer(w);
  if (w->gathered && !s->gathered)
    media_gathered(s);
  return true;
}

/* ---- one after the other ---- */

static bool worth(const struct session *s, enum way_kind kind) {
  return !has(s, kind) && (!s->on || s->lost || s->on->kind > kind);
}

static void ask_tunnel(struct session *s) {
  if (!s->cfg.tunnel.create || !s->connected || s->tunnel_id || !worth(s, WAY_TUNNEL) ||
      s->state != CLIENT_JOINED)
    return;
  s->tunnel_id = ++s->last_id;
  session_request(s, s->tunnel_id, "media.tunnel", json_object());
}

bool ways_reply(struct session *s, const struct rpc_in *in) {
  if (!s->tunnel_id || in->id != s->tunnel_id)
    return false;
  s->tunnel_id = 0;
  if (in->kind == RPC_RESULT && s->answer && worth(s, WAY_TUNNEL))
    (void)start(s, WAY_TUNNEL);
  return true;
}

static void begin_round(struct session *s) {
  s->step = STEP_RELAY;
  s->step_at = s->now + RELAY_AFTER_US;
}

static void end_round(struct session *s) {
  bool works = s->on && !s->lost;
  s->step_at = US_NEVER;
  s->better_at = works && s->on->kind != WAY_DIRECT ? s->now + BETTER_US : US_NEVER;
  for (unsigned i = 0; i < WAYS_MAX; i++)
    s->way[i].over |= &s->way[i] != s->on;
  if (!works)
    media_failed(s, ERR_ICE);
}

static void step(struct session *s) {
  switch (s->step++) {
  case STEP_RELAY:
    relays_ask(s);
    if (s->relays.n && worth(s, WAY_RELAY))
      (void)start(s, WAY_RELAY);
    s->step_at = s->now + (has(s, WAY_RELAY) ? TUNNEL_AFTER_RELAYS_US : TUNNEL_AFTER_US);
    break;
  case STEP_TUNNEL:
    ask_tunnel(s);
    s->step_at = s->now + ROUND_US;
    break;
  default:
    end_round(s);
    return;
  }
  if (!ways_any(s)) /* nothing to wait for */
    s->step_at = s->now;
}

void ways_relays(struct session *s) {
  if (s->step_at == US_NEVER || s->step == STEP_RELAY || !worth(s, WAY_RELAY) || !start(s, WAY_RELAY))
    return;
  if (s->step == STEP_TUNNEL)
    s->step_at = s->now + TUNNEL_AFTER_RELAYS_US;
}

bool ways_begin(struct session *s) {
  return start(s, WAY_DIRECT);
}

void ways_answer(struct session *s, const struct sdp *answer) {
  s->answer = malloc(sizeof *s->answer);
  if (!s->answer)
    abort();
  *s->answer = *answer;
  for (unsigned i = 0; i < WAYS_MAX; i++)
    give_answer(&s->way[i]);
  begin_round(s);
}

static void free_over(struct session *s) {
  for (unsigned i = 0; i < WAYS_MAX; i++)
    if (s->way[i].over)
      free_way(s, &s->way[i]);
}

bool ways_again(struct session *s) {
  if (!s->answer)
    return false;
  for (unsigned i = 0; i < WAYS_MAX; i++)
    s->way[i].over |= &s->way[i] != s->on; /* begun where we were before */
  free_over(s);
  s->lost = true;
  s->again = false;
  s->asks = 0;
  s->check_at = US_NEVER; /* an answer may still come, or sound */
  (void)start(s, WAY_DIRECT);
  begin_round(s);
  session_probe(s, PROBE_US); /* it may be the network, and not the way */
  return true;
}

void ways_connected(struct session *s) {
  if (s->tunnelled && s->lost && s->answer) /* it was needed a moment ago */
    ask_tunnel(s);
}

void ways_closed(struct session *s) {
  s->tunnel_id = s->relays_id = 0;
  for (unsigned i = 0; i < WAYS_MAX; i++)
    if (s->way[i].ice && s->way[i].kind == WAY_TUNNEL && !s->way[i].over) {
      s->way[i].over = true;
      s->again |= s->on == &s->way[i];
    }
}

/* ---- is the server there? ---- */

us_t ways_heard_at(const struct session *s) {
  us_t heard = s->path ? path_heard_at(s->path) : 0;
  return heard > s->reached_at ? heard : s->reached_at;
}

static void ask(struct session *s) {
  uint8_t buf[STUN_MAX];
  struct check_names who = {s->answer->ufrag, s->answer->pwd, s->on->ufrag};
  uint32_t priority = s->on->kind == WAY_TUNNEL ? 1 : PRIORITY;
  size_t n = check_build(&s->check, s->cfg.rng, &who, priority, buf);
  if (n)
    ways_send(s, buf, n);
  s->asks++;
  s->check_at = s->now + ASK_AGAIN_US;
}

static void look(struct session *s) {
  bool spoken = s->gate || s->now - s->heard_at < SPOKE_US;
  us_t due = ways_heard_at(s) + (spoken ? QUIET_US : SILENT_QUIET_US);
  if (!s->on || !s->path || !path_up(s->path))
    s->check_at = s->now + QUIET_US;
  else if (s->now < due) {
    s->asks = 0;
    s->check_at = due;
  } else if (s->asks < ASKS_MAX)
    ask(s);
  else
    (void)ways_again(s);
}

void ways_send(struct session *s, const uint8_t *p, size_t n) {
  if (s->on && !s->on->over)
    kind_of(s, s->on->kind)->send(s->on->ice, p, n);
}

/* ---- life ---- */

size_t ways_local(struct session *s, struct sdp_candidate *out, size_t max) {
  for (unsigned i = 0; i < WAYS_MAX; i++)
    if (s->way[i].ice && !s->way[i].over && s->way[i].gathered)
      return kind_of(s, s->way[i].kind)->local(s->way[i].ice, s->ufrag, s->pwd, out, max);
  return 0;
}

const char *ways_via(const struct session *s) {
  if (!s->on || s->lost)
    return "";
  const struct ice_kind *k = s->on->kind == WAY_TUNNEL ? &s->cfg.tunnel : &s->cfg.ice;
  return k->via ? k->via(s->on->ice) : "udp";
}

void ways_drop(struct session *s) {
  for (unsigned i = 0; i < WAYS_MAX; i++)
    free_way(s, &s->way[i]);
  free(s->answer);
  s->answer = NULL;
  s->lost = s->again = false;
  s->tunnel_id = 0;
  s->asks = 0;
  s->check = (struct check){0};
  s->reached_at = 0;
  s->step_at = s->better_at = s->check_at = US_NEVER;
}

void ways_tick(struct session *s) {
  free_over(s);
  if (s->again)
    (void)ways_again(s);
  if (s->check_at <= s->now)
    look(s);
  if (s->step_at <= s->now)
    step(s);
  if (s->better_at <= s->now) {
    s->better_at = US_NEVER;
    (void)start(s, WAY_DIRECT);
    begin_round(s);
  }
}

us_t ways_next_timeout(const struct session *s) {
  us_t t = s->step_at < s->better_at ? s->step_at : s->better_at;
  t = s->check_at < t ? s->check_at : t;
  for (unsigned i = 0; i < WAYS_MAX; i++)
    if (s->way[i].over)
      t = s->now;
  return s->again ? s->now : t;
}
