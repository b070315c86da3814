/* mediaroom.c: a room on a media thread: who is in it, and their packets into the mixer. */
#include "core/server/mediaport_private.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define LEVELS_US (250 * US_PER_MS)
#define LOSSY_PCT 3

static void on_mixed(void *ctx, const struct mixer_out *o) {
  struct media_room *g = ctx;
  uint32_t who[MIXER_HEARD_MAX];
  uint8_t level[MIXER_HEARD_MAX];
  fan_personal(g, who, mixer_levels(g->mixer, who, level, MIXER_HEARD_MAX));
  edge_sound(g, o);
  fan_put(g, o);
}

struct media_room *media_room_open(struct mediaport *m, uint32_t handle, bool edge) {
  struct media_room *g = calloc(1, sizeof *g);
  if (!g)
    abort();
  g->handle = handle;
  g->port = m;
  g->timer.due = US_NEVER;
  g->next_levels = US_NEVER;
  if (!edge) {
    g->mixer = mixer_create(on_mixed, g);
    if (!g->mixer)
      abort();
    mixer_set_load(g->mixer, m->load.level);
  }
  fan_open(g);
  map_put_u32(m->rooms, handle, g);
  return g;
}

void media_room_close(struct mediaport *m, struct media_room *g) {
  while (g->peers.n)
    peer_free(m, g->peers.v[g->peers.n - 1]);
  timers_set(&m->room_timers, &g->timer, US_NEVER);
  map_del_u32(m->rooms, g->handle);
  tone_stop(g);
  mixer_destroy(g->mixer);
  fan_close(g);
  edge_close(g);
  free(g->peers.v);
  free(g);
}

static us_t mixer_due(const struct media_room *g) {
  return g->mixer ? mixer_next_timeout(g->mixer) : US_NEVER;
}

void media_room_schedule(struct media_room *g) {
  us_t due = mixer_due(g), tiers = tiers_next_timeout(g->tiers);
  due = tiers < due ? tiers : due;
  due = tone_due(g) < due ? tone_due(g) : due;
  timers_set(&g->port->room_timers, &g->timer, due < g->next_levels ? due : g->next_levels);
}

/* ---- what a peer may get at best ---- */

void peer_ladder_changed(struct peer *r) {
  fan_update(r);
  uint8_t tier = (uint8_t)r->ladder.tier;
  uint8_t copies = r->p.red_pt == 255 ? 0 : red_plan(r->ladder.plan)->copies;
  if (tier == r->told_tier && copies == r->told_copies)
    return;
  struct media_event ev = {.kind = MEDIA_TIER, .room = r->room->handle, .peer = r->handle};
  ev.tier = r->ladder.tier;
  ev.copies = copies;
  r->told_tier = tier;
  r->told_copies = copies;
  mediaport_event(r->room->port, &ev);
}

void peer_limit(struct peer *r) {
  struct mediaport *m = r->room->port;
  r->packed = r->room->large && !r->may_send;
  ladder_limit(&r->ladder, m->now, r->kbps, r->packed);
  peer_ladder_changed(r);
}

/* A room is large from `packed_from` peers on until it has fallen a tenth below. */
static void judge_size(struct media_room *g) {
  unsigned from = g->port->cfg.packed_from;
  bool large = from && (!g->mixer || g->peers.n - g->n_hidden >= (g->large ? from - from / 10 : from));
  if (large == g->large)
    return;
  g->large = large;
  for (uint32_t i = 0; i < g->peers.n; i++)
    peer_limit(g->peers.v[i]);
}

/* ---- who is in it ---- */

void media_room_silence(struct media_room *g, uint32_t member) {
  fan_silence(g, member);
  if (g->mixer) {
    edge_silence(g, member);
    mixer_silence(g->mixer, g->port->now, member);
  }
  media_room_schedule(g);
}

