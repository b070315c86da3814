#include "core/room/room_private.h"

#include <stdlib.h>
#include <string.h>

enum err room_decide_create(const char *name, bool lobby, enum host_policy policy, int64_t now_ms,
                            struct room_events *out) {
  if (!name || !text_slug_valid(name))
    return ERR_BAD_NAME;
  static const struct room EMPTY;
  struct decision d = {.r = &EMPTY, .now_ms = now_ms, .out = out, .start = out->n};
  decide_event(&d, ROOM_EV_CREATED, lobby, (int64_t)policy)->text = room_strdup(name);
  return ERR_OK;
}

const struct member *decide_member(const struct decision *d, size_t i) {
  return room_member(d->r, d->ids[i]);
}

enum err decide_any(const struct decision *d) {
  return d->out->n > d->start ? ERR_OK : ERR_NO_CHANGE;
}

/* A reason is optional, one line. */
static enum err line(const struct decision *d, char out[TEXT_LINE_MAX + 1]) {
  const char *text = d->cmd->text ? d->cmd->text : "";
  return text_clean_line(text, strlen(text), out);
}

/* ---- settings ---- */

static enum err set_number(struct decision *d, enum room_ev kind, int64_t before, int64_t now, int64_t max) {
  if (now < 0 || now > max)
    return ERR_BAD_ARG;
  if (now == before)
    return ERR_NO_CHANGE;
  (void)decide_event(d, kind, now, before);
  return ERR_OK;
}

static enum err decide_settings(struct decision *d) {
  const struct room *r = d->r;
  switch (d->cmd->act) {
  case ACT_LOBBY:
    return set_number(d, ROOM_EV_LOBBY, r->lobby, d->cmd->num, 1);
  case ACT_LOCK:
    return set_number(d, ROOM_EV_LOCKED, r->locked, 1, 1);
  case ACT_UNLOCK:
    return set_number(d, ROOM_EV_LOCKED, r->locked, 0, 1);
  case ACT_MUTE_LIFT:
    return set_number(d, ROOM_EV_MUTE_ALL, room_mute_level(r), 0, 2);
  case ACT_CHAT_MODE:
    return set_number(d, ROOM_EV_CHAT_MODE, (int64_t)r->chat_mode, d->cmd->num, CHAT_MODE_ALL);
  default:
    return set_number(d, ROOM_EV_POLICY, (int64_t)r->policy, d->cmd->num, HOST_GONE_LOBBY);
  }
}

static enum err decide_topic(struct decision *d) {
  char text[TEXT_LINE_MAX + 1];
  enum err e = line(d, text);
  if (e)
    return e;
  if (strcmp(text, d->r->topic) == 0)
    return ERR_NO_CHANGE;
  struct room_event *ev = decide_event(d, ROOM_EV_TOPIC, 0, 0);
  ev->text = room_strdup(text);
  ev->text2 = room_strdup(d->r->topic);
  return ERR_OK;
}

/* ---- the lobby ---- */

static void admit(struct decision *d, const struct member *waiting) {
  struct member m = *waiting;
  m.since_ms = d->now_ms;
  member_enter(d->r, &m, false);
  struct room_event *ev = decide_event(d, ROOM_EV_ADMITTED, 0, 0);
  room_event_target(ev, m.id);
  room_event_entry(ev, &m);
}

static enum err decide_admit(struct decision *d) {
  size_t inside = room_count_inside(d->r);
  for (size_t i = 0; i < d->n_ids; i++) {
    if (decide_member(d, i)->presence != PRESENCE_WAITING)
      continue;
    if (inside++ >= ROOM_MEMBERS_MAX)
      return ERR_ROOM_FULL;
    admit(d, decide_member(d, i));
  }
  return decide_any(d);
}

static enum err decide_admit_all(struct decision *d) {
  size_t inside = room_count_inside(d->r);
  for (size_t i = 0; i < d->r->n_members; i++) {
    if (d->r->members[i].presence != PRESENCE_WAITING)
      continue;
    if (inside++ >= ROOM_MEMBERS_MAX)
      return ERR_ROOM_FULL;
    admit(d, &d->r->members[i]);
  }
  return decide_any(d) ? ERR_NOTHING : ERR_OK;
}

/* ---- people ---- */

static void floor_set(struct decision *d, const struct member *m, bool on) {
  if (m->floor != on)
    decide_target(d, ROOM_EV_FLOOR, on, m->id);
}

