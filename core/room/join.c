#include "core/room/room_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t ZERO[32];

/* ---- the name: nobody shows the name of another ---- */

#define SUFFIX_MAX 7 /* " (5502)" */

static bool may_meet(const struct member *m, uint32_t self, bool waits) {
  return m->id != self && (waits || m->presence != PRESENCE_WAITING);
}

static bool name_taken(const struct room *r, uint32_t self, bool waits, const char *name) {
  if (name_looks_like(name, "operator")) /* how the chat signs what the operator says */
    return true;
  for (size_t i = 0; i < r->n_members; i++)
    if (may_meet(&r->members[i], self, waits) && name_looks_like(r->members[i].name, name))
      return true;
  return false;
}

/* The k of a name "base (k)", or of one that looks like it; 0 when it is not of that form. */
static unsigned suffix_of(const char *name, const char *base) {
  const char *at = strrchr(name, '(');
  char head[TEXT_NAME_MAX + 1], *end;
  if (!at || at < name + 2 || at[-1] != ' ')
    return 0;
  size_t n = (size_t)(at - 1 - name);
  memcpy(head, name, n);
  head[n] = '\0';
  unsigned long k = strtoul(at + 1, &end, 10);
  bool fits = strcmp(end, ")") == 0 && k < ROOM_MEMBERS_MAX + ROOM_WAITING_MAX + 3;
  return fits && name_looks_like(head, base) ? (unsigned)k : 0;
}

/* One pass, however many share the name: 5000 people called "bob" must not make joining slow. */
void name_make_unique(const struct room *r, uint32_t self, bool waits, char name[TEXT_NAME_MAX + 1]) {
  if (!name_taken(r, self, waits, name))
    return;
  size_t n = text_fit(name, TEXT_NAME_COLS - SUFFIX_MAX);
  while (n > TEXT_NAME_MAX - SUFFIX_MAX || (n > 0 && (name[n] & 0xC0) == 0x80) ||
         (n > 0 && name[n - 1] == ' '))
    n--;
  name[n] = '\0';
  bool used[ROOM_MEMBERS_MAX + ROOM_WAITING_MAX + 3] = {false};
  for (size_t i = 0; i < r->n_members; i++)
    used[may_meet(&r->members[i], self, waits) ? suffix_of(r->members[i].name, name) : 0] = true;
  unsigned k = 2;
  while (used[k])
    k++;
  (void)snprintf(name + n, TEXT_NAME_MAX + 1 - n, " (%u)", k);
}

void name_clash(struct room *r, const struct member *inside) {
  for (size_t i = 0; i < r->n_members; i++) {
    struct member *m = &r->members[i];
    if (m->presence == PRESENCE_WAITING && m->id != inside->id && name_looks_like(m->name, inside->name))
      m->clash = true;
  }
}

/* A program name is plain ASCII; whatever else a stranger sends there is not worth an error. */
static void client_clean(const char *in, char out[ROOM_CLIENT_MAX + 1]) {
  size_t n = 0;
  for (; in && in[n] && n < ROOM_CLIENT_MAX; n++)
    out[n] = in[n];
  out[n] = '\0';
  for (size_t i = 0; i < n; i++)
    if (out[i] < 0x20 || out[i] > 0x7e)
      out[i] = '?';
}

static enum err entry_fill(const struct room *r, const struct room_join *j, int64_t now_ms,
                           struct member *m) {
  size_t user = j->user ? strlen(j->user) : 0;
  enum err e = j->name ? text_clean_name(j->name, strlen(j->name), m->name) : ERR_BAD_NAME;
  if (e)
    return e;
  if (user > ROOM_USER_MAX || !text_utf8_valid(j->user ? j->user : "", user))
    return ERR_BAD_NAME;
  if (user)
    memcpy(m->user, j->user, user + 1);
  client_clean(j->client, m->client);
  snprintf(m->pid, sizeof m->pid, "%s", j->pid ? j->pid : "");
  m->no_chat = j->no_chat;
  m->needs_mfa = j->needs_mfa;
  m->pass = j->pass ? *j->pass : (struct pass){0};
  memcpy(m->device, j->device, sizeof m->device);
  memcpy(m->resume, j->resume, sizeof m->resume);
  m->id = r->id_last + 1;
  m->audio = j->audio;
  m->since_ms = now_ms;
  return ERR_OK;
}

