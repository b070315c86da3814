#include "core/wire/room_json_private.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what each kind carries, and under which name; docs/protocol-room.md is the same table for readers.
 * A kind without a row here carries nothing (chat.cleared). ---- */

enum form { NUM_NONE, NUM_BOOL, NUM_INT, NUM_WORD, NUM_MUTE, NUM_TALK, NUM_LEFT };
struct field {
  const char *key;
  enum form form;
  int64_t min, max;          /* INT */
  const struct words *words; /* WORD */
  const char *flag;          /* MUTE, TALK, LEFT: a second key for one more bit */
};
#define BOOL(name)                                                                                           \
  { .key = (name), .form = NUM_BOOL }
#define COUNT(name, most)                                                                                    \
  { .key = (name), .form = NUM_INT, .max = (most) }
#define ID(name) COUNT(name, JSON_NUMBER_MAX)
#define DB(name)                                                                                             \
  { .key = (name), .form = NUM_INT, .min = ROOM_GAIN_MIN_DB, .max = ROOM_GAIN_MAX_DB }
#define WORD(name, list)                                                                                     \
  { .key = (name), .form = NUM_WORD, .words = &(list) }
#define FORM(name, of, flag_key)                                                                             \
  { .key = (name), .form = (of), .flag = (flag_key) }
#define SWITCH                                                                                               \
  { .num = BOOL("on"), .num2 = BOOL("was") }
#define LIMIT(key, most)                                                                                     \
  { .num = COUNT(key, most), .num2 = COUNT("was", most) }
#define REASON .text = "reason", .text_max = TEXT_LINE_MAX

enum who { WHO_NOBODY, WHO_NEED, WHO_MAY };
struct row {
  struct field num, num2;
  const char *text, *text2;
  size_t text_max;
  enum who who;
  bool entry, invite, ban, secret;
  bool open;   /* the text is no personal content: a room's name, the counts of a poll */
  bool sealed; /* the number is: how one voted */
};

