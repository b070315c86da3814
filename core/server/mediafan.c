/* mediafan.c: the out-half of a room: what the mixer emits, through the tiers, to everyone who hears it.
 *
 * The listeners of a tier stand in a list of their own, so that a packet touches only those who get it. Who
 * changes tier goes on with the old one until a packet boundary of the new one meets the end of what he has.
 */
#include "audio/frame.h"
#include "core/server/mediaport_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define SHIFT_US (500 * US_PER_MS) /* then a break is better than to wait on */
#define SEAM ((int64_t)AUDIO_FRAME)
#define STRAGGLER 64      /* older than that the cipher refuses it anyway */
#define HEARD_US US_PER_S /* longer than anything is held or copied */
#define AHEAD 4 /* packets; how far each of three steps to a listener's keys is taken before the next */

/* ---- lists ---- */

void list_add(struct peer_list *l, struct peer *r, enum peer_in in) {
  assert(r->in[in] == IN_NONE);
  if (l->n == l->cap) {
    l->cap = l->cap ? l->cap * 2 : 8;
    l->v = realloc(l->v, l->cap * sizeof(struct peer *));
    if (!l->v)
      abort();
  }
  r->in[in] = l->n;
  l->v[l->n++] = r;
}

void list_del(struct peer_list *l, struct peer *r, enum peer_in in) {
  if (r->in[in] == IN_NONE)
    return;
  struct peer *last = l->v[--l->n];
  l->v[r->in[in]] = last;
  last->in[in] = r->in[in];
  r->in[in] = IN_NONE;
}

/* ---- who hears what ---- */

static void ear_set(struct peer *r, uint8_t tier) {
  list_del(&r->room->shifting, r, IN_SHIFTING);
  if (r->ear < TIER_N)
    list_del(&r->room->ears[r->ear], r, IN_EARS);
  r->ear = tier;
  if (tier < TIER_N)
    list_add(&r->room->ears[tier], r, IN_EARS);
}

/* He hears nothing any more, nor what he missed of what was. */
static void deafen(struct peer *r) {
  ear_set(r, TIER_N);
  r->out.moved = true;
  resend_forget(r->resend);
}

void fan_enter(struct peer *r) {
  for (size_t i = 0; i < r->room->n_personal; i++)
    if (r->room->personal[i].member == r->member)
      r->room->personal[i].peer = r;
}

void fan_leave(struct peer *r) {
  deafen(r);
  for (size_t i = 0; i < r->room->n_personal; i++)
    if (r->room->personal[i].peer == r)
      r->room->personal[i].peer = NULL;
}

void fan_update(struct peer *r) {
  struct media_room *g = r->room;
  if (!peer_up(r) || !r->may_hear || !r->p.recv || r->selected < 0) {
    deafen(r);
  } else if (r->ear == TIER_N) {
    ear_set(r, (uint8_t)r->ladder.tier);
    for (size_t i = 0; i < g->n_personal; i++) /* he speaks, and has only got another path */
      if (g->personal[i].member == r->member)
        g->personal[i].peer = r;
  } else if (r->ear == r->ladder.tier)
    list_del(&g->shifting, r, IN_SHIFTING);
  else if (r->in[IN_SHIFTING] == IN_NONE) {
    list_add(&g->shifting, r, IN_SHIFTING);
    r->shift_by = g->port->now + SHIFT_US;
  }
}

static const struct media_personal *personal_of(const struct media_room *g, uint32_t member) {
  for (size_t i = 0; i < g->n_personal; i++)
    if (g->personal[i].member == member)
      return &g->personal[i];
  return NULL;
}

static uint32_t stream_of(const struct media_room *g, const struct peer *r) {
  return personal_of(g, r->member) ? r->member : 0;
}

static struct peer *find_member(const struct media_room *g, uint32_t member) {
  for (uint32_t i = 0; i < g->peers.n; i++)
    if (g->peers.v[i]->member == member)
      return g->peers.v[i];
  return NULL;
}

