/* people.c: who they are and who they become: back to the lobby, trusted, renamed, noted, succeeding a host.
 */
#include "core/room/room_private.h"

#include "core/base/bytes.h"

#include <stdio.h>
#include <string.h>

static void decide_renamed(struct decision *d, const struct member *m, const char *name) {
  struct room_event *ev = decide_event(d, ROOM_EV_RENAMED, 0, 0);
  room_event_target(ev, m->id);
  ev->text = room_strdup(name);
  ev->text2 = room_strdup(m->name);
}

/* ---- back to the lobby ---- */

/* Someone waits there with the same name: he who comes gets another, once he is out of the others' sight. */
static void held_renamed(struct decision *d, const struct member *m) {
  bool meets = false;
  for (size_t i = 0; i < d->r->n_members && !meets; i++)
    meets = d->r->members[i].clash && name_looks_like(d->r->members[i].name, m->name);
  char name[TEXT_NAME_MAX + 1];
  memcpy(name, m->name, sizeof name);
  if (meets) {
    name_make_unique(d->r, m->id, true, name);
    decide_renamed(d, m, name);
  }
}

enum err decide_hold(struct decision *d) {
  char reason[TEXT_LINE_MAX + 1];
  enum err e = decide_line(d, reason);
  if (e)
    return e;
  if (room_count(d->r, PRESENCE_WAITING) + d->n_ids > ROOM_WAITING_MAX)
    return ERR_LOBBY_FULL;
  for (size_t i = 0; i < d->n_ids; i++)
    decide_target(d, ROOM_EV_HELD, 0, d->ids[i]);
  decide_reason(d, ROOM_EV_HELD, reason);
  for (size_t i = 0; i < d->n_ids; i++)
    held_renamed(d, decide_member(d, i));
  return ERR_OK;
}

static void held_apply(struct room *r, const struct room_event *ev) {
  for (size_t i = 0; i < ev->n_targets; i++) {
    struct member *m = room_find(r, ev->targets[i]);
    if (!m)
      continue;
    poll_forget(r, m->id);
    member_enter(r, m, true);
    m->held = true;
    m->since_ms = ev->ts_ms;
  }
}

/* ---- trust ---- */

bool is_trusted(const struct room *r, const struct member *m) {
  for (size_t i = 0; i < r->n_trusted; i++)
    if (member_is(m, r->trusted[i].user, r->trusted[i].device))
      return true;
  return false;
}

/* Also by this act already: two of the targets may be one person with two windows. */
static bool is_trusted_by_now(const struct decision *d, const struct member *m) {
  for (size_t i = d->start; i < d->out->n; i++)
    if (member_is(m, d->out->v[i].entry->user, d->out->v[i].entry->device))
      return true;
  return is_trusted(d->r, m);
}

/* The one who is known by nothing cannot be recognised when he comes again. */
enum err decide_trust(struct decision *d) {
  static const uint8_t ZERO[16];
  bool known = false;
  for (size_t i = 0; i < d->n_ids; i++) {
    const struct member *m = decide_member(d, i);
    if (!m->user[0] && memcmp(m->device, ZERO, sizeof ZERO) == 0)
      continue;
    known = true;
    if (is_trusted_by_now(d, m))
      continue;
    if (d->r->n_trusted + (d->out->n - d->start) >= ROOM_TRUSTED_MAX)
      return ERR_FULL;
    struct member entry = {.id = m->id, .role = m->role, .presence = m->presence};
    memcpy(entry.name, m->name, sizeof entry.name);
    memcpy(entry.user, m->user, sizeof entry.user);
    memcpy(entry.device, m->device, sizeof entry.device);
    memcpy(entry.pid, m->pid, sizeof entry.pid);
    room_event_entry(decide_event(d, ROOM_EV_TRUSTED, 0, 0), &entry);
  }
  return known ? decide_any(d) : ERR_NOTHING;
}

