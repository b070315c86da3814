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
enum err decide_line(const struct decision *d, char out[TEXT_LINE_MAX + 1]) {
  const char *text = d->cmd->text ? d->cmd->text : "";
  return text_clean_line(text, strlen(text), out);
}

/* ---- the lobby ---- */

static void admit(struct decision *d, const struct member *waiting) {
  struct member m = *waiting;
  m.since_ms = d->now_ms;
  if (m.clash)
    name_make_unique(d->r, m.id, true, m.name);
  m.clash = false;
  member_enter(d->r, &m, false);
  if (!ROLE_IS_MODERATOR(m.role) && m.floor)
    m.floor = decide_floor_free(d); /* those admitted before him in this act count too */
  struct room_event *ev = decide_event(d, ROOM_EV_ADMITTED, 0, 0);
  room_event_target(ev, m.id);
  room_event_entry(ev, &m);
}

static enum err decide_admit(struct decision *d) {
  size_t inside = room_count_inside(d->r);
  for (size_t i = 0; i < d->n_ids; i++) {
    if (decide_member(d, i)->presence != PRESENCE_WAITING)
      continue;
    if (room_is_full(d->r, inside++, decide_member(d, i)))
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
    if (room_is_full(d->r, inside++, &d->r->members[i]))
      return ERR_ROOM_FULL;
    admit(d, &d->r->members[i]);
  }
  return decide_any(d) ? ERR_NOTHING : ERR_OK;
}

/* ---- people ---- */

static enum err decide_role(struct decision *d) {
  char reason[TEXT_LINE_MAX + 1];
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
  if (ROLE_IS_MODERATOR(now) && m->needs_mfa)
    return ERR_NEED_MFA;
  enum err e = decide_line(d, reason);
  if (e)
    return e;
  decide_role_down(d, m, now);
  if (now == ROLE_MONITOR && m->hand) /* before: a monitor never has a floor or a hand */
    decide_target(d, ROOM_EV_HAND, 0, m->id);
  room_event_target(decide_event(d, ROOM_EV_ROLE, now, (int64_t)m->role), m->id);
  decide_reason(d, ROOM_EV_ROLE, reason);
  return decide_role_up(d, m, now);
}

/* One event for those inside and one for those who wait: a member must not learn who waited. */
void decide_gone(struct decision *d, enum room_ev kind, int64_t num, const char *reason) {
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
  enum err e = decide_line(d, reason);
  if (!e)
    decide_gone(d, d->cmd->act == ACT_DENY ? ROOM_EV_DENIED : ROOM_EV_REMOVED, 0, reason);
  return e;
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

/* ---- dispatch ---- */

/* The shell answers it from the log. */
static enum err decide_nothing(struct decision *d) {
  (void)d;
  return ERR_OK;
}

static enum err (*const DECIDE[ACT__COUNT])(struct decision *) = {
    [ACT_ADMIT] = decide_admit,
    [ACT_ADMIT_ALL] = decide_admit_all,
    [ACT_DENY] = decide_remove,
    [ACT_LOBBY_SAY] = decide_chat,
    [ACT_HOLD] = decide_hold,
    [ACT_LOBBY] = decide_setting,
    [ACT_AUTO_ADMIT] = decide_setting,
    [ACT_TRUST] = decide_trust,
    [ACT_UNTRUST] = decide_untrust,
    [ACT_MUTE] = decide_mute,
    [ACT_UNMUTE] = decide_unmute,
    [ACT_MUTE_ALL] = decide_mute_all,
    [ACT_MUTE_LIFT] = decide_setting,
    [ACT_MUTE_ENTRY] = decide_setting,
    [ACT_ASK_UNMUTE] = decide_ask,
    [ACT_DECLINE] = decide_decline,
    [ACT_FLOOR_GIVE] = decide_floor,
    [ACT_FLOOR_TAKE] = decide_floor,
    [ACT_ONE_SPEAKER] = decide_one_speaker,
    [ACT_PRIORITY] = decide_priority,
    [ACT_GAIN] = decide_gain,
    [ACT_TALK_TIME] = decide_talk_time,
    [ACT_HAND] = decide_hand,
    [ACT_HAND_LOWER] = decide_hand_lower,
    [ACT_HANDS_DOWN] = decide_hands_down,
    [ACT_NEXT] = decide_next,
    [ACT_ROLE] = decide_role,
    [ACT_NAME] = decide_name,
    [ACT_RENAME] = decide_name,
    [ACT_REMOVE] = decide_remove,
    [ACT_BAN] = decide_ban,
    [ACT_BAN_CHECK] = decide_ban_check,
    [ACT_BAN_RULE] = decide_ban_rule,
    [ACT_BAN_EDIT] = decide_ban_edit,
    [ACT_UNBAN] = decide_unban,
    [ACT_NOTE] = decide_note,
    [ACT_NOTE_DELETE] = decide_note_delete,
    [ACT_SUCCESSION] = decide_succession,
    [ACT_CLAIM_CODE] = decide_claim_code,
    [ACT_CLAIM] = decide_claim,
    [ACT_MOVE] = decide_move,
    [ACT_BREAKOUTS] = decide_breakouts,
    [ACT_DISTRIBUTE] = decide_distribute,
    [ACT_RECALL] = decide_recall,
    [ACT_CHAT] = decide_chat,
    [ACT_CHAT_TO] = decide_chat,
    [ACT_CHAT_HOSTS] = decide_chat,
    [ACT_ANNOUNCE] = decide_chat,
    [ACT_CHAT_EDIT] = decide_chat_edit,
    [ACT_CHAT_DELETE] = decide_chat_delete,
    [ACT_CHAT_PURGE] = decide_chat_purge,
    [ACT_CHAT_CLEAR] = decide_chat_clear,
    [ACT_CHAT_MODE] = decide_setting,
    [ACT_SLOW] = decide_setting,
    [ACT_LINKS] = decide_setting,
    [ACT_PIN] = decide_pin,
    [ACT_UNPIN] = decide_pin,
    [ACT_LOCK] = decide_lock,
    [ACT_UNLOCK] = decide_setting,
    [ACT_PASSWORD] = decide_password,
    [ACT_TOPIC] = decide_topic,
    [ACT_AGENDA] = decide_agenda,
    [ACT_AGENDA_NEXT] = decide_agenda_next,
    [ACT_MAX_PEOPLE] = decide_setting,
    [ACT_MAX_SPEAKERS] = decide_setting,
    [ACT_POLL] = decide_poll,
    [ACT_VOTE] = decide_vote,
    [ACT_POLL_END] = decide_poll_end,
    [ACT_INVITE] = decide_invite,
    [ACT_INVITE_REVOKE] = decide_invite_revoke,
    [ACT_POLICY] = decide_setting,
    [ACT_NAME_HOSTS] = decide_setting,
    [ACT_ATTENDANCE] = decide_nothing,
    [ACT_LEAVE] = decide_leave,
    [ACT_UNDO] = decide_undo,
    [ACT_END] = decide_end,
    [ACT_END_CANCEL] = decide_setting,
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
  bool none_ok = info->target == TARGET_NONE || info->target == TARGET_LIST || self;
  if ((info->target == TARGET_ONE && n != 1) || (n == 0 && !none_ok))
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