/* Between audience and speaker the floor changes with the role; above, a floor that was taken stays taken. */
static enum err decide_role(struct decision *d) {
  const struct member *m = decide_member(d, 0);
  enum role now = (enum role)d->cmd->num;
  if (d->cmd->num < ROLE_MONITOR || d->cmd->num > ROLE_OWNER)
    return ERR_BAD_ARG;
  if (now > d->rank)
    return ERR_RANK;
  if (now == ROLE_MONITOR && d->rank != ROLE_SYSTEM)
    return ERR_NOT_ALLOWED;
  if (now == m->role)
    return ERR_NO_CHANGE;
  if (now == ROLE_MONITOR) { /* first: a monitor never has a floor or a hand */
    floor_set(d, m, false);
    if (m->hand)
      decide_target(d, ROOM_EV_HAND, 0, m->id);
  }
  room_event_target(decide_event(d, ROOM_EV_ROLE, now, (int64_t)m->role), m->id);
  bool had = m->role >= ROLE_SPEAKER, gets = now >= ROLE_SPEAKER;
  if (had != gets && now != ROLE_MONITOR)
    floor_set(d, m, gets);
  return ERR_OK;
}

/* One event for those inside and one for those who wait: a member must not learn who waited. */
static void remove_all(struct decision *d, enum room_ev kind, int64_t num, const char *reason) {
  for (int waiting = 0; waiting < 2; waiting++) {
    struct room_event *ev = NULL;
    for (size_t i = 0; i < d->n_ids; i++) {
      if ((decide_member(d, i)->presence == PRESENCE_WAITING) != waiting)
        continue;
      if (!ev) {
        ev = decide_event(d, kind, num, 0);
        ev->text = room_strdup(reason);
      }
      room_event_target(ev, d->ids[i]);
    }
  }
}

static enum err decide_remove(struct decision *d) {
  char reason[TEXT_LINE_MAX + 1];
  enum err e = line(d, reason);
  if (e)
    return e;
  bool ban = d->cmd->act == ACT_BAN;
  if (ban && d->r->n_bans + d->n_ids > ROOM_BANS_MAX)
    return ERR_FULL;
  for (size_t i = 0; ban && i < d->n_ids; i++) {
    struct room_event *ev = decide_event(d, ROOM_EV_BANNED, 0, 0);
    ev->text = room_strdup(reason);
    room_event_entry(ev, decide_member(d, i));
  }
  remove_all(d, d->cmd->act == ACT_DENY ? ROOM_EV_DENIED : ROOM_EV_REMOVED, ban, reason);
  return ERR_OK;
}

static enum err decide_unban(struct decision *d) {
  for (size_t i = 0; i < d->r->n_bans; i++)
    if ((int64_t)d->r->bans[i].id == d->cmd->num) {
      (void)decide_event(d, ROOM_EV_UNBANNED, d->cmd->num, 0);
      return ERR_OK;
    }
  return ERR_NOTHING;
}

static enum err decide_invite(struct decision *d) {
  const struct invite *inv = d->cmd->invite;
  if (!inv || inv->role < ROLE_MONITOR || inv->role > ROLE_OWNER || inv->expires_ms < 0)
    return ERR_BAD_ARG;
  if (inv->role > d->rank)
    return ERR_RANK;
  if (inv->role == ROLE_MONITOR && d->rank != ROLE_SYSTEM)
    return ERR_NOT_ALLOWED;
  if (d->r->n_invites >= ROOM_INVITES_MAX)
    return ERR_FULL;
  struct room_event *ev = decide_event(d, ROOM_EV_INVITE, 0, 0);
  if (!(ev->invite = malloc(sizeof *ev->invite)))
    abort();
  *ev->invite = *inv;
  ev->invite->id = ev->seq;
  return ERR_OK;
}

static enum err decide_invite_revoke(struct decision *d) {
  for (size_t i = 0; i < d->r->n_invites; i++) {
    if ((int64_t)d->r->invites[i].id != d->cmd->num)
      continue;
    if (d->r->invites[i].role > d->rank)
      return ERR_RANK;
    (void)decide_event(d, ROOM_EV_INVITE_REVOKED, d->cmd->num, 0);
    return ERR_OK;
  }
  return ERR_NOTHING;
}

static enum err decide_leave(struct decision *d) {
  decide_target(d, ROOM_EV_LEFT, 0, d->actor_id);
  return ERR_OK;
}

static enum err decide_end(struct decision *d) {
  char reason[TEXT_LINE_MAX + 1];
  enum err e = line(d, reason);
  if (!e)
    decide_event(d, ROOM_EV_ENDED, 0, 0)->text = room_strdup(reason);
  return e;
}

