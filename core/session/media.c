/* media.c: the session's sound path: ICE agent, offer and answer, what is heard, link figures, and a new path
 * when one dies. */
#include "core/session/session_private.h"
#include "core/session/tls_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEVELS_US (250 * US_PER_MS)
#define SILENT_US (700 * US_PER_MS) /* nothing heard for so long: nobody talks */
#define ALIVE_US (12 * US_PER_S)    /* reports come every 5 to 8 s */
#define DEAD_US (34 * US_PER_S)     /* four of them in a row did not */
#define REGATHER_US US_PER_S
#define REGATHER_MAX 5

void media_init(struct session *s) {
  s->link_at = s->regather_at = s->levels_at = US_NEVER;
  s->step_at = s->better_at = s->check_at = US_NEVER;
}

/* ---- callbacks of the agents and the path ---- */

static void request_path(struct session *s) {
  if ((s->state == CLIENT_JOINED || s->state == CLIENT_LOBBY) && s->connected)
    session_media_request(s);
  else
    session_try_join(s);
}

void media_gathered(struct session *s) {
  s->gathered = true;
  request_path(s);
}

/* The server knows by itself what a datagram came in by, but not that a relay sent it. */
static void tell_via(struct session *s) {
  bool turn = strncmp(ways_via(s), "turn", 4) == 0;
  if (turn != s->told_turn && s->connected && s->state == CLIENT_JOINED) {
    session_request(s, ++s->last_id, "media.via", json_pack("{s:s}", "via", turn ? "turn" : "udp"));
    s->told_turn = turn;
  }
}

void media_reached(struct session *s) {
  bool first = !s->reached;
  s->reached = true;
  if (s->path && first)
    path_transport_up(s->path, s->now);
  tell_via(s);
  if (!first)
    figures_emit(s);
}

void media_packet(struct session *s, uint8_t *p, size_t n) {
  if (s->path)
    path_handle_packet(s->path, s->now, p, n);
}

static void on_path_send(void *ctx, const uint8_t *p, size_t n) {
  ways_send(ctx, p, n);
}

void media_tell_security(struct session *s) {
  char ours[96], theirs[96], *text = NULL;
  size_t n;
  FILE *f = open_memstream(&text, &n);
  if (!f)
    abort();
  fingerprint_text(s->cfg.dtls_sha256, ours);
  fingerprint_text(s->peer_sha256, theirs);
  fputs(s->tls ? s->tls : "", f);
  if (s->path && path_up(s->path)) {
    s->told_rekeys = path_rekeys(s->path);
    fprintf(f, "%-16s DTLS-SRTP, %s; keys changed %u times\n", "sound", srtp_profile_text(s->profile),
            s->told_rekeys);
    fprintf(f, "%-16s %s\n%-16s %s\n", "DTLS, server", theirs, "DTLS, yours", ours);
  } else
    fprintf(f, "%-16s no path yet\n", "sound");
  fprintf(f, "%-16s no: the server mixes, so it hears what is said (hop by hop)\n", "end to end");
  if (fclose(f) != 0)
    abort();
  struct client_event ev = {.kind = CLIENT_EV_SECURITY, .data = text};
  s->cfg.event(s->cfg.ctx, &ev);
}

static void on_path_state(void *ctx, bool up, enum err why, enum srtp_profile_id profile) {
  struct session *s = ctx;
  if (!up) {
    media_failed(s, why);
    return;
  }
  s->profile = profile;
  s->link_at = s->now + LINK_US;
  s->check_at = s->now;
  figures_emit(s);
  media_tell_security(s);
}

static void on_uplink(void *ctx) {
  figures_uplink(ctx);
}

static void heard(struct session *s, const struct rtp *h) {
  size_t n = 0;
  const uint8_t *levels = rtp_find_ext(h, path_csrc_level_id(s->path), &n);
  s->n_heard = 0;
  for (unsigned i = 0; i < h->n_csrc && s->n_heard < CLIENT_LEVELS_MAX; i++) {
    if (!room_member(&s->room, h->csrc[i])) /* the tones of the room are nobody's */
      continue;
    s->heard[s->n_heard] = h->csrc[i];
    s->heard_level[s->n_heard++] = levels && i < n ? levels[i] & 0x7f : 30;
  }
  s->heard_at = s->now;
  if (s->levels_at == US_NEVER)
    s->levels_at = s->now;
}

static void on_audio(void *ctx, const struct rtp *h) {
  struct session *s = ctx;
  heard(s, h);
  s->cfg.audio(s->cfg.ctx, h);
}

static void on_copy(void *ctx, const struct rtp *h, uint32_t offset) {
  struct session *s = ctx;
  s->cfg.copy(s->cfg.ctx, h, offset);
}

static void on_expect(void *ctx, unsigned wait_ms) {
  struct session *s = ctx;
  if (s->cfg.expect)
    s->cfg.expect(s->cfg.ctx, wait_ms);
}