void media_room_add(struct media_room *g, struct peer *r) {
  r->room = g;
  list_add(&g->peers, r, IN_ROOM);
  g->n_hidden += r->hidden;
  fan_enter(r);
  peer_limit(r);
  judge_size(g);
}

void media_room_remove(struct media_room *g, struct peer *r) {
  fan_leave(r);
  list_del(&g->peers, r, IN_ROOM);
  g->n_hidden -= r->hidden;
  media_room_silence(g, r->member);
  r->room = NULL;
  judge_size(g);
}

void media_room_rights(struct media_room *g, struct peer *r, bool could_send) {
  if (could_send && !r->may_send)
    media_room_silence(g, r->member);
  if (r->packed != (g->large && !r->may_send))
    peer_limit(r);
  fan_update(r);
  media_room_schedule(g);
}

static unsigned ears(const struct media_room *g) {
  unsigned n = 0;
  for (unsigned t = 0; t < TIER_N; t++)
    n += g->ears[t].n;
  return g->edges ? UINT_MAX : n;
}

void media_room_speak(struct media_room *g, const struct mixer_in *in) {
  if (!g->mixer) {
    edge_speak(g, in);
    return;
  }
  mixer_set_ears(g->mixer, g->port->now, ears(g));
  mixer_put(g->mixer, g->port->now, in);
  if (g->next_levels == US_NEVER && mixer_due(g) != US_NEVER)
    g->next_levels = g->port->now; /* someone began: say so at once */
  media_room_schedule(g);
}

void media_room_put(struct media_room *g, struct peer *r, const struct rtp *h) {
  struct mixer_in in = {.member = r->member,
                        .seq = h->seq,
                        .ts = h->ts,
                        .marker = h->marker,
                        .gain_db = r->gain_db,
                        .priority = r->priority,
                        .hears = r->ear < TIER_N,
                        .payload = h->payload,
                        .len = h->payload_len};
  in.has_level = r->p.level_id && rtp_level(h, r->p.level_id, &in.level, &in.voice);
  media_room_speak(g, &in);
}

/* Whether somebody loses packets and gets no copies of them. */
static bool is_lossy(const struct media_room *g) {
  for (uint32_t i = 0; i < g->peers.n; i++) {
    const struct peer *r = g->peers.v[i];
    bool copies = r->p.red_pt != 255 && red_plan(r->ladder.plan)->copies > 0;
    if (!r->hidden && r->stat.loss_out_pct >= LOSSY_PCT && !copies && r->ear <= TIER_PACKED)
      return true;
  }
  return false;
}

static void tell_levels(struct media_room *g) {
  uint32_t who[MEDIA_LEVELS_MAX];
  uint8_t level[MEDIA_LEVELS_MAX];
  struct media_event ev = {.kind = MEDIA_LEVELS, .room = g->handle};
  ev.n = (unsigned)mixer_levels(g->mixer, who, level, MEDIA_LEVELS_MAX);
  for (unsigned i = 0; i < ev.n; i++) {
    ev.level[i].member = who[i];
    ev.level[i].level = level[i];
  }
  if (ev.n || g->told_sound)
    mediaport_event(g->port, &ev);
  g->told_sound = ev.n > 0;
  if (ev.n > 1)
    mixer_set_lossy(g->mixer, is_lossy(g));
  g->next_levels = ev.n || mixer_next_timeout(g->mixer) != US_NEVER ? g->port->now + LEVELS_US : US_NEVER;
}

void media_room_timeout(struct media_room *g) {
  if (tone_due(g) <= g->port->now)
    tone_timeout(g);
  if (mixer_due(g) <= g->port->now)
    mixer_handle_timeout(g->mixer, g->port->now);
  if (tiers_next_timeout(g->tiers) <= g->port->now)
    tiers_handle_timeout(g->tiers, g->port->now);
  if (g->next_levels <= g->port->now)
    tell_levels(g);
  media_room_schedule(g);
}