static const struct row ROWS[ROOM_EV__COUNT] = {
    [ROOM_EV_CREATED] = {.text = "name",
                         .text_max = TEXT_SLUG_MAX,
                         .open = true,
                         .num = BOOL("lobby"),
                         .num2 = WORD("policy", WORDS_POLICY)},
    [ROOM_EV_ENDED] = {REASON},
    [ROOM_EV_LOCKED] = {.num = BOOL("on"), .num2 = BOOL("was"), .text = "text", .text_max = TEXT_LINE_MAX},
    [ROOM_EV_LOBBY] = SWITCH,
    [ROOM_EV_TOPIC] = {.text = "text", .text2 = "was", .text_max = TEXT_LINE_MAX},
    [ROOM_EV_POLICY] = {.num = WORD("policy", WORDS_POLICY), .num2 = WORD("was", WORDS_POLICY)},
    [ROOM_EV_MUTE_ALL] = {.num = FORM("mode", NUM_MUTE, "speakers"),
                          .num2 = FORM("was", NUM_MUTE, "was_speakers")},
    [ROOM_EV_CHAT_MODE] = {.num = WORD("mode", WORDS_CHAT_MODE), .num2 = WORD("was", WORDS_CHAT_MODE)},
    [ROOM_EV_MUTE_ENTRY] = SWITCH,
    [ROOM_EV_ONE_SPEAKER] = SWITCH,
    [ROOM_EV_AUTO_ADMIT] = {.num = WORD("whom", WORDS_AUTO_ADMIT), .num2 = WORD("was", WORDS_AUTO_ADMIT)},
    [ROOM_EV_LINKS] = SWITCH,
    [ROOM_EV_NAME_HOSTS] = SWITCH,
    [ROOM_EV_SLOW] = LIMIT("seconds", ROOM_SECONDS_MAX),
    [ROOM_EV_MAX_PEOPLE] = LIMIT("n", ROOM_MEMBERS_MAX),
    [ROOM_EV_MAX_SPEAKERS] = LIMIT("n", ROOM_MEMBERS_MAX),
    [ROOM_EV_TALK_TIME] = {.num = FORM("seconds", NUM_TALK, "take"),
                           .num2 = FORM("was", NUM_TALK, "was_take")},
    [ROOM_EV_AGENDA] = {.text = "text",
                        .text2 = "was",
                        .text_max = ROOM_AGENDA_MAX,
                        .num = COUNT("item", ROOM_AGENDA_ITEMS),
                        .num2 = COUNT("was_item", ROOM_AGENDA_ITEMS)},
    [ROOM_EV_AGENDA_AT] = LIMIT("item", ROOM_AGENDA_ITEMS),
    [ROOM_EV_PINNED] = LIMIT("message", JSON_NUMBER_MAX),
    [ROOM_EV_PASSWORD] = {.num = BOOL("on"), .secret = true},
    [ROOM_EV_CLAIM_CODE] = {.secret = true},
    [ROOM_EV_SUCCESSION] = {.who = WHO_MAY},
    [ROOM_EV_BREAKOUTS] = LIMIT("n", ROOM_SIDES_MAX),
    [ROOM_EV_RECALL] = LIMIT("at_ms", JSON_NUMBER_MAX),
    [ROOM_EV_ENDING] = LIMIT("at_ms", JSON_NUMBER_MAX),
    [ROOM_EV_TRUSTED] = {.entry = true},
    [ROOM_EV_UNTRUSTED] = {.num = ID("trusted")},
    [ROOM_EV_POLL] = {.num = BOOL("anonymous"), .text = "text", .text_max = ROOM_POLL_MAX},
    [ROOM_EV_VOTED] = {.num = COUNT("answer", ROOM_ANSWERS_MAX), .sealed = true},
    [ROOM_EV_POLL_ENDED] = {.text = "counts", .text_max = TEXT_LINE_MAX, .open = true},
    [ROOM_EV_NOTED] = {.who = WHO_NEED, .text = "text", .text_max = TEXT_LINE_MAX},
    [ROOM_EV_NOTE_DELETED] = {.num = ID("note")},
    [ROOM_EV_KNOCKED] = {.entry = true},
    [ROOM_EV_JOINED] = {.entry = true},
    [ROOM_EV_ADMITTED] = {.who = WHO_NEED, .entry = true},
    [ROOM_EV_DENIED] = {.who = WHO_NEED, REASON},
    [ROOM_EV_AWAY] = {.who = WHO_NEED},
    [ROOM_EV_BACK] = {.who = WHO_NEED, .entry = true},
    [ROOM_EV_HELD] = {.who = WHO_NEED, REASON},
    [ROOM_EV_LEFT] = {.who = WHO_NEED, .num = FORM("expired", NUM_LEFT, "held")},
    [ROOM_EV_REMOVED] = {.who = WHO_NEED, REASON, .num = BOOL("banned")},
    [ROOM_EV_BANNED] = {.who = WHO_MAY, .ban = true},
    [ROOM_EV_BAN_EDITED] = {.num = ID("ban"), .num2 = ID("until_ms"), REASON},
    [ROOM_EV_UNBANNED] = {.num = ID("ban")},
    [ROOM_EV_SILENCED] = {.who = WHO_NEED, .num = ID("ban"), .num2 = COUNT("step", 1), REASON},
    [ROOM_EV_MUTED] = {.who = WHO_NEED, REASON},
    [ROOM_EV_UNMUTED] = {.who = WHO_NEED},
    [ROOM_EV_ASKED] = {.who = WHO_NEED},
    [ROOM_EV_DECLINED] = {.who = WHO_NEED},
    [ROOM_EV_EXEMPT] = {.who = WHO_NEED, .num = BOOL("on")},
    [ROOM_EV_FLOOR] = {.who = WHO_NEED, .num = BOOL("on"), .num2 = ID("since_ms"), REASON},
    [ROOM_EV_TIME_UP] = {.who = WHO_NEED},
    [ROOM_EV_PRIORITY] = {.who = WHO_NEED, .num = BOOL("on")},
    [ROOM_EV_GAIN] = {.who = WHO_NEED, .num = DB("db"), .num2 = DB("was")},
    [ROOM_EV_MOVED] = {.who = WHO_NEED, .num = COUNT("side", ROOM_SIDES_MAX)},
    [ROOM_EV_RENAMED] = {.who = WHO_NEED, .text = "name", .text2 = "was", .text_max = TEXT_NAME_MAX},
    [ROOM_EV_ROLE] = {.who = WHO_NEED,
                      .num = WORD("role", WORDS_ROLE),
                      .num2 = WORD("was", WORDS_ROLE),
                      REASON},
    [ROOM_EV_HAND] = {.who = WHO_NEED, .num = BOOL("on"), .num2 = ID("place")},
    [ROOM_EV_CHAT] = {.num = WORD("chat", WORDS_CHAT),
                      .num2 = ID("to"),
                      .text = "text",
                      .text_max = TEXT_CHAT_MAX},
    [ROOM_EV_CHAT_DELETED] = {.num = ID("message")},
    [ROOM_EV_CHAT_EDITED] = {.num = ID("message"), .text = "text", .text_max = TEXT_CHAT_MAX},
    [ROOM_EV_CHAT_PURGED] = {.who = WHO_NEED},
    [ROOM_EV_INVITE] = {.invite = true},
    [ROOM_EV_INVITE_USED] = {.num = ID("invite_id")},
    [ROOM_EV_INVITE_REVOKED] = {.num = ID("invite_id")},
    [ROOM_EV_UNDONE] = {.num = ID("undone")},
};

