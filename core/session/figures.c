/* figures.c: how good his line is: the figures a person sees, what he wishes it to carry, and what follows
 * for his own voice. */
#include "core/session/session_private.h"

#include <stdio.h>
#include <string.h>

_Static_assert(CLIENT_KBPS_MIN == LADDER_KBPS_MIN && CLIENT_KBPS_MAX == LADDER_KBPS_MAX, "as the server");

#define LOSS_LEAST_PCT 10 /* where there is room for it, a first loss is repaired by LBRR as well */

/* ---- figures ---- */

static uint16_t kbps(uint64_t bytes, us_t in) {
  uint64_t v = in >= US_PER_S ? (bytes * 8000 + (uint64_t)in / 2) / (uint64_t)in : 0;
  return (uint16_t)(v < UINT16_MAX ? v : UINT16_MAX);
}

static struct figures_mark mark_now(const struct session *s) {
  struct path_traffic t = s->path ? path_traffic(s->path) : (struct path_traffic){0};
  return (struct figures_mark){s->now, s->ear.played, s->ear.concealed, t.in, t.out};
}

/* What happened since the oldest mark. */
static struct figures_mark lately(const struct session *s) {
  struct figures_mark m = mark_now(s), old = m;
  for (size_t i = 0; i < FIGURES_MARKS && s->mark[i].at; i++)
    old = s->mark[i];
  return (struct figures_mark){m.at - old.at, m.played - old.played, m.concealed - old.concealed,
                               m.in - old.in, m.out - old.out};
}

static uint8_t concealed_pct(const struct figures_mark *m) {
  uint64_t all = m->played + m->concealed;
  return (uint8_t)(all ? (m->concealed * 100 + all / 2) / all : 0);
}

static void fill_link(const struct session *s, struct client_link *l) {
  const struct rtpstat *st = path_stat(s->path);
  const struct ladder *up = path_uplink(s->path);
  struct figures_mark m = lately(s);
  snprintf(l->via, sizeof l->via, "%s", ways_via(s));
  l->loss_down_pct = st->loss_in_pct;
  l->loss_up_pct = st->loss_out_pct;
  l->rtt_ms = st->rtt_ms;
  l->jitter_ms = rtpstat_jitter_ms(st);
  l->buffer_ms = (uint16_t)s->ear.buffer_ms;
  l->playout_ms = (uint16_t)s->ear.playout_ms;
  l->underruns = s->ear.underruns;
  l->tier_down = tier_info(s->tier_down)->name;
  l->copies_down = s->copies_down;
  l->tier_up = tier_info(up->tier)->name;
  l->ptime_down_ms = (uint8_t)tier_info(s->tier_down)->ptime_ms;
  l->ptime_up_ms = (uint8_t)tier_info(up->tier)->ptime_ms;
  l->copies_up = red_plan(up->plan)->copies;
  l->concealed_pct = concealed_pct(&m);
  l->mos_down = st->here.mos;
  l->mos_up = st->there.mos;
  l->kbps_down = kbps(m.in, m.at);
  l->kbps_up = kbps(m.out, m.at);
}

void figures_emit(struct session *s) {
  struct client_event ev = {.kind = CLIENT_EV_LINK};
  struct client_link *l = &ev.link;
  l->connected = s->path && path_up(s->path);
  l->profile = l->connected ? srtp_profile_text(s->profile) : "";
  l->tier_down = l->tier_up = "";
  l->limit_kbps = (uint16_t)s->kbps;
  if (s->path)
    fill_link(s, l);
  s->cfg.event(s->cfg.ctx, &ev);
  if (l->connected && path_rekeys(s->path) != s->told_rekeys)
    media_tell_security(s);
}

void figures_tick(struct session *s) {
  struct figures_mark m = lately(s);
  if (s->path)
    path_set_ear(s->path, &(struct rtpstat_ear){.known = m.played + m.concealed > 0,
                                                .concealed_pct = concealed_pct(&m),
                                                .buffer_ms = (uint16_t)s->ear.buffer_ms,
                                                .bitrate = tier_info(s->tier_down)->bitrate});
  figures_emit(s);
  memmove(s->mark + 1, s->mark, sizeof s->mark - sizeof s->mark[0]);
  s->mark[0] = mark_now(s);
}

void session_ear(struct session *s, us_t now, const struct session_ear *ear) {
  s->now = now;
  s->ear = *ear;
}

/* ---- what he sends, and what he gets ---- */

void figures_uplink(struct session *s) {
  const struct ladder *l = path_uplink(s->path);
  const struct tier_info *t = tier_info(l->tier);
  bool thin = l->tier >= TIER_LOW;
  int loss_pct = !thin && l->loss_pct < LOSS_LEAST_PCT ? LOSS_LEAST_PCT : l->loss_pct;
  s->cfg.voice(s->cfg.ctx, &(struct session_voice){t->ptime_ms, t->bitrate, loss_pct, thin});
}

void figures_path(struct session *s) {
  memset(s->mark, 0, sizeof s->mark);
  s->mark[0] = mark_now(s);
  if (s->path)
    figures_uplink(s);
}

void figures_tier(struct session *s, const json_t *media) {
  const char *name = json_str(media, "tier", "");
  json_int_t copies = json_int(media, "copies", 0);
  for (unsigned t = 0; t < TIER_N; t++)
    if (strcmp(name, tier_info(t)->name) == 0) {
      s->tier_down = t;
      s->copies_down = (uint8_t)(copies > 0 && copies <= RED_COPIES_MAX ? copies : 0);
    }
  figures_emit(s);
}

/* ---- his wish ---- */

static void tell_wish(struct session *s) {
  s->wished = true;
  session_request(s, ++s->last_id, "media.bandwidth", json_pack("{s:i}", "kbps", (int)s->kbps));
}

void figures_joined(struct session *s) {
  if ((s->kbps || s->wished) && !s->cfg.no_audio)
    tell_wish(s);
}

void session_bandwidth(struct session *s, us_t now, unsigned kbps) {
  s->now = now;
  s->kbps = kbps;
  if (s->state == CLIENT_JOINED && s->connected && !s->cfg.no_audio)
    tell_wish(s);
  if (s->path) {
    path_limit(s->path, now, kbps);
    figures_uplink(s);
  }
  figures_emit(s);
}
