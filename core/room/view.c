#include "core/room/room_private.h"

enum view room_view_of(const struct room *r, uint32_t viewer) {
  if (viewer == 0)
    return VIEW_MODERATOR;
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
  case ROOM_EV_UNBANNED:
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
    return v == VIEW_MODERATOR || names(ev, viewer) || (v == VIEW_MEMBER && !names_waiting(r, ev));
  case ROOM_EV_CHAT:
    return chat_visible(r, (enum chat_kind)ev->num, ev->actor, (uint32_t)ev->num2, viewer);
  case ROOM_EV_CHAT_DELETED: {
    const struct chat *c = room_chat_by_id(r, (uint64_t)ev->num);
    return c && chat_visible(r, c->kind, c->from, c->to, viewer);
  }
  default:
    return v != VIEW_NOTHING || names(ev, viewer);
  }
}
