#include "tests/sim/host.h"

#include "core/server/control_private.h" /* the oracle reads the server's own room */
#include "core/wire/room_json.h"
#include "tests/sim/world.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SERVER_IP "10.0.0.1"
#define SERVER_PORT 7000

/* ---- the server's doors ---- */

static void on_media(void *ctx, unsigned thread, const struct media_cmd *cmd) {
  struct host *h = ctx;
  us_t due = h->w->now + (us_t)rng_below(&h->w->rng, 5 * US_PER_MS);
  h->last_command = due > h->last_command ? due : h->last_command + 1;
  net_post(&h->w->net, h->last_command, NET_COMMAND, thread, h->life, NULL, 0)->cmd = *cmd;
}

static void on_tell(void *ctx, const struct media_event *ev) {
  struct host *h = ctx;
  us_t due = h->w->now + (us_t)rng_below(&h->w->rng, 5 * US_PER_MS);
  h->last_event = due > h->last_event ? due : h->last_event + 1;
  net_post(&h->w->net, h->last_event, NET_EVENT, 0, h->life, NULL, 0)->ev = *ev;
}

static bool on_edge(void *ctx, unsigned thread, const struct media_edge *e) {
  struct host *h = ctx;
  us_t due = h->w->now + (us_t)rng_below(&h->w->rng, US_PER_MS);
  h->last_edge = due > h->last_edge ? due : h->last_edge + 1;
  net_post(&h->w->net, h->last_edge, NET_EDGE, thread, h->life, e, sizeof *e);
  return true;
}

static void on_want_write(void *ctx, uint32_t conn) {
  struct host *h = ctx;
  for (size_t i = 0; i < h->n_conns; i++)
    if (h->conns[i].conn == conn)
      h->conns[i].writable = true;
}

static void on_send(void *ctx, const struct media_datagram *v, size_t n) {
  struct host *h = ctx;
  for (size_t i = 0; i < n; i++) {
    struct sockaddr_in to;
    memcpy(&to, &v[i].to, sizeof to);
    unsigned peer = (ntohl(to.sin_addr.s_addr) & 0xff) - PERSON_IP_FIRST;
    if (to.sin_family != AF_INET || peer >= h->w->n_people)
      world_fail(h->w, "the server sent a datagram to nobody");
    else
      net_datagram(&h->w->net, h->w->now, &h->w->person[peer].link, NET_DOWN, peer, &to, v[i].data, v[i].len);
  }
}

/* ---- life ---- */

static void start(struct host *h) {
  h->life++;
  struct control_config c = {.store = h->store,
                             .rng = &h->rng,
                             .media_threads = h->threads,
                             .edge_from = h->edge_from,
                             .rekey_s = h->rekey_s,
                             .media = on_media,
                             .want_write = on_want_write,
                             .ctx = h};
  for (unsigned t = 0; t < h->threads; t++) {
    c.n_candidates[t] = 1;
    struct sdp_candidate *cand = &c.candidates[t][0];
    uint16_t port = (uint16_t)(SERVER_PORT + t);
    *cand = (struct sdp_candidate){.address = SERVER_IP, .port = port, .udp = true, .host = true};
    snprintf(cand->line, sizeof cand->line, "candidate:1 1 udp 2130706431 %s %u typ host", SERVER_IP, port);
  }
  memcpy(c.dtls_sha256, h->cert.sha256, sizeof c.dtls_sha256);
  snprintf(c.link.host, sizeof c.link.host, "sim.example");
  c.link.port = 443;
  struct mediaport_config m = {
      .dtls = h->dtls, .rng = &h->rng, .send = on_send, .tell = on_tell, .edge = on_edge, .ctx = h};
  for (unsigned t = 0; t < h->threads; t++)
    if (!(h->media[t] = mediaport_create(&m)))
      abort();
  char why[256] = "";
  if (control_create(&c, h->w->now, world_wall_ms(h->w), &h->control, why) != ERR_OK)
    world_fail(h->w, "the server does not start: %s", why);
}

