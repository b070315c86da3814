/* levels.c: what the media threads report, and who is told: who is heard, whose path is up, what sound he
 * gets, whose path ended. */
#include "core/base/log.h"
#include "core/server/control_private.h"
#include "core/server/monitor.h"
#include "core/server/ops.h"

#include <stdlib.h>

/* ---- who is heard, by media room ---- */

struct heard {
  unsigned n;
  uint32_t member[MEDIA_LEVELS_MAX];
  uint8_t level[MEDIA_LEVELS_MAX];
};

unsigned hosted_talkers(const struct hosted *h) {
  unsigned n = 0;
  for (unsigned side = 0; side <= ROOM_SIDES_MAX; side++)
    for (unsigned i = 0; h->heard[side] && i < h->heard[side]->n; i++)
      n += h->heard[side]->member[i] != MEDIA_TONE_MEMBER;
  return n;
}

bool hosted_talks(const struct hosted *h, uint32_t member, uint8_t *level) {
  for (unsigned side = 0; side <= ROOM_SIDES_MAX; side++)
    for (unsigned i = 0; h->heard[side] && i < h->heard[side]->n; i++)
      if (h->heard[side]->member[i] == member) {
        *level = h->heard[side]->level[i];
        return true;
      }
  return false;
}

void hosted_quiet(struct hosted *h, unsigned from) {
  for (unsigned side = from; side <= ROOM_SIDES_MAX; side++) {
    free(h->heard[side]);
    h->heard[side] = NULL;
  }
}

static void hear(struct control *c, struct hosted *h, unsigned side, const struct media_event *ev) {
  if (side > ROOM_SIDES_MAX)
    return;
  unsigned before = hosted_talkers(h);
  if (!h->heard[side])
    h->heard[side] = calloc(1, sizeof *h->heard[side]);
  if (!h->heard[side])
    abort();
  h->heard[side]->n = ev->n;
  for (unsigned i = 0; i < ev->n; i++) {
    h->heard[side]->member[i] = ev->level[i].member;
    h->heard[side]->level[i] = ev->level[i].level;
  }
  if (hosted_talkers(h) != before)
    ops_touch(c, h);
}

static unsigned side_of(const struct hosted *h, uint32_t media_room) {
  unsigned side = 0;
  while (side <= ROOM_SIDES_MAX && h->media[side] != media_room)
    side++;
  return side;
}

/* For those in that room without sound of their own: the others read CSRC levels. */
static void tell_levels(struct control *c, const struct media_event *ev) {
  struct hosted *h = map_get_u32(c->media_rooms, ev->room);
  if (!h)
    return;
  unsigned side = side_of(h, ev->room);
  hear(c, h, side, ev);
  struct msg *m = NULL;
  struct seat *s;
  for (size_t at = 0; (s = map_next(h->seats, &at));) {
    const struct member *who = room_member(&h->room, s->member);
    if (!s->conn || s->peer || !who || who->side != side || !room_may_hear(&h->room, s->member))
      continue;
    if (!m) {
      json_t *list = json_array();
      for (unsigned i = 0; i < ev->n; i++)
        json_array_append_new(list, json_pack("[i,i]", (int)ev->level[i].member, (int)ev->level[i].level));
      m = msg_take(rpc_notify("levels", json_pack("{s:o}", "who", list)));
    }
    control_send(c, s->conn, m);
  }
  msg_unref(m);
}

/* What he gets, when it has changed; and once to who came back on another connection. */
static void tell_tier(struct control *c, struct seat *s, const struct media_event *ev) {
  struct conn *k = s->conn;
  if (!k || (k->told_tier == ev->tier && k->told_copies == ev->copies))
    return;
  k->told_tier = ev->tier;
  k->told_copies = ev->copies;
  control_notify(c, k, "media",
                 json_pack("{s:s,s:s,s:i}", "state", "tier", "tier", tier_info(ev->tier)->name, "copies",
                           (int)ev->copies));
}

void control_media_event(struct control *c, unsigned thread, const struct media_event *ev) {
  (void)thread;
  if (ev->kind == MEDIA_LEVELS) {
    tell_levels(c, ev);
    return;
  }
  struct peer_ref *ref = map_get_u32(c->peers, ev->peer);
  struct seat *s = !ref                         ? NULL
                   : ref->member == ROOM_SILENT ? monitor_seat_of(c, ev->peer)
                                                : hosted_seat(ref->room, ref->member);
  if (!s || s->peer != ev->peer)
    return;
  if (s->member != ROOM_SILENT)
    ops_touch(c, ref->room);
  switch (ev->kind) {
  case MEDIA_CONNECTED:
    free(s->offer);
    s->offer = NULL;
    lines_path(c, s, true);
    if (s->conn)
      control_notify(c, s->conn, "media",
                     json_pack("{s:s,s:s}", "state", "connected", "profile", srtp_profile_text(ev->profile)));
    break;
  case MEDIA_REKEYED:
    log_event(LOG_DEBUG, "srtp.rekey", "room", ref->room->room.name, "member", log_int(s->member), NULL);
    break;
  case MEDIA_FAILED:
  case MEDIA_LOST:
    log_event(LOG_INFO, "media path ended", "room", ref->room->room.name, "member", log_int(s->member), "why",
              err_code(ev->why), NULL);
    if (ev->kind == MEDIA_FAILED)
      audited_media(c, ref->room, s, ev->why);
    if (s->conn)
      tell_lost(c, s, ev->why, ev->kind == MEDIA_FAILED);
    seat_drop_media(c, ref->room, s);
    break;
  case MEDIA_TIER:
    tell_tier(c, s, ev);
    break;
  default:
    tell_tier(c, s, ev);
    if (s->member != ROOM_SILENT) /* of others all are told how their line is */
      lines_report(c, ref->room, s, ev);
  }
}