void fan_personal(struct media_room *g, const uint32_t *members, size_t n) {
  struct media_personal now[MIXER_HEARD_MAX];
  assert(n <= MIXER_HEARD_MAX);
  for (size_t i = 0; i < n; i++) {
    const struct media_personal *had = personal_of(g, members[i]);
    now[i] = had ? *had : (struct media_personal){members[i], find_member(g, members[i])};
  }
  for (size_t i = 0; i < g->n_personal; i++) {
    bool ended = true;
    for (size_t k = 0; k < n; k++)
      ended &= g->personal[i].member != members[k];
    if (ended)
      tiers_forget(g->tiers, g->personal[i].member);
  }
  memcpy(g->personal, now, n * sizeof now[0]);
  g->n_personal = n;
}

static void note_heard(struct media_room *g, const struct mixer_out *o) {
  for (unsigned k = 0; k < o->n_from; k++) {
    size_t at = 0;
    for (size_t i = 0; i < MIXER_TALKERS_MAX && g->heard[at].member != o->from[k]; i++)
      if (g->heard[i].member == o->from[k] || g->heard[i].at < g->heard[at].at)
        at = i;
    g->heard[at] = (struct media_heard){o->from[k], g->port->now};
  }
}

static bool heard_lately(const struct media_room *g, uint32_t member) {
  for (size_t i = 0; i < MIXER_TALKERS_MAX; i++)
    if (g->heard[i].member == member && g->port->now - g->heard[i].at < HEARD_US)
      return true;
  return false;
}

void fan_silence(struct media_room *g, uint32_t member) {
  if (personal_of(g, member) || heard_lately(g, member))
    fan_forget(g);
}

void fan_forget(struct media_room *g) {
  tiers_forget(g->tiers, 0);
  for (size_t i = 0; i < g->n_personal; i++)
    tiers_forget(g->tiers, g->personal[i].member);
  for (uint32_t i = 0; i < g->peers.n; i++)
    resend_forget(g->peers.v[i]->resend);
}

/* ---- numbers ---- */

/* Samples of silence between what he got last and this packet, by our clock. */
static uint32_t pause_before(const struct peer *r, const struct mixer_out *o) {
  us_t since = (r->room->port->now - r->stat.sent_at) * AUDIO_MS(1) / US_PER_MS;
  return since > o->samples ? (uint32_t)(since - o->samples) : 0;
}

/* The peer's own numbering: the stream's, moved so that a change of stream or tier goes on where the old one
 * stopped. Two rooms' time lines have nothing to do with each other: after a move the clock bridges them. */
static bool number(struct peer *r, enum media_tier tier, const struct mixer_out *o, struct rtp *h) {
  struct peer_out *out = &r->out;
  bool other = out->moved || out->skipped || out->stream != o->stream;
  bool change = out->started && (other || out->tier != tier), mark = change && other;
  if (!out->started)
    out->seq_off -= o->seq;
  else if (change)
    out->seq_off = out->last_seq + 1 - o->seq;
  uint32_t seq = o->seq + out->seq_off, ts = (uint32_t)o->pos + out->ts_off;
  uint32_t due = out->last_end + (change && out->moved ? pause_before(r, o) : 0);
  if (change && (out->moved || (int32_t)(ts - due) < 0)) {
    out->ts_off += due - ts;
    ts = due;
    mark = true;
  }
  if (out->started && (int32_t)(seq - out->last_seq) <= -STRAGGLER)
    return false; /* from before the change */
  if (!out->started || (int32_t)(seq - out->last_seq) > 0) {
    out->last_seq = seq;
    out->last_end = ts + o->samples;
    out->pos = o->pos + o->samples;
  }
  out->since = change || !out->started ? 0 : out->since < UINT8_MAX ? (uint8_t)(out->since + 1) : UINT8_MAX;
  out->started = true;
  out->moved = out->skipped = false;
  out->stream = o->stream;
  out->tier = (uint8_t)tier;
  h->seq = (uint16_t)seq;
  h->ts = ts;
  h->marker = o->marker || mark;
  return true;
}

/* ---- one packet a listener ---- */

