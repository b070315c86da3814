/* inbox.c: what the server says: answers to requests, events, and notifications. */
#include "core/session/session_private.h"
#include "core/wire/json.h"
#include "core/wire/room_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_MAX_MS 60000 /* no server sends him away for longer */

static void tell_room(struct session *s, const json_t *room) {
  struct client_event ev;
  session_event(&ev, CLIENT_EV_ROOM);
  ev.me = s->me;
  ev.room = calloc(1, sizeof *ev.room);
  if (!ev.room)
    abort();
  room_init(ev.room);
  if (room_from_wire(room, ev.room) == ERR_OK)
    s->cfg.event(s->cfg.ctx, &ev);
  else
    client_event_free(&ev);
}

static bool take_room(struct session *s, const json_t *room) {
  if (!room || room_from_wire(room, &s->room) != ERR_OK)
    return false;
  tell_room(s, room);
  session_gate_update(s);
  return true;
}

void session_repeat_room(struct session *s) {
  if (s->room.seq == 0) /* in the lobby, or never in */
    return;
  json_t *room = room_to_wire(&s->room, s->me); /* of what he sees nothing is left out */
  tell_room(s, room);
  json_decref(room);
}

static void enter(struct session *s, const json_t *room) {
  s->state = CLIENT_JOINED;
  session_emit_state(s, ERR_OK, "");
  if (!take_room(s, room)) {
    session_end(s, ERR_PROTOCOL, "the server sent a room this client cannot read");
    return;
  }
  session_gate_update(s);
  figures_joined(s);
  ways_connected(s);
}

/* What the server says to our offer, if anything: its answer, or why it is none. */
static void take_answer(struct session *s, const json_t *p) {
  const char *sdp = json_str(p, "sdp", NULL), *error = json_str(p, "sdp_error", NULL);
  if (sdp && s->state == CLIENT_JOINED)
    media_answer(s, sdp);
  if (error)
    session_notice(s, error);
}

/* In the lobby: of a room one was in nothing stays, and its sound path has ended at the server. */
static void wait_in_lobby(struct session *s, const json_t *r, const char *text) {
  bool was_in = s->room.seq > 0;
  s->state = CLIENT_LOBBY;
  s->place = (unsigned)json_int(r, "place", 0);
  s->waiting = (unsigned)json_int(r, "waiting", 0);
  if (was_in) {
    room_free(&s->room);
    room_init(&s->room);
  }
  if (was_in && ways_any(s) && s->path) {
    media_drop(s);
    media_gather(s); /* the new offer waits at the server for the admission */
  }
  session_gate_update(s);
  session_emit_state(s, ERR_OK, text);
}

static void on_lobby(struct session *s, const json_t *p) {
  const char *by = json_str(p, "by", "a host"), *text = json_str(p, "text", "");
  char why[sizeof((struct client_event *)0)->text];
  if (s->state != CLIENT_JOINED && s->state != CLIENT_LOBBY)
    return;
  bool held = s->state == CLIENT_JOINED;
  snprintf(why, sizeof why, "%.*s put you back into the lobby%s%s", TEXT_NAME_MAX, by, *text ? ": " : "",
           text);
  wait_in_lobby(s, p, held ? why : "");
  if (held)
    session_notice(s, why);
}

static void on_join_result(struct session *s, const json_t *r) {
  s->join_id = 0;
  s->terms_twice = false; /* when he comes back the text may be another again */
  s->backoff = BACKOFF_FIRST_US;
  s->give_up_at = US_NEVER;
  s->me = (uint32_t)json_int(r, "me", 0);
  snprintf(s->resume, sizeof s->resume, "%s", json_str(r, "resume", ""));
  if (strcmp(json_str(r, "state", ""), "lobby") == 0)
    wait_in_lobby(s, r, "");
  else
    enter(s, json_object_get(r, "room"));
  take_answer(s, r);
  if (s->gathered && !s->offered && s->state != CLIENT_ENDED) /* a new agent since the request left */
    session_media_request(s);
}

#define CLOSED_MAX_MS (8 * 86400000) /* of a maintenance */

/* The server is closed for a while. When that is longer than one may resume, he comes in as he did first. */
static void come_later(struct session *s, json_int_t retry_ms) {
  json_int_t ms = retry_ms < 1000 ? 1000 : retry_ms > CLOSED_MAX_MS ? CLOSED_MAX_MS : retry_ms;
  s->retry_after = ms * US_PER_MS;
  if (ms > ROOM_AWAY_MS)
    s->resume[0] = 0;
  if (s->state == CLIENT_RECONNECTING)
    s->give_up_at = s->now + 2 * s->retry_after + ROOM_AWAY_MS * US_PER_MS;
}

