/* mediaroom.c: a room on a media thread: packets into the mixer, its streams out to the listeners. */
#include "audio/frame.h"
#include "core/server/mediaport_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define LEVELS_US (250 * US_PER_MS)
#define TALKER_US (2 * US_PER_S) /* who sent nothing for so long cannot be an active talker */

static void fan_out(void *ctx, const struct mixer_out *out);

struct media_room *media_room_open(struct mediaport *m, uint32_t handle) {
  struct media_room *g = calloc(1, sizeof *g);
  if (!g)
    abort();
  g->handle = handle;
  g->port = m;
  g->timer.due = US_NEVER;
  g->next_levels = US_NEVER;
  g->mixer = mixer_create(fan_out, g);
  if (!g->mixer)
    abort();
  map_put_u32(m->rooms, handle, g);
  return g;
}

void media_room_close(struct mediaport *m, struct media_room *g) {
  while (g->n_peers)
    peer_free(m, g->peers[g->n_peers - 1]);
  timers_set(&m->room_timers, &g->timer, US_NEVER);
  map_del_u32(m->rooms, g->handle);
  mixer_destroy(g->mixer);
  free(g->peers);
  free(g);
}

static void schedule(struct media_room *g) {
  us_t due = mixer_next_timeout(g->mixer);
  timers_set(&g->port->room_timers, &g->timer, due < g->next_levels ? due : g->next_levels);
}

void media_room_add(struct media_room *g, struct peer *r) {
  if (g->n_peers == g->cap_peers) {
    g->cap_peers = g->cap_peers ? g->cap_peers * 2 : 8;
    g->peers = realloc(g->peers, g->cap_peers * sizeof(struct peer *));
    if (!g->peers)
      abort();
  }
  r->room = g;
  r->at = g->n_peers;
  g->peers[g->n_peers++] = r;
}

void media_room_remove(struct media_room *g, struct peer *r) {
  g->peers[r->at] = g->peers[--g->n_peers];
  g->peers[r->at]->at = r->at;
  mixer_silence(g->mixer, g->port->now, r->member);
  r->room = NULL;
  r->out.moved = true;
  schedule(g);
}

void media_room_rights(struct media_room *g, struct peer *r, bool could_send) {
  if (could_send && !r->may_send)
    mixer_silence(g->mixer, g->port->now, r->member);
  schedule(g);
}

void media_room_put(struct media_room *g, struct peer *r, const struct rtp *h) {
  struct mixer_in in = {.member = r->member,
                        .seq = h->seq,
                        .ts = h->ts,
                        .marker = h->marker,
                        .gain_db = r->gain_db,
                        .priority = r->priority,
                        .payload = h->payload,
                        .len = h->payload_len};
  in.has_level = r->p.level_id && rtp_level(h, r->p.level_id, &in.level, &in.voice);
  mixer_put(g->mixer, g->port->now, &in);
  if (g->next_levels == US_NEVER && mixer_next_timeout(g->mixer) != US_NEVER)
    g->next_levels = g->port->now; /* someone began: say so at once */
  schedule(g);
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
  g->next_levels = ev.n || mixer_next_timeout(g->mixer) != US_NEVER ? g->port->now + LEVELS_US : US_NEVER;
}

void media_room_timeout(struct media_room *g) {
  if (mixer_next_timeout(g->mixer) <= g->port->now)
    mixer_handle_timeout(g->mixer, g->port->now);
  if (g->next_levels <= g->port->now)
    tell_levels(g);
  schedule(g);
}

/* ---- out: one packet a listener ---- */

/* Samples of silence between what he got last and this packet, by our clock. */
static uint32_t pause_before(const struct peer *r, const struct mixer_out *o) {
  us_t since = (r->room->port->now - r->stat.sent_at) * AUDIO_MS(1) / US_PER_MS;
  return since > o->samples ? (uint32_t)(since - o->samples) : 0;
}

/* The peer's own numbering: the stream's, moved so that a change of stream goes on where the old one stopped.
 * Two rooms' time lines have nothing to do with each other: after a move the clock bridges them. */
static bool number(struct peer *r, const struct mixer_out *o, struct rtp *h) {
  struct peer_out *out = &r->out;
  bool change = out->started && (out->moved || out->stream != o->stream);
  if (!out->started)
    out->seq_off -= o->seq;
  else if (change)
    out->seq_off = out->last_seq + 1 - o->seq;
  uint32_t seq = o->seq + out->seq_off, ts = (uint32_t)o->pos + out->ts_off;
  uint32_t due = out->last_end + (change && out->moved ? pause_before(r, o) : 0);
  if (change && (out->moved || (int32_t)(ts - due) < 0)) {
    out->ts_off += due - ts;
    ts = due;
  }
  if (out->started && (int32_t)(seq - out->last_seq) <= -1024)
    return false; /* a straggler from before the change */
  if (!out->started || (int32_t)(seq - out->last_seq) > 0) {
    out->last_seq = seq;
    out->last_end = ts + o->samples;
  }
  out->started = true;
  out->moved = false;
  out->stream = o->stream;
  h->seq = (uint16_t)seq;
  h->ts = ts;
  h->marker = o->marker || change;
  return true;
}

static void send_one(struct media_room *g, struct peer *r, const struct mixer_out *o) {
  struct rtp h = {.pt = r->p.opus_pt, .ssrc = r->p.ssrc_out, .n_csrc = o->n_from};
  if (!peer_up(r) || !r->may_hear || !r->p.recv || r->selected < 0 || !number(r, o, &h))
    return;
  memcpy(h.csrc, o->from, o->n_from * sizeof o->from[0]);
  struct media_datagram *d = mediaport_slot(g->port, &r->addr[r->selected]);
  size_t n = rtp_build(d->data, sizeof d->data, &h, o->n_from ? r->p.csrc_level_id : 0, o->level, o->n_from);
  if (n == 0 || n + o->len + SRTP_TRAILER_MAX > sizeof d->data)
    return;
  memcpy(d->data + n, o->payload, o->len);
  n += o->len;
  if (secure_protect(r->secure, d->data, &n, sizeof d->data) != ERR_OK)
    return;
  d->len = n;
  mediaport_commit_slot(g->port);
  rtpstat_sent(&r->stat, g->port->now, h.ts + o->samples, o->len);
}

static void fan_out(void *ctx, const struct mixer_out *o) {
  struct media_room *g = ctx;
  for (size_t i = 0; i < g->n_peers; i++) {
    struct peer *r = g->peers[i];
    bool may_talk = r->stat.started && g->port->now - r->stat.received_at < TALKER_US;
    if ((may_talk ? mixer_stream_of(g->mixer, r->member) : 0) == o->stream)
      send_one(g, r, o);
  }
}
