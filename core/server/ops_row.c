/* ops_row.c: what an operator sees of a room, of the people in it and of the server. */
#include "core/server/host.h"
#include "core/server/monitor.h"
#include "core/server/ops_private.h"

#include <stdlib.h>
#include <string.h>

#define LOSS_ALERT 5 /* percent */
#define MOS_ALERT 30 /* tenths */

/* How a person is reached. */
static const char *const WAYS[] = {"udp", "tcp", "turn", "tunnel"};
enum { WAYS_N = sizeof WAYS / sizeof WAYS[0] };

static unsigned way_of(const struct seat *s) {
  unsigned way = 0; /* until his line has been reported on */
  for (unsigned i = 1; i < WAYS_N; i++)
    way = strcmp(seat_via_text(s), WAYS[i]) == 0 ? i : way;
  return way;
}

/* ---- figures of the lines of a room ---- */

enum { LOSS_UP, LOSS_DOWN, JITTER, RTT, MOS, FIGURES };
struct figures {
  size_t n; /* lines */
  uint16_t *v[FIGURES];
  size_t known[FIGURES];
  unsigned tier[TIER_N], via[WAYS_N];
};

static void figure(struct figures *f, unsigned which, unsigned v) {
  f->v[which][f->known[which]++] = (uint16_t)v;
}

static unsigned mos_of(const struct media_stats *s) {
  unsigned both = s->mos_up && s->mos_down && s->mos_down < s->mos_up;
  return both || !s->mos_up ? s->mos_down : s->mos_up;
}

static void add_line(struct figures *f, const struct seat *s) {
  const struct media_stats *q = &s->line.last;
  f->n++;
  f->tier[s->line.tier]++;
  figure(f, LOSS_UP, q->loss_up);
  figure(f, LOSS_DOWN, q->loss_down);
  figure(f, JITTER, q->jitter_ms);
  figure(f, RTT, q->rtt_ms);
  if (mos_of(q))
    figure(f, MOS, mos_of(q));
}

static void collect(const struct hosted *h, struct figures *f, uint16_t *room) {
  const struct seat *s;
  size_t most = map_count(h->seats);
  for (unsigned i = 0; i < FIGURES; i++)
    f->v[i] = room + i * most;
  for (size_t at = 0; (s = map_next(h->seats, &at));) {
    if (s->peer)
      f->via[way_of(s)]++;
    if (s->peer && s->line.at)
      add_line(f, s);
  }
}

static int ascending(const void *a, const void *b) {
  return *(const uint16_t *)a - *(const uint16_t *)b;
}

/* [median, worst]; returns the worst. */
static unsigned put_pair(json_t *o, const char *key, struct figures *f, unsigned which, bool low_is_worse) {
  size_t n = f->known[which];
  uint16_t *v = f->v[which];
  if (n > 1)
    qsort(v, n, sizeof *v, ascending);
  unsigned median = n ? v[n / 2] : 0, worst = !n ? 0 : low_is_worse ? v[0] : v[n - 1];
  json_object_set_new(o, key, json_pack("[i,i]", (int)median, (int)worst));
  return worst;
}

/* ---- who is there ---- */

struct head_count {
  unsigned people, waiting, away, hosts, monitors, muted;
  int64_t waiting_ms; /* since when the first waits */
};

static struct head_count count(const struct room *r) {
  struct head_count n = {0};
  for (size_t i = 0; i < r->n_members; i++) {
    const struct member *m = &r->members[i];
    bool monitor = m->role == ROLE_MONITOR;
    n.waiting += m->presence == PRESENCE_WAITING;
    n.away += m->presence == PRESENCE_AWAY && !monitor;
    if (m->presence == PRESENCE_WAITING && (!n.waiting_ms || m->since_ms < n.waiting_ms))
      n.waiting_ms = m->since_ms;
    if (m->presence != PRESENCE_HERE)
      continue;
    n.monitors += monitor;
    n.people += !monitor;
    n.hosts += ROLE_IS_MODERATOR(m->role);
    n.muted += m->muted && !monitor;
  }
  return n;
}

static void put_number(json_t *o, const char *key, int64_t v) {
  json_object_set_new(o, key, json_integer((json_int_t)v));
}

static void put_counts(json_t *o, const struct hosted *h, const struct head_count *n) {
  put_number(o, "people", n->people);
  put_number(o, "waiting", n->waiting);
  put_number(o, "away", n->away);
  put_number(o, "hosts", n->hosts);
  put_number(o, "monitors", n->monitors);
  put_number(o, "talkers", hosted_talkers(h));
  put_number(o, "muted", n->muted);
  put_number(o, "since_ms", h->inside_ms);
  put_number(o, "created_ms", h->room.created_ms);
  put_number(o, "waiting_ms", n->waiting_ms);
}

static void put_mix(json_t *o, const struct figures *f) {
  json_t *tiers = json_object(), *via = json_object();
  for (enum media_tier t = 0; t < TIER_N; t++)
    put_number(tiers, tier_info(t)->name, f->tier[t]);
  for (unsigned v = 0; v < WAYS_N; v++)
    put_number(via, WAYS[v], f->via[v]);
  json_object_set_new(o, "tiers", tiers);
  json_object_set_new(o, "via", via);
}

static void alert(json_t *list, bool on, const char *word) {
  if (on)
    json_array_append_new(list, json_string(word));
}

