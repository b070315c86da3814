#include "core/room/room_private.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void set_text(char *to, size_t cap, const char *from) {
  (void)snprintf(to, cap, "%s", from ? from : "");
}

/* ---- people ---- */

/* In order of id: a newcomer goes to the end; only a replica that learns of someone late inserts before
 * others. */
static void member_put(struct room *r, const struct member *entry) {
  if (entry->id == 0)
    return;
  struct member *m = room_find(r, entry->id);
  if (!m) {
    if (r->n_members >= ROOM_MEMBERS_MAX + ROOM_WAITING_MAX)
      return;
    r->members = room_grow(r->members, r->n_members, &r->cap_members, sizeof *r->members);
    size_t at = r->n_members++;
    for (; at > 0 && r->members[at - 1].id > entry->id; at--)
      r->members[at] = r->members[at - 1];
    m = &r->members[at];
  }
  *m = *entry;
  if (r->id_last < entry->id)
    r->id_last = entry->id;
  if (r->hand_last < entry->hand)
    r->hand_last = entry->hand;
}

static void members_drop(struct room *r, const struct room_event *ev) {
  for (size_t i = 0; i < ev->n_targets; i++) {
    struct member *m = room_find(r, ev->targets[i]);
    if (m)
      m->role = ROLE_NONE; /* marked; one pass takes them all out */
  }
  size_t kept = 0;
  for (size_t i = 0; i < r->n_members; i++)
    if (r->members[i].role != ROLE_NONE)
      r->members[kept++] = r->members[i];
  if (kept <
      r->n_members) /* what a ban or a view must not find any more is not left behind in memory either */
    memset(&r->members[kept], 0, (r->n_members - kept) * sizeof *r->members);
  r->n_members = kept;
}

static void member_away(struct member *m, const struct room_event *ev) {
  m->dropped_ms = ev->ts_ms > 0 ? ev->ts_ms : 1;
  if (m->presence == PRESENCE_HERE)
    m->presence = PRESENCE_AWAY;
}

static void note(struct room *r, const struct room_event *ev, enum room_ev kind, uint32_t id, int64_t before,
                 int64_t after) {
  undo_note(r, ev, (struct undo_item){.kind = kind, .id = id, .before = before, .after = after});
}

static void member_hand(struct room *r, struct member *m, const struct room_event *ev) {
  uint64_t place = 0;
  if (ev->num)
    place = ev->num2 > 0 ? (uint64_t)ev->num2 : r->hand_last + 1;
  note(r, ev, ROOM_EV_HAND, m->id, (int64_t)m->hand, (int64_t)place);
  m->hand = place;
  if (r->hand_last < place)
    r->hand_last = place;
}

static void member_flag(struct room *r, const struct room_event *ev, enum room_ev kind, uint32_t id,
                        bool *flag, bool v) {
  if (*flag != v)
    note(r, ev, kind, id, *flag, v);
  *flag = v;
}

/* One value of one person; each event kind changes exactly one. */
static void member_apply(struct room *r, struct member *m, const struct room_event *ev) {
  switch (ev->kind) {
  case ROOM_EV_AWAY:
    member_away(m, ev);
    break;
  case ROOM_EV_MUTED:
    if (!m->muted)
      m->muted_by = ev->actor;
    member_flag(r, ev, ROOM_EV_MUTED, m->id, &m->muted, true);
    break;
  case ROOM_EV_UNMUTED:
    m->muted = false;
    m->muted_by = 0;
    break;
  case ROOM_EV_ASKED:
    member_flag(r, ev, ROOM_EV_ASKED, m->id, &m->exempt, true);
    break;
  case ROOM_EV_EXEMPT:
    member_flag(r, ev, ROOM_EV_EXEMPT, m->id, &m->exempt, ev->num != 0);
    break;
  case ROOM_EV_FLOOR:
    member_flag(r, ev, ROOM_EV_FLOOR, m->id, &m->floor, ev->num != 0);
    break;
  case ROOM_EV_ROLE:
    note(r, ev, ROOM_EV_ROLE, m->id, (int64_t)m->role, ev->num);
    m->role = (enum role)ev->num;
    break;
  case ROOM_EV_HAND:
    member_hand(r, m, ev);
    break;
  default:
    break;
  }
}

