/* seat_grant.c: by what right somebody has a seat: token, session, invite or device; and whoever has none any
 * more leaves in the same turn. */
#include "core/server/seat_private.h"

#include <stdio.h>
#include <string.h>

#define SESSIONS_MAX 5 /* of one user at a time */

/* ---- coming in ---- */

/* The role a token gives: the most of what its scopes say. */
static enum role role_of(unsigned scopes) {
  static const struct {
    unsigned scope;
    enum role role;
  } ROLES[] = {{SCOPE_ADMIN, ROLE_OWNER},   {SCOPE_MODERATE, ROLE_HOST}, {SCOPE_ADMIT, ROLE_COHOST},
               {SCOPE_SPEAK, ROLE_SPEAKER}, {SCOPE_JOIN, ROLE_AUDIENCE}, {SCOPE_LISTEN, ROLE_MONITOR}};
  for (size_t i = 0; i < sizeof ROLES / sizeof ROLES[0]; i++)
    if (scopes & ROLES[i].scope)
      return ROLES[i].role;
  return ROLE_NONE;
}

/* What the room is called here: an application may call its rooms as it likes. */
static enum err name_room(struct join *j, const char *app) {
  if (*app)
    return !*j->room || access_room(j->room, j->slug) ? ERR_OK : ERR_NO_ROOM;
  if (*j->room && !text_slug_valid(j->room))
    return ERR_NO_ROOM;
  snprintf(j->slug, sizeof j->slug, "%s", j->room);
  return ERR_OK;
}

static enum err claim_token(struct control *c, struct conn *k, struct join *j) {
  char any[TEXT_SLUG_MAX + 1] = "";
  if (*j->room && !access_room(j->room, any))
    return ERR_NO_ROOM;
  enum err e = access_token(c->access, j->token, any, k->addr, &j->grant);
  bool session = j->grant.session[0];
  if (e == ERR_OK && !session && j->app && strcmp(j->app, j->grant.app) != 0)
    e = ERR_BAD_TOKEN;
  if (e != ERR_OK)
    return e;
  bool by_invite = session && j->invite; /* the session says who he is, the invite what he may */
  if (session && !by_invite && j->app && *j->app)
    return ERR_BAD_INVITE; /* what a session may by itself it may in our own rooms */
  j->role = by_invite ? ROLE_NONE : role_of(j->grant.scopes);
  return by_invite || j->role != ROLE_NONE ? ERR_OK : ERR_SCOPE;
}

static enum err claim_person(struct control *c, struct conn *k, struct join *j) {
  if (j->token)
    return claim_token(c, k, j);
  const char *app = j->app ? j->app : "";
  if (access_app(c->access, app).accounts_only)
    return ERR_NEED_ACCOUNT;
  return access_guest(c->access, app, j->device_hash, &j->grant);
}

/* The room, made when the application says that the first one who joins makes it. */
static enum err claim_room(struct control *c, struct conn *k, struct join *j, const char *app) {
  char name[HOSTED_NAME_MAX + 1], clean[TEXT_NAME_MAX + 1];
  struct app_policy policy = access_app(c->access, app);
  if (!policy.exists || !*j->slug)
    return ERR_NO_ROOM;
  enum err e = access_address(c->access, app, j->slug, k->addr);
  if (e != ERR_OK)
    return e;
  hosted_name(app, j->slug, name);
  j->h = hosted_find(c, name);
  if (j->h)
    return ERR_OK;
  bool may =
      j->token && policy.create_rooms && strcmp(app, j->grant.app) == 0 && (j->grant.scopes & SCOPE_JOIN);
  if (!may)
    return ERR_NO_ROOM;
  e = text_clean_name(j->shown, strlen(j->shown), clean); /* nobody makes a room whom it would not let in */
  return e == ERR_OK ? hosted_make(c, app, j->slug, policy.lobby, &j->h) : e;
}

/* The name he has corrected, the one his token says, the one he typed, else whoever he is. */
static void name_person(struct control *c, struct join *j) {
  const char *name = j->grant.name[0] ? j->grant.name : *j->name ? j->name : j->grant.user;
  if (!access_name(c->access, j->grant.pid, j->shown))
    snprintf(j->shown, sizeof j->shown, "%.*s", (int)(sizeof j->shown - 1), name);
}

enum err grant_claim(struct control *c, struct conn *k, struct join *j) {
  if (!*j->room && !j->token)
    return ERR_NO_ROOM;
  enum err e = claim_person(c, k, j);
  if (e != ERR_OK)
    return e;
  const char *app = j->app ? j->app : j->grant.app;
  e = name_room(j, app);
  if (e == ERR_OK && !*j->slug)
    snprintf(j->slug, sizeof j->slug, "%.*s", TEXT_SLUG_MAX, j->grant.room);
  if (e != ERR_OK)
    return e;
  name_person(c, j);
  return claim_room(c, k, j, app);
}