enum err decide_untrust(struct decision *d) {
  for (size_t i = 0; i < d->r->n_trusted; i++)
    if ((int64_t)d->r->trusted[i].id == d->cmd->num)
      (void)decide_event(d, ROOM_EV_UNTRUSTED, d->cmd->num, 0);
  return decide_any(d) ? ERR_NOTHING : ERR_OK;
}

static void trusted_put(struct room *r, const struct room_event *ev) {
  if (!ev->entry || r->n_trusted >= ROOM_TRUSTED_MAX)
    return;
  r->trusted = room_grow(r->trusted, r->n_trusted, &r->cap_trusted, sizeof *r->trusted);
  struct trusted *t = &r->trusted[r->n_trusted++];
  *t = (struct trusted){.id = ev->seq};
  memcpy(t->name, ev->entry->name, sizeof t->name);
  memcpy(t->user, ev->entry->user, sizeof t->user);
  memcpy(t->device, ev->entry->device, sizeof t->device);
}

static void trusted_drop(struct room *r, uint64_t id) {
  for (size_t i = 0; i < r->n_trusted; i++)
    if (r->trusted[i].id == id) {
      memmove(&r->trusted[i], &r->trusted[i + 1], (--r->n_trusted - i) * sizeof *r->trusted);
      return;
    }
}

/* ---- names ---- */

enum err decide_name(struct decision *d) {
  char name[TEXT_NAME_MAX + 1];
  const struct member *m = decide_member(d, 0);
  enum err e = d->cmd->text ? text_clean_name(d->cmd->text, strlen(d->cmd->text), name) : ERR_BAD_NAME;
  if (e)
    return e;
  name_make_unique(d->r, m->id, m->presence == PRESENCE_WAITING, name);
  if (strcmp(name, m->name) == 0)
    return ERR_NO_CHANGE;
  decide_renamed(d, m, name);
  return ERR_OK;
}

/* One's own new name is not for undo: it would stand before what one did to others. */
static void renamed_apply(struct room *r, const struct room_event *ev) {
  struct member *m = ev->n_targets ? room_find(r, ev->targets[0]) : NULL;
  if (!m || !ev->text || !ev->text[0])
    return;
  if (ev->actor != m->id)
    undo_note(r, ev,
              (struct undo_item){.kind = ROOM_EV_RENAMED,
                                 .id = m->id,
                                 .text_before = room_strdup(m->name),
                                 .text_after = room_strdup(ev->text)});
  (void)snprintf(m->name, sizeof m->name, "%s", ev->text);
  m->clash = false;
  if (m->presence != PRESENCE_WAITING)
    name_clash(r, m);
}

/* ---- notes ---- */

enum err decide_note(struct decision *d) {
  char text[TEXT_LINE_MAX + 1];
  enum err e = decide_line(d, text);
  if (e || !text[0])
    return ERR_BAD_TEXT;
  if (d->r->n_notes >= ROOM_NOTES_MAX)
    return ERR_FULL;
  decide_target(d, ROOM_EV_NOTED, 0, d->ids[0]);
  decide_reason(d, ROOM_EV_NOTED, text);
  return ERR_OK;
}

enum err decide_note_delete(struct decision *d) {
  for (size_t i = 0; i < d->r->n_notes; i++)
    if ((int64_t)d->r->notes[i].id == d->cmd->num)
      (void)decide_event(d, ROOM_EV_NOTE_DELETED, d->cmd->num, 0);
  return decide_any(d) ? ERR_NOTHING : ERR_OK;
}

static void note_put(struct room *r, const struct room_event *ev) {
  if (!ev->n_targets || !ev->text || r->n_notes >= ROOM_NOTES_MAX)
    return;
  const struct member *by = room_member(r, ev->actor);
  r->notes = room_grow(r->notes, r->n_notes, &r->cap_notes, sizeof *r->notes);
  struct note *n = &r->notes[r->n_notes++];
  *n = (struct note){.id = ev->seq, .about = ev->targets[0], .by = ev->actor, .ts_ms = ev->ts_ms};
  (void)snprintf(n->name, sizeof n->name, "%s", by ? by->name : "operator");
  (void)snprintf(n->text, sizeof n->text, "%s", ev->text);
}

