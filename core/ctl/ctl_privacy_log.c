/* ctl_privacy_log.c: what the rooms' logs and the audit log say of one person. */
#include "core/ctl/ctl_privacy.h"
#include "core/wire/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "participant-3", "me", or "the system". */
static json_t *alias_of(struct copy *c, const char *member) {
  const char *who = json_str(c->people, member, "");
  if (strcmp(member, "m:0") == 0 || !*who)
    return json_string("the system");
  if (strcmp(who, c->pid) == 0)
    return json_string("me");
  json_t *n = json_object_get(c->aliases, who);
  if (!n) {
    n = json_integer((json_int_t)json_object_size(c->aliases) + 1);
    json_object_set_new(c->aliases, who, n);
  }
  return json_sprintf("participant-%d", (int)json_integer_value(n));
}

static bool is_me(const struct copy *c, const char *member) {
  return json_object_get(c->mine, member) != NULL;
}

/* Who a member id is: his pid, or where the log has none the id itself. */
static void learn(struct copy *c, const struct store_record *r, const json_t *data) {
  const json_t *entry = json_object_get(data, "member");
  char key[24], other[STORE_STREAM_MAX + 32];
  if (!json_is_object(entry) || !json_is_integer(json_object_get(entry, "id")))
    return;
  snprintf(key, sizeof key, "m:%lld", (long long)json_int(entry, "id", 0));
  if (strcmp(r->kind, "room.trusted") == 0) /* who that is was said when he came */
    return;
  snprintf(other, sizeof other, "%s %s", r->stream, key);
  const char *pid = json_str(entry, "pid", "");
  json_object_set_new(c->people, key, json_string(*pid ? pid : other));
  if (strcmp(pid, c->pid) == 0)
    json_object_set_new(c->mine, key, json_true());
}

static bool about_me(const struct copy *c, const struct store_record *r, const json_t *data) {
  const json_t *who = json_object_get(data, "who"), *id;
  char key[24];
  size_t i;
  json_array_foreach((json_t *)(uintptr_t)who, i, id) {
    snprintf(key, sizeof key, "m:%lld", (long long)json_integer_value(id));
    if (is_me(c, key))
      return true;
  }
  const json_t *entry = json_object_get(data, "member");
  snprintf(key, sizeof key, "m:%lld", (long long)json_int(entry, "id", 0));
  return is_me(c, r->target) || (entry && is_me(c, key));
}

static json_t *base_record(struct copy *c, const struct store_record *r) {
  return json_pack("{s:o,s:s,s:s}", "at", copy_time(r->ts_ms), "room", c->room, "what", r->kind);
}

static bool starts(const char *text, const char *with) {
  return strncmp(text, with, strlen(with)) == 0;
}

static const char *file_of(const struct store_record *r, bool by_me, bool of_me) {
  static const char *const COMINGS[] = {"member.knocked", "member.joined", "member.admitted",
                                        "member.away",    "member.back",   "member.left"};
  for (size_t i = 0; i < sizeof COMINGS / sizeof COMINGS[0]; i++)
    if (of_me && strcmp(r->kind, COMINGS[i]) == 0)
      return "participations.json";
  if (by_me && strcmp(r->kind, "chat.sent") == 0)
    return "chat_sent.jsonl";
  if (by_me && strcmp(r->kind, "chat.edited") == 0)
    return "chat_sent.jsonl";
  if ((of_me && strcmp(r->kind, "member.hand") == 0) || (by_me && starts(r->kind, "poll.")))
    return "hands_polls.json";
  if (of_me && strcmp(r->kind, "room.banned") == 0)
    return "bans.json";
  if (of_me && !by_me)
    return "moderation_received.json";
  return by_me ? "moderation_performed.json" : NULL;
}

/* Texts others wrote about him (notes), or that an undo of his brought back, are theirs. Older logs have them
 * under the key of who did the act. */
static void drop_others(const struct copy *c, const json_t *data, bool by_me, json_t *payload) {
  const char *of = json_str(data, "of", json_object_get(data, "group") ? "" : c->pid);
  if (!by_me || strcmp(of, c->pid) != 0)
    json_object_del(payload, "text");
  json_object_del(payload, "was");
}