struct fan { /* a packet on its way to all of a tier */
  struct media_room *g;
  enum media_tier tier;
  const struct mixer_out *o;
};

/* The payload with copies, once for all who get the same; len 0: there is nothing to copy. */
static const struct fan_red *red_payload(const struct fan *f, unsigned plan, uint8_t pt) {
  struct mediaport *m = f->g->port;
  for (unsigned i = 0; i < m->n_red && i < FAN_RED; i++)
    if (m->red[i].plan == plan && m->red[i].pt == pt)
      return &m->red[i];
  struct fan_red *e = &m->red[m->n_red++ % FAN_RED];
  size_t len = 0;
  const uint8_t *p = tiers_red(f->g->tiers, plan, pt, &len);
  e->plan = (uint8_t)plan;
  e->pt = pt;
  e->len = p && len <= sizeof e->data ? len : 0;
  if (e->len)
    memcpy(e->data, p, e->len);
  return e;
}

/* What he gets of it: no copies of packets that he got under other numbers. */
static void choose_payload(const struct fan *f, const struct peer *r, struct rtp *h) {
  h->pt = r->p.opus_pt;
  h->payload = f->o->payload;
  h->payload_len = f->o->len;
  const struct red_plan *plan = red_plan(r->ladder.plan);
  if (plan->copies == 0 || r->p.red_pt == 255 || r->out.since < plan->copies * plan->gap)
    return;
  const struct fan_red *red = red_payload(f, r->ladder.plan, r->p.opus_pt);
  if (red->len) {
    h->pt = r->p.red_pt;
    h->payload = red->data;
    h->payload_len = red->len;
  }
}

/* Who is heard, in the thin tiers only the loudest: each name is 0.3 kb/s. */
static unsigned named(enum media_tier tier, const struct mixer_out *o) {
  return tier >= TIER_LOW && o->n_from > TIERS_NAMED ? TIERS_NAMED : o->n_from;
}

static void send_one(const struct fan *f, struct peer *r) {
  const struct mixer_out *o = f->o;
  struct rtp h = {.ssrc = r->p.ssrc_out, .n_csrc = named(f->tier, o)};
  if (!number(r, f->tier, o, &h))
    return;
  choose_payload(f, r, &h);
  memcpy(h.csrc, o->from, h.n_csrc * sizeof o->from[0]);
  struct media_datagram *d = mediaport_slot(f->g->port, &r->addr[r->selected]);
  size_t n = rtp_build(d->data, sizeof d->data, &h, h.n_csrc ? r->p.csrc_level_id : 0, o->level, h.n_csrc);
  if (n == 0 ||
      secure_seal(r->secure, d->data, n, h.payload, h.payload_len, &d->len, sizeof d->data) != ERR_OK)
    return;
  if (r->resend)
    peer_keep(r, f->g->port->now, h.seq, d);
  mediaport_commit_slot(f->g->port);
  /* What we got late ourselves he may have asked for and report as lost: it counts as never sent, which
   * medialadder.c allows for. */
  if (!r->p.nack || h.seq == (uint16_t)r->out.last_seq)
    rtpstat_sent(&r->stat, f->g->port->now, h.ts + o->samples, h.payload_len);
}

/* Whether he changes to this tier with this packet, which he gets then, or (*after) with the next. */
static bool shift_fits(const struct peer *r, us_t now, const struct mixer_out *o, bool *after) {
  int64_t ahead = (int64_t)(o->pos - r->out.pos), over = -(ahead + (int64_t)o->samples);
  *after = false;
  if (!r->out.started || r->out.moved || r->out.stream != o->stream || (ahead > -SEAM && ahead < SEAM))
    return true;
  *after = ahead <= -SEAM;
  return o->marker || now >= r->shift_by || (over >= 0 && over < SEAM);
}

/* He spoke until just now: what was collected or held of him is not for him. */
static bool is_own(const struct mixer_out *o, const struct peer *r) {
  bool own = false;
  for (unsigned i = 0; i < o->n_from; i++)
    own |= o->from[i] == r->member;
  return own;
}