/* ---- may he come in ---- */

static const struct invite *invite_by_hash(const struct room *r, const uint8_t *hash) {
  for (size_t i = 0; i < r->n_invites; i++)
    if (memcmp(r->invites[i].hash, hash, sizeof r->invites[i].hash) == 0)
      return &r->invites[i];
  return NULL;
}

bool room_is_full(const struct room *r, size_t inside, const struct member *m) {
  bool bound = r->max_people && !ROLE_IS_MODERATOR(m->role) && m->role != ROLE_MONITOR;
  for (size_t i = 0; bound && i < r->n_members; i++) /* who only listens takes nobody's place */
    inside -= r->members[i].role == ROLE_MONITOR && r->members[i].presence != PRESENCE_WAITING;
  return inside >= ROOM_MEMBERS_MAX || (bound && inside >= r->max_people);
}

/* Whom the room lets past the lobby by who he is. */
static bool is_known(const struct room *r, const struct member *m) {
  return (r->auto_admit >= AUTO_ADMIT_ACCOUNTS && m->user[0]) ||
         (r->auto_admit >= AUTO_ADMIT_TRUSTED && is_trusted(r, m));
}

static bool must_knock(const struct room *r, const struct member *m, const struct invite *inv) {
  if (ROLE_IS_MODERATOR(m->role))
    return false;
  if (r->policy == HOST_GONE_LOBBY && !room_has_moderator(r))
    return true;
  return r->lobby && !(inv && inv->bypass) && !is_known(r, m);
}

/* The role he comes with, or why not at all. */
static enum err entry_role(const struct room *r, const struct room_join *j, int64_t now_ms, struct member *m,
                           const struct invite **inv) {
  *inv = j->invite_hash ? invite_by_hash(r, j->invite_hash) : NULL;
  if (j->invite_hash && !*inv)
    return ERR_BAD_INVITE;
  if (*inv && (*inv)->expires_ms != 0 && now_ms >= (*inv)->expires_ms)
    return ERR_BAD_INVITE;
  m->role = *inv && j->role == ROLE_NONE ? (*inv)->role : j->role;
  if (j->most != ROLE_NONE && m->role > j->most)
    m->role = j->most;
  m->invite = *inv ? (*inv)->id : 0;
  if (m->role == ROLE_NONE || m->role >= ROLE_SYSTEM)
    return ERR_BAD_INVITE;
  m->came = m->role;
  struct former most;
  m->held = former_rights(r, m, &most);
  if (most.came > m->came) /* by a smaller link nobody gets rid of what was taken from him */
    m->came = most.came;
  if (most.role < m->role)
    m->role = most.role;
  if (ban_on(r, BAN_JOIN, m, j->addr)) /* by the role he has now: a ban holds no betters of who made it */
    return ERR_BANNED;
  const struct ban *silenced = ban_on(r, BAN_SPEAK, m, j->addr);
  m->silenced = silenced ? silenced->id : 0;
  if (ROLE_IS_MODERATOR(m->role))
    return m->needs_mfa ? ERR_NEED_MFA : ERR_OK;
  if (j->monitor)
    return ERR_OK;
  if (r->locked)
    return ERR_ROOM_LOCKED;
  return r->has_password && !j->password_ok && !(*inv && (*inv)->bypass) ? ERR_NEED_PASSWORD : ERR_OK;
}

enum err room_decide_join(const struct room *r, const struct room_join *j, int64_t now_ms,
                          struct room_events *out) {
  if (r->ended)
    return ERR_ROOM_ENDED;
  struct member m = {0};
  const struct invite *inv;
  enum err e = entry_fill(r, j, now_ms, &m);
  if (!e)
    e = entry_role(r, j, now_ms, &m, &inv);
  if (e)
    return e;
  bool waits = !j->monitor && (m.held || must_knock(r, &m, inv));
  if (waits && room_count(r, PRESENCE_WAITING) >= ROOM_WAITING_MAX)
    return ERR_LOBBY_FULL;
  if (!waits && room_is_full(r, room_count_inside(r), &m))
    return ERR_ROOM_FULL;
  name_make_unique(r, 0, waits, m.name);
  member_enter(r, &m, waits);
  struct former most;
  (void)former_rights(r, &m, &most);
  m.floor = m.floor && most.floor;
  struct decision d = {.r = r, .actor_id = m.id, .now_ms = now_ms, .out = out, .start = out->n};
  if (inv && inv->uses_left)
    (void)decide_event(&d, ROOM_EV_INVITE_USED, (int64_t)inv->id, 0);
  room_event_entry(decide_event(&d, waits ? ROOM_EV_KNOCKED : ROOM_EV_JOINED, 0, 0), &m);
  return ERR_OK;
}