static void note_drop(struct room *r, uint64_t id) {
  for (size_t i = 0; i < r->n_notes; i++)
    if (r->notes[i].id == id) {
      memmove(&r->notes[i], &r->notes[i + 1], (--r->n_notes - i) * sizeof *r->notes);
      return;
    }
}

/* ---- who follows the host ---- */

static bool has_target(const struct room_event *ev, uint32_t id) {
  for (size_t i = 0; i < ev->n_targets; i++)
    if (ev->targets[i] == id)
      return true;
  return false;
}

/* In the order they were named, not that of their ids. */
enum err decide_succession(struct decision *d) {
  const struct room *r = d->r;
  if (d->n_ids > ROOM_SUCCESSORS_MAX)
    return ERR_FULL;
  for (size_t i = 0; i < d->n_ids; i++) {
    if (decide_member(d, i)->role == ROLE_MONITOR)
      return ERR_BAD_ARG;
    if (decide_member(d, i)->needs_mfa)
      return ERR_NEED_MFA;
  }
  struct room_event *ev = decide_event(d, ROOM_EV_SUCCESSION, 0, 0);
  for (size_t i = 0; i < d->cmd->n_targets; i++)
    if (!has_target(ev, d->cmd->targets[i]))
      room_event_target(ev, d->cmd->targets[i]);
  bool same = ev->n_targets == r->n_successors;
  for (size_t i = 0; same && i < r->n_successors; i++)
    same = ev->targets[i] == r->successors[i];
  return same ? ERR_NO_CHANGE : ERR_OK;
}

static void succession_apply(struct room *r, const struct room_event *ev) {
  r->n_successors = ev->n_targets < ROOM_SUCCESSORS_MAX ? ev->n_targets : ROOM_SUCCESSORS_MAX;
  memset(r->successors, 0, sizeof r->successors);
  if (r->n_successors)
    memcpy(r->successors, ev->targets, r->n_successors * sizeof r->successors[0]);
}

/* Nobody made him host but himself. */
static void becomes_host(struct decision *d, const struct member *m) {
  d->actor_id = m->id;
  room_event_target(decide_event(d, ROOM_EV_ROLE, ROLE_HOST, (int64_t)m->role), m->id);
  enum err e = decide_role_up(d, m, ROLE_HOST);
  (void)e; /* a host needs no free place to speak */
}

enum err decide_claim_code(struct decision *d) {
  if (!d->cmd->secret)
    return ERR_BAD_ARG;
  room_event_secret(decide_event(d, ROOM_EV_CLAIM_CODE, 0, 0), d->cmd->secret);
  return ERR_OK;
}

enum err decide_claim(struct decision *d) {
  static const uint8_t NONE[32];
  const uint8_t *want = d->r->claim.hash;
  if (d->rank >= ROLE_HOST)
    return ERR_NO_CHANGE;
  if (!d->cmd->secret || bytes_equal_ct(want, NONE, sizeof NONE) ||
      !bytes_equal_ct(want, d->cmd->secret->hash, sizeof NONE))
    return ERR_BAD_CODE;
  if (d->actor->needs_mfa)
    return ERR_NEED_MFA;
  becomes_host(d, d->actor);
  return ERR_OK;
}

/* The first who is here. One who is away could not act: he gets it when he comes back, if it is free still.
 */
static const struct member *successor(const struct room *r) {
  for (size_t i = 0; i < r->n_successors; i++) {
    const struct member *m = room_member(r, r->successors[i]);
    if (m && m->presence == PRESENCE_HERE && m->role != ROLE_MONITOR && !m->needs_mfa)
      return m;
  }
  return NULL;
}

void people_expire(struct decision *d) {
  const struct room *r = d->r;
  if (people_next(r) > d->now_ms)
    return;
  const struct member *m = successor(r);
  if (m)
    becomes_host(d, m);
  else
    decide_event(d, ROOM_EV_ENDED, 0, 0)->text = room_strdup("no host came back");
}

