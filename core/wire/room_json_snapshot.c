#include "core/wire/room_json_private.h"

#include <stdlib.h>
#include <string.h>

/* ---- writing ---- */

static json_t *chat_to_json(const struct chat *c) {
  json_t *o = json_object();
  out_int(o, "id", (int64_t)c->id);
  out_int(o, "ts", c->ts_ms);
  out_word(o, "chat", WORDS_CHAT, (int64_t)c->kind);
  out_int(o, "from", c->from);
  if (c->to)
    out_int(o, "to", c->to);
  out_str(o, "name", c->name);
  if (c->deleted)
    out_true(o, "deleted", true);
  else
    out_str(o, "text", c->text);
  return o;
}

/* The same question as for the event that brought it, so that a snapshot and the events never differ. */
static bool chat_seen(const struct room *r, const struct chat *c, uint32_t viewer) {
  struct room_event ev = {.kind = ROOM_EV_CHAT, .actor = c->from, .num = (int64_t)c->kind, .num2 = c->to};
  return room_event_visible(r, &ev, viewer);
}

static json_t *ban_to_json(const struct ban *b) {
  json_t *o = json_object();
  out_int(o, "id", (int64_t)b->id);
  out_int(o, "by", b->by);
  out_int(o, "ts", b->ts_ms);
  out_str(o, "name", b->name);
  out_str(o, "reason", b->reason);
  return o;
}

static void settings_out(json_t *o, const struct room *r) {
  out_str(o, "topic", r->topic);
  json_object_set_new(o, "locked", json_boolean(r->locked));
  json_object_set_new(o, "lobby", json_boolean(r->lobby));
  out_word(o, "mute_all", WORDS_MUTE, r->mute_all + (r->mute_all && r->mute_hold));
  out_word(o, "chat_mode", WORDS_CHAT_MODE, (int64_t)r->chat_mode);
  out_word(o, "policy", WORDS_POLICY, (int64_t)r->policy);
  out_int(o, "created_ms", r->created_ms);
  out_int(o, "hand_last", (int64_t)r->hand_last);
}

static void lists_out(json_t *o, const struct room *r, uint32_t viewer) {
  json_t *chat = json_array(), *bans = json_array(), *invites = json_array();
  for (size_t i = 0; i < r->n_chat; i++)
    if (chat_seen(r, &r->chat[i], viewer))
      json_array_append_new(chat, chat_to_json(&r->chat[i]));
  bool moderator = room_view_of(r, viewer) == VIEW_MODERATOR;
  for (size_t i = 0; moderator && i < r->n_bans; i++)
    json_array_append_new(bans, ban_to_json(&r->bans[i]));
  for (size_t i = 0; moderator && i < r->n_invites; i++)
    json_array_append_new(invites, invite_to_json(&r->invites[i]));
  json_object_set_new(o, "chat", chat);
  if (moderator) {
    json_object_set_new(o, "bans", bans);
    json_object_set_new(o, "invites", invites);
  } else {
    json_decref(bans);
    json_decref(invites);
  }
}

json_t *room_to_wire(const struct room *r, uint32_t viewer) {
  json_t *o = json_object(), *members = json_array();
  enum view view = room_view_of(r, viewer);
  out_str(o, "room", r->name);
  out_int(o, "seq", (int64_t)r->seq);
  out_true(o, "ended", r->ended);
  for (size_t i = 0; i < r->n_members; i++) {
    const struct member *m = &r->members[i];
    bool inside = m->presence != PRESENCE_WAITING;
    if (view == VIEW_MODERATOR || (view == VIEW_MEMBER && inside) || m->id == viewer)
      json_array_append_new(members, member_to_json(m));
  }
  json_object_set_new(o, "members", members);
  if (view == VIEW_NOTHING)
    return o;
  settings_out(o, r);
  lists_out(o, r, viewer);
  return o;
}

/* ---- reading ---- */

static void *list(size_t n, size_t size, size_t *cap) {
  void *p = n ? calloc(n, size) : NULL;
  if (n && !p)
    abort();
  *cap = n;
  return p;
}

static bool members_in(struct in *in, struct room *r) {
  const json_t *v = in_array(in, "members", ROOM_MEMBERS_MAX + ROOM_WAITING_MAX);
  size_t n = json_array_size(v);
  r->members = list(n, sizeof *r->members, &r->cap_members);
  for (; r->n_members < n; r->n_members++) {
    struct in sub = in_of(json_array_get(v, r->n_members));
    member_from_json(&sub, &r->members[r->n_members]);
    if (!sub.ok)
      return false;
    r->id_last = r->members[r->n_members].id;
    if (r->hand_last < r->members[r->n_members].hand)
      r->hand_last = r->members[r->n_members].hand;
  }
  return true;
}