json_t *ops_row_json(const struct control *c, const struct hosted *h, int64_t *due_ms) {
  struct head_count n = count(&h->room);
  struct figures f = {0};
  uint16_t *room = calloc(FIGURES * map_count(h->seats) + 1, sizeof *room);
  if (!room)
    abort();
  collect(h, &f, room);
  json_t *o =
      json_pack("{s:s,s:s,s:s,s:s,s:b,s:b}", "room", h->name, "app", h->app, "name", h->room.name, "region",
                c->cfg.region ? c->cfg.region : "", "locked", h->room.locked, "lobby", h->room.lobby);
  put_counts(o, h, &n);
  put_number(o, "lines", (int64_t)f.n);
  unsigned up = put_pair(o, "loss_up", &f, LOSS_UP, false);
  unsigned down = put_pair(o, "loss_down", &f, LOSS_DOWN, false);
  (void)put_pair(o, "jitter_ms", &f, JITTER, false);
  (void)put_pair(o, "rtt_ms", &f, RTT, false);
  unsigned mos = put_pair(o, "mos_tenths", &f, MOS, true);
  put_mix(o, &f);
  free(room);
  int64_t late_ms = n.waiting_ms ? n.waiting_ms + OPS_LOBBY_LATE_MS : INT64_MAX;
  json_t *alerts = json_array();
  alert(alerts, up > LOSS_ALERT || down > LOSS_ALERT, "loss");
  alert(alerts, mos && mos < MOS_ALERT, "mos");
  alert(alerts, late_ms < c->wall_ms, "lobby");
  alert(alerts, n.people && !n.hosts, "no_host");
  json_object_set_new(o, "alerts", alerts);
  *due_ms = late_ms >= c->wall_ms && late_ms != INT64_MAX ? late_ms + 1 : INT64_MAX;
  return o;
}

/* ---- one room ---- */

static json_t *person(const struct control *c, struct hosted *h, const struct member *m) {
  static const char *const PRESENCE[] = {
      [PRESENCE_WAITING] = "waiting", [PRESENCE_HERE] = "here", [PRESENCE_AWAY] = "away"};
  const struct seat *s = hosted_seat(h, m->id);
  uint8_t level = 127;
  bool talks = hosted_talks(h, m->id, &level);
  json_t *o = json_pack("{s:I,s:s,s:s,s:s,s:s,s:s,s:b,s:b,s:i,s:i,s:b,s:I,s:b,s:i,s:s}", "id",
                        (json_int_t)m->id, "name", m->name, "role", role_name(m->role), "presence",
                        PRESENCE[m->presence], "client", m->client, "user", m->user, "muted", m->muted,
                        "floor", m->floor, "hand", (int)room_hand_place(&h->room, m->id), "side",
                        (int)m->side, "audio", m->audio, "since_ms", (json_int_t)m->since_ms, "talking",
                        talks, "level", (int)level, "via", s && s->peer ? WAYS[way_of(s)] : "");
  if (s && s->peer && s->line.at)
    json_object_set_new(o, "line", lines_line(c, h, s));
  return o;
}

json_t *ops_people_json(const struct control *c, struct hosted *h) {
  json_t *list = json_array();
  for (size_t i = 0; i < h->room.n_members; i++)
    json_array_append_new(list, person(c, h, &h->room.members[i]));
  return list;
}

/* ---- the server ---- */

static void sample(struct control *c, struct ops *o) {
  struct mediaport_counters m = {0};
  us_t past = c->now - o->at;
  if (o->at && past < US_PER_S)
    return;
  struct host_figures host = {0};
  if (c->cfg.host)
    c->cfg.host(c->cfg.ctx, &host);
  int64_t cpu_us = (int64_t)(host.cpu_s * US_PER_S);
  if (c->cfg.media_counters)
    c->cfg.media_counters(c->cfg.ctx, &m);
  if (o->at) {
    o->in_s = (unsigned)((m.packets_in - o->media.packets_in) * US_PER_S / (uint64_t)past);
    o->out_s = (unsigned)((m.packets_out - o->media.packets_out) * US_PER_S / (uint64_t)past);
    o->cpu_permille = (unsigned)((cpu_us - o->cpu_us) * 1000 / past);
  }
  o->at = c->now;
  o->media = m;
  o->cpu_us = cpu_us;
}

json_t *ops_server_json(struct control *c) {
  struct ops *o = ops_state(c);
  json_t *load = json_array();
  sample(c, o);
  for (unsigned t = 0; t < c->cfg.media_threads; t++)
    json_array_append_new(load, json_integer(c->cfg.media_load ? c->cfg.media_load(c->cfg.ctx, t) : 0));
  json_t *s = json_pack("{s:s,s:s,s:s,s:s,s:o,s:o}", "version", GAVEL_VERSION, "name",
                        c->cfg.access.audience ? c->cfg.access.audience : "", "region",
                        c->cfg.region ? c->cfg.region : "", "state", upkeep_state(c), "alerts",
                        alerts_json(c), "load_permille", load);
  put_number(s, "now_ms", c->wall_ms);
  put_number(s, "uptime_s", (c->now - c->started_at) / US_PER_S);
  put_number(s, "conns", (int64_t)map_count(c->conns));
  put_number(s, "rooms", (int64_t)map_count(c->rooms));
  put_number(s, "people", o->people);
  put_number(s, "waiting", o->waiting);
  put_number(s, "away", o->away);
  put_number(s, "packets_in_s", o->in_s);
  put_number(s, "packets_out_s", o->out_s);
  put_number(s, "cpu_permille", o->cpu_permille);
  put_number(s, "handshakes", c->cfg.handshakes ? c->cfg.handshakes(c->cfg.ctx) : 0);
  put_number(s, "watchers", (int64_t)o->n_watching);
  put_number(s, "listeners", (int64_t)monitor_count(c));
  return s;
}
