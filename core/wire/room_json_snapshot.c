#include "core/wire/room_json_private.h"

#include <stdlib.h>
#include <string.h>

/* ---- writing; members and lists first, then what the room is set to ---- */

/* A host as this viewer may know him: by the room's policy only moderators learn which one it was, and each
 * what he did himself. */
static uint32_t host_seen(const struct room *r, uint32_t host, uint32_t viewer) {
  bool hidden = r->hide_hosts && host != viewer && room_view_of(r, viewer) != VIEW_MODERATOR;
  return hidden ? ROOM_SOME_HOST : host;
}

/* Who waits is not told who is inside. */
static json_t *chat_to_json(const struct chat *c, enum view view) {
  json_t *o = json_object();
  out_int(o, "id", (int64_t)c->id);
  out_int(o, "ts", c->ts_ms);
  out_word(o, "chat", WORDS_CHAT, (int64_t)c->kind);
  out_int(o, "from", c->from);
  out_number(o, "to", c->to);
  out_str(o, "name", view == VIEW_NOTHING ? "" : c->name);
  out_true(o, "edited", c->edited);
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

/* The newest ROOM_CHAT_SENT of those he may see, and the pinned one. */
static void chat_out(json_t *o, const struct room *r, uint32_t viewer) {
  json_t *list = json_array();
  enum view view = room_view_of(r, viewer);
  size_t from = r->n_chat;
  for (size_t n = 0; from > 0 && n < ROOM_CHAT_SENT; from--)
    n += chat_seen(r, &r->chat[from - 1], viewer);
  for (size_t i = 0; i < r->n_chat; i++)
    if ((i >= from || r->chat[i].id == r->pin) && chat_seen(r, &r->chat[i], viewer))
      json_array_append_new(list, chat_to_json(&r->chat[i], view));
  json_object_set_new(o, "chat", list);
}

static json_t *ban_record(const struct ban *b) {
  json_t *o = json_object();
  out_int(o, "id", (int64_t)b->id);
  out_int(o, "by", b->by);
  out_int(o, "ts", b->ts_ms);
  ban_to_json(b, o, o);
  return o;
}

static json_t *trusted_to_json(const struct trusted *t) {
  json_t *o = json_object();
  out_int(o, "id", (int64_t)t->id);
  out_str(o, "name", t->name);
  return o;
}

static json_t *note_to_json(const struct note *n) {
  json_t *o = json_object();
  out_int(o, "id", (int64_t)n->id);
  out_int(o, "about", n->about);
  out_int(o, "by", n->by);
  out_int(o, "ts", n->ts_ms);
  out_str(o, "name", n->name);
  out_str(o, "text", n->text);
  return o;
}

/* What only moderators know. */
static void lists_out(json_t *o, const struct room *r) {
  json_t *bans = json_array(), *invites = json_array(), *trusted = json_array(), *notes = json_array();
  for (size_t i = 0; i < r->n_bans; i++)
    json_array_append_new(bans, ban_record(&r->bans[i]));
  for (size_t i = 0; i < r->n_invites; i++)
    json_array_append_new(invites, invite_to_json(&r->invites[i]));
  for (size_t i = 0; i < r->n_trusted; i++)
    json_array_append_new(trusted, trusted_to_json(&r->trusted[i]));
  for (size_t i = 0; i < r->n_notes; i++)
    json_array_append_new(notes, note_to_json(&r->notes[i]));
  json_object_set_new(o, "bans", bans);
  json_object_set_new(o, "invites", invites);
  json_object_set_new(o, "trusted", trusted);
  json_object_set_new(o, "notes", notes);
  out_ids(o, "successors", r->successors, r->n_successors);
  out_true(o, "has_password", r->has_password);
}

/* Who voted for each answer; of an anonymous poll everybody knows his own vote only. */
static json_t *votes_to_json(const struct poll *p, uint32_t viewer) {
  json_t *votes = json_array();
  for (size_t answer = 1; answer <= p->n_answers; answer++) {
    json_t *who = json_array();
    for (size_t i = 0; i < p->n_votes; i++)
      if (p->votes[i].answer == answer && (!p->anonymous || p->votes[i].member == viewer))
        json_array_append_new(who, json_integer(p->votes[i].member));
    json_array_append_new(votes, who);
  }
  return votes;
}

static json_t *poll_to_json(const struct room *r, uint32_t viewer) {
  const struct poll *p = &r->poll;
  json_t *o = json_object();
  out_int(o, "id", (int64_t)p->id);
  out_int(o, "by", host_seen(r, p->by, viewer));
  out_true(o, "open", p->open);
  out_true(o, "anonymous", p->anonymous);
  out_str(o, "text", p->text);
  json_object_set_new(o, "votes", votes_to_json(p, viewer));
  json_t *counts = p->anonymous && !p->open ? json_array() : NULL;
  for (size_t i = 0; counts && i < p->n_answers; i++)
    json_array_append_new(counts, json_integer(p->count[i]));
  if (counts)
    json_object_set_new(o, "counts", counts);
  return o;
}

static void settings_out(json_t *o, const struct room *r) {
  out_str(o, "topic", r->topic);
  json_object_set_new(o, "locked", json_boolean(r->locked));
  out_text(o, "lock_text", r->lock_text);
  json_object_set_new(o, "lobby", json_boolean(r->lobby));
  out_word(o, "auto_admit", WORDS_AUTO_ADMIT, (int64_t)r->auto_admit);
  out_word(o, "mute_all", WORDS_MUTE, r->mute_all + (r->mute_all && r->mute_hold));
  out_true(o, "mute_speakers_free", r->mute_speakers_free);
  out_true(o, "mute_entry", r->mute_entry);
  out_true(o, "one_speaker", r->one_speaker);
  out_true(o, "no_links", r->no_links);
  out_true(o, "hide_hosts", r->hide_hosts);
  out_number(o, "talk_s", r->talk_s);
  out_true(o, "talk_take", r->talk_take);
  out_number(o, "slow_s", r->slow_s);
  out_number(o, "max_people", r->max_people);
  out_number(o, "max_speakers", r->max_speakers);
  out_word(o, "chat_mode", WORDS_CHAT_MODE, (int64_t)r->chat_mode);
  out_word(o, "policy", WORDS_POLICY, (int64_t)r->policy);
  out_int(o, "created_ms", r->created_ms);
  out_int(o, "hand_last", (int64_t)r->hand_last);
}

/* Where the meeting stands. */
static void meeting_out(json_t *o, const struct room *r, uint32_t viewer) {
  if (r->agenda)
    out_str(o, "agenda", r->agenda);
  out_number(o, "agenda_at", (int64_t)r->agenda_at);
  out_number(o, "agenda_ms", r->agenda_ms);
  out_number(o, "pin", (int64_t)r->pin);
  out_number(o, "sides", r->sides);
  out_number(o, "recall_ms", r->recall_ms);
  out_number(o, "ends_ms", r->ends_ms);
  out_number(o, "no_host_ms", r->no_host_ms);
  if (r->poll.id)
    json_object_set_new(o, "poll", poll_to_json(r, viewer));
}

static json_t *member_seen(const struct room *r, const struct member *m, uint32_t viewer) {
  json_t *o = member_to_json(m);
  if (m->muted_by && m->muted_by != m->id)
    out_int(o, "muted_by", host_seen(r, m->muted_by, viewer));
  return o;
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
      json_array_append_new(members, member_seen(r, m, viewer));
  }
  json_object_set_new(o, "members", members);
  chat_out(o, r, viewer);
  if (view == VIEW_NOTHING)
    return o;
  settings_out(o, r);
  meeting_out(o, r, viewer);
  if (view == VIEW_MODERATOR)
    lists_out(o, r);
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

static char *copy(const char *s) {
  char *p = strdup(s);
  if (!p)
    abort();
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

/* Each list of the room: how many it may hold, and how one of it is read. */

static void chat_one(struct in *in, struct room *r) {
  struct chat *c = &r->chat[r->n_chat++];
  c->id = (uint64_t)in_int(in, "id", 1, JSON_NUMBER_MAX, 1);
  c->ts_ms = in_int(in, "ts", 0, JSON_NUMBER_MAX, 0);
  c->kind = (enum chat_kind)in_word(in, "chat", WORDS_CHAT, CHAT_PUBLIC);
  c->from = (uint32_t)in_int(in, "from", 0, UINT32_MAX, 0);
  c->to = (uint32_t)in_int(in, "to", 0, UINT32_MAX, 0);
  c->deleted = in_bool(in, "deleted");
  c->edited = in_bool(in, "edited");
  in_copy(in, "name", c->name, TEXT_NAME_MAX);
  c->text = copy(in_str(in, "text", TEXT_CHAT_MAX, ""));
}

static void ban_one(struct in *in, struct room *r) {
  struct ban *b = &r->bans[r->n_bans++];
  ban_from_json(in, in, b);
  b->id = (uint64_t)in_int(in, "id", 1, JSON_NUMBER_MAX, 1);
  b->by = (uint32_t)in_int(in, "by", 0, UINT32_MAX, 0);
  b->ts_ms = in_int(in, "ts", 0, JSON_NUMBER_MAX, 0);
}

static void invite_one(struct in *in, struct room *r) {
  invite_from_json(in, &r->invites[r->n_invites++]);
}

static void trusted_one(struct in *in, struct room *r) {
  struct trusted *t = &r->trusted[r->n_trusted++];
  t->id = (uint64_t)in_int(in, "id", 1, JSON_NUMBER_MAX, 1);
  in_copy(in, "name", t->name, TEXT_NAME_MAX);
}

static void note_one(struct in *in, struct room *r) {
  struct note *n = &r->notes[r->n_notes++];
  n->id = (uint64_t)in_int(in, "id", 1, JSON_NUMBER_MAX, 1);
  n->about = (uint32_t)in_int(in, "about", 0, UINT32_MAX, 0);
  n->by = (uint32_t)in_int(in, "by", 0, UINT32_MAX, 0);
  n->ts_ms = in_int(in, "ts", 0, JSON_NUMBER_MAX, 0);
  in_copy(in, "name", n->name, TEXT_NAME_MAX);
  in_copy(in, "text", n->text, TEXT_LINE_MAX);
}

static bool each(const json_t *v, struct room *r, void (*one)(struct in *, struct room *)) {
  for (size_t i = 0; i < json_array_size(v); i++) {
    struct in sub = in_of(json_array_get(v, i));
    one(&sub, r);
    if (!sub.ok)
      return false;
  }
  return true;
}

static bool lists_in(struct in *in, struct room *r) {
  const json_t *chat = in_array(in, "chat", ROOM_CHAT_KEPT), *bans = in_array(in, "bans", ROOM_BANS_MAX);
  const json_t *invites = in_array(in, "invites", ROOM_INVITES_MAX);
  const json_t *trusted = in_array(in, "trusted", ROOM_TRUSTED_MAX);
  const json_t *notes = in_array(in, "notes", ROOM_NOTES_MAX);
  r->chat = list(json_array_size(chat), sizeof *r->chat, &r->cap_chat);
  r->bans = list(json_array_size(bans), sizeof *r->bans, &r->cap_bans);
  r->invites = list(json_array_size(invites), sizeof *r->invites, &r->cap_invites);
  r->trusted = list(json_array_size(trusted), sizeof *r->trusted, &r->cap_trusted);
  r->notes = list(json_array_size(notes), sizeof *r->notes, &r->cap_notes);
  return each(chat, r, chat_one) && each(bans, r, ban_one) && each(invites, r, invite_one) &&
         each(trusted, r, trusted_one) && each(notes, r, note_one);
}

static bool votes_in(struct poll *p, const json_t *votes) {
  size_t n = 0;
  if (json_array_size(votes) > p->n_answers)
    return false;
  for (size_t i = 0; i < json_array_size(votes); i++)
    n += json_array_size(json_array_get(votes, i));
  if (n > ROOM_VOTES_MAX)
    return false;
  p->votes = list(n, sizeof *p->votes, &p->cap_votes);
  for (size_t i = 0; i < json_array_size(votes); i++) {
    const json_t *who = json_array_get(votes, i);
    for (size_t k = 0; k < json_array_size(who); k++) {
      json_int_t id = json_integer_value(json_array_get(who, k));
      if (id < 1 || id > UINT32_MAX)
        return false;
      p->votes[p->n_votes++] = (struct vote){(uint32_t)id, (uint8_t)(i + 1)};
      p->count[i] += !p->anonymous;
    }
  }
  return true;
}

static bool counts_in(struct poll *p, const json_t *counts) {
  for (size_t i = 0; i < json_array_size(counts); i++) {
    json_int_t n = json_integer_value(json_array_get(counts, i));
    if (i >= p->n_answers || n < 0 || n > ROOM_VOTES_MAX)
      return false;
    p->count[i] = (uint32_t)n;
  }
  return true;
}

static bool poll_in(const json_t *o, struct poll *p) {
  struct in in = in_of(o);
  if (!o)
    return true;
  in_need(&in, "id");
  p->id = (uint64_t)in_int(&in, "id", 1, JSON_NUMBER_MAX, 1);
  p->by = (uint32_t)in_int(&in, "by", 0, UINT32_MAX, 0);
  p->open = in_bool(&in, "open");
  p->anonymous = in_bool(&in, "anonymous");
  p->text = copy(in_str(&in, "text", ROOM_POLL_MAX, ""));
  for (const char *s = strchr(p->text, '\n'); s; s = strchr(s + 1, '\n'))
    p->n_answers++;
  if (!in.ok || p->n_answers < ROOM_ANSWERS_MIN || p->n_answers > ROOM_ANSWERS_MAX)
    return false;
  const json_t *votes = in_array(&in, "votes", ROOM_ANSWERS_MAX);
  const json_t *counts = in_array(&in, "counts", ROOM_ANSWERS_MAX);
  return in.ok && votes_in(p, votes) && (!p->anonymous || counts_in(p, counts));
}

static void meeting_in(struct in *in, struct room *r) {
  const char *agenda = in_str(in, "agenda", ROOM_AGENDA_MAX, "");
  r->agenda = agenda[0] ? copy(agenda) : NULL;
  r->agenda_at = (size_t)in_int(in, "agenda_at", 0, ROOM_AGENDA_ITEMS, 0);
  r->agenda_ms = in_int(in, "agenda_ms", 0, JSON_NUMBER_MAX, 0);
  r->pin = (uint64_t)in_int(in, "pin", 0, JSON_NUMBER_MAX, 0);
  r->sides = (uint8_t)in_int(in, "sides", 0, ROOM_SIDES_MAX, 0);
  r->recall_ms = in_int(in, "recall_ms", 0, JSON_NUMBER_MAX, 0);
  r->ends_ms = in_int(in, "ends_ms", 0, JSON_NUMBER_MAX, 0);
  r->no_host_ms = in_int(in, "no_host_ms", 0, JSON_NUMBER_MAX, 0);
  r->n_successors = in_ids(in, "successors", r->successors, ROOM_SUCCESSORS_MAX);
  r->has_password = in_bool(in, "has_password");
}

static void settings_in(struct in *in, struct room *r) {
  in_copy(in, "room", r->name, TEXT_SLUG_MAX);
  r->seq = (uint64_t)in_int(in, "seq", 0, JSON_NUMBER_MAX, 0);
  r->ended = in_bool(in, "ended");
  in_copy(in, "topic", r->topic, TEXT_LINE_MAX);
  r->locked = in_bool(in, "locked");
  in_copy(in, "lock_text", r->lock_text, TEXT_LINE_MAX);
  r->lobby = in_bool(in, "lobby");
  r->auto_admit = (enum auto_admit)in_word(in, "auto_admit", WORDS_AUTO_ADMIT, AUTO_ADMIT_NOBODY);
  int64_t mute = in_word(in, "mute_all", WORDS_MUTE, 0);
  r->mute_all = mute > 0;
  r->mute_hold = mute > 1;
  r->mute_speakers_free = in_bool(in, "mute_speakers_free");
  r->mute_entry = in_bool(in, "mute_entry");
  r->one_speaker = in_bool(in, "one_speaker");
  r->no_links = in_bool(in, "no_links");
  r->hide_hosts = in_bool(in, "hide_hosts");
  r->talk_s = in_int(in, "talk_s", 0, ROOM_SECONDS_MAX, 0);
  r->talk_take = in_bool(in, "talk_take");
  r->slow_s = in_int(in, "slow_s", 0, ROOM_SECONDS_MAX, 0);
  r->max_people = (uint32_t)in_int(in, "max_people", 0, ROOM_MEMBERS_MAX, 0);
  r->max_speakers = (uint32_t)in_int(in, "max_speakers", 0, ROOM_MEMBERS_MAX, 0);
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
  meeting_in(&in, r);
  bool ok = in.ok && members_in(&in, r) && lists_in(&in, r) &&
            poll_in(json_object_get(o, "poll"), &r->poll) && in.ok;
  if (ok && !room_check(r))
    return ERR_OK;
  room_free(r);
  room_init(r);
  return ERR_BAD_ARG;
}