void host_init(struct host *h, struct world *w, uint64_t seed, bool lobby) {
  static const uint8_t KEY[32] = {1, 2, 3};
  char why[256] = "";
  *h = (struct host){.w = w};
  h->rekey_s = seed % 2; /* in every other world all keys change every second */
  h->threads = seed % 4 < 2 ? 2 : 1;
  h->edge_from = 1 + seed / 4 % 2;
  rng_seed(&h->rng, seed ^ 0x5e17e5);
  if (store_open(":memory:", KEY, &h->rng, &h->store, why) != ERR_OK ||
      cert_make("sim.example", 2, &h->cert) != ERR_OK) {
    fprintf(stderr, "sim: cannot begin: %s\n", why);
    abort();
  }
  h->dtls = dtls_ctx_create(&h->cert, false);
  start(h);
  if (control_room_create(h->control, HOST_ROOM, lobby, &h->owner, &h->guest) != ERR_OK)
    world_fail(w, "the room cannot be made");
  control_commit(h->control);
}

static void stop(struct host *h) {
  control_destroy(h->control);
  h->control = NULL;
  for (unsigned t = 0; t < h->threads; t++) {
    mediaport_destroy(h->media[t]);
    h->media[t] = NULL;
  }
  h->n_conns = 0;
}

void host_free(struct host *h) {
  stop(h);
  dtls_ctx_destroy(h->dtls);
  cert_free(&h->cert);
  store_close(h->store);
}

const struct room *host_room(const struct host *h) {
  const struct hosted *r = h->control ? hosted_find(h->control, HOST_ROOM) : NULL;
  return r && !r->room.ended ? &r->room : NULL;
}

json_t *host_normal(json_t *room, bool steady) {
  json_object_del(room, "seq");
  json_t *members = json_object_get(room, "members");
  for (size_t i = 0; steady && i < json_array_size(members); i++) {
    json_t *m = json_array_get(members, i);
    const char *presence = json_string_value(json_object_get(m, "presence"));
    if (presence && strcmp(presence, "away") == 0)
      json_object_del(m, "presence");
    json_object_del(m, "dropped_ms");
  }
  return room;
}

/* ---- turns ---- */

static bool begin(struct host *h) {
  if (h->control && !h->in_turn) {
    h->in_turn = true;
    control_tick(h->control, h->w->now, world_wall_ms(h->w));
  }
  return h->control != NULL;
}

static void post_down(struct host *h, unsigned peer, uint32_t epoch, enum net_kind kind, const char *text,
                      size_t n) {
  us_t due = h->w->now + h->w->person[peer].link.base;
  h->last_down[peer] = due > h->last_down[peer] ? due : h->last_down[peer] + 1;
  net_post(&h->w->net, h->last_down[peer], kind, peer, epoch, text, n);
}

static void pump(struct host *h, size_t i) {
  struct host_conn k = h->conns[i];
  const char *text;
  size_t n;
  h->conns[i].writable = false;
  while ((text = control_next_message(h->control, k.conn, &n)))
    post_down(h, k.peer, k.epoch, NET_SIG_DOWN, text, n);
  if (!control_wants_close(h->control, k.conn))
    return;
  post_down(h, k.peer, k.epoch, NET_SIG_LOST_DOWN, NULL, 0);
  control_closed(h->control, k.conn);
  h->conns[i] = h->conns[--h->n_conns];
}

void host_end_turn(struct host *h) {
  bool again = h->in_turn && h->control;
  h->in_turn = false;
  while (again) {
    control_commit(h->control);
    again = false;
    for (size_t i = h->n_conns; i-- > 0;)
      if (h->conns[i].writable) {
        pump(h, i);
        again = true;
      }
  }
  const struct room *r = host_room(h);
  if (r && r->seq != h->checked_seq) {
    h->checked_seq = r->seq;
    h->changed_at = h->w->now;
    const char *bad = room_check(r);
    if (bad)
      world_fail(h->w, "the server's room breaks a rule: %s", bad);
  }
}

static struct host_conn *conn_of(struct host *h, const struct net_event *e) {
  for (size_t i = 0; i < h->n_conns; i++)
    if (h->conns[i].peer == e->peer && h->conns[i].epoch == e->epoch)
      return &h->conns[i];
  return NULL;
}

static void open_conn(struct host *h, const struct net_event *e) {
  if (!h->control || h->n_conns == HOST_CONNS) {
    post_down(h, e->peer, e->epoch, NET_SIG_LOST_DOWN, NULL, 0);
    return;
  }
  begin(h);
  const uint8_t addr[16] = {[10] = 0xff, 0xff, 10, 0, 0, (uint8_t)(PERSON_IP_FIRST + e->peer)};
  h->conns[h->n_conns++] =
      (struct host_conn){control_open(h->control, false, addr), e->epoch, e->peer, false};
  post_down(h, e->peer, e->epoch, NET_SIG_OPENED, NULL, 0);
}