/* ---- one number ---- */

static void num_out(json_t *o, const struct field *f, int64_t v) {
  switch (f->form) {
  case NUM_NONE:
    break;
  case NUM_LEFT:
    out_true(o, f->flag, v == 2);
    json_object_set_new(o, f->key, json_boolean(v == 1));
    break;
  case NUM_BOOL:
    json_object_set_new(o, f->key, json_boolean(v != 0));
    break;
  case NUM_INT:
    out_number(o, f->key, v);
    break;
  case NUM_WORD:
    out_word(o, f->key, *f->words, v);
    break;
  case NUM_MUTE:
    out_word(o, f->key, WORDS_MUTE, v & 3);
    out_true(o, f->flag, v & 4);
    break;
  case NUM_TALK:
    out_number(o, f->key, v / 2);
    out_true(o, f->flag, v % 2);
  }
}

static int64_t word_in(struct in *in, const char *key, struct words words) {
  in_need(in, key);
  return in_word(in, key, words, 0);
}

static int64_t num_in(struct in *in, const struct field *f) {
  bool flag = f->flag && in_bool(in, f->flag);
  int64_t v;
  switch (f->form) {
  case NUM_BOOL:
    return in_bool(in, f->key);
  case NUM_INT:
    return in_int(in, f->key, f->min, f->max, 0);
  case NUM_WORD:
    return word_in(in, f->key, *f->words);
  case NUM_MUTE:
    v = word_in(in, f->key, WORDS_MUTE);
    in->ok = in->ok && (v > 0 || !flag);
    return v + 4 * flag;
  case NUM_TALK:
    return 2 * in_int(in, f->key, 0, ROOM_SECONDS_MAX, 0) + flag;
  case NUM_LEFT:
    v = in_bool(in, f->key);
    in->ok = in->ok && !(v && flag);
    return v + 2 * flag;
  default:
    return 0;
  }
}

/* ---- the parts both forms share ---- */

static void numbers_out(json_t *o, const struct room_event *ev) {
  const struct row *row = &ROWS[ev->kind];
  if (ev->group != ev->seq)
    out_int(o, "group", (int64_t)ev->group);
  if (row->who)
    out_ids(o, "who", ev->targets, ev->n_targets);
  num_out(o, &row->num, ev->num);
  num_out(o, &row->num2, ev->num2);
  if (row->invite)
    json_object_set_new(o, "invite", invite_to_json(ev->invite));
}

static void text_out(json_t *o, const struct room_event *ev) {
  const struct row *row = &ROWS[ev->kind];
  if (row->text && ev->text)
    out_text(o, row->text, ev->text);
}

