#include "core/session/session.h"

#include "core/base/bytes.h"
#include "core/session/session_private.h"
#include "core/wire/json.h"
#include "core/wire/room_json.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BACKOFF_MAX_US (4 * US_PER_S)
#define PROBE_US (1500 * US_PER_MS)
#define LEAVE_US (1500 * US_PER_MS)

struct client_event *session_event(struct client_event *ev, int kind) {
  memset(ev, 0, sizeof *ev);
  ev->kind = (unsigned)kind; // NOLINT: the enum is anonymous
  return ev;
}

void session_emit_state(struct session *s, enum err why, const char *text) {
  struct client_event ev;
  session_event(&ev, CLIENT_EV_STATE);
  ev.state = s->state;
  ev.why = why;
  ev.me = s->me;
  ev.place = s->place;
  ev.waiting = s->waiting;
  snprintf(ev.text, sizeof ev.text, "%s", text ? text : "");
  s->cfg.event(s->cfg.ctx, &ev);
}

void session_notice(struct session *s, const char *text) {
  struct client_event ev;
  session_event(&ev, CLIENT_EV_NOTICE);
  snprintf(ev.text, sizeof ev.text, "%s", text);
  s->cfg.event(s->cfg.ctx, &ev);
}

struct session *session_create(const struct session_config *c) {
  struct session *s = calloc(1, sizeof *s);
  if (!s)
    return NULL;
  s->cfg = *c;
  s->want_open = c->mic_open;
  s->has_input = c->has_input;
  s->kbps = c->kbps;
  s->device = strdup(c->device_id ? c->device_id : "");
  s->password = strdup(c->password ? c->password : "");
  s->token = strdup(c->token ? c->token : "");
  s->consent = strdup(c->consent ? c->consent : "");
  if (!s->device || !s->password || !s->token || !s->consent)
    abort();
  s->backoff = BACKOFF_FIRST_US;
  s->retry_at = s->leave_at = s->give_up_at = s->probe_at = US_NEVER;
  media_init(s);
  room_init(&s->room);
  return s;
}

void session_start(struct session *s, us_t now) {
  s->now = now;
  s->give_up_at = now + CONNECT_LIMIT_US;
  s->state = CLIENT_CONNECTING;
  session_emit_state(s, ERR_OK, "connecting");
  if (!s->cfg.no_audio)
    media_gather(s);
  s->cfg.connect(s->cfg.ctx);
}

void session_end(struct session *s, enum err why, const char *text) {
  if (s->state == CLIENT_ENDED)
    return;
  s->state = CLIENT_ENDED;
  s->retry_at = s->give_up_at = s->leave_at = s->probe_at = US_NEVER;
  media_drop(s);
  session_gate_update(s);
  s->cfg.disconnect(s->cfg.ctx);
  session_emit_state(s, why, text && *text ? text : err_text(why));
}

/* ---- requests ---- */

void session_request(struct session *s, json_int_t id, const char *method, json_t *params) {
  s->cfg.send(s->cfg.ctx, rpc_request(id, method, params));
}

static void join_as_monitor(json_t *p, const struct client_monitor *m) {
  json_t *o = json_pack("{s:s,s:s,s:s}", "mode", m->mode, "reason", m->reason, "ticket", m->ticket);
  if (m->minutes)
    json_object_set_new(o, "minutes", json_integer(m->minutes));
  json_object_set_new(p, "monitor", o);
}

/* room.join goes out once the connection stands and, with sound, the candidates are known. */
void session_try_join(struct session *s) {
  /* without an agent: in, without sound */
  bool need_offer = !s->cfg.no_audio && !media_alive(s) && ways_any(s);
  if (!s->connected || s->join_id || terms_first(s) || (need_offer && !s->gathered))
    return;
  json_t *p = json_pack("{s:s,s:s}", "room", s->cfg.link.room, "client", "gavel/" GAVEL_VERSION);
  if (s->cfg.link.app[0])
    json_object_set_new(p, "app", json_string(s->cfg.link.app));
  if (s->terms_asked)
    json_object_set_new(p, "consent", json_string(s->consent));
  if (s->resume[0])
    json_object_set_new(p, "resume", json_string(s->resume));
  else {
    json_object_set_new(p, "name", json_string(s->cfg.name));
    if (*s->device)
      json_object_set_new(p, "device", json_string(s->device));
    if (s->cfg.link.has_secret && !s->cfg.monitor.mode[0]) {
      char secret[48];
      b64url_encode(s->cfg.link.secret, sizeof s->cfg.link.secret, secret);
      json_object_set_new(p, "invite", json_string(secret));
    }
    if (*s->password)
      json_object_set_new(p, "password", json_string(s->password));
    if (*s->token)
      json_object_set_new(p, "token", json_string(s->token));
    if (s->cfg.monitor.mode[0])
      join_as_monitor(p, &s->cfg.monitor);
  }
  char *offer = need_offer ? media_offer(s) : NULL;
  if (offer)
    json_object_set_new(p, "sdp", json_string(offer));
  free(offer);
  s->join_id = ++s->last_id;
  session_request(s, s->join_id, "room.join", p);
}