static void on_maintenance(struct session *s, const json_t *p) {
  struct client_event ev;
  session_event(&ev, CLIENT_EV_MAINTENANCE);
  ev.at_ms = json_int(p, "at_ms", 0);
  snprintf(ev.text, sizeof ev.text, "%.600s", json_str(p, "text", ""));
  s->cfg.event(s->cfg.ctx, &ev);
}

/* The server is there, and has asked him to come later: he does not give it up for that. */
static void come_again(struct session *s, json_int_t retry_ms) {
  json_int_t ms = retry_ms < 1 ? 1 : retry_ms > RETRY_MAX_MS ? RETRY_MAX_MS : retry_ms;
  s->retry_after = ms * US_PER_MS;
  if (s->state == CLIENT_CONNECTING)
    s->give_up_at = s->now + 2 * s->retry_after + CONNECT_LIMIT_US;
}

static void on_join_error(struct session *s, const struct rpc_in *in) {
  s->join_id = 0;
  if (in->error == ERR_RATE &&
      s->resume[0]) /* he comes back too often: the server hangs up, and he waits longer */
    return;
  if (in->error == ERR_DRAINING && s->state == CLIENT_RECONNECTING) {
    come_later(s, in->retry_ms);
    session_notice(s, in->message);
    return;
  }
  if (in->error == ERR_AGAIN) { /* many come at once: the server hangs up, and says when to come again */
    come_again(s, in->retry_ms ? in->retry_ms : 1000);
    session_notice(s, in->message);
    return;
  }
  if (in->error != ERR_NEED_CONSENT || !terms_again(s))
    session_end(s, in->error, in->message);
}

/* What an act hands out: a link, a code, names, or a list. */
static void on_act_result(struct session *s, uint32_t ticket, const json_t *r) {
  const json_t *also = json_object_get(r, "also");
  const char *csv = json_str(r, "csv", NULL);
  char names[16 * TEXT_NAME_MAX] = "";
  for (size_t i = 0; i < json_array_size(also); i++) {
    const char *name = json_string_value(json_array_get(also, i));
    size_t n = strlen(names);
    snprintf(names + n, sizeof names - n, "%s%s", i ? ", " : "", name ? name : "");
  }
  const char *text = json_str(r, "link", json_str(r, "code", csv ? csv : names));
  session_reply(s, ticket, ERR_OK, text);
}

static void on_reply(struct session *s, const struct rpc_in *in) {
  bool ok = in->kind == RPC_RESULT;
  if (in->id == 0) /* the server could not read something: no request of ours to answer */
    return;
  if (in->id == s->join_id) {
    if (ok)
      on_join_result(s, in->result);
    else
      on_join_error(s, in);
    return;
  }
  if (terms_reply(s, in) || others_reply(s, in) || ways_reply(s, in) || relays_reply(s, in))
    return;
  if (in->id == s->media_id) {
    s->media_id = 0;
    const char *sdp =
        ok ? json_str(in->result, "sdp", NULL) : NULL; /* none in the lobby: it keeps the offer */
    if (sdp)
      media_answer(s, sdp);
    else if (!ok)
      session_notice(s, in->message);
    return;
  }
  if (in->id == s->history_id) {
    history_reply(s, in);
    return;
  }
  for (size_t i = 0; i < SESSION_TICKETS; i++)
    if (s->tickets[i].id == in->id && in->id) {
      uint32_t ticket = s->tickets[i].ticket;
      s->tickets[i].id = 0;
      if (ok)
        on_act_result(s, ticket, in->result);
      else
        session_reply(s, ticket, in->error, in->message);
      return;
    }
}

/* Who waits has no room to put a message from a host into: it is said to him. */
static void on_lobby_event(struct session *s, const json_t *p) {
  struct room_event ev = {0};
  char text[sizeof((struct client_event *)0)->text];
  if (room_event_from_wire(p, &ev) == ERR_OK && ev.kind == ROOM_EV_CHAT) {
    snprintf(text, sizeof text, "a host writes: %.600s", ev.text);
    session_notice(s, text);
  }
  room_event_free(&ev);
}

static void on_event(struct session *s, const json_t *p) {
  struct room_event *ev = calloc(1, sizeof *ev);
  if (!ev)
    abort();
  if (s->state == CLIENT_LOBBY)
    on_lobby_event(s, p);
  if (s->state != CLIENT_JOINED || room_event_from_wire(p, ev) != ERR_OK || ev->seq <= s->room.seq) {
    room_event_free(ev);
    free(ev);
    return;
  }
  room_apply(&s->room, ev);
  struct client_event out;
  session_event(&out, CLIENT_EV_EVENT);
  out.event = ev;
  s->cfg.event(s->cfg.ctx, &out);
  session_gate_update(s);
}