static unsigned sessions_of(const struct control *c, const char *user) {
  struct hosted *h;
  struct seat *s;
  unsigned n = 0;
  for (size_t at = 0; (h = map_next(c->rooms, &at));)
    for (size_t i = 0; (s = map_next(h->seats, &i));)
      n += s->conn && strcmp(s->grant.user, user) == 0;
  return n;
}

enum err grant_accept(struct control *c, const struct join *j, const struct room_events *evs) {
  const struct member *m = evs->v[evs->n - 1].entry;
  const struct grant *g = &j->grant;
  bool asks = access_app(c->access, g->kid[0] ? g->app : "").hosts_need_mfa;
  if (asks && !g->mfa && ROLE_IS_MODERATOR(m->role))
    return ERR_NEED_MFA;
  if (g->user[0] && sessions_of(c, g->user) >= SESSIONS_MAX)
    return ERR_SESSIONS;
  enum err e = access_consent(c->access, g->pid, j->consent, "join");
  return e == ERR_OK ? access_enter(c->access, g) : e;
}

/* What he came with, as far as it is remembered. */
static struct grant grant_of(struct control *c, struct hosted *h, const struct member *m) {
  const struct seat *s = hosted_seat(h, m->id);
  struct grant g;
  if (s)
    return s->grant;
  access_again(c->access, m->pid, m->user, h->app, m->since_ms, &g);
  return g;
}

enum err grant_again(struct control *c, struct conn *k, struct join *j) {
  const char *app = j->app ? j->app : "";
  enum err e = name_room(j, app);
  char name[HOSTED_NAME_MAX + 1];
  if (e != ERR_OK || strlen(app) > ACCESS_APP_MAX)
    return ERR_NO_ROOM;
  hosted_name(app, j->slug, name);
  j->h = hosted_find(c, name);
  if (!j->h)
    return ERR_NO_ROOM;
  for (size_t i = 0; i < j->h->room.n_members; i++) {
    const struct member *m = &j->h->room.members[i];
    if (memcmp(m->resume, j->resume_hash, sizeof m->resume) != 0)
      continue;
    j->grant = grant_of(c, j->h, m);
    e = access_address(c->access, app, j->slug, k->addr);
    return e == ERR_OK ? access_still(c->access, &j->grant) : e;
  }
  return ERR_OK; /* nobody: the room says so */
}

json_t *grant_consent(struct control *c) {
  const char *version, *text = access_consent_text(c->access, &version);
  return text ? json_pack("{s:s,s:s}", "version", version, "text", text) : NULL;
}

const char *grant_method(const struct join *j) {
  const struct grant *g = &j->grant;
  return j->resume       ? "resume"
         : g->session[0] ? "session"
         : j->token      ? "token"
         : j->invite     ? "invite"
                         : "none";
}

/* ---- and going ---- */

static void seat_end(struct control *c, struct hosted *h, uint32_t member, const struct grant *g,
                     enum err why) {
  struct seat *s = hosted_seat(h, member);
  struct conn *k = s ? s->conn : NULL;
  if (k) {
    control_notify(c, k, "bye", json_pack("{s:s,s:s}", "code", err_code(why), "text", err_text(why)));
    s->conn = NULL;
    k->seat = NULL;
    k->room = NULL;
    k->close_code = CONTROL_CLOSE_REVOKED;
    control_close(c, k);
  }
  struct audit_entry entry = {.actor = "system",
                              .action = "room.revoke",
                              .target = g->pid,
                              .app = h->app,
                              .room = h->room.name,
                              .outcome = why};
  audit_note(c->access, &entry);
  struct room_cmd cmd = {.act = ACT_LEAVE, .actor = member};
  struct room_events evs = {0};
  if (room_decide(&h->room, &cmd, c->wall_ms, &evs) == ERR_OK)
    hosted_run(c, h, &evs);
  room_events_free(&evs);
}

void seats_recheck(struct control *c) {
  struct hosted *h;
  if (c->revision == access_revision(c->access))
    return;
  c->revision = access_revision(c->access);
  for (size_t at = 0; (h = map_next(c->rooms, &at));)
    for (size_t i = h->room.n_members; i-- > 0 && !h->room.ended;) {
      if (i >= h->room.n_members) /* more than one left at once */
        continue;
      struct grant g = grant_of(c, h, &h->room.members[i]);
      enum err e = access_still(c->access, &g);
      if (e != ERR_OK)
        seat_end(c, h, h->room.members[i].id, &g, e);
    }
}