void session_media_request(struct session *s) {
  char *offer = media_offer(s);
  if (offer) {
    s->media_id = ++s->last_id;
    session_request(s, s->media_id, "room.media", json_pack("{s:s}", "sdp", offer));
  }
  free(offer);
}

void session_reply(struct session *s, uint32_t ticket, enum err why, const char *text) {
  struct client_event ev;
  session_event(&ev, CLIENT_EV_REPLY);
  ev.ticket = ticket;
  ev.why = why;
  int n = snprintf(ev.text, sizeof ev.text, "%s", text ? text : "");
  if (text && (size_t)n >= sizeof ev.text && !(ev.data = strdup(text)))
    abort();
  s->cfg.event(s->cfg.ctx, &ev);
}

void session_act(struct session *s, us_t now, uint32_t ticket, const struct room_cmd *cmd) {
  s->now = now;
  if (s->state != CLIENT_JOINED && !(s->state == CLIENT_LOBBY && cmd->act == ACT_LEAVE)) {
    session_reply(s, ticket, s->state == CLIENT_LOBBY ? ERR_IN_LOBBY : ERR_NOT_JOINED, NULL);
    return;
  }
  for (size_t i = 0; i < SESSION_TICKETS; i++)
    if (!s->tickets[i].id) {
      s->tickets[i].id = ++s->last_id;
      s->tickets[i].ticket = ticket;
      char method[64];
      snprintf(method, sizeof method, "room.%s", ACTS[cmd->act].name);
      session_request(s, s->tickets[i].id, method, room_cmd_to_params(cmd));
      return;
    }
  session_reply(s, ticket, ERR_RATE, "too many acts wait for the server");
}

void session_leave(struct session *s, us_t now) {
  s->now = now;
  if (s->state == CLIENT_ENDED)
    return;
  s->leaving = true;
  s->leave_at = now + LEAVE_US;
  if (s->state == CLIENT_JOINED || s->state == CLIENT_LOBBY)
    session_request(s, ++s->last_id, "room.leave", json_object());
  else
    session_end(s, ERR_OK, "you left");
}

/* ---- the microphone: what the person wants and what the room allows ---- */

static enum client_mic mic_state(const struct session *s) {
  const struct member *m = room_member(&s->room, s->me);
  if (!s->has_input || s->cfg.no_audio)
    return MIC_NONE;
  if (m && !m->floor)
    return MIC_NO_FLOOR;
  if (m && m->muted)
    return s->room.mute_hold && !m->exempt && !ROLE_IS_MODERATOR(m->role) ? MIC_HELD : MIC_MUTED;
  return s->want_open ? MIC_OPEN : MIC_CLOSED;
}

static void emit_mic(struct session *s) {
  struct client_event ev;
  session_event(&ev, CLIENT_EV_MIC);
  ev.mic = s->mic;
  ev.level = s->level;
  ev.muted_talk = s->muted_talk;
  s->cfg.event(s->cfg.ctx, &ev);
}

void session_gate_update(struct session *s) {
  enum client_mic mic = mic_state(s);
  bool open = s->state == CLIENT_JOINED && mic == MIC_OPEN && room_may_send(&s->room, s->me);
  if (open != s->gate) {
    s->gate = open;
    s->cfg.gate(s->cfg.ctx, open);
  }
  if (mic != s->mic) {
    s->mic = mic;
    emit_mic(s);
  }
}

void session_gate(struct session *s, us_t now, bool open) {
  s->now = now;
  s->want_open = open;
  session_gate_update(s);
}

void session_input(struct session *s, us_t now, bool has_input, uint8_t level, bool muted_talk) {
  s->now = now;
  bool changed = level != s->level || muted_talk != s->muted_talk;
  s->has_input = has_input;
  s->level = level;
  s->muted_talk = muted_talk;
  session_gate_update(s);
  if (changed)
    emit_mic(s);
}

/* ---- connection ---- */