static void *must(void *p) {
  if (!p)
    abort();
  return p;
}

static void numbers_in(struct in *in, struct room_event *ev) {
  const struct row *row = &ROWS[ev->kind];
  ev->group = (uint64_t)in_int(in, "group", 1, (int64_t)ev->seq, (int64_t)ev->seq);
  if (row->who == WHO_NEED)
    in_need(in, "who");
  if (row->who && in_has(in, "who")) {
    size_t max = ROOM_MEMBERS_MAX + ROOM_WAITING_MAX;
    size_t n = json_array_size(json_object_get(in->o, "who"));
    ev->targets = must(malloc((n > 0 && n <= max ? n : 1) * sizeof *ev->targets));
    ev->n_targets = in_ids(in, "who", ev->targets, max);
  }
  ev->num = num_in(in, &row->num);
  ev->num2 = num_in(in, &row->num2);
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

static void ban_in(struct in *in, struct in *sub, struct in *personal, struct room_event *ev) {
  ev->ban = must(calloc(1, sizeof *ev->ban));
  ban_from_json(sub, personal, ev->ban);
  in->ok = in->ok && sub->ok && personal->ok;
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
  text_out(o, ev);
  if (ROWS[ev->kind].text2 && ev->text2)
    out_text(o, ROWS[ev->kind].text2, ev->text2);
  if (ROWS[ev->kind].entry)
    json_object_set_new(o, "member", member_to_json(ev->entry));
  if (ROWS[ev->kind].ban) {
    json_t *ban = json_object();
    ban_to_json(ev->ban, ban, ban);
    json_object_set_new(o, "ban", ban);
  }
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
  if (ROWS[ev->kind].ban) {
    struct in sub = in_of(json_object_get(o, "ban"));
    ban_in(&in, &sub, &sub, ev);
  }
  return finish(&in, ev);
}

/* ---- the log form ---- */

/* What of a person is personal goes to the payload, the rest, and what only the server keeps, to the data. */
static void entry_to_log(const struct member *m, json_t *data, json_t *payload) {
  json_t *open = member_to_json(m), *secret = json_object();
  json_object_del(open, "name");
  json_object_del(open, "client");
  out_number(open, "invite", (int64_t)m->invite);
  out_number(open, "chat_ms", m->chat_ms);
  out_true(open, "held", m->held);
  out_true(open, "clash", m->clash);
  out_hex(open, "resume", m->resume, sizeof m->resume);
  out_text(open, "pid", m->pid);
  out_true(open, "no_chat", m->no_chat);
  out_true(open, "needs_mfa", m->needs_mfa);
  if (m->came > m->role)
    out_word(open, "came", WORDS_ROLE, (int64_t)m->came);
  out_str(secret, "name", m->name);
  out_text(secret, "client", m->client);
  out_text(secret, "user", m->user);
  out_hex(secret, "device", m->device, sizeof m->device);
  out_text(secret, "kid", m->pass.kid);
  out_text(secret, "jti", m->pass.jti);
  out_text(secret, "session", m->pass.session);
  out_number(secret, "scopes", m->pass.scopes);
  out_number(secret, "made", m->pass.made_s);
  json_object_set_new(data, "member", open);
  json_object_set_new(payload, "member", secret);
}

static void deleted_name(char name[TEXT_NAME_MAX + 1], uint32_t id) {
  (void)snprintf(name, TEXT_NAME_MAX + 1, "deleted user %" PRIu32, id);
}

static void entry_secret_in(struct in *in, const json_t *payload, struct member *m) {
  if (!payload) {
    deleted_name(m->name, m->id);
    return;
  }
  struct in sub = in_of(json_object_get(payload, "member"));
  in_need(&sub, "name");
  in_copy(&sub, "name", m->name, TEXT_NAME_MAX);
  in_copy(&sub, "client", m->client, ROOM_CLIENT_MAX);
  in_copy(&sub, "user", m->user, ROOM_USER_MAX);
  in_hex(&sub, "device", m->device, sizeof m->device);
  in_copy(&sub, "kid", m->pass.kid, ROOM_KEY_MAX);
  in_copy(&sub, "jti", m->pass.jti, ROOM_KEY_MAX);
  in_copy(&sub, "session", m->pass.session, ROOM_SESSION_MAX);
  m->pass.scopes = (unsigned)in_int(&sub, "scopes", 0, UINT32_MAX, 0);
  m->pass.made_s = in_int(&sub, "made", 0, JSON_NUMBER_MAX, 0);
  in->ok = in->ok && sub.ok;
}

static void ban_to_log(const struct ban *b, json_t *data, json_t *payload) {
  json_t *open = json_object(), *secret = json_object();
  ban_to_json(b, open, secret);
  out_hex(secret, "device", b->device, sizeof b->device);
  out_hex(secret, "addr", b->cidr.addr, sizeof b->cidr.addr);
  out_number(secret, "bits", b->cidr.bits);
  out_text(open, "pid", b->pid);
  json_object_set_new(data, "ban", open);
  json_object_set_new(payload, "ban", secret);
}

static void secret_to_log(const struct secret *s, json_t *data) {
  json_t *o = json_object();
  out_hex(o, "salt", s->salt, sizeof s->salt);
  out_hex(o, "hash", s->hash, sizeof s->hash);
  json_object_set_new(data, "secret", o);
}

void room_event_to_log(const struct room_event *ev, json_t **data, json_t **payload) {
  const struct row *row = &ROWS[ev->kind];
  *data = json_object();
  *payload = json_object();
  numbers_out(*data, ev);
  text_out(row->open ? *data : *payload, ev); /* what was before may be another one's text */
  out_text(*data, "of", ev->of);
  if (row->sealed) {
    json_object_del(*data, row->num.key);
    num_out(*payload, &row->num, ev->num);
  }
  if (row->invite)
    out_hex(json_object_get(*data, "invite"), "hash", ev->invite->hash, sizeof ev->invite->hash);
  if (row->entry)
    entry_to_log(ev->entry, *data, *payload);
  if (row->ban)
    ban_to_log(ev->ban, *data, *payload);
  if (row->secret && ev->secret)
    secret_to_log(ev->secret, *data);
  if (json_object_size(*payload) == 0) {
    json_decref(*payload);
    *payload = NULL;
  }
}

static void log_entry_in(struct in *in, const json_t *payload, struct room_event *ev) {
  struct in sub = in_of(json_object_get(in->o, "member"));
  entry_in(in, &sub, ev);
  ev->entry->invite = (uint64_t)in_int(&sub, "invite", 0, JSON_NUMBER_MAX, 0);
  ev->entry->held = in_bool(&sub, "held");
  ev->entry->clash = in_bool(&sub, "clash");
  ev->entry->chat_ms = in_int(&sub, "chat_ms", 0, JSON_NUMBER_MAX, 0);
  in_hex(&sub, "resume", ev->entry->resume, sizeof ev->entry->resume);
  in_copy(&sub, "pid", ev->entry->pid, ROOM_PID_MAX);
  ev->entry->no_chat = in_bool(&sub, "no_chat");
  ev->entry->needs_mfa = in_bool(&sub, "needs_mfa");
  ev->entry->came = ev->entry->role;
  if (json_object_get(sub.o, "came"))
    ev->entry->came = (enum role)in_word(&sub, "came", WORDS_ROLE, ROLE_MONITOR);
  entry_secret_in(in, payload, ev->entry);
  in->ok = in->ok && sub.ok;
}

/* Before bans had a form of their own they carried the person as an entry, and the reason as text. */
static void log_old_ban_in(struct in *in, const json_t *payload, struct room_event *ev) {
  struct in sub = in_of(json_object_get(in->o, "member"));
  in_need(&sub, "id");
  ev->ban = must(calloc(1, sizeof *ev->ban));
  ev->ban->rank = ROLE_COHOST;
  ev->targets = must(calloc(1, sizeof *ev->targets));
  ev->targets[0] = (uint32_t)in_int(&sub, "id", 1, UINT32_MAX, 1);
  ev->n_targets = 1;
  if (payload) {
    struct in texts = in_of(payload), person = in_of(json_object_get(payload, "member"));
    in_copy(&person, "name", ev->ban->name, TEXT_NAME_MAX);
    in_copy(&person, "user", ev->ban->user, ROOM_USER_MAX);
    in_hex(&person, "device", ev->ban->device, sizeof ev->ban->device);
    in_copy(&texts, "reason", ev->ban->reason, TEXT_LINE_MAX);
    in->ok = in->ok && texts.ok && person.ok;
  }
  in->ok = in->ok && sub.ok;
}

static void log_ban_in(struct in *in, const json_t *payload, struct room_event *ev) {
  struct in sub = in_of(json_object_get(in->o, "ban"));
  struct in secret = {payload ? json_object_get(payload, "ban") : NULL, true};
  ban_in(in, &sub, &secret, ev);
  in_copy(&sub, "pid", ev->ban->pid, ROOM_PID_MAX);
  in_hex(&secret, "device", ev->ban->device, sizeof ev->ban->device);
  in_hex(&secret, "addr", ev->ban->cidr.addr, sizeof ev->ban->cidr.addr);
  ev->ban->cidr.bits = (uint8_t)in_int(&secret, "bits", 0, 128, 0);
  in->ok = in->ok && sub.ok && secret.ok && (!payload || json_is_object(secret.o));
}

static void log_secret_in(struct in *in, struct room_event *ev) {
  if (!in_has(in, "secret"))
    return;
  struct in sub = in_of(json_object_get(in->o, "secret"));
  ev->secret = must(calloc(1, sizeof *ev->secret));
  in_hex(&sub, "salt", ev->secret->salt, sizeof ev->secret->salt);
  in_hex(&sub, "hash", ev->secret->hash, sizeof ev->secret->hash);
  in->ok = in->ok && sub.ok;
}

/* What a person did is kept when who he was is erased; nobody is without a name. */
static void log_erased(struct room_event *ev) {
  char name[TEXT_NAME_MAX + 1];
  if (!ev->n_targets)
    return;
  deleted_name(name, ev->targets[0]);
  if (ev->ban)
    memcpy(ev->ban->name, name, sizeof name);
  if (ev->kind == ROOM_EV_RENAMED) {
    free(ev->text);
    ev->text = must(strdup(name));
  }
}

enum err room_event_from_log(uint64_t seq, int64_t ts_ms, uint32_t actor, const char *kind,
                             const json_t *data, const json_t *payload, struct room_event *ev) {
  struct in in = in_of(data);
  *ev = (struct room_event){.seq = seq, .ts_ms = ts_ms, .actor = actor};
  if (!in.ok || seq < 1 || seq > (uint64_t)JSON_NUMBER_MAX || !room_ev_parse(kind, &ev->kind))
    return ERR_BAD_ARG;
  numbers_in(&in, ev);
  struct in texts = {ROWS[ev->kind].open ? data : payload, true};
  in_copy(&in, "of", ev->of, ROOM_PID_MAX);
  texts_in(&texts, ev);
  if (ROWS[ev->kind].sealed && !in_has(&in, ROWS[ev->kind].num.key)) /* old rows have it in the data */
    ev->num = num_in(&texts, &ROWS[ev->kind].num);
  if (ROWS[ev->kind].entry)
    log_entry_in(&in, payload, ev);
  if (ROWS[ev->kind].ban)
    (in_has(&in, "ban") ? log_ban_in : log_old_ban_in)(&in, payload, ev);
  if (ROWS[ev->kind].secret)
    log_secret_in(&in, ev);
  if (!payload)
    log_erased(ev);
  if (ROWS[ev->kind].invite) {
    struct in sub = in_of(json_object_get(data, "invite"));
    in_hex(&sub, "hash", ev->invite->hash, sizeof ev->invite->hash);
    in.ok = in.ok && sub.ok;
  }
  in.ok = in.ok && texts.ok && (!payload || json_is_object(payload));
  return finish(&in, ev);
}
