#include "core/wire/room_json_private.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what each kind carries, and under which name; docs/protocol-room.md is the same table for readers.
 * A kind without a row here carries nothing (chat.cleared). ---- */

enum form { NUM_NONE, NUM_BOOL, NUM_ID, NUM_ROLE, NUM_CHAT, NUM_CHAT_MODE, NUM_POLICY, NUM_MUTE };
struct field {
  const char *key;
  enum form form;
};
struct row {
  struct field num, num2;
  const char *text, *text2;
  size_t text_max;
  bool who, entry, invite;
  bool open; /* the text is no personal content: a room's name */
};

static const struct row ROWS[ROOM_EV__COUNT] = {
    [ROOM_EV_CREATED] = {.text = "name",
                         .text_max = TEXT_SLUG_MAX,
                         .open = true,
                         .num = {"lobby", NUM_BOOL},
                         .num2 = {"policy", NUM_POLICY}},
    [ROOM_EV_ENDED] = {.text = "reason", .text_max = TEXT_LINE_MAX},
    [ROOM_EV_LOCKED] = {.num = {"on", NUM_BOOL}, .num2 = {"was", NUM_BOOL}},
    [ROOM_EV_LOBBY] = {.num = {"on", NUM_BOOL}, .num2 = {"was", NUM_BOOL}},
    [ROOM_EV_TOPIC] = {.text = "text", .text2 = "was", .text_max = TEXT_LINE_MAX},
    [ROOM_EV_POLICY] = {.num = {"policy", NUM_POLICY}, .num2 = {"was", NUM_POLICY}},
    [ROOM_EV_MUTE_ALL] = {.num = {"mode", NUM_MUTE}, .num2 = {"was", NUM_MUTE}},
    [ROOM_EV_CHAT_MODE] = {.num = {"mode", NUM_CHAT_MODE}, .num2 = {"was", NUM_CHAT_MODE}},
    [ROOM_EV_KNOCKED] = {.entry = true},
    [ROOM_EV_JOINED] = {.entry = true},
    [ROOM_EV_ADMITTED] = {.who = true, .entry = true},
    [ROOM_EV_DENIED] = {.who = true, .text = "reason", .text_max = TEXT_LINE_MAX},
    [ROOM_EV_AWAY] = {.who = true},
    [ROOM_EV_BACK] = {.who = true, .entry = true},
    [ROOM_EV_LEFT] = {.who = true, .num = {"expired", NUM_BOOL}},
    [ROOM_EV_REMOVED] = {.who = true,
                         .text = "reason",
                         .text_max = TEXT_LINE_MAX,
                         .num = {"banned", NUM_BOOL}},
    [ROOM_EV_BANNED] = {.entry = true, .text = "reason", .text_max = TEXT_LINE_MAX},
    [ROOM_EV_UNBANNED] = {.num = {"ban", NUM_ID}},
    [ROOM_EV_MUTED] = {.who = true},
    [ROOM_EV_UNMUTED] = {.who = true},
    [ROOM_EV_ASKED] = {.who = true},
    [ROOM_EV_EXEMPT] = {.who = true, .num = {"on", NUM_BOOL}},
    [ROOM_EV_FLOOR] = {.who = true, .num = {"on", NUM_BOOL}},
    [ROOM_EV_ROLE] = {.who = true, .num = {"role", NUM_ROLE}, .num2 = {"was", NUM_ROLE}},
    [ROOM_EV_HAND] = {.who = true, .num = {"on", NUM_BOOL}, .num2 = {"place", NUM_ID}},
    [ROOM_EV_CHAT] = {.num = {"chat", NUM_CHAT},
                      .num2 = {"to", NUM_ID},
                      .text = "text",
                      .text_max = TEXT_CHAT_MAX},
    [ROOM_EV_CHAT_DELETED] = {.num = {"message", NUM_ID}},
    [ROOM_EV_INVITE] = {.invite = true},
    [ROOM_EV_INVITE_USED] = {.num = {"invite_id", NUM_ID}},
    [ROOM_EV_INVITE_REVOKED] = {.num = {"invite_id", NUM_ID}},
    [ROOM_EV_UNDONE] = {.num = {"undone", NUM_ID}},
};

static struct words words_of(enum form form) {
  switch (form) {
  case NUM_ROLE:
    return WORDS_ROLE;
  case NUM_CHAT:
    return WORDS_CHAT;
  case NUM_CHAT_MODE:
    return WORDS_CHAT_MODE;
  case NUM_POLICY:
    return WORDS_POLICY;
  default:
    assert(form == NUM_MUTE);
    return WORDS_MUTE;
  }
}

