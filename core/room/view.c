#include "core/room/room_private.h"

#include <stdlib.h>

enum view room_view_of(const struct room *r, uint32_t viewer) {
  if (viewer == 0)
    return VIEW_MODERATOR;
  if (viewer == ROOM_SILENT)
    return VIEW_MEMBER;
  const struct member *m = room_member(r, viewer);
  if (!m || m->presence == PRESENCE_WAITING)
    return VIEW_NOTHING;
  return ROLE_IS_MODERATOR(m->role) ? VIEW_MODERATOR : VIEW_MEMBER;
}

static bool names(const struct room_event *ev, uint32_t viewer) {
  if (ev->entry && ev->entry->id == viewer)
    return true;
  for (size_t i = 0; i < ev->n_targets; i++)
    if (ev->targets[i] == viewer)
      return true;
  return false;
}

/* Unknown counts as waiting: rather too little shown than a name from the lobby. */
static bool names_waiting(const struct room *r, const struct room_event *ev) {
  for (size_t i = 0; i < ev->n_targets; i++) {
    const struct member *m = room_member(r, ev->targets[i]);
    if (!m || m->presence == PRESENCE_WAITING)
      return true;
  }
  return false;
}

bool room_event_visible(const struct room *r, const struct room_event *ev, uint32_t viewer) {
  if (ev->kind == ROOM_EV_ENDED)
    return true;
  enum view v = room_view_of(r, viewer);
  switch (ev->kind) {
  case ROOM_EV_BANNED: /* he learns it from REMOVED, without the record */
  case ROOM_EV_BAN_EDITED:
  case ROOM_EV_UNBANNED:
  case ROOM_EV_TRUSTED:
  case ROOM_EV_UNTRUSTED:
  case ROOM_EV_PASSWORD:
  case ROOM_EV_CLAIM_CODE:
  case ROOM_EV_SUCCESSION:
  case ROOM_EV_NOTED:
  case ROOM_EV_NOTE_DELETED:
  case ROOM_EV_DECLINED:
  case ROOM_EV_INVITE:
  case ROOM_EV_INVITE_USED:
  case ROOM_EV_INVITE_REVOKED:
    return v == VIEW_MODERATOR;
  case ROOM_EV_KNOCKED:
  case ROOM_EV_DENIED:
    return v == VIEW_MODERATOR || names(ev, viewer);
  case ROOM_EV_AWAY:
  case ROOM_EV_BACK:
  case ROOM_EV_LEFT:
  case ROOM_EV_REMOVED:
  case ROOM_EV_RENAMED:
  case ROOM_EV_SILENCED:
    return v == VIEW_MODERATOR || names(ev, viewer) || (v == VIEW_MEMBER && !names_waiting(r, ev));
  case ROOM_EV_CHAT:
    return chat_visible(r, (enum chat_kind)ev->num, ev->actor, (uint32_t)ev->num2, viewer);
  case ROOM_EV_CHAT_EDITED:
  case ROOM_EV_CHAT_DELETED: {
    const struct chat *c = room_chat_by_id(r, (uint64_t)ev->num);
    return c && chat_visible(r, c->kind, c->from, c->to, viewer);
  }
  case ROOM_EV_VOTED: /* not even the operator learns how one voted */
    return r->poll.anonymous ? ev->actor == viewer : v != VIEW_NOTHING;
  default:
    return v != VIEW_NOTHING || names(ev, viewer);
  }
}

/* ---- as a member is told ---- */

/* What one does to oneself, or by coming and going, or says: that has one's name. */
static bool is_own(const struct room *r, const struct room_event *ev) {
  switch (ev->kind) {
  case ROOM_EV_CHAT:
  case ROOM_EV_CHAT_EDITED:
  case ROOM_EV_VOTED:
  case ROOM_EV_JOINED:
  case ROOM_EV_KNOCKED:
  case ROOM_EV_AWAY:
  case ROOM_EV_BACK:
  case ROOM_EV_LEFT:
  case ROOM_EV_TIME_UP:
    return true;
  case ROOM_EV_CHAT_DELETED: {
    const struct chat *c = room_chat_by_id(r, (uint64_t)ev->num);
    return c && c->from == ev->actor;
  }
  default:
    return ev->actor != 0 && ev->n_targets == 1 && ev->targets[0] == ev->actor;
  }
}

/* Who muted the one the event brings is as little for them; himself excepted. */
static bool hides_muter(const struct room *r, const struct room_event *ev, uint32_t viewer) {
  uint32_t by = ev->entry ? ev->entry->muted_by : 0;
  return r->hide_hosts && by && by != ev->entry->id && by != viewer;
}

static bool hides_actor(const struct room *r, const struct room_event *ev, uint32_t viewer) {
  if (!r->hide_hosts || ev->actor == viewer || is_own(r, ev))
    return false;
  const struct member *actor = room_member(r, ev->actor);
  return ev->actor == 0 || (actor && ROLE_IS_MODERATOR(actor->role));
}

bool room_event_as_seen(const struct room *r, const struct room_event *ev, uint32_t viewer,
                        struct room_event *out) {
  if (room_view_of(r, viewer) == VIEW_MODERATOR)
    return false;
  bool left = ev->kind == ROOM_EV_HELD && !names(ev, viewer);
  bool hidden = hides_actor(r, ev, viewer);
  bool muter = hides_muter(r, ev, viewer);
  if (!left && !hidden && !muter)
    return false;
  room_event_copy(out, ev);
  if (hidden)
    out->actor = ROOM_SOME_HOST;
  if (muter)
    out->entry->muted_by = ROOM_SOME_HOST;
  if (left) { /* why is between him and the hosts */
    out->kind = ROOM_EV_LEFT;
    out->num = 2;
    free(out->text);
    out->text = NULL;
  }
  return true;
}