/* ---- dispatch ---- */

static enum err (*const DECIDE[ACT__COUNT])(struct decision *) = {
    [ACT_ADMIT] = decide_admit,
    [ACT_ADMIT_ALL] = decide_admit_all,
    [ACT_DENY] = decide_remove,
    [ACT_LOBBY] = decide_settings,
    [ACT_LOCK] = decide_settings,
    [ACT_UNLOCK] = decide_settings,
    [ACT_MUTE] = decide_mute,
    [ACT_UNMUTE] = decide_unmute,
    [ACT_MUTE_ALL] = decide_mute_all,
    [ACT_MUTE_LIFT] = decide_settings,
    [ACT_ASK_UNMUTE] = decide_ask,
    [ACT_FLOOR_GIVE] = decide_floor,
    [ACT_FLOOR_TAKE] = decide_floor,
    [ACT_ROLE] = decide_role,
    [ACT_REMOVE] = decide_remove,
    [ACT_BAN] = decide_remove,
    [ACT_UNBAN] = decide_unban,
    [ACT_HAND] = decide_hand,
    [ACT_HAND_LOWER] = decide_hand_lower,
    [ACT_NEXT] = decide_next,
    [ACT_CHAT] = decide_chat,
    [ACT_CHAT_TO] = decide_chat,
    [ACT_CHAT_HOSTS] = decide_chat,
    [ACT_CHAT_DELETE] = decide_chat_delete,
    [ACT_CHAT_CLEAR] = decide_chat_clear,
    [ACT_CHAT_MODE] = decide_settings,
    [ACT_TOPIC] = decide_topic,
    [ACT_INVITE] = decide_invite,
    [ACT_INVITE_REVOKE] = decide_invite_revoke,
    [ACT_POLICY] = decide_settings,
    [ACT_LEAVE] = decide_leave,
    [ACT_UNDO] = decide_undo,
    [ACT_END] = decide_end,
};

static int id_cmp(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

/* The targets, ascending and each once; none stands for oneself where the act allows it. */
static enum err take_targets(struct decision *d) {
  const struct act_info *info = &ACTS[d->cmd->act];
  size_t n = d->cmd->n_targets;
  bool self = n == 0 && (info->rank == RANK_LOWER_OR_SELF || info->target == TARGET_SELF);
  if (self && d->actor_id == 0)
    return ERR_ONLY_SELF;
  if (n > ROOM_MEMBERS_MAX + ROOM_WAITING_MAX || (info->target == TARGET_NONE && n > 0))
    return ERR_BAD_ARG;
  if ((info->target == TARGET_ONE && n != 1) || (info->target != TARGET_NONE && n == 0 && !self))
    return ERR_BAD_ARG;
  if (!(d->ids = malloc((n + 1) * sizeof *d->ids)))
    abort();
  if (self)
    d->ids[d->n_ids++] = d->actor_id;
  if (n == 0)
    return ERR_OK;
  memcpy(d->ids, d->cmd->targets, n * sizeof *d->ids);
  qsort(d->ids, n, sizeof *d->ids, id_cmp);
  for (size_t i = 0; i < n; i++)
    if (i == 0 || d->ids[i] != d->ids[i - 1])
      d->n_ids++;
  for (size_t i = 1, k = 1; i < n; i++)
    if (d->ids[i] != d->ids[k - 1])
      d->ids[k++] = d->ids[i];
  return ERR_OK;
}

static enum err check_targets(const struct decision *d) {
  for (size_t i = 0; i < d->n_ids; i++) {
    enum err e = d->ids[i] ? room_allows(d->r, d->actor_id, d->cmd->act, d->ids[i]) : ERR_NO_MEMBER;
    if (e)
      return e;
  }
  return ERR_OK;
}

enum err room_decide(const struct room *r, const struct room_cmd *cmd, int64_t now_ms,
                     struct room_events *out) {
  enum err e = room_allows(r, cmd->actor, cmd->act, 0);
  if (e)
    return e;
  const struct member *actor = room_member(r, cmd->actor);
  struct decision d = {.r = r,
                       .cmd = cmd,
                       .actor = actor,
                       .actor_id = cmd->actor,
                       .rank = actor ? actor->role : ROLE_SYSTEM,
                       .now_ms = now_ms,
                       .out = out,
                       .start = out->n};
  e = take_targets(&d);
  if (!e)
    e = check_targets(&d);
  if (!e)
    e = DECIDE[cmd->act](&d);
  while (e && out->n > d.start)
    room_event_free(&out->v[--out->n]);
  free(d.ids);
  return e;
}