/* To the port of every media thread: the one that does not know him is silent. */
static void take_datagram(struct host *h, const struct net_event *e) {
  for (unsigned t = 0; t < h->threads; t++) {
    uint8_t copy[MEDIAPORT_DATAGRAM_MAX];
    assert(e->n <= sizeof copy);
    memcpy(copy, e->data, e->n);
    mediaport_handle_packet(h->media[t], h->w->now, (const struct sockaddr *)&e->local, sizeof e->local, copy,
                            e->n);
  }
}

static void take_edge(struct host *h, const struct net_event *e) {
  struct media_edge edge;
  assert(e->n == sizeof edge);
  memcpy(&edge, e->data, sizeof edge);
  mediaport_handle_edge(h->media[e->peer], h->w->now, &edge);
}

void host_take(struct host *h, struct net_event *e) {
  struct host_conn *k = conn_of(h, e);
  if (e->kind == NET_SIG_OPEN)
    open_conn(h, e);
  else if (!begin(h) || (e->kind >= NET_COMMAND && e->epoch != h->life))
    return; /* what was in the mailboxes died with the process */
  else if (e->kind == NET_UP)
    take_datagram(h, e);
  else if (e->kind == NET_EDGE)
    take_edge(h, e);
  else if (e->kind == NET_COMMAND)
    mediaport_command(h->media[e->peer], h->w->now, &e->cmd);
  else if (e->kind == NET_EVENT)
    control_media_event(h->control, 0, &e->ev);
  else if (k && e->kind == NET_SIG_UP)
    control_message(h->control, k->conn, (const char *)e->data, e->n);
  else if (k && e->kind == NET_SIG_LOST_UP) {
    control_closed(h->control, k->conn);
    *k = h->conns[--h->n_conns];
  }
}

us_t host_due(const struct host *h) {
  if (!h->control)
    return h->up_at;
  us_t due = control_next_timeout(h->control);
  for (unsigned t = 0; t < h->threads; t++) {
    us_t next = mediaport_next_timeout(h->media[t]);
    due = next < due ? next : due;
  }
  return due;
}

void host_timeout(struct host *h) {
  if (!h->control && h->up_at <= h->w->now) {
    start(h);
    world_note(h->w, "server: up again");
  }
  if (h->control && control_next_timeout(h->control) <= h->w->now)
    begin(h);
  for (unsigned t = 0; h->control && t < h->threads; t++)
    if (mediaport_next_timeout(h->media[t]) <= h->w->now)
      mediaport_handle_timeout(h->media[t], h->w->now);
}

/* ---- restart ---- */

void host_crash(struct host *h, bool polite, us_t down) {
  host_end_turn(h);
  const struct room *r = host_room(h);
  json_t *before = r ? host_normal(room_to_wire(r, 0), true) : NULL;
  static const char LOST[] =
      "{\"jsonrpc\":\"2.0\",\"id\":999999,\"method\":\"room.chat\",\"params\":{\"text\":\"lost\"}}";
  begin(h);
  if (polite) {
    control_bye(h->control, 100);
    host_end_turn(h);
  } else if (h->n_conns) /* dies before the commit: this must not have happened */
    control_message(h->control, h->conns[rng_below(&h->w->rng, h->n_conns)].conn, LOST, sizeof LOST - 1);
  for (size_t i = 0; i < h->n_conns; i++)
    post_down(h, h->conns[i].peer, h->conns[i].epoch, NET_SIG_LOST_DOWN, NULL, 0);
  h->in_turn = false;
  stop(h);
  store_rollback(h->store);
  start(h); /* once now, to compare; it comes back to life for good at up_at */
  r = host_room(h);
  json_t *after = r ? host_normal(room_to_wire(r, 0), true) : NULL;
  if (before && (!after || !json_equal(before, after))) {
    char *a = json_dumps(before, JSON_SORT_KEYS | JSON_COMPACT),
         *b = json_dumps(after, JSON_SORT_KEYS | JSON_COMPACT);
    fprintf(stderr, "before %s\nafter  %s\n", a, b ? b : "nothing");
    free(a);
    free(b);
    world_fail(h->w, "the room was not the same after the server's restart");
  }
  json_decref(before);
  json_decref(after);
  stop(h);
  h->up_at = h->w->now + down;
}