/* What is his in the sealed part: only when it is sealed under his own key. */
static void add_own(struct copy *c, json_t *record, const struct store_record *r, const json_t *data,
                    bool by_me) {
  json_t *payload =
      r->payload && r->subject && strcmp(r->subject, c->pid) == 0 ? json_loads(r->payload, 0, NULL) : NULL;
  json_t *entry = json_object_get(payload, "member"), *ban = json_object_get(payload, "ban");
  static const char *const NOT_SHOWN[] = {"device", "kid", "jti", "session", "scopes", "made"};
  for (size_t i = 0; i < sizeof NOT_SHOWN / sizeof NOT_SHOWN[0]; i++) /* of the newest: see tokens.json */
    json_object_del(entry, NOT_SHOWN[i]);
  if (entry)
    json_object_update(record, entry);
  if (ban) {
    json_object_set(record, "name", json_object_get(ban, "name"));
    json_object_set(record, "reason", json_object_get(ban, "reason"));
  }
  json_object_del(payload, "member");
  json_object_del(payload, "ban");
  drop_others(c, data, by_me, payload);
  json_object_update(record, payload);
  json_decref(payload);
}

static enum err room_event(void *ctx, const struct store_record *r) {
  struct copy *c = ctx;
  json_t *data = json_loads(r->data, 0, NULL);
  if (!data)
    return ERR_DB_CORRUPT;
  learn(c, r, data);
  bool by_me = is_me(c, r->actor), of_me = about_me(c, r, data);
  const char *file = file_of(r, by_me, of_me);
  if (file) {
    json_t *record = base_record(c, r);
    if (of_me && !by_me)
      json_object_set_new(record, "by", alias_of(c, r->actor));
    char to[24];
    snprintf(to, sizeof to, "m:%d", (int)json_int(data, "to", 0));
    if (by_me && (*r->target || json_int(data, "to", 0)))
      json_object_set_new(record, "to", alias_of(c, *r->target ? r->target : to));
    if (json_is_boolean(json_object_get(data, "on")))
      json_object_set(record, "on", json_object_get(data, "on"));
    add_own(c, record, r, data, by_me);
    copy_add(c, file, record);
  }
  json_decref(data);
  return ERR_OK;
}

static enum err take_name(void *ctx, const char *stream) {
  json_array_append_new(ctx, json_string(stream));
  return ERR_OK;
}

/* "room:NAME@WHEN" */
static enum err one_room(struct copy *c, const char *stream) {
  char room[STORE_STREAM_MAX];
  snprintf(room, sizeof room, "%.*s", (int)strcspn(stream + 5, "@"), stream + 5);
  c->room = room;
  json_object_clear(c->people);
  json_object_clear(c->mine);
  enum err e = store_replay(c->store, stream, 0, room_event, c);
  c->room = NULL;
  return e;
}

static const char *audit_who(const struct copy *c, const char *who) {
  return strcmp(who, c->pid) == 0 ? "me" : starts(who, "p-") ? "another person" : who;
}

static enum err audit_line(void *ctx, const struct store_record *r) {
  struct copy *c = ctx;
  if (strcmp(r->actor, c->pid) != 0 && strcmp(r->target, c->pid) != 0)
    return ERR_OK;
  json_t *data = json_loads(r->data, 0, NULL);
  copy_add(c, "audit_subject.jsonl",
           json_pack("{s:o,s:s,s:s,s:s,s:s,s:s}", "at", copy_time(r->ts_ms), "actor", audit_who(c, r->actor),
                     "action", r->kind, "target", audit_who(c, r->target), "outcome",
                     json_str(data, "outcome", "ok"), "room", json_str(data, "room", "")));
  json_decref(data);
  return ERR_OK;
}

enum err copy_logs(struct copy *c) {
  json_t *streams = json_array(), *name;
  size_t i;
  enum err e = store_streams(c->store, "room:", take_name, streams);
  json_array_foreach(streams, i, name) {
    if (e == ERR_OK)
      e = one_room(c, json_string_value(name));
  }
  json_decref(streams);
  return e == ERR_OK ? store_replay(c->store, "audit", 0, audit_line, c) : e;
}
