/* mediaedge.c: one room on several media threads: the home's side and the edge's side. */
#include "core/server/mediaport_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void give(struct mediaport *m, unsigned thread, const struct media_edge *e) {
  if (!m->cfg.edge || !m->cfg.edge(m->cfg.ctx, thread, e))
    m->count.edge_dropped++;
}

static void give_edges(struct media_room *g, uint32_t threads, const struct media_edge *e) {
  for (unsigned t = 0; threads; t++, threads >>= 1)
    if (threads & 1)
      give(g->port, t, e);
}

static bool copy_payload(struct media_edge *e, const uint8_t *p, size_t n) {
  if (n > sizeof e->data)
    return false;
  memcpy(e->data, p, n);
  return true;
}

/* ---- at home ---- */

void edge_sound(struct media_room *g, const struct mixer_out *o) {
  const struct media_remote *to = o->stream && g->remotes ? map_get_u32(g->remotes, o->stream) : NULL;
  uint32_t threads = o->stream == 0 ? g->edges : to ? 1U << to->thread : 0;
  struct media_edge *e = &g->port->edge;
  if (!threads || !copy_payload(e, o->payload, o->len))
    return;
  e->kind = EDGE_SOUND;
  e->room = g->handle;
  e->cuts = g->cuts;
  e->out = *o;
  e->out.payload = NULL;
  e->n_personal = g->n_personal;
  for (size_t i = 0; i < g->n_personal; i++)
    e->personal[i] = g->personal[i].member;
  give_edges(g, threads, e);
}

void edge_silence(struct media_room *g, uint32_t member) {
  if (!g->edges)
    return;
  struct media_edge *e = &g->port->edge;
  g->cuts++;
  e->kind = EDGE_SILENCE;
  e->room = g->handle;
  e->member = member;
  e->cuts = g->cuts;
  give_edges(g, g->edges, e);
}

void edge_add(struct media_room *g, unsigned thread) {
  assert(thread < 32);
  g->edges |= 1U << thread;
}

void edge_remote(struct media_room *g, const struct media_cmd *cmd) {
  struct media_remote *r = g->remotes ? map_get_u32(g->remotes, cmd->member) : NULL;
  if (!cmd->may_send) {
    if (r) {
      free(map_del_u32(g->remotes, cmd->member));
      media_room_silence(g, cmd->member);
    }
    return;
  }
  if (!r) {
    if (!g->remotes)
      g->remotes = map_create(rng_u64(g->port->cfg.rng));
    r = calloc(1, sizeof *r);
    if (!r)
      abort();
    map_put_u32(g->remotes, cmd->member, r);
  }
  *r = (struct media_remote){.thread = cmd->thread, .priority = cmd->priority, .gain_db = cmd->gain_db};
}

static void take_packet(struct media_room *g, const struct media_edge *e) {
  const struct media_remote *r = g->remotes ? map_get_u32(g->remotes, e->in.member) : NULL;
  if (!r) {
    g->port->count.no_right++;
    return;
  }
  struct mixer_in in = e->in;
  in.payload = e->data;
  in.gain_db = r->gain_db;
  in.priority = r->priority;
  media_room_speak(g, &in);
}

void edge_close(struct media_room *g) {
  void *r;
  for (size_t at = 0; g->remotes && (r = map_next(g->remotes, &at));)
    free(r);
  map_destroy(g->remotes);
}

/* ---- at the edge ---- */

void edge_speak(struct media_room *g, const struct mixer_in *in) {
  struct media_edge *e = &g->port->edge;
  if (!copy_payload(e, in->payload, in->len))
    return;
  e->kind = EDGE_PACKET;
  e->room = g->handle;
  e->in = *in;
  e->in.payload = NULL;
  give(g->port, g->home, e);
}

/* Somebody was silenced and we were not told in time: nothing that is held goes out. */
static void catch_up(struct media_room *g, uint32_t cuts) {
  if (g->cuts != cuts)
    fan_forget(g);
  g->cuts = cuts;
}

static void take_sound(struct media_room *g, const struct media_edge *e) {
  struct mixer_out out = e->out;
  out.payload = e->data;
  catch_up(g, e->cuts);
  fan_personal(g, e->personal, e->n_personal);
  fan_put(g, &out);
}

void mediaport_handle_edge(struct mediaport *m, us_t now, const struct media_edge *e) {
  m->now = now;
  struct media_room *g = map_get_u32(m->rooms, e->room);
  if (g && !g->mixer && e->kind == EDGE_SOUND)
    take_sound(g, e);
  else if (g && !g->mixer && e->kind == EDGE_SILENCE) {
    fan_silence(g, e->member);
    if (e->cuts == g->cuts + 1)
      g->cuts++;
  } else if (g && g->mixer && e->kind == EDGE_PACKET)
    take_packet(g, e);
  if (g)
    media_room_schedule(g);
  mediaport_flush(m);
}