/* ---- connections come and go; rights stay ---- */

enum err room_decide_drop(const struct room *r, uint32_t id, int64_t now_ms, struct room_events *out) {
  const struct member *m = room_member(r, id);
  if (!m)
    return r->ended ? ERR_ROOM_ENDED : ERR_NO_MEMBER;
  struct decision d = {.r = r, .actor_id = id, .now_ms = now_ms, .out = out, .start = out->n};
  if (!m->dropped_ms)
    decide_target(&d, ROOM_EV_AWAY, 0, id);
  return ERR_OK;
}

static bool has_expired(const struct member *m, int64_t now_ms) {
  return m->dropped_ms && now_ms - m->dropped_ms >= ROOM_AWAY_MS;
}

enum err room_decide_resume(const struct room *r, const uint8_t resume[32], const uint8_t new_resume[32],
                            bool audio, int64_t now_ms, uint32_t *id, struct room_events *out) {
  const struct member *found = NULL;
  for (size_t i = 0; i < r->n_members && !found; i++)
    if (memcmp(r->members[i].resume, resume, 32) == 0)
      found = &r->members[i];
  if (r->ended)
    return ERR_ROOM_ENDED;
  if (!found || memcmp(resume, ZERO, 32) == 0 || has_expired(found, now_ms))
    return ERR_NO_RESUME;
  struct member m = *found;
  m.dropped_ms = 0;
  m.audio = audio;
  if (m.presence == PRESENCE_AWAY)
    m.presence = PRESENCE_HERE;
  memcpy(m.resume, new_resume, sizeof m.resume);
  struct decision d = {.r = r, .actor_id = m.id, .now_ms = now_ms, .out = out, .start = out->n};
  struct room_event *ev = decide_event(&d, ROOM_EV_BACK, 0, 0);
  room_event_target(ev, m.id);
  room_event_entry(ev, &m);
  *id = m.id;
  return ERR_OK;
}

/* Those who wait and those inside go in two events: a member must not learn who waited. */
static void absent_expire(struct decision *d) {
  const struct room *r = d->r;
  for (int waiting = 0; waiting < 2; waiting++) {
    struct room_event *ev = NULL;
    for (size_t i = 0; i < r->n_members; i++) {
      const struct member *m = &r->members[i];
      if (!has_expired(m, d->now_ms) || (m->presence == PRESENCE_WAITING) != waiting)
        continue;
      if (!ev)
        ev = decide_event(d, ROOM_EV_LEFT, 1, 0);
      room_event_target(ev, m->id);
    }
  }
}

void room_decide_expire(const struct room *r, int64_t now_ms, struct room_events *out) {
  static void (*const EXPIRE[])(struct decision *) = {absent_expire,  bans_expire,  people_expire,
                                                      meeting_expire, voice_expire, sides_expire};
  struct decision d = {.r = r, .now_ms = now_ms, .out = out, .start = out->n};
  for (size_t i = 0; i < sizeof EXPIRE / sizeof EXPIRE[0] && !r->ended && out->n == d.start; i++)
    EXPIRE[i](&d);
}

int64_t room_next_expiry(const struct room *r) {
  static int64_t (*const NEXT[])(const struct room *) = {bans_next, people_next, meeting_next, voice_next,
                                                         sides_next};
  int64_t first = INT64_MAX;
  for (size_t i = 0; i < sizeof NEXT / sizeof NEXT[0] && !r->ended; i++) {
    int64_t next = NEXT[i](r);
    first = next < first ? next : first;
  }
  for (size_t i = 0; i < r->n_members; i++) {
    int64_t dropped = r->members[i].dropped_ms;
    if (dropped && dropped + ROOM_AWAY_MS < first)
      first = dropped + ROOM_AWAY_MS;
  }
  return first;
}
