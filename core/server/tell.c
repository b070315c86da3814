/* tell.c: who is told what of an event, and what the event means for seats. */
#include "core/server/control_private.h"
#include "core/server/monitor.h"
#include "core/wire/room_json.h"

#include <stdio.h>
#include <string.h>

#define CALM_US (US_PER_S / 4)

static bool is_target(const struct room_event *ev, uint32_t id) {
  for (size_t i = 0; i < ev->n_targets; i++)
    if (ev->targets[i] == id)
      return true;
  return false;
}

/* ---- events ---- */

/* Viewers of one class see an event in one form: it is encoded once for each form that somebody sees. A form
 * depends on the viewer's class, on whether the event is about him or his own, and on whether it tells whom
 * he muted. */
enum { OF_OTHERS, OF_HIS_OWN, OF_HIS_MUTED, RELATIONS };
enum { CLASSES = (VIEW_MODERATOR + 1) * RELATIONS };
struct forms {
  struct msg *plain, *of[CLASSES];
};

static struct msg *encode(const struct hosted *h, const struct room_event *ev) {
  json_t *body = room_event_to_wire(ev);
  json_object_set_new(body, "room", json_string(h->room.name));
  return msg_take(rpc_notify("event", body));
}

static unsigned relation(const struct room_event *ev, uint32_t viewer) {
  if (ev->actor == viewer || is_target(ev, viewer) || (ev->entry && ev->entry->id == viewer))
    return OF_HIS_OWN;
  return ev->entry && ev->entry->muted_by == viewer ? OF_HIS_MUTED : OF_OTHERS;
}

static struct msg *form_for(struct forms *f, const struct hosted *h, const struct room_event *ev,
                            uint32_t viewer) {
  struct msg **form = &f->of[RELATIONS * (unsigned)room_view_of(&h->room, viewer) + relation(ev, viewer)];
  struct room_event seen = {0};
  if (*form)
    return *form;
  if (room_event_as_seen(&h->room, ev, viewer, &seen)) {
    *form = encode(h, &seen);
    room_event_free(&seen);
    return *form;
  }
  if (!f->plain)
    f->plain = encode(h, ev);
  f->plain->refs++;
  return *form = f->plain;
}

/* Who is let in gets a whole room instead, and who is held gets a word of his own. */
static bool told_apart(const struct room_event *ev, uint32_t id) {
  return (ev->kind == ROOM_EV_ADMITTED || ev->kind == ROOM_EV_HELD) && is_target(ev, id);
}

static void name_actor(const struct room *r, const struct room_event *ev, struct told *t) {
  const struct member *m = r->hide_hosts ? NULL : room_member(r, ev->actor);
  snprintf(t->by, sizeof t->by, "%s", m ? m->name : "");
}

static void pass_on(struct control *c, struct conn *k, struct msg *m, us_t later) {
  if (later)
    control_send_later(c, k, m, later);
  else
    control_send(c, k, m);
}

/* Until when an event may wait: 0: it may not. Who comes and goes is told at once, but in a rush four times a
 * second: with a thousand people inside, each newcomer would cost a thousand packets. */
static us_t may_wait(struct control *c, struct hosted *h, const struct room_event *ev) {
  bool passes = ev->kind == ROOM_EV_JOINED || ev->kind == ROOM_EV_LEFT || ev->kind == ROOM_EV_AWAY ||
                ev->kind == ROOM_EV_BACK || ev->kind == ROOM_EV_HAND;
  if (!passes)
    return 0;
  if (h->calm_at > c->now)
    return h->calm_at;
  h->calm_at = c->now + CALM_US;
  return 0;
}

void tell_event(struct control *c, struct hosted *h, const struct room_event *ev, struct told *t) {
  struct forms f = {0};
  struct seat *s;
  us_t later = may_wait(c, h, ev);
  rights_stay(c, h, ev);
  name_actor(&h->room, ev, t);
  const struct member *m = ev->n_targets ? room_member(&h->room, ev->targets[0]) : NULL;
  t->first = m && !m->held;
  for (size_t at = 0; (s = map_next(h->seats, &at));)
    if (s->conn && !s->fresh && !told_apart(ev, s->member) && room_event_visible(&h->room, ev, s->member))
      pass_on(c, s->conn, form_for(&f, h, ev, s->member), relation(ev, s->member) == OF_HIS_OWN ? 0 : later);
  for (size_t i = 0; (s = monitor_seat(c, h, i)); i++)
    if (room_event_visible(&h->room, ev, ROOM_SILENT))
      control_send(c, s->conn, form_for(&f, h, ev, ROOM_SILENT));
  for (unsigned i = 0; i < CLASSES; i++)
    msg_unref(f.of[i]);
  msg_unref(f.plain);
}

