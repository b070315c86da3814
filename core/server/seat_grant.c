/* seat_grant.c: by what right somebody has a seat: token, session, invite or device; and whoever has none any
 * more leaves in the same turn. */
#include "core/server/seat_private.h"

#include <stdio.h>
#include <string.h>

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
  bool by_invite =
      session && j->invite; /* the invite says what he may, but not beyond what his client asked for */
  if (session && !by_invite && j->app && *j->app)
    return ERR_BAD_INVITE; /* what a session may by itself it may in our own rooms */
  if (by_invite && !(j->grant.asked & SCOPE_JOIN))
    return ERR_SCOPE;
  if (by_invite)
    j->most = role_of(j->grant.asked);
  else
    j->role = role_of(j->grant.scopes);
  if (session && !by_invite && j->role == ROLE_MONITOR) /* an operator says why: monitor_claim */
    return ERR_MONITOR_REASON;
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

/* An application answers for its own tokens; whoever comes without one is asked by both. */
bool grant_needs_mfa(const struct control *c, const struct join *j) {
  const struct grant *g = &j->grant;
  bool asks = access_app(c->access, j->h->app).hosts_need_mfa ||
              (!g->kid[0] && access_app(c->access, "").hosts_need_mfa);
  return asks && !g->mfa;
}

enum err grant_accept(struct control *c, const struct join *j) {
  const struct grant *g = &j->grant;
  if (seats_of(c, g->user) >= LIMIT_VALUE_SESSIONS)
    return ERR_SESSIONS;
  enum err e = access_consent(c->access, g->pid, j->consent, "join");
  return e == ERR_OK ? access_enter(c->access, g) : e;
}

_Static_assert(TOKEN_KID_MAX <= ROOM_KEY_MAX && TOKEN_JTI_MAX <= ROOM_KEY_MAX &&
                   sizeof((struct grant *)0)->session <= ROOM_SESSION_MAX + 1,
               "the log keeps them whole");

void grant_pass(const struct grant *g, struct pass *out) {
  *out = (struct pass){0};
  if (!g->kid[0] && !g->session[0])
    return;
  out->scopes = g->scopes;
  out->made_s = g->iat_s;
  snprintf(out->kid, sizeof out->kid, "%s", g->kid);
  snprintf(out->jti, sizeof out->jti, "%s", g->jti);
  snprintf(out->session, sizeof out->session, "%s", g->session);
}

/* What he came with; after a restart as the log says. */
static struct grant grant_of(struct hosted *h, const struct member *m) {
  const struct seat *s = hosted_seat(h, m->id);
  const struct pass *p = &m->pass;
  if (s)
    return s->grant;
  struct grant g = {.scopes = p->kid[0] || p->session[0] ? p->scopes : SCOPE_ALL,
                    .iat_s = p->made_s ? p->made_s : m->since_ms / 1000};
  snprintf(g.pid, sizeof g.pid, "%s", m->pid);
  snprintf(g.user, sizeof g.user, "%s", m->user);
  snprintf(g.app, sizeof g.app, "%s", h->app);
  snprintf(g.kid, sizeof g.kid, "%s", p->kid);
  snprintf(g.jti, sizeof g.jti, "%s", p->jti);
  snprintf(g.session, sizeof g.session, "%s", p->session);
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
    j->grant = grant_of(j->h, m);
    e = access_address(c->access, app, j->slug, k->addr);
    if (e == ERR_OK)
      e = access_still(c->access, &j->grant);
    return e == ERR_OK ? access_consent(c->access, j->grant.pid, j->consent, "resume") : e;
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

/* Does what he came with hold, and may he be here from where he is? */
static enum err still_right(const struct control *c, struct hosted *h, const struct member *m,
                            const struct grant *g) {
  const struct seat *s = hosted_seat(h, m->id);
  enum err e = access_still(c->access, g);
  bool asks = e == ERR_OK && s && s->conn && addr_known(s->addr);
  return asks ? access_address(c->access, h->app, h->room.name, s->addr) : e;
}

/* A room goes with its application: another one of the same name has none of it. */
static void rooms_recheck(struct control *c) {
  struct hosted *h;
  for (size_t at = 0; (h = map_next(c->rooms, &at));) {
    struct room_cmd end = {.act = ACT_END, .has_num2 = true}; /* at once */
    struct room_events evs = {0};
    if (!h->room.ended && !access_app(c->access, h->app).exists &&
        room_decide(&h->room, &end, c->wall_ms, &evs) == ERR_OK)
      hosted_run(c, h, &evs);
    room_events_free(&evs);
  }
}

void seats_recheck(struct control *c) {
  struct hosted *h;
  if (c->revision == access_revision(c->access))
    return;
  c->revision = access_revision(c->access);
  rooms_recheck(c);
  for (size_t at = 0; (h = map_next(c->rooms, &at));)
    for (size_t i = h->room.n_members; i-- > 0 && !h->room.ended;) {
      if (i >= h->room.n_members) /* more than one left at once */
        continue;
      struct grant g = grant_of(h, &h->room.members[i]);
      enum err e = still_right(c, h, &h->room.members[i], &g);
      if (e != ERR_OK)
        seat_end(c, h, h->room.members[i].id, &g, e);
    }
}
