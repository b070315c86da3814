/* bans.c: who may not come in, or not speak: lists, matching, running out. */
#include "core/room/room_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- whom a ban holds ---- */

bool member_is(const struct member *m, const char *user, const uint8_t device[16]) {
  static const uint8_t ZERO[16];
  if (user[0] && m->user[0])
    return strcmp(user, m->user) == 0;
  return memcmp(device, ZERO, sizeof ZERO) != 0 && memcmp(device, m->device, sizeof ZERO) == 0;
}

/* Never an owner, or nobody could unlock his own room; nor the betters of who made it. His equals are held by
 * no rule and no address: only the very person he banned, who may bring an equal's link by now. */
static bool ban_holds(const struct ban *b, const struct member *m, const uint8_t *addr) {
  bool himself = member_is(m, b->user, b->device);
  if (m->role == ROLE_OWNER || m->role > b->rank)
    return false;
  if (himself && b->name[0])
    return true;
  return m->role < b->rank &&
         (himself || (b->invite && b->invite == m->invite) || (addr && cidr_holds(&b->cidr, addr)));
}

const struct ban *ban_on(const struct room *r, enum ban_what what, const struct member *m,
                         const uint8_t *addr) {
  for (size_t i = 0; i < r->n_bans; i++)
    if (r->bans[i].what == what && ban_holds(&r->bans[i], m, addr))
      return &r->bans[i];
  return NULL;
}

static const struct ban *ban_by_id(const struct room *r, uint64_t id) {
  size_t lo = 0, hi = r->n_bans;
  while (lo < hi) {
    size_t mid = lo + (hi - lo) / 2;
    if (r->bans[mid].id == id)
      return &r->bans[mid];
    if (r->bans[mid].id < id)
      lo = mid + 1;
    else
      hi = mid;
  }
  return NULL;
}

static void ban_of(struct ban *b, const struct member *m) {
  (void)snprintf(b->name, sizeof b->name, "%s", m->name);
  (void)snprintf(b->user, sizeof b->user, "%s", m->user);
  (void)snprintf(b->pid, sizeof b->pid, "%s", m->pid);
  memcpy(b->device, m->device, sizeof b->device);
}

/* ---- deciding ---- */

static enum err read_until(const struct decision *d, int64_t *until_ms) {
  if (d->cmd->num2 < 0 || d->cmd->num2 > ROOM_SECONDS_MAX)
    return ERR_BAD_ARG;
  *until_ms = d->cmd->num2 ? d->now_ms + d->cmd->num2 * 1000 : 0;
  return ERR_OK;
}

/* What all bans of this act have in common. */
static enum err read_ban(const struct decision *d, size_t n, struct ban *b) {
  int64_t what = d->cmd->has_num ? d->cmd->num : BAN_JOIN;
  if (what != BAN_JOIN && what != BAN_SPEAK)
    return ERR_BAD_ARG;
  b->what = (enum ban_what)what;
  b->rank = d->rank;
  enum err e = read_until(d, &b->until_ms);
  if (!e)
    e = decide_line(d, b->reason);
  return e || d->r->n_bans + n <= ROOM_BANS_MAX ? e : ERR_FULL;
}

static const struct cidr *cidr_of(const struct room_cmd *cmd, uint32_t id) {
  for (size_t i = 0; cmd->cidrs && (cmd->flags & FLAG_ADDRESS) && i < cmd->n_targets; i++)
    if (cmd->targets[i] == id)
      return &cmd->cidrs[i];
  return NULL;
}

/* The ban that holds him already lasts as long: it stays the one that does. */
static bool is_outlasted(const struct room *r, const struct member *m, const struct ban *b) {
  const struct ban *old = m->silenced ? ban_by_id(r, m->silenced) : NULL;
  return old && (old->until_ms == 0 || (b->until_ms != 0 && b->until_ms <= old->until_ms));
}

/* One event for all with the same ban, or each with the next one; *ev is the last one, NULL to begin a new
 * one. */
static void silence(struct decision *d, struct room_event **ev, const struct member *m, uint64_t id) {
  int64_t gap = *ev ? (int64_t)id - (*ev)->num : -1, n = *ev ? (int64_t)(*ev)->n_targets : 0;
  bool same = gap == 0 && !(*ev)->num2, next = gap == n && (*ev)->num && ((*ev)->num2 || n == 1);
  if (!same && !next)
    *ev = decide_event(d, ROOM_EV_SILENCED, (int64_t)id, 0);
  else if (next)
    (*ev)->num2 = 1;
  room_event_target(*ev, m->id);
}

/* Those who wait apart from those inside: a member must not learn who waits. `each`: everyone has a ban of
 * his own. */