/* [[id, level or quality], ...] of `levels` and `quality`. */
static void on_pairs(struct session *s, const json_t *p, int kind) {
  const json_t *who = json_object_get(p, "who");
  struct client_event ev;
  session_event(&ev, kind);
  for (size_t i = 0; i < json_array_size(who) && ev.n < CLIENT_LEVELS_MAX; i++, ev.n++) {
    const json_t *e = json_array_get(who, i);
    ev.level_of[ev.n].member = (uint32_t)json_integer_value(json_array_get(e, 0));
    ev.level_of[ev.n].level = (uint8_t)json_integer_value(json_array_get(e, 1));
  }
  s->cfg.event(s->cfg.ctx, &ev);
}

void session_levels(struct session *s, unsigned n, const uint32_t *id, const uint8_t *level) {
  struct client_event ev;
  session_event(&ev, CLIENT_EV_LEVELS);
  ev.n = n;
  for (unsigned i = 0; i < n; i++) {
    ev.level_of[i].member = id[i];
    ev.level_of[i].level = level[i];
  }
  s->cfg.event(s->cfg.ctx, &ev);
}

/* bye_words: one sentence: what was done, by whom, and why. It never begins with a name, which a front end
 * might write with a capital. */
static void bye_words(enum err why, bool was_in, const char *by, const char *reason, char *out, size_t cap) {
  const char *what = why == ERR_BANNED && was_in      ? "you were removed from the room and are kept out by"
                     : why == ERR_REMOVED             ? "you were removed from the room by"
                     : why == ERR_DENIED              ? "you were turned away by"
                     : why == ERR_ROOM_ENDED && by[0] ? "the room was ended by"
                                                      : NULL;
  snprintf(out, cap, "%s%s%.*s%s%.300s", what ? what : err_text(why), what ? " " : "", TEXT_NAME_MAX,
           !what ? ""
           : *by ? by
                 : "a host",
           *reason ? ": " : "", reason);
}

static void on_bye(struct session *s, const json_t *p) {
  enum err why = err_from_code(json_str(p, "code", "internal"));
  const char *text = json_str(p, "text", err_text(why));
  bool was_in = s->state == CLIENT_JOINED; /* else it is said at the door */
  char line[TEXT_LINE_MAX + TEXT_NAME_MAX + 80];
  bye_words(why, was_in, json_str(p, "by", ""), strcmp(text, err_text(why)) != 0 ? text : "", line,
            sizeof line);
  if (s->leaving)
    session_end(s, ERR_OK, "you left");
  else if (why == ERR_AGAIN) { /* the server goes down: come back */
    come_again(s, json_int(p, "retry_ms", 500));
    session_notice(s, json_str(p, "text", err_text(why)));
  } else if (why == ERR_DRAINING) {
    come_later(s, json_int(p, "retry_ms", 1000));
    session_notice(s, text);
  } else
    session_end(s, why == ERR_BANNED && was_in ? ERR_REMOVED : why, line);
}

static void on_media(struct session *s, const json_t *p) {
  const char *state = json_str(p, "state", "");
  if (strcmp(state, "tier") == 0)
    figures_tier(s, p);
  else if (strcmp(state, "connected") != 0)
    media_failed(s, err_from_code(json_str(p, "code", "internal")));
}

static void on_notify(struct session *s, const struct rpc_in *in) {
  const json_t *p = in->params;
  if (strcmp(in->method, "event") == 0)
    on_event(s, p);
  else if (strcmp(in->method, "sync") == 0)
    (void)take_room(s, json_object_get(p, "room"));
  else if (strcmp(in->method, "levels") == 0)
    on_pairs(s, p, CLIENT_EV_LEVELS);
  else if (strcmp(in->method, "quality") == 0)
    on_pairs(s, p, CLIENT_EV_QUALITY);
  else if (strcmp(in->method, "admitted") == 0)
    enter(s, json_object_get(p, "room"));
  else if (strcmp(in->method, "answer") == 0)
    take_answer(s, p);
  else if (strcmp(in->method, "lobby") == 0)
    on_lobby(s, p);
  else if (strcmp(in->method, "media") == 0)
    on_media(s, p);
  else if (strcmp(in->method, "notice") == 0)
    session_notice(s, json_str(p, "text", ""));
  else if (strcmp(in->method, "maintenance") == 0)
    on_maintenance(s, p);
  else if (strcmp(in->method, "bye") == 0)
    on_bye(s, p);
}

void session_message(struct session *s, us_t now, const char *text, size_t n) {
  s->now = now;
  struct rpc_in in;
  s->probe_at = US_NEVER;
  if (s->state == CLIENT_ENDED || rpc_parse(text, n, true, &in) != ERR_OK)
    return;
  if (in.kind == RPC_RESULT || in.kind == RPC_ERROR)
    on_reply(s, &in);
  else if (in.kind == RPC_NOTIFY)
    on_notify(s, &in);
  json_decref(in.root);
}