static bool chat_in(struct in *in, struct room *r) {
  const json_t *v = in_array(in, "chat", ROOM_CHAT_KEPT);
  size_t n = json_array_size(v);
  r->chat = list(n, sizeof *r->chat, &r->cap_chat);
  while (r->n_chat < n) {
    struct in sub = in_of(json_array_get(v, r->n_chat));
    struct chat *c = &r->chat[r->n_chat++];
    c->id = (uint64_t)in_int(&sub, "id", 1, JSON_NUMBER_MAX, 1);
    c->ts_ms = in_int(&sub, "ts", 0, JSON_NUMBER_MAX, 0);
    c->kind = (enum chat_kind)in_word(&sub, "chat", WORDS_CHAT, CHAT_PUBLIC);
    c->from = (uint32_t)in_int(&sub, "from", 0, UINT32_MAX, 0);
    c->to = (uint32_t)in_int(&sub, "to", 0, UINT32_MAX, 0);
    c->deleted = in_bool(&sub, "deleted");
    in_copy(&sub, "name", c->name, TEXT_NAME_MAX);
    if (!(c->text = strdup(in_str(&sub, "text", TEXT_CHAT_MAX, ""))))
      abort();
    if (!sub.ok)
      return false;
  }
  return true;
}

static bool bans_in(struct in *in, struct room *r) {
  const json_t *v = in_array(in, "bans", ROOM_BANS_MAX);
  size_t n = json_array_size(v);
  r->bans = list(n, sizeof *r->bans, &r->cap_bans);
  while (r->n_bans < n) {
    struct in sub = in_of(json_array_get(v, r->n_bans));
    struct ban *b = &r->bans[r->n_bans++];
    b->id = (uint64_t)in_int(&sub, "id", 1, JSON_NUMBER_MAX, 1);
    b->by = (uint32_t)in_int(&sub, "by", 0, UINT32_MAX, 0);
    b->ts_ms = in_int(&sub, "ts", 0, JSON_NUMBER_MAX, 0);
    in_copy(&sub, "name", b->name, TEXT_NAME_MAX);
    in_copy(&sub, "reason", b->reason, TEXT_LINE_MAX);
    if (!sub.ok)
      return false;
  }
  return true;
}

static bool invites_in(struct in *in, struct room *r) {
  const json_t *v = in_array(in, "invites", ROOM_INVITES_MAX);
  size_t n = json_array_size(v);
  r->invites = list(n, sizeof *r->invites, &r->cap_invites);
  while (r->n_invites < n) {
    struct in sub = in_of(json_array_get(v, r->n_invites));
    invite_from_json(&sub, &r->invites[r->n_invites++]);
    if (!sub.ok)
      return false;
  }
  return true;
}

static void settings_in(struct in *in, struct room *r) {
  in_copy(in, "room", r->name, TEXT_SLUG_MAX);
  r->seq = (uint64_t)in_int(in, "seq", 0, JSON_NUMBER_MAX, 0);
  r->ended = in_bool(in, "ended");
  in_copy(in, "topic", r->topic, TEXT_LINE_MAX);
  r->locked = in_bool(in, "locked");
  r->lobby = in_bool(in, "lobby");
  int64_t mute = in_word(in, "mute_all", WORDS_MUTE, 0);
  r->mute_all = mute > 0;
  r->mute_hold = mute > 1;
  r->chat_mode = (enum chat_mode)in_word(in, "chat_mode", WORDS_CHAT_MODE, CHAT_MODE_ALL);
  r->policy = (enum host_policy)in_word(in, "policy", WORDS_POLICY, HOST_GONE_CONTINUE);
  r->created_ms = in_int(in, "created_ms", 0, JSON_NUMBER_MAX, 0);
  r->hand_last = (uint64_t)in_int(in, "hand_last", 0, JSON_NUMBER_MAX, 0);
}

enum err room_from_wire(const json_t *o, struct room *r) {
  struct in in = in_of(o);
  room_free(r);
  room_init(r);
  settings_in(&in, r);
  bool ok = in.ok && members_in(&in, r) && chat_in(&in, r) && bans_in(&in, r) && invites_in(&in, r) && in.ok;
  if (ok && !room_check(r))
    return ERR_OK;
  room_free(r);
  room_init(r);
  return ERR_BAD_ARG;
}