/* ---- lists ---- */

static void chat_put(struct room *r, const struct room_event *ev) {
  if (r->n_chat == ROOM_CHAT_KEPT) {
    free(r->chat[0].text);
    memmove(r->chat, r->chat + 1, --r->n_chat * sizeof *r->chat);
  }
  r->chat = room_grow(r->chat, r->n_chat, &r->cap_chat, sizeof *r->chat);
  struct chat *c = &r->chat[r->n_chat++];
  *c = (struct chat){.id = ev->seq, .ts_ms = ev->ts_ms, .kind = (enum chat_kind)ev->num, .from = ev->actor};
  c->to = (uint32_t)ev->num2;
  c->text = room_strdup(ev->text ? ev->text : "");
  const struct member *m = room_member(r, ev->actor);
  set_text(c->name, sizeof c->name, ev->actor == 0 ? "operator" : m ? m->name : "");
}

static void chat_delete(struct room *r, uint64_t id) {
  const struct chat *found = room_chat_by_id(r, id);
  if (!found)
    return;
  struct chat *c = &r->chat[found - r->chat];
  memset(c->text, 0, strlen(c->text));
  c->deleted = true;
}

static void chat_clear(struct room *r) {
  for (size_t i = 0; i < r->n_chat; i++)
    free(r->chat[i].text);
  r->n_chat = 0;
}

static void ban_put(struct room *r, const struct room_event *ev) {
  if (!ev->entry || r->n_bans >= ROOM_BANS_MAX)
    return;
  r->bans = room_grow(r->bans, r->n_bans, &r->cap_bans, sizeof *r->bans);
  struct ban *b = &r->bans[r->n_bans++];
  *b = (struct ban){.id = ev->seq, .by = ev->actor, .ts_ms = ev->ts_ms};
  set_text(b->name, sizeof b->name, ev->entry->name);
  set_text(b->user, sizeof b->user, ev->entry->user);
  set_text(b->reason, sizeof b->reason, ev->text);
  memcpy(b->device, ev->entry->device, sizeof b->device);
}

static void ban_drop(struct room *r, uint64_t id) {
  for (size_t i = 0; i < r->n_bans; i++)
    if (r->bans[i].id == id) {
      memmove(&r->bans[i], &r->bans[i + 1], (--r->n_bans - i) * sizeof *r->bans);
      return;
    }
}

static void invite_put(struct room *r, const struct room_event *ev) {
  if (!ev->invite || r->n_invites >= ROOM_INVITES_MAX)
    return;
  r->invites = room_grow(r->invites, r->n_invites, &r->cap_invites, sizeof *r->invites);
  r->invites[r->n_invites] = *ev->invite;
  r->invites[r->n_invites++].id = ev->seq;
}

/* The last use removes an invite: 0 uses left would mean unlimited. */
static void invite_drop(struct room *r, uint64_t id, bool used) {
  for (size_t i = 0; i < r->n_invites; i++) {
    if (r->invites[i].id != id)
      continue;
    if (used && r->invites[i].uses_left != 1)
      r->invites[i].uses_left -= r->invites[i].uses_left > 1;
    else
      memmove(&r->invites[i], &r->invites[i + 1], (--r->n_invites - i) * sizeof *r->invites);
    return;
  }
}

/* ---- the room ---- */

static void room_flag(struct room *r, const struct room_event *ev, bool *flag) {
  note(r, ev, ev->kind, 0, *flag, ev->num != 0);
  *flag = ev->num != 0;
}

