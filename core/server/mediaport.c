#include "core/server/mediaport.h"

#include "core/server/mediaport_private.h"
#include "core/wire/stun.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct mediaport *mediaport_create(const struct mediaport_config *c) {
  struct mediaport *m = calloc(1, sizeof *m);
  if (!m)
    return NULL;
  m->cfg = *c;
  m->batch = calloc(MEDIAPORT_BATCH_MAX, sizeof *m->batch);
  if (!m->batch) {
    free(m);
    return NULL;
  }
  m->peers = map_create(rng_u64(c->rng));
  m->ufrags = map_create(rng_u64(c->rng));
  m->addrs = map_create(rng_u64(c->rng));
  m->rooms = map_create(rng_u64(c->rng));
  srtp_setup();
  return m;
}

void mediaport_flush(struct mediaport *m) {
  if (m->n_batch == 0)
    return;
  m->count.packets_out += m->n_batch;
  m->cfg.send(m->cfg.ctx, m->batch, m->n_batch);
  m->n_batch = 0;
}

struct media_datagram *mediaport_slot(struct mediaport *m, const struct peer_addr *to) {
  if (m->n_batch == MEDIAPORT_BATCH_MAX)
    mediaport_flush(m);
  struct media_datagram *d = &m->batch[m->n_batch];
  memcpy(&d->to, &to->sa, to->len);
  d->to_len = to->len;
  d->len = 0;
  return d;
}

void mediaport_commit_slot(struct mediaport *m) {
  assert(m->n_batch < MEDIAPORT_BATCH_MAX && m->batch[m->n_batch].len > 0);
  m->n_batch++;
}

void mediaport_event(struct mediaport *m, const struct media_event *ev) {
  m->cfg.tell(m->cfg.ctx, ev);
}

/* ---- commands ---- */

static void peer_take(struct peer *r, const struct media_cmd *cmd) {
  r->may_send = cmd->may_send;
  r->may_hear = cmd->may_hear;
  r->priority = cmd->priority;
  r->gain_db = cmd->gain_db;
  r->kbps = cmd->kbps;
}

static void peer_add(struct mediaport *m, const struct media_cmd *cmd) {
  struct media_room *g = map_get_u32(m->rooms, cmd->room);
  if (!g || map_get_u32(m->peers, cmd->peer))
    return;
  struct peer *r = aligned_alloc(64, (sizeof *r + 63) / 64 * 64); /* what the fan-out reads begins a line */
  if (!r)
    abort();
  *r = (struct peer){0};
  r->handle = cmd->peer;
  r->member = cmd->member;
  r->p = cmd->params;
  r->hidden = cmd->hidden;
  peer_take(r, cmd);
  for (unsigned i = 0; i < IN_LISTS; i++)
    r->in[i] = IN_NONE;
  r->ear = TIER_N;
  ladder_init(&r->ladder, m->now, r->kbps, r->p.red_pt != 255);
  r->selected = r->dtls_addr = -1;
  r->alive = m->now;
  r->next_report = US_NEVER;
  r->timer.due = US_NEVER;
  r->out.seq_off =
      (uint32_t)rng_below(m->cfg.rng, 1 << 15); /* RFC 3550 5.1: random start, low half leaves ROC alone */
  r->out.ts_off = (uint32_t)rng_u64(m->cfg.rng);
  map_put_u32(m->peers, r->handle, r);
  map_put(m->ufrags, r->p.local_ufrag, strlen(r->p.local_ufrag), r);
  media_room_add(g, r);
  timers_set(&m->peer_timers, &r->timer, m->now + PEER_CONSENT_US);
}

void peer_free(struct mediaport *m, struct peer *r) {
  media_room_remove(r->room, r);
  map_del_u32(m->peers, r->handle);
  map_del(m->ufrags, r->p.local_ufrag, strlen(r->p.local_ufrag));
  for (int i = 0; i < r->n_addr; i++) {
    uint8_t key[24];
    size_t n = peer_addr_key((struct sockaddr *)&r->addr[i].sa, key);
    if (map_get(m->addrs, key, n) == r)
      map_del(m->addrs, key, n);
  }
  timers_set(&m->peer_timers, &r->timer, US_NEVER);
  if (r->shaking)
    (void)m->cfg.shake(m->cfg.ctx, &(struct mediaport_hello){.peer = r->handle});
  secure_destroy(r->secure);
  free(r->resend);
  free(r->nack);
  free(r);
}

static void peer_set(struct peer *r, struct media_room *g, const struct media_cmd *cmd) {
  bool could_send = r->may_send, wish = r->kbps != cmd->kbps;
  peer_take(r, cmd);
  if (!r->may_send || g != r->room)
    r->seen = (struct peer_seen){0};
  if (!g)
    r->may_send = r->may_hear = false;
  else if (g != r->room) {
    media_room_remove(r->room, r);
    media_room_add(g, r);
    return;
  }
  media_room_rights(r->room, r, could_send);
  if (wish)
    peer_limit(r);
}

