/* lines.c: how good each person's line is: a word of it for all, the figures for who moderates, their sums
 * for what stays of his visit. */
#include "core/server/control_private.h"

#include <stdio.h>
#include <string.h>

#define MOS_BAD 26  /* below, "nearly all users dissatisfied" (G.107 annex B) */
#define MOS_WEAK 36 /* below, "many users dissatisfied" */
#define FROZEN_MS 200
#define BETTER_AFTER                                                                                         \
  3 /* reports in a row: everyone is told of a change, so a line on the edge must not flicker */

static unsigned worse(unsigned a, unsigned b) {
  return a > b ? a : b;
}

/* The lower MOS of those that are known, 0: none is. */
static unsigned mos_of(const struct media_stats *s) {
  if (!s->mos_up || !s->mos_down)
    return s->mos_up + s->mos_down;
  return s->mos_up < s->mos_down ? s->mos_up : s->mos_down;
}

/* 0 good, 1 weak, 2 bad: by the worse of both directions. Loss that was repaired makes a line weak, not bad.
 */
static uint8_t quality_of(const struct media_stats *s) {
  unsigned loss = worse(s->loss_up, s->loss_down), mos = mos_of(s);
  if ((mos ? mos < MOS_BAD : loss >= 15) || s->rtt_ms >= 800)
    return 2;
  return (mos && mos < MOS_WEAK) || loss >= 4 || s->rtt_ms >= 400 || s->jitter_ms >= 80;
}

struct msg *lines_now(struct hosted *h) {
  json_t *who = json_array();
  struct seat *s;
  for (size_t at = 0; (s = map_next(h->seats, &at));)
    if (s->quality)
      json_array_append_new(who, json_pack("[i,i]", (int)s->member, (int)s->quality));
  struct msg *m =
      json_array_size(who) ? msg_take(rpc_notify("quality", json_pack("{s:O}", "who", who))) : NULL;
  json_decref(who);
  return m;
}

/* ---- sums ---- */

static bool froze(unsigned burst_ms, unsigned concealed_pct) {
  return burst_ms > FROZEN_MS && concealed_pct > 0;
}

static void sum_up(struct seat_line *l, const struct media_stats *s) {
  uint64_t n = s->over_ms ? s->over_ms : 1;
  unsigned mos = mos_of(s), burst = worse(s->burst_up_ms, s->burst_down_ms);
  bool frozen = froze(s->burst_up_ms, s->concealed_up) || froze(s->burst_down_ms, s->concealed_down);
  l->n += n;
  l->loss_percent += n * worse(s->loss_up, s->loss_down);
  l->concealed_percent += n * worse(s->concealed_up, s->concealed_down);
  l->jitter_ms += n * s->jitter_ms;
  l->rtt_ms += n * s->rtt_ms;
  l->kbps += n * worse(s->kbps_up, s->kbps_down);
  l->frozen += n * frozen;
  l->n_mos += mos ? n : 0;
  l->mos_tenths += n * mos;
  l->n_burst += burst ? n : 0;
  l->burst_ms += n * burst;
}

static uint32_t mean(uint64_t sum, uint64_t n, unsigned scale) {
  return n ? (uint32_t)((sum * scale + n / 2) / n) : 0;
}

void lines_visit(struct seat *s, struct access_visit *v) {
  const struct seat_line *l = &s->line;
  v->loss_permille = mean(l->loss_percent, l->n, 10);
  v->concealed_permille = mean(l->concealed_percent, l->n, 10);
  v->frozen_permille = mean(l->frozen, l->n, 1000);
  v->jitter_ms = mean(l->jitter_ms, l->n, 1);
  v->rtt_ms = mean(l->rtt_ms, l->n, 1);
  v->kbps = mean(l->kbps, l->n, 1);
  v->mos_tenths = mean(l->mos_tenths, l->n_mos, 1);
  v->burst_ms = mean(l->burst_ms, l->n_burst, 1);
  v->join_ms = l->join_ms;
  s->line = (struct seat_line){0}; /* his next stay has figures of its own */
}

void lines_path(struct control *c, struct seat *s, bool up) {
  struct seat_line *l = &s->line;
  if (up && l->asked_at) {
    int64_t ms = (c->now - l->asked_at) / US_PER_MS;
    metrics_observe(c->observed, METRICS_SETUP, (double)ms / 1000);
    l->join_ms = l->join_ms ? l->join_ms : (uint32_t)ms;
  }
  l->asked_at = up ? 0 : c->now;
  l->at = up ? l->at : 0;
}