/* ---- one number ---- */

static void num_out(json_t *o, struct field f, int64_t v) {
  if (f.form == NUM_BOOL)
    json_object_set_new(o, f.key, json_boolean(v != 0));
  else if (f.form == NUM_ID && v != 0)
    out_int(o, f.key, v);
  else if (f.form > NUM_ID)
    out_word(o, f.key, words_of(f.form), v);
}

static int64_t num_in(struct in *in, struct field f) {
  switch (f.form) {
  case NUM_NONE:
    return 0;
  case NUM_BOOL:
    return in_bool(in, f.key);
  case NUM_ID:
    return in_int(in, f.key, 0, JSON_NUMBER_MAX, 0);
  default:
    in_need(in, f.key);
    return in_word(in, f.key, words_of(f.form), 0);
  }
}

/* ---- the parts both forms share ---- */

static void numbers_out(json_t *o, const struct room_event *ev) {
  const struct row *row = &ROWS[ev->kind];
  if (ev->group != ev->seq)
    out_int(o, "group", (int64_t)ev->group);
  if (row->who) {
    json_t *who = json_array();
    for (size_t i = 0; i < ev->n_targets; i++)
      json_array_append_new(who, json_integer(ev->targets[i]));
    json_object_set_new(o, "who", who);
  }
  num_out(o, row->num, ev->num);
  num_out(o, row->num2, ev->num2);
  if (row->invite)
    json_object_set_new(o, "invite", invite_to_json(ev->invite));
}

static void texts_out(json_t *o, const struct room_event *ev) {
  const struct row *row = &ROWS[ev->kind];
  if (row->text && ev->text && ev->text[0])
    out_str(o, row->text, ev->text);
  if (row->text2 && ev->text2 && ev->text2[0])
    out_str(o, row->text2, ev->text2);
}

static void *must(void *p) {
  if (!p)
    abort();
  return p;
}

static void numbers_in(struct in *in, struct room_event *ev) {
  const struct row *row = &ROWS[ev->kind];
  ev->group = (uint64_t)in_int(in, "group", 1, (int64_t)ev->seq, (int64_t)ev->seq);
  if (row->who) {
    in_need(in, "who");
    size_t max = ROOM_MEMBERS_MAX + ROOM_WAITING_MAX;
    size_t n = json_array_size(json_object_get(in->o, "who"));
    ev->targets = must(malloc((n > 0 && n <= max ? n : 1) * sizeof *ev->targets));
    ev->n_targets = in_ids(in, "who", ev->targets, max);
  }
  ev->num = num_in(in, row->num);
  ev->num2 = num_in(in, row->num2);
  if (row->invite) {
    struct in sub = in_of(json_object_get(in->o, "invite"));
    ev->invite = must(calloc(1, sizeof *ev->invite));
    invite_from_json(&sub, ev->invite);
    ev->invite->id = ev->seq;
    in->ok = in->ok && sub.ok;
  }
}

static void texts_in(struct in *in, struct room_event *ev) {
  const struct row *row = &ROWS[ev->kind];
  if (row->text)
    ev->text = must(strdup(in_str(in, row->text, row->text_max, "")));
  if (row->text2)
    ev->text2 = must(strdup(in_str(in, row->text2, row->text_max, "")));
}

/* The entry an event needs; who it names and whom it carries must be the same person. */
static void entry_in(struct in *in, struct in *sub, struct room_event *ev) {
  ev->entry = must(calloc(1, sizeof *ev->entry));
  member_from_json(sub, ev->entry);
  bool same = !ROWS[ev->kind].who || (ev->n_targets == 1 && ev->targets[0] == ev->entry->id);
  in->ok = in->ok && sub->ok && same;
}

static enum err finish(const struct in *in, struct room_event *ev) {
  if (in->ok)
    return ERR_OK;
  room_event_free(ev);
  return ERR_BAD_ARG;
}

/* ---- the wire form ---- */

json_t *room_event_to_wire(const struct room_event *ev) {
  json_t *o = json_object();
  out_int(o, "seq", (int64_t)ev->seq);
  out_int(o, "ts", ev->ts_ms);
  out_str(o, "kind", room_ev_name(ev->kind));
  out_int(o, "actor", ev->actor);
  numbers_out(o, ev);
  texts_out(o, ev);
  if (ROWS[ev->kind].entry)
    json_object_set_new(o, "member", member_to_json(ev->entry));
  return o;
}

