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
  former_enters(r, m);
  if (m->presence != PRESENCE_WAITING)
    name_clash(r, m);
}

static void members_drop(struct room *r, const struct room_event *ev) {
  for (size_t i = 0; i < ev->n_targets; i++) {
    struct member *m = room_find(r, ev->targets[i]);
    if (!m)
      continue;
    former_leaves(r, m);
    poll_forget(r, m->id);
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

void room_note_change(struct room *r, const struct room_event *ev, enum room_ev kind, uint32_t id,
                      int64_t before, int64_t after) {
  undo_note(r, ev, (struct undo_item){.kind = kind, .id = id, .before = before, .after = after});
}

void member_flag(struct room *r, const struct room_event *ev, enum room_ev kind, uint32_t id, bool *flag,
                 bool v) {
  if (*flag != v)
    room_note_change(r, ev, kind, id, *flag, v);
  *flag = v;
}

/* One value of one person; each event kind changes exactly one. */
static void member_apply(struct room *r, struct member *m, const struct room_event *ev) {
  switch (ev->kind) {
  case ROOM_EV_AWAY:
    member_away(m, ev);
    break;
  case ROOM_EV_ROLE:
    room_note_change(r, ev, ROOM_EV_ROLE, m->id, (int64_t)m->role, ev->num);
    m->role = (enum role)ev->num;
    if (ROLE_IS_MODERATOR(m->role)) { /* no talk timer for those */
      m->floor_ms = 0;
      m->time_up = false;
    }
    break;
  default:
    break;
  }
}

/* ---- lists ---- */

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
  r->n_successors = 0;
  r->password = r->claim = (struct secret){0};
  r->has_password = r->poll.open = false;
  r->sides = 0;
  r->ends_ms = r->recall_ms = r->no_host_ms = 0;
  undo_forget(r, 0);
}

static void apply_event(struct room *r, const struct room_event *ev) {
  if (settings_apply(r, ev) || people_apply(r, ev) || bans_apply(r, ev) || chat_apply(r, ev) ||
      meeting_apply(r, ev) || voice_apply(r, ev) || sides_apply(r, ev))
    return;
  switch (ev->kind) {
  case ROOM_EV_CREATED:
    room_created(r, ev);
    break;
  case ROOM_EV_ENDED:
    room_ended(r);
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
  case ROOM_EV_INVITE:
    invite_put(r, ev);
    break;
  case ROOM_EV_INVITE_USED:
  case ROOM_EV_INVITE_REVOKED:
    invite_drop(r, (uint64_t)ev->num, ev->kind == ROOM_EV_INVITE_USED);
    break;
  default:
    for (size_t i = 0; i < ev->n_targets; i++) {
      struct member *m = room_find(r, ev->targets[i]);
      if (m)
        member_apply(r, m, ev);
    }
  }
}

void room_apply(struct room *r, const struct room_event *ev) {
  assert(ev->seq > r->seq);
  bool led = room_host_may_go(ev->kind) && room_has_moderator(r);
  r->seq = ev->seq;
  undo_begin(r, ev);
  apply_event(r, ev);
  room_host_watch(r, ev, led);
}