void session_connected(struct session *s, us_t now, const char *tls) {
  s->now = now;
  free(s->tls);
  s->tls = strdup(tls ? tls : "");
  if (s->state == CLIENT_ENDED)
    return;
  s->connected = true;
  s->join_id = s->terms_id = 0;
  media_tell_security(s);
  session_try_join(s);
}

void session_closed(struct session *s, us_t now, enum err why) {
  s->now = now;
  s->connected = false;
  s->probe_at = US_NEVER;
  s->join_id = s->media_id = s->terms_id = s->privacy_id = s->other_id = 0;
  history_lost(s);
  ways_closed(s);
  for (size_t i = 0; i < SESSION_TICKETS; i++)
    if (s->tickets[i].id) { /* not known whether it happened: the fresh snapshot will show */
      uint32_t ticket = s->tickets[i].ticket;
      s->tickets[i].id = 0;
      session_reply(s, ticket, ERR_AGAIN, "the connection was lost before the server answered");
    }
  if (s->state == CLIENT_ENDED)
    return;
  if (s->leaving || why == ERR_CERT || why == ERR_PROTOCOL) {
    session_end(s, s->leaving ? ERR_OK : why, s->leaving ? "you left" : NULL);
    return;
  }
  if (strcmp(s->cfg.monitor.mode, "silent") == 0 && s->state == CLIENT_JOINED) { /* a new time would begin */
    session_end(s, ERR_MONITOR_OVER, "the connection was lost: listening has ended");
    return;
  }
  us_t wait = s->retry_after ? s->retry_after : s->backoff;
  s->retry_after = 0;
  s->retry_at =
      now + wait / 2 + (us_t)rng_below(s->cfg.rng, (uint64_t)wait); /* jitter: no herd after a restart */
  s->backoff = s->backoff * 2 > BACKOFF_MAX_US ? BACKOFF_MAX_US : s->backoff * 2;
  if (s->state != CLIENT_CONNECTING && s->state != CLIENT_RECONNECTING) {
    s->state = CLIENT_RECONNECTING;
    s->give_up_at = now + ROOM_AWAY_MS * US_PER_MS;
    if (wait > ROOM_AWAY_MS * US_PER_MS) /* the server is closed for so long */
      s->give_up_at += 2 * wait;
    session_emit_state(s, why, "the connection was lost, trying again");
  }
}

void session_probe(struct session *s, us_t patience) {
  bool asked = s->probe_at != US_NEVER;
  if (!s->connected || !s->cfg.abort)
    return;
  if (!asked || s->now + patience < s->probe_at)
    s->probe_at = s->now + patience;
  if (asked)
    return;
  session_request(s, ++s->last_id, "ping", json_object());
}

void session_network_changed(struct session *s, us_t now) {
  s->now = now;
  if (s->state == CLIENT_ENDED)
    return;
  session_probe(s, PROBE_US);
  if (s->cfg.no_audio || ways_again(s))
    return;
  media_drop(s);
  media_gather(s);
}

void session_tick(struct session *s, us_t now) {
  s->now = now;
  if (s->retry_at <= now) {
    s->retry_at = US_NEVER;
    if (!s->cfg.no_audio && !media_alive(s)) {
      media_drop(s);
      media_gather(s);
    }
    s->cfg.connect(s->cfg.ctx);
  }
  if (s->probe_at <= now) {
    s->probe_at = US_NEVER;
    s->cfg.abort(s->cfg.ctx);
  }
  if (s->leave_at <= now)
    session_end(s, ERR_OK, "you left");
  if (s->give_up_at <= now)
    session_end(s, s->state == CLIENT_RECONNECTING ? ERR_NO_RESUME : ERR_CONNECT, NULL);
  media_tick(s);
}

static us_t earliest(us_t a, us_t b) {
  return a < b ? a : b;
}

us_t session_next_timeout(const struct session *s) {
  us_t t = earliest(earliest(s->retry_at, s->leave_at), earliest(s->give_up_at, s->probe_at));
  return earliest(t, media_next_timeout(s));
}

enum client_state session_state(const struct session *s) {
  return s->state;
}
const struct room *session_room(const struct session *s) {
  return &s->room;
}
uint32_t session_me(const struct session *s) {
  return s->me;
}

void session_destroy(struct session *s) {
  if (!s)
    return;
  media_drop(s);
  relays_forget(s);
  room_free(&s->room);
  free(s->device);
  free(s->password);
  explicit_bzero(s->token, strlen(s->token));
  free(s->token);
  free(s->consent);
  free(s->tls);
  memset(s, 0, sizeof *s);
  free(s);
}