void lines_report(struct control *c, struct hosted *h, struct seat *about, const struct media_event *ev) {
  uint8_t quality = quality_of(&ev->stats);
  about->line.better = quality < about->quality ? about->line.better + 1 : 0;
  about->line.at = c->now;
  about->line.tier = ev->tier;
  about->line.copies = ev->copies;
  about->line.last = ev->stats;
  sum_up(&about->line, &ev->stats);
  if (ev->stats.mos_up)
    metrics_observe(c->observed, METRICS_MOS_UP, ev->stats.mos_up / 10.0);
  if (ev->stats.mos_down)
    metrics_observe(c->observed, METRICS_MOS_DOWN, ev->stats.mos_down / 10.0);
  if (quality == about->quality || (quality < about->quality && about->line.better < BETTER_AFTER))
    return;
  about->quality = quality;
  struct msg *m =
      msg_take(rpc_notify("quality", json_pack("{s:[[i,i]]}", "who", (int)about->member, (int)quality)));
  struct seat *s;
  for (size_t at = 0; (s = map_next(h->seats, &at));)
    if (s->conn && room_may_hear(&h->room, s->member))
      control_send(c, s->conn, m);
  msg_unref(m);
}

/* ---- room.quality ---- */

json_t *lines_line(const struct control *c, const struct hosted *h, const struct seat *s) {
  const struct member *m = room_member(&h->room, s->member);
  const struct seat_line *l = &s->line;
  const struct media_stats *q = &l->last;
  json_t *o = json_pack("{s:i,s:s,s:i,s:s,s:i}", "member", (int)s->member, "name", m ? m->name : "", "age_s",
                        (int)((c->now - l->at) / US_PER_S), "tier", tier_info(l->tier)->name, "copies",
                        (int)l->copies);
  const struct {
    const char *key;
    unsigned n;
  } FIGURES[] = {{"loss_up", q->loss_up},           {"loss_down", q->loss_down},
                 {"concealed_up", q->concealed_up}, {"concealed_down", q->concealed_down},
                 {"mos_up_tenths", q->mos_up},      {"mos_down_tenths", q->mos_down},
                 {"burst_up_ms", q->burst_up_ms},   {"burst_down_ms", q->burst_down_ms},
                 {"jitter_ms", q->jitter_ms},       {"rtt_ms", q->rtt_ms},
                 {"buffer_ms", q->buffer_ms},       {"kbps_up", q->kbps_up},
                 {"kbps_down", q->kbps_down},       {"join_ms", l->join_ms}};
  for (size_t i = 0; i < sizeof FIGURES / sizeof FIGURES[0]; i++)
    json_object_set_new(o, FIGURES[i].key, json_integer(FIGURES[i].n));
  json_object_set_new(o, "via", json_string(seat_via_text(s)));
  return o;
}

static json_t *lines_of(const struct control *c, const struct hosted *h, uint32_t member) {
  json_t *list = json_array();
  const struct seat *s;
  for (size_t at = 0; (s = map_next(h->seats, &at));)
    if (s->line.at && s->peer && (!member || s->member == member))
      json_array_append_new(list, lines_line(c, h, s));
  return list;
}

/* Rights first: who may not ask learns nothing. Of a member, all lines cost more than one. */
static enum err may_ask(struct control *c, const struct conn *k, const struct hosted *h,
                        const json_t *params) {
  int64_t member = json_int(params, "member", 0), since_s = json_int(params, "since", 0);
  if (!k->admin && !k->seat)
    return ERR_NOT_JOINED;
  if (!k->admin && room_view_of(&h->room, k->seat->member) != VIEW_MODERATOR)
    return ERR_NOT_ALLOWED;
  bool known = k->admin ? json_only_keys(params, "room", "member", "since", NULL)
                        : json_only_keys(params, "member", NULL);
  if (!known || member < 0 || member > UINT32_MAX || since_s < 0 || since_s > INT32_MAX)
    return ERR_BAD_ARG;
  if (!h)
    return since_s ? ERR_OK : ERR_NO_ROOM;
  if (member && !room_member(&h->room, (uint32_t)member))
    return ERR_NO_MEMBER;
  return k->admin || member || limit_take(c, &k->room->reports, LIMIT_REPORTS) ? ERR_OK : ERR_RATE;
}

/* The stays of the room named ROOM or APP/ROOM that ended in the last `since` seconds, whether it still is or
 * not. */
static json_t *visits_of(struct control *c, const char *name, int64_t since_s) {
  char app[ACCESS_APP_MAX + 1] = "";
  const char *slash = strchr(name, '/');
  if (slash && (size_t)(slash - name) < sizeof app)
    memcpy(app, name, (size_t)(slash - name));
  return access_visits(c->access, app, slash ? slash + 1 : name, c->wall_ms - since_s * 1000);
}

void lines_call(struct control *c, struct conn *k, json_int_t id, const json_t *params) {
  const char *name = json_str(params, "room", "");
  const struct hosted *h = k->admin ? hosted_find(c, name) : k->room;
  enum err e = may_ask(c, k, h, params);
  if (e != ERR_OK) {
    control_refuse(c, k, id, e, NULL);
    return;
  }
  uint32_t member = (uint32_t)json_int(params, "member", 0);
  json_int_t since_s = json_int(params, "since", 0);
  json_t *body = json_pack("{s:o}", "lines", h ? lines_of(c, h, member) : json_array());
  if (since_s)
    json_object_set_new(body, "visits", visits_of(c, name, since_s));
  if (k->admin) /* it names people */
    audit_note(c->access, &(struct audit_entry){.action = "room.quality", .room = h ? h->room.name : name});
  control_reply(c, k, id, body);
}