enum err room_event_from_wire(const json_t *o, struct room_event *ev) {
  struct in in = in_of(o);
  const char *kind = in_str(&in, "kind", 64, "");
  in_need(&in, "seq");
  *ev = (struct room_event){0};
  ev->seq = (uint64_t)in_int(&in, "seq", 1, JSON_NUMBER_MAX, 1);
  ev->ts_ms = in_int(&in, "ts", 0, JSON_NUMBER_MAX, 0);
  ev->actor = (uint32_t)in_int(&in, "actor", 0, UINT32_MAX, 0);
  if (!in.ok || !room_ev_parse(kind, &ev->kind))
    return ERR_BAD_ARG;
  numbers_in(&in, ev);
  texts_in(&in, ev);
  if (ROWS[ev->kind].entry) {
    struct in sub = in_of(json_object_get(o, "member"));
    entry_in(&in, &sub, ev);
  }
  return finish(&in, ev);
}

/* ---- the log form ---- */

/* What of a person is personal goes to the payload, the rest, and what only the server keeps, to the data. */
static void entry_to_log(const struct member *m, json_t *data, json_t *payload) {
  json_t *open = member_to_json(m), *secret = json_object();
  json_object_del(open, "name");
  json_object_del(open, "client");
  if (m->invite)
    out_int(open, "invite", (int64_t)m->invite);
  out_hex(open, "resume", m->resume, sizeof m->resume);
  out_str(secret, "name", m->name);
  if (m->client[0])
    out_str(secret, "client", m->client);
  if (m->user[0])
    out_str(secret, "user", m->user);
  out_hex(secret, "device", m->device, sizeof m->device);
  json_object_set_new(data, "member", open);
  json_object_set_new(payload, "member", secret);
}

static void entry_secret_in(struct in *in, const json_t *payload, struct member *m) {
  if (!payload) {
    (void)snprintf(m->name, sizeof m->name, "deleted user %" PRIu32, m->id);
    return;
  }
  struct in sub = in_of(json_object_get(payload, "member"));
  in_need(&sub, "name");
  in_copy(&sub, "name", m->name, TEXT_NAME_MAX);
  in_copy(&sub, "client", m->client, ROOM_CLIENT_MAX);
  in_copy(&sub, "user", m->user, ROOM_USER_MAX);
  in_hex(&sub, "device", m->device, sizeof m->device);
  in->ok = in->ok && sub.ok;
}

void room_event_to_log(const struct room_event *ev, json_t **data, json_t **payload) {
  const struct row *row = &ROWS[ev->kind];
  *data = json_object();
  *payload = json_object();
  numbers_out(*data, ev);
  texts_out(row->open ? *data : *payload, ev);
  if (row->invite)
    out_hex(json_object_get(*data, "invite"), "hash", ev->invite->hash, sizeof ev->invite->hash);
  if (row->entry)
    entry_to_log(ev->entry, *data, *payload);
  if (json_object_size(*payload) == 0) {
    json_decref(*payload);
    *payload = NULL;
  }
}

static void log_entry_in(struct in *in, const json_t *payload, struct room_event *ev) {
  struct in sub = in_of(json_object_get(in->o, "member"));
  entry_in(in, &sub, ev);
  ev->entry->invite = (uint64_t)in_int(&sub, "invite", 0, JSON_NUMBER_MAX, 0);
  in_hex(&sub, "resume", ev->entry->resume, sizeof ev->entry->resume);
  entry_secret_in(in, payload, ev->entry);
  in->ok = in->ok && sub.ok;
}

enum err room_event_from_log(uint64_t seq, int64_t ts_ms, uint32_t actor, const char *kind,
                             const json_t *data, const json_t *payload, struct room_event *ev) {
  struct in in = in_of(data);
  *ev = (struct room_event){.seq = seq, .ts_ms = ts_ms, .actor = actor};
  if (!in.ok || seq < 1 || seq > (uint64_t)JSON_NUMBER_MAX || !room_ev_parse(kind, &ev->kind))
    return ERR_BAD_ARG;
  numbers_in(&in, ev);
  struct in texts = {ROWS[ev->kind].open ? data : payload, true};
  texts_in(&texts, ev);
  if (ROWS[ev->kind].entry)
    log_entry_in(&in, payload, ev);
  if (ROWS[ev->kind].invite) {
    struct in sub = in_of(json_object_get(data, "invite"));
    in_hex(&sub, "hash", ev->invite->hash, sizeof ev->invite->hash);
    in.ok = in.ok && sub.ok;
  }
  in.ok = in.ok && texts.ok && (!payload || json_is_object(payload));
  return finish(&in, ev);
}