static void silence_all(struct decision *d, const struct ban *b, bool each) {
  uint64_t first = d->r->seq + 1; /* the BANNED events are the first of the act */
  for (size_t i = 0; i < d->n_ids; i++)
    decide_floor_set(d, decide_member(d, i), false);
  for (size_t i = 0; i < d->n_ids; i++)
    if (decide_member(d, i)->hand)
      decide_target(d, ROOM_EV_HAND, 0, d->ids[i]);
  for (int waiting = 0; waiting < 2; waiting++) {
    struct room_event *ev = NULL;
    for (size_t i = 0; i < d->n_ids; i++) {
      const struct member *m = decide_member(d, i);
      if ((m->presence == PRESENCE_WAITING) == waiting && !is_outlasted(d->r, m, b))
        silence(d, &ev, m, first + (each ? i : 0));
    }
  }
  decide_reason(d, ROOM_EV_SILENCED, b->reason);
}

static void ban_takes_hold(struct decision *d, const struct ban *b, bool each) {
  if (b->what == BAN_SPEAK)
    silence_all(d, b, each);
  else
    decide_gone(d, ROOM_EV_REMOVED, 1, b->reason);
}

/* Those inside, those who wait, those whom another ban goes on holding: then the bans that take hold of the
 * one kind follow one another, and few events tell of them. */
static void order_ids(struct decision *d, const struct ban *b) {
  uint32_t *ids = malloc((d->n_ids + 1) * sizeof *ids);
  size_t n = 0;
  if (!ids)
    abort();
  for (int kind = 0; kind < 3; kind++)
    for (size_t i = 0; i < d->n_ids; i++) {
      const struct member *m = decide_member(d, i);
      if ((is_outlasted(d->r, m, b) ? 2 : m->presence == PRESENCE_WAITING) == kind)
        ids[n++] = m->id;
    }
  free(d->ids);
  d->ids = ids;
}

enum err decide_ban(struct decision *d) {
  struct ban common = {0};
  enum err e = read_ban(d, d->n_ids, &common);
  if (e)
    return e;
  order_ids(d, &common);
  for (size_t i = 0; i < d->n_ids; i++) {
    struct ban b = common;
    const struct cidr *cidr = cidr_of(d->cmd, d->ids[i]);
    ban_of(&b, decide_member(d, i));
    if (cidr)
      b.cidr = *cidr;
    struct room_event *ev = decide_event(d, ROOM_EV_BANNED, 0, 0);
    room_event_target(ev, d->ids[i]);
    room_event_ban(ev, &b);
  }
  ban_takes_hold(d, &common, true);
  return ERR_OK;
}

/* The shell answers it with room_ban_also. */
enum err decide_ban_check(struct decision *d) {
  (void)d;
  return ERR_OK;
}

/* Whom it hits now: those of lower rank, here or waiting. */
static void take_hits(struct decision *d, const struct ban *b) {
  size_t cap = 1;
  for (size_t i = 0; i < d->r->n_members; i++) {
    const struct member *m = &d->r->members[i];
    if (!ban_holds(b, m, NULL))
      continue;
    d->ids = room_grow(d->ids, d->n_ids, &cap, sizeof *d->ids);
    d->ids[d->n_ids++] = m->id;
  }
}

/* An invite of his betters or equals is not his to make useless. */
static bool outranks_invite(const struct decision *d, uint64_t id) {
  for (size_t i = 0; i < d->r->n_invites; i++)
    if (d->r->invites[i].id == id)
      return d->r->invites[i].role < d->rank;
  return true;
}

enum err decide_ban_rule(struct decision *d) {
  struct ban b;
  if (!d->cmd->word || !room_ban_rule(d->cmd->word, &b))
    return ERR_BAD_ARG;
  enum err e = outranks_invite(d, b.invite) ? read_ban(d, 1, &b) : ERR_RANK;
  if (e)
    return e;
  room_event_ban(decide_event(d, ROOM_EV_BANNED, 0, 0), &b);
  take_hits(d, &b);
  ban_takes_hold(d, &b, false);
  return ERR_OK;
}

/* Nobody lifts or eases what a higher rank decided, nor what holds himself. */
static enum err may_change(const struct decision *d, const struct ban *b) {
  if (!b)
    return ERR_NOTHING;
  if (b->rank > d->rank)
    return ERR_RANK;
  bool himself = d->actor && (d->actor->silenced == b->id || ban_holds(b, d->actor, NULL) ||
                              member_is(d->actor, b->user, b->device));
  return himself ? ERR_NOT_ALLOWED : ERR_OK;
}

enum err decide_ban_edit(struct decision *d) {
  char reason[TEXT_LINE_MAX + 1];
  const struct ban *b = ban_by_id(d->r, (uint64_t)d->cmd->num);
  int64_t until_ms;
  enum err e = may_change(d, b);
  if (!e)
    e = read_until(d, &until_ms);
  if (!e)
    e = decide_line(d, reason);
  if (e)
    return e;
  if (until_ms == b->until_ms && (!reason[0] || strcmp(reason, b->reason) == 0))
    return ERR_NO_CHANGE;
  struct room_event *ev = decide_event(d, ROOM_EV_BAN_EDITED, d->cmd->num, until_ms);
  ev->text = room_strdup(reason[0] ? reason : b->reason);
  return ERR_OK;
}

/* The ban `id`, or with id 0 all whose time is over. */
static bool is_lifted(const struct decision *d, const struct ban *b, uint64_t id) {
  return id ? b->id == id : b->until_ms && b->until_ms <= d->now_ms;
}