/* ---- life of a path ---- */

void media_gather(struct session *s) {
  media_drop(s);
  s->ssrc = (uint32_t)rng_u64(s->cfg.rng) | 1;
  if (!ways_begin(s))
    session_notice(s, "no network path for sound could be prepared");
}

char *media_offer(struct session *s) {
  struct sdp_candidate cand[SDP_CANDIDATES_MAX];
  if (!s->gathered)
    return NULL;
  size_t n = ways_local(s, cand, SDP_CANDIDATES_MAX);
  struct sdp_local me = {.ufrag = s->ufrag,
                         .pwd = s->pwd,
                         .fingerprint = s->cfg.dtls_sha256,
                         .ssrc = s->ssrc,
                         .cand = cand,
                         .n_cand = n};
  s->offered = true;
  return sdp_write_offer(&me);
}

void media_answer(struct session *s, const char *text) {
  struct sdp answer;
  const char *why = NULL;
  if (!ways_any(s) || s->path || !s->offered || s->media_id)
    return; /* of an offer that a newer one has replaced */
  if (sdp_parse(text, strlen(text), &answer, &why) != ERR_OK) {
    session_notice(s, why ? why : "the server's answer cannot be read");
    return;
  }
  struct path_io io = {.send = on_path_send,
                       .audio = on_audio,
                       .copy = on_copy,
                       .expect = on_expect,
                       .state = on_path_state,
                       .uplink = on_uplink,
                       .ctx = s};
  s->path = path_create(s->cfg.dtls, s->cfg.rng, s->ssrc, &answer, s->now, s->kbps, &io);
  if (!s->path)
    return;
  figures_path(s);
  memcpy(s->peer_sha256, answer.fingerprint, sizeof s->peer_sha256);
  ways_answer(s, &answer);
}

void media_failed(struct session *s, enum err why) {
  if (s->cfg.no_audio || s->failed || !s->gathered)
    return;
  bool worked = s->path && path_up(s->path) && s->regathers == 0;
  s->failed = true; /* dropped at the next tick: this may be a callback of the agent itself */
  if (worked) {     /* a path that worked is replaced at once: the server restarted, or the network moved */
    s->regather_at = s->now;
    session_notice(s, "the sound was interrupted, a new path is being made");
  } else if (s->regathers < REGATHER_MAX) {
    s->regather_at = s->now + (REGATHER_US << s->regathers);
    if (s->regathers == 0)
      session_notice(s, err_text(why));
  } else
    session_notice(s, "no sound: every attempt to find a network path failed");
  s->regathers++;
}

void media_drop(struct session *s) {
  ways_drop(s);
  bool was_up = s->path && path_up(s->path);
  path_destroy(s->path);
  s->path = NULL;
  s->gathered = s->offered = s->reached = s->told_turn = s->failed = false;
  s->regather_at = s->link_at = US_NEVER;
  s->media_id = 0;
  figures_path(s);
  if (was_up)
    figures_emit(s);
}

bool media_alive(const struct session *s) {
  return s->path && path_up(s->path) && !s->failed && s->now - ways_heard_at(s) < ALIVE_US;
}

bool session_media_up(const struct session *s) {
  return s->path && path_up(s->path);
}

void session_captured(struct session *s, us_t now, const struct capture_packet *p) {
  s->now = now;
  if (s->path && s->gate)
    path_send(s->path, now, p);
}

static void tell_heard(struct session *s) {
  if (s->now - s->heard_at >= SILENT_US) {
    if (s->told_sound)
      session_levels(s, 0, NULL, NULL);
    s->told_sound = false;
    s->levels_at = US_NEVER;
    return;
  }
  session_levels(s, s->n_heard, s->heard, s->heard_level);
  s->told_sound = true;
  s->levels_at = s->now + LEVELS_US;
}

void media_tick(struct session *s) {
  ways_tick(s);
  if (s->path && path_next_timeout(s->path) <= s->now)
    path_handle_timeout(s->path, s->now);
  if (s->levels_at <= s->now)
    tell_heard(s);
  if (s->link_at <= s->now) {
    figures_tick(s);
    s->link_at = s->now + LINK_US;
    s->regathers = 0; /* it has worked for a while */
    if (s->path && path_up(s->path) && s->now - ways_heard_at(s) > DEAD_US)
      media_failed(s, ERR_ICE);
  }
  if (s->regather_at <= s->now)
    media_gather(s);
}

us_t media_next_timeout(const struct session *s) {
  us_t t = s->path ? path_next_timeout(s->path) : US_NEVER, ways = ways_next_timeout(s);
  t = ways < t ? ways : t;
  if (s->levels_at < t)
    t = s->levels_at;
  if (s->link_at < t)
    t = s->link_at;
  return s->regather_at < t ? s->regather_at : t;
}