static void room_mute_all(struct room *r, const struct room_event *ev) {
  int64_t before = room_mute_level(r);
  if (ev->num != before)
    note(r, ev, ROOM_EV_MUTE_ALL, 0, before, ev->num);
  if (ev->num > 0 && undo_state(r)->undoing != ev->group)
    undo_state(r)->mute_all = ev->group;
  r->mute_all = ev->num > 0;
  r->mute_hold = ev->num > 1;
}

static void room_topic(struct room *r, const struct room_event *ev) {
  const char *text = ev->text ? ev->text : "";
  undo_note(r, ev,
            (struct undo_item){.kind = ROOM_EV_TOPIC,
                               .text_before = room_strdup(r->topic),
                               .text_after = room_strdup(text)});
  set_text(r->topic, sizeof r->topic, text);
}

static void room_created(struct room *r, const struct room_event *ev) {
  set_text(r->name, sizeof r->name, ev->text);
  r->lobby = ev->num != 0;
  r->policy = (enum host_policy)ev->num2;
  r->created_ms = ev->ts_ms;
}

static void room_ended(struct room *r) {
  r->ended = true;
  if (r->n_members)
    memset(r->members, 0, r->n_members * sizeof *r->members);
  r->n_members = 0;
  r->n_invites = 0;
  undo_forget(r, 0);
}

void room_apply(struct room *r, const struct room_event *ev) {
  assert(ev->seq > r->seq);
  r->seq = ev->seq;
  switch (ev->kind) {
  case ROOM_EV_CREATED:
    room_created(r, ev);
    break;
  case ROOM_EV_ENDED:
    room_ended(r);
    break;
  case ROOM_EV_LOCKED:
    room_flag(r, ev, &r->locked);
    break;
  case ROOM_EV_LOBBY:
    room_flag(r, ev, &r->lobby);
    break;
  case ROOM_EV_TOPIC:
    room_topic(r, ev);
    break;
  case ROOM_EV_POLICY:
    note(r, ev, ev->kind, 0, (int64_t)r->policy, ev->num);
    r->policy = (enum host_policy)ev->num;
    break;
  case ROOM_EV_CHAT_MODE:
    note(r, ev, ev->kind, 0, (int64_t)r->chat_mode, ev->num);
    r->chat_mode = (enum chat_mode)ev->num;
    break;
  case ROOM_EV_MUTE_ALL:
    room_mute_all(r, ev);
    break;
  case ROOM_EV_KNOCKED:
  case ROOM_EV_JOINED:
  case ROOM_EV_ADMITTED:
  case ROOM_EV_BACK:
    if (ev->entry)
      member_put(r, ev->entry);
    break;
  case ROOM_EV_DENIED:
  case ROOM_EV_LEFT:
  case ROOM_EV_REMOVED:
    members_drop(r, ev);
    break;
  case ROOM_EV_BANNED:
    ban_put(r, ev);
    break;
  case ROOM_EV_UNBANNED:
    ban_drop(r, (uint64_t)ev->num);
    break;
  case ROOM_EV_CHAT:
    chat_put(r, ev);
    break;
  case ROOM_EV_CHAT_DELETED:
    chat_delete(r, (uint64_t)ev->num);
    break;
  case ROOM_EV_CHAT_CLEARED:
    chat_clear(r);
    break;
  case ROOM_EV_INVITE:
    invite_put(r, ev);
    break;
  case ROOM_EV_INVITE_USED:
  case ROOM_EV_INVITE_REVOKED:
    invite_drop(r, (uint64_t)ev->num, ev->kind == ROOM_EV_INVITE_USED);
    break;
  case ROOM_EV_UNDONE:
    undo_forget(r, (uint64_t)ev->num);
    undo_state(r)->undoing = ev->group;
    break;
  default:
    for (size_t i = 0; i < ev->n_targets; i++) {
      struct member *m = room_find(r, ev->targets[i]);
      if (m)
        member_apply(r, m, ev);
    }
  }
}