/* What keeps him from speaking then: the first that holds him, 0 for nothing. */
static uint64_t silenced_then(const struct decision *d, const struct member *m, uint64_t id) {
  for (size_t i = 0; i < d->r->n_bans; i++) {
    const struct ban *b = &d->r->bans[i];
    if (b->what == BAN_SPEAK && !is_lifted(d, b, id) && ban_holds(b, m, NULL))
      return b->id;
  }
  return 0;
}

/* Those whom they kept from speaking may again, unless another ban holds them. That is said apart, for
 * members do not learn of bans. */
static void bans_lift(struct decision *d, uint64_t id) {
  for (int pass = 0; pass < 4; pass++) { /* inside and free, inside and held, and so in the lobby */
    struct room_event *ev = NULL;
    for (size_t i = 0; i < d->r->n_members; i++) {
      const struct member *m = &d->r->members[i];
      const struct ban *b = m->silenced ? ban_by_id(d->r, m->silenced) : NULL;
      if (!b || !is_lifted(d, b, id) || (m->presence == PRESENCE_WAITING) != pass / 2)
        continue;
      uint64_t then = silenced_then(d, m, id);
      if ((then != 0) == pass % 2)
        silence(d, &ev, m, then);
    }
  }
  for (size_t i = 0; i < d->r->n_bans; i++)
    if (is_lifted(d, &d->r->bans[i], id))
      (void)decide_event(d, ROOM_EV_UNBANNED, (int64_t)d->r->bans[i].id, 0);
}

enum err decide_unban(struct decision *d) {
  enum err e = may_change(d, ban_by_id(d->r, (uint64_t)d->cmd->num));
  if (!e)
    bans_lift(d, (uint64_t)d->cmd->num);
  return e;
}

static const struct ban *first_to_end(const struct room *r) {
  const struct ban *first = NULL;
  for (size_t i = 0; i < r->n_bans; i++)
    if (r->bans[i].until_ms && (!first || r->bans[i].until_ms < first->until_ms))
      first = &r->bans[i];
  return first;
}

void bans_expire(struct decision *d) {
  if (bans_next(d->r) <= d->now_ms)
    bans_lift(d, 0);
}

int64_t bans_next(const struct room *r) {
  const struct ban *b = first_to_end(r);
  return b ? b->until_ms : INT64_MAX;
}

/* ---- applying ---- */

static void ban_put(struct room *r, const struct room_event *ev) {
  if (!ev->ban || r->n_bans >= ROOM_BANS_MAX)
    return;
  r->bans = room_grow(r->bans, r->n_bans, &r->cap_bans, sizeof *r->bans);
  struct ban *b = &r->bans[r->n_bans++];
  *b = *ev->ban;
  b->id = ev->seq;
  b->by = ev->actor;
  b->ts_ms = ev->ts_ms;
}

static void ban_edit(struct room *r, const struct room_event *ev) {
  const struct ban *found = ban_by_id(r, (uint64_t)ev->num);
  if (!found)
    return;
  struct ban *b = &r->bans[found - r->bans];
  b->until_ms = ev->num2;
  if (ev->text)
    (void)snprintf(b->reason, sizeof b->reason, "%s", ev->text);
}

static void ban_drop(struct room *r, uint64_t id) {
  const struct ban *b = ban_by_id(r, id);
  if (b)
    memmove(&r->bans[b - r->bans], b + 1, (size_t)(&r->bans[r->n_bans--] - (b + 1)) * sizeof *b);
}

static void silenced_apply(struct room *r, const struct room_event *ev) {
  for (size_t i = 0; i < ev->n_targets; i++) {
    struct member *m = room_find(r, ev->targets[i]);
    if (m)
      m->silenced = (uint64_t)(ev->num + (ev->num2 ? (int64_t)i : 0));
  }
}

bool bans_apply(struct room *r, const struct room_event *ev) {
  switch (ev->kind) {
  case ROOM_EV_BANNED:
    ban_put(r, ev);
    return true;
  case ROOM_EV_BAN_EDITED:
    ban_edit(r, ev);
    return true;
  case ROOM_EV_UNBANNED:
    ban_drop(r, (uint64_t)ev->num);
    return true;
  case ROOM_EV_SILENCED:
    silenced_apply(r, ev);
    return true;
  default:
    return false;
  }
}

/* Members are not told of bans: only where bans are known must they agree. */
static const char *check_silenced(const struct room *r, const struct member *m) {
  const struct ban *b = m->silenced && r->n_bans ? ban_by_id(r, m->silenced) : NULL;
  return m->silenced && r->n_bans && (!b || b->what != BAN_SPEAK) ? "someone is silenced by no ban" : NULL;
}

const char *bans_check(const struct room *r) {
  const char *why = NULL;
  for (size_t i = 0; i < r->n_bans && !why; i++)
    if (r->bans[i].what > BAN_SPEAK || r->bans[i].until_ms < 0 || r->bans[i].cidr.bits > 128)
      why = "a ban is out of range";
  for (size_t i = 0; i < r->n_members && !why; i++)
    why = check_silenced(r, &r->members[i]);
  return why;
}