void mediaport_command(struct mediaport *m, us_t now, const struct media_cmd *cmd) {
  m->now = now;
  struct peer *r = map_get_u32(m->peers, cmd->peer);
  struct media_room *g = map_get_u32(m->rooms, cmd->room);
  switch (cmd->kind) {
  case MEDIA_ROOM_OPEN:
    if (!g)
      media_room_open(m, cmd->room, false);
    break;
  case MEDIA_ROOM_CLOSE:
    if (g)
      media_room_close(m, g);
    break;
  case MEDIA_PEER_ADD:
    peer_add(m, cmd);
    break;
  case MEDIA_PEER_SET:
    if (r)
      peer_set(r, g, cmd);
    break;
  case MEDIA_PEER_DEL:
    if (r)
      peer_free(m, r);
    break;
  case MEDIA_SECURED:
    if (r)
      peer_secured(m, r, cmd->secure);
    else
      secure_destroy(cmd->secure);
    break;
  case MEDIA_EDGE_OPEN:
    if (!g)
      media_room_open(m, cmd->room, true)->home = cmd->thread;
    break;
  case MEDIA_EDGE_ADD:
    if (g && g->mixer)
      edge_add(g, cmd->thread);
    break;
  case MEDIA_REMOTE:
    if (g && g->mixer)
      edge_remote(g, cmd);
    break;
  case MEDIA_TONE:
    if (g && g->mixer)
      tone_start(g, cmd->rising);
    break;
  case MEDIA_PING:
  case MEDIA_STOP:
    break; /* for the thread's shell */
  }
  mediaport_flush(m);
}

/* ---- load ---- */

#define LOAD_WINDOW_US (500 * US_PER_MS)
#define LOAD_LATE_US (20 * US_PER_MS)
#define LOAD_CALM 10 /* windows */

static void load_set(struct mediaport *m, unsigned level) {
  struct media_room *g;
  m->count.overloads += level > m->load.level;
  m->load.level = level;
  for (size_t at = 0; (g = map_next(m->rooms, &at));)
    if (g->mixer)
      mixer_set_load(g->mixer, level);
}

/* Something was done so much later than it was due. */
static void load_note(struct mediaport *m, us_t late) {
  struct load *l = &m->load;
  if (m->now >= l->until) {
    bool behind = l->until != 0 && l->least >= LOAD_LATE_US;
    l->calm = behind ? 0 : l->calm + 1;
    if (behind && l->level < MIXER_LOAD_MAX)
      load_set(m, l->level + 1);
    else if (l->level > 0 && l->calm >= LOAD_CALM) {
      l->calm = 0;
      load_set(m, l->level - 1);
    }
    l->until = m->now + LOAD_WINDOW_US;
    l->least = late;
  }
  l->least = late < l->least ? late : l->least;
}

/* ---- packets ---- */

void mediaport_handle_packet(struct mediaport *m, us_t now, const struct sockaddr *from, socklen_t from_len,
                             uint8_t *p, size_t n) {
  mediaport_handle_waited(m, now, 0, from, from_len, p, n);
}

void mediaport_handle_waited(struct mediaport *m, us_t now, us_t waited, const struct sockaddr *from,
                             socklen_t from_len, uint8_t *p, size_t n) {
  m->now = now;
  m->waited = waited;
  load_note(m, waited);
  m->count.packets_in++;
  if (n == 0 || n > MEDIAPORT_DATAGRAM_MAX)
    return;
  if (p[0] <= 3) {
    peer_stun(m, from, from_len, p, n);
    mediaport_flush(m);
    return;
  }
  uint8_t key[24];
  size_t k = peer_addr_key(from, key);
  struct peer *r = k ? map_get(m->addrs, key, k) : NULL;
  int addr = r ? peer_addr_find(r, from) : -1;
  if (!r || addr < 0)
    m->count.unknown_source++; /* nobody who passed a check: silence is the answer */
  else if (p[0] >= 20 && p[0] <= 63)
    peer_dtls(m, r, addr, p, n);
  else if (p[0] >= 128 && p[0] <= 191) {
    if (rtp_is_rtcp(p, n))
      peer_rtcp(m, r, p, n);
    else
      peer_rtp(m, r, p, n);
    if (r->alive == m->now) /* it was authentic: the address stays his */
      r->addr[addr].seen = m->now;
  }
  mediaport_flush(m);
}

void mediaport_handle_timeout(struct mediaport *m, us_t now) {
  m->now = now;
  struct timer *t;
  us_t due = timers_next(&m->room_timers);
  if (due <= now)
    load_note(m, now - due);
  while ((t = timers_pop(&m->room_timers, now)))
    media_room_timeout((struct media_room *)((char *)t - offsetof(struct media_room, timer)));
  while ((t = timers_pop(&m->peer_timers, now)))
    peer_timeout(m, (struct peer *)((char *)t - offsetof(struct peer, timer)));
  mediaport_flush(m);
}

us_t mediaport_next_timeout(const struct mediaport *m) {
  us_t a = timers_next(&m->room_timers), b = timers_next(&m->peer_timers);
  return a < b ? a : b;
}

void mediaport_counters(const struct mediaport *m, struct mediaport_counters *out) {
  *out = m->count;
  out->peers = (uint32_t)map_count(m->peers);
  out->rooms = (uint32_t)map_count(m->rooms);
}

void mediaport_destroy(struct mediaport *m) {
  if (!m)
    return;
  struct media_room *g;
  for (size_t at = 0; (g = map_next(m->rooms, &at)); at = 0)
    media_room_close(m, g);
  timers_free(&m->peer_timers);
  timers_free(&m->room_timers);
  map_destroy(m->peers);
  map_destroy(m->ufrags);
  map_destroy(m->addrs);
  map_destroy(m->rooms);
  free(m->batch);
  free(m);
}