int64_t people_next(const struct room *r) {
  if (!r->no_host_ms)
    return INT64_MAX;
  if (successor(r))
    return r->no_host_ms;
  return r->policy == HOST_GONE_END ? r->no_host_ms + ROOM_GONE_MS : INT64_MAX;
}

bool room_host_may_go(enum room_ev kind) {
  return kind == ROOM_EV_LEFT || kind == ROOM_EV_REMOVED || kind == ROOM_EV_HELD || kind == ROOM_EV_ROLE;
}

void room_host_watch(struct room *r, const struct room_event *ev, bool led) {
  bool may_come = ev->kind == ROOM_EV_ROLE || (ev->entry && ROLE_IS_MODERATOR(ev->entry->role));
  if (r->no_host_ms && may_come && room_has_moderator(r))
    r->no_host_ms = 0;
  else if (led && !room_has_moderator(r))
    r->no_host_ms = ev->ts_ms > 0 ? ev->ts_ms : 1;
}

/* ---- the password ---- */

enum err decide_password(struct decision *d) {
  bool on = d->cmd->secret != NULL;
  if (!on && d->cmd->text && d->cmd->text[0])
    return ERR_BAD_ARG; /* the shell owes the hash */
  if (!on && !d->r->has_password)
    return ERR_NO_CHANGE;
  struct room_event *ev = decide_event(d, ROOM_EV_PASSWORD, on, 0);
  if (on)
    room_event_secret(ev, d->cmd->secret);
  return ERR_OK;
}

static void secret_set(struct secret *to, const struct secret *from) {
  *to = from ? *from : (struct secret){0};
}

/* ---- applying ---- */

static bool lists_apply(struct room *r, const struct room_event *ev) {
  switch (ev->kind) {
  case ROOM_EV_TRUSTED:
    trusted_put(r, ev);
    return true;
  case ROOM_EV_UNTRUSTED:
    trusted_drop(r, (uint64_t)ev->num);
    return true;
  case ROOM_EV_NOTED:
    note_put(r, ev);
    return true;
  case ROOM_EV_NOTE_DELETED:
    note_drop(r, (uint64_t)ev->num);
    return true;
  case ROOM_EV_SUCCESSION:
    succession_apply(r, ev);
    return true;
  default:
    return false;
  }
}

bool people_apply(struct room *r, const struct room_event *ev) {
  switch (ev->kind) {
  case ROOM_EV_HELD:
    held_apply(r, ev);
    return true;
  case ROOM_EV_RENAMED:
    renamed_apply(r, ev);
    return true;
  case ROOM_EV_PASSWORD:
    r->has_password = ev->num != 0;
    secret_set(&r->password, ev->secret);
    return true;
  case ROOM_EV_CLAIM_CODE:
    secret_set(&r->claim, ev->secret);
    return true;
  default:
    return lists_apply(r, ev);
  }
}

const char *people_check(const struct room *r) {
  uint64_t last = 0;
  for (size_t i = 0; i < r->n_trusted; last = r->trusted[i++].id)
    if (r->trusted[i].id <= last || r->trusted[i].id > r->seq)
      return "those trusted are not in order of id";
  last = 0;
  for (size_t i = 0; i < r->n_notes; last = r->notes[i++].id)
    if (r->notes[i].id <= last || r->notes[i].id > r->seq)
      return "notes are not in order of id";
  for (size_t i = 0; i < r->n_members; i++) {
    const struct member *m = &r->members[i];
    if (m->presence == PRESENCE_WAITING && (m->side || m->priority || m->floor_ms || m->time_up))
      return "a waiting person has what one inside has";
  }
  if (r->n_successors > ROOM_SUCCESSORS_MAX)
    return "a limit is exceeded";
  if (r->no_host_ms && !r->ended && room_has_moderator(r))
    return "a host is here, yet the room says there is none";
  return bans_check(r);
}