void tell_lost(struct control *c, struct seat *s, enum err why, bool failed) {
  control_notify(c, s->conn, "media",
                 json_pack("{s:s,s:s,s:s}", "state", failed ? "failed" : "lost", "code", err_code(why),
                           "text", err_text(why)));
  if (s->conn->whip) /* it was all he had */
    control_close(c, s->conn);
}

/* ---- departure ---- */

static bool leaves(const struct room_event *ev) {
  return ev->kind == ROOM_EV_LEFT || ev->kind == ROOM_EV_REMOVED || ev->kind == ROOM_EV_DENIED;
}

static enum err why_gone(const struct room_event *ev) {
  switch (ev->kind) {
  case ROOM_EV_DENIED:
    return ERR_DENIED;
  case ROOM_EV_REMOVED:
    return ev->num ? ERR_BANNED : ERR_REMOVED;
  case ROOM_EV_LEFT:
    return ev->num ? ERR_NO_RESUME : ERR_OK;
  default:
    return ERR_ROOM_ENDED;
  }
}

static void seat_gone(struct control *c, struct hosted *h, struct seat *s, const struct room_event *ev,
                      const struct told *t) {
  if (s->conn) {
    enum err why = why_gone(ev);
    json_t *body = json_pack("{s:s,s:s}", "code", err_code(why), "text",
                             ev->text && *ev->text ? ev->text : err_text(why));
    if (*t->by && ev->kind != ROOM_EV_LEFT)
      json_object_set_new(body, "by", json_string(t->by));
    control_notify(c, s->conn, "bye", body);
    control_close(c, s->conn);
  }
  seat_forget(c, h, s);
}

static void everyone_gone(struct control *c, struct hosted *h, const struct room_event *ev,
                          const struct told *t) {
  for (;;) {
    size_t at = 0;
    struct seat *s = map_next(h->seats, &at);
    if (!s)
      break;
    seat_gone(c, h, s, ev, t);
  }
}

/* ---- what an applied event means for seats: rights, views, admission, departure ---- */

static void sync_view(struct control *c, struct hosted *h, struct seat *s) {
  enum view view = room_view_of(&h->room, s->member);
  if (view != s->view && s->conn && !s->fresh)
    control_notify(c, s->conn, "sync", json_pack("{s:o}", "room", room_to_wire(&h->room, s->member)));
  s->view = view;
}

/* Side rooms that close: everyone in them is back by now. */
static void regroup(struct control *c, struct hosted *h) {
  struct seat *s;
  for (size_t at = 0; (s = map_next(h->seats, &at));)
    seat_bits(c, h, s);
  seat_close_rooms(c, h, h->room.sides + 1U);
}

void tell_after(struct control *c, struct hosted *h, const struct room_event *ev, const struct told *t) {
  if (ev->kind == ROOM_EV_ENDED) {
    everyone_gone(c, h, ev, t);
    return;
  }
  if (ev->kind == ROOM_EV_BREAKOUTS)
    regroup(c, h);
  for (size_t i = 0; i < ev->n_targets; i++) {
    struct seat *s = hosted_seat(h, ev->targets[i]);
    if (!s)
      continue;
    if (leaves(ev)) {
      seat_gone(c, h, s, ev, t);
      continue;
    }
    if (ev->kind == ROOM_EV_ADMITTED)
      seat_admitted(h, s, t->first);
    if (ev->kind == ROOM_EV_HELD)
      seat_held(c, h, s, t->by, ev->text ? ev->text : "");
    seat_bits(c, h, s);
    sync_view(c, h, s);
  }
}

void tell_lobby_places(struct control *c, struct hosted *h) {
  int waiting = (int)room_count(&h->room, PRESENCE_WAITING), place = 0;
  for (size_t i = 0; i < h->room.n_members && place < waiting; i++) {
    const struct member *m = &h->room.members[i];
    struct seat *s = m->presence == PRESENCE_WAITING ? hosted_seat(h, m->id) : NULL;
    place += m->presence == PRESENCE_WAITING;
    if (s && s->conn)
      control_notify(c, s->conn, "lobby", json_pack("{s:i,s:i}", "place", place, "waiting", waiting));
  }
}