static void shift_some(const struct fan *f) {
  struct peer_list *l = &f->g->shifting;
  for (uint32_t i = 0; i < l->n;) {
    struct peer *r = l->v[i];
    bool after;
    if (r->ladder.tier != f->tier || stream_of(f->g, r) != f->o->stream ||
        !shift_fits(r, f->g->port->now, f->o, &after)) {
      i++;
      continue;
    }
    ear_set(r, (uint8_t)f->tier); /* another is at place i now */
    if (!after && !is_own(f->o, r))
      send_one(f, r);
  }
}

/* The kernel's work on the packets before has emptied the caches: what those to come need is fetched while
 * it is busy. */
static void fetch_ahead(const struct peer_list *l, uint32_t i) {
  if (i + 3 * AHEAD < l->n) {
    const struct peer *r = l->v[i + 3 * AHEAD];
    __builtin_prefetch(&r->secure, 1);
    __builtin_prefetch(&r->addr[0]);
    __builtin_prefetch(&r->p.opus_pt);
    __builtin_prefetch(&r->p.ssrc_out);
    __builtin_prefetch(&r->ladder);
    __builtin_prefetch(&r->stat.sent, 1);
  }
  if (i + 2 * AHEAD < l->n)
    __builtin_prefetch(l->v[i + 2 * AHEAD]->secure);
  if (i + AHEAD < l->n)
    secure_prefetch(l->v[i + AHEAD]->secure);
}

static void send_common(const struct fan *f) {
  const struct peer_list *l = &f->g->ears[f->tier];
  for (uint32_t i = 0, n = l->n; i < n; i++) {
    fetch_ahead(l, i);
    if (personal_of(f->g, l->v[i]->member) || is_own(f->o, l->v[i]))
      l->v[i]->out.skipped |= l->v[i]->out.stream == 0;
    else
      send_one(f, l->v[i]);
  }
}

static void fan_out(void *ctx, enum media_tier tier, const struct mixer_out *o) {
  struct fan f = {ctx, tier, o};
  f.g->port->n_red = 0;
  if (o->stream == 0)
    send_common(&f);
  else {
    const struct media_personal *p = personal_of(f.g, o->stream);
    if (p && p->peer && p->peer->ear == tier)
      send_one(&f, p->peer);
  }
  if (f.g->shifting.n)
    shift_some(&f);
}

/* The tiers that somebody who hears `stream` gets, or is to get. */
static unsigned wanted(const struct media_room *g, uint32_t stream) {
  uint32_t n[TIER_N] = {0};
  unsigned set = 0;
  for (unsigned t = 0; t < TIER_N && stream == 0; t++)
    n[t] = g->ears[t].n;
  for (size_t i = 0; i < g->n_personal; i++) {
    const struct peer *r = g->personal[i].peer;
    if (r && r->ear < TIER_N)
      n[r->ear] += stream == 0 ? UINT32_MAX : stream == r->member;
  }
  for (uint32_t i = 0; i < g->shifting.n; i++)
    if (stream_of(g, g->shifting.v[i]) == stream)
      set |= 1U << g->shifting.v[i]->ladder.tier;
  for (unsigned t = 0; t < TIER_N; t++)
    set |= n[t] ? 1U << t : 0;
  return set;
}

void fan_put(struct media_room *g, const struct mixer_out *o) {
  unsigned fresh = 0;
  note_heard(g, o);
  for (uint32_t i = 0; i < g->shifting.n; i++)
    if (stream_of(g, g->shifting.v[i]) == o->stream)
      fresh |= 1U << g->shifting.v[i]->ladder.tier;
  tiers_fresh(g->tiers, fresh);
  tiers_put(g->tiers, g->port->now, o, wanted(g, o->stream));
}

void fan_open(struct media_room *g) {
  g->tiers = tiers_create(fan_out, g);
  if (!g->tiers)
    abort();
}

void fan_close(struct media_room *g) {
  tiers_destroy(g->tiers);
  for (unsigned t = 0; t < TIER_N; t++)
    free(g->ears[t].v);
  free(g->shifting.v);
}
