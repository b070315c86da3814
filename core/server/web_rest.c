/* web_rest.c: the REST face on the operator's port: the same acts and questions as everywhere, for back ends.
 * docs/openapi.json is its contract; docs/protocol.md, "REST", the short text.
 *
 * Who asks is an operator's session (server:operate: everything; metering:read: metering) or a back end with
 * a token signed by its application's key (rooms:manage: the rooms of that application, and no others). */
#include "core/base/utc.h"
#include "core/server/web_private.h"
#include "core/wire/room_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARTS_MAX 6
#define PATH_LEN_MAX 320
#define TOKEN_LIFE_S 900

struct rest {
  struct control *c;
  uint32_t request;
  char path[PATH_LEN_MAX];
  const char *part[PARTS_MAX]; /* of the path behind /v1/ */
  size_t n;
  struct form query;
  struct grant g;
  char app[ACCESS_APP_MAX + 1];   /* whose rooms; "" the server's own */
  bool everything;                /* an operator */
  char actor[TOKEN_KID_MAX + 16]; /* in the audit log */
  json_t *body;                   /* of a POST, else NULL */
  struct hosted *h;
};
typedef enum err rest_run(struct rest *r, json_t *reply, const char **why);

/* ---- replies ---- */

/* A reply holds `csv`: then the text is the answer. */
static void answer(struct rest *r, int status, json_t *reply) {
  const char *csv = json_string_value(json_object_get(reply, "csv"));
  struct web_reply out = {.status = status,
                          .type = csv ? "text/csv; charset=utf-8" : "application/json",
                          .body = csv ? strdup(csv) : json_dumps(reply, JSON_COMPACT)};
  const char *at = json_str(reply, "location", NULL);
  if (at && strlen(at) < WEB_HEADER_MAX)
    web_reply_header(&out, "location:", at);
  web_answer(r->c, r->request, &out);
}

/* A text of the body, "" when it is left out. False: it is no text, or longer than `cap` holds: a value that
 * is cut or left out would mean something else, in a token more than was asked. */
static bool text_of(const json_t *body, const char *key, char *out, size_t cap) {
  const json_t *v = json_object_get(body, key);
  const char *text = v ? json_string_value(v) : "";
  if (!text || strlen(text) >= cap)
    return false;
  memcpy(out, text, strlen(text) + 1);
  return true;
}

/* ---- rooms ---- */

/* As the operator writes it: ROOM, or APP/ROOM. */
static void full_name(const struct rest *r, const char *name, char out[HOSTED_NAME_MAX + 1]) {
  char slug[64];
  if (!r->app[0])
    snprintf(out, HOSTED_NAME_MAX + 1, "%.*s", HOSTED_NAME_MAX, name);
  else
    snprintf(out, HOSTED_NAME_MAX + 1, "%s/%s", r->app, access_room(name, slug) ? slug : "");
}

static json_t *room_line(const struct hosted *h) {
  const struct room *m = &h->room;
  return json_pack("{s:s,s:s,s:i,s:i,s:i,s:b,s:b,s:b}", "room", m->name, "app", h->app, "here",
                   (int)room_count(m, PRESENCE_HERE), "away", (int)room_count(m, PRESENCE_AWAY), "waiting",
                   (int)room_count(m, PRESENCE_WAITING), "locked", m->locked, "lobby", m->lobby, "ended",
                   m->ended);
}

static enum err rooms_get(struct rest *r, json_t *reply, const char **why) {
  json_t *list = json_array();
  struct hosted *h;
  (void)why;
  bool all = r->everything && !*form_get(&r->query, "app");
  for (size_t at = 0; (h = map_next(r->c->rooms, &at));)
    if (!h->room.ended && (all || strcmp(h->app, r->app) == 0))
      json_array_append_new(list, room_line(h));
  json_object_set_new(reply, "rooms", list);
  return ERR_OK;
}

static void location_of(const struct rest *r, const char *name, json_t *reply) {
  char at[WEB_HEADER_MAX];
  snprintf(at, sizeof at, "/v1/rooms/%s%s%s", name, r->app[0] ? "?app=" : "", r->app);
  json_object_set_new(reply, "location", json_string(at));
}

static enum err rooms_post(struct rest *r, json_t *reply, const char **why) {
  struct link host, guest;
  char name[HOSTED_NAME_MAX + 1];
  char asked[TOKEN_ROOM_MAX + 1];
  const json_t *lobby = json_object_get(r->body, "lobby");
  if (!json_only_keys(r->body, "room", "lobby", NULL) || !text_of(r->body, "room", asked, sizeof asked) ||
      !*asked || (lobby && !json_is_boolean(lobby))) {
    *why = "wanted: room (a name), lobby (true or false)";
    return ERR_BAD_ARG;
  }
  if (!r->app[0] && strchr(asked, '/')) /* there it would name an application */
    return ERR_BAD_NAME;
  full_name(r, asked, name);
  enum err e = control_room_create(r->c, name, !lobby || json_is_true(lobby), &host, &guest);
  if (e != ERR_OK)
    return e;
  const struct hosted *h = hosted_find(r->c, name);
  json_object_set_new(reply, "room", json_string(h->room.name));
  json_object_set_new(reply, "app", json_string(h->app));
  location_of(r, h->room.name, reply);
  act_shell_link(&host, reply, "host_link");
  act_shell_link(&guest, reply, "guest_link");
  return ERR_OK;
}

/* It names people: audited. What the wire leaves out as usual is said. */
static json_t *seen(struct rest *r) {
  json_t *all = room_to_wire(&r->h->room, 0), *m;
  size_t i;
  audit_note(r->c->access,
             &(struct audit_entry){.action = "room.show", .app = r->h->app, .room = r->h->room.name});
  json_array_foreach(json_object_get(all, "members"), i, m) if (!json_object_get(m, "presence"))
      json_object_set_new(m, "presence", json_string("here"));
  return all;
}

static enum err room_get(struct rest *r, json_t *reply, const char **why) {
  json_t *all = seen(r);
  (void)why;
  json_object_del(all, "chat"); /* who manages rooms does not read along */
  json_object_update(reply, all);
  json_object_set_new(reply, "app", json_string(r->h->app));
  json_decref(all);
  return ERR_OK;
}

static enum err list_get(struct rest *r, json_t *reply, const char *from, const char *to) {
  json_t *all = seen(r);
  json_object_set(reply, to, json_object_get(all, from));
  json_decref(all);
  return ERR_OK;
}

static enum err people_get(struct rest *r, json_t *reply, const char **why) {
  (void)why;
  return list_get(r, reply, "members", "people");
}

static enum err invites_get(struct rest *r, json_t *reply, const char **why) {
  (void)why;
  return list_get(r, reply, "invites", "invites");
}

static enum err person_get(struct rest *r, json_t *reply, const char **why) {
  json_t *all = seen(r), *m;
  size_t i;
  bool found = false;
  (void)why;
  json_array_foreach(json_object_get(all, "members"), i, m) {
    char id[24];
    snprintf(id, sizeof id, "%lld", (long long)json_int(m, "id", 0));
    if (strcmp(id, r->part[3]) == 0)
      found = json_object_update(reply, m) == 0;
  }
  json_decref(all);
  return found ? ERR_OK : ERR_NO_MEMBER;
}

/* ---- acts ---- */

static enum err act(struct rest *r, const char *name, json_t *params, json_t *reply) {
  struct conn operator_ = {.admin = true};
  enum act a = act_find(name);
  return a == ACT__COUNT ? ERR_BAD_METHOD : acts_operate(r->c, &operator_, r->h, a, params, reply);
}

static enum err act_post(struct rest *r, json_t *reply, const char **why) {
  enum err e = act(r, r->part[3], r->body, reply);
  if (e != ERR_OK && json_object_get(reply, "seq"))
    *why = "the rule stands, but not for all who are here";
  return e;
}

static enum err room_delete(struct rest *r, json_t *reply, const char **why) {
  json_t *params = json_pack("{s:i}", "seconds", 0);
  (void)why;
  enum err e = act(r, "end", params, reply);
  json_decref(params);
  return e;
}

static enum err invites_post(struct rest *r, json_t *reply, const char **why) {
  (void)why;
  return act(r, "invite", r->body, reply);
}

static enum err invite_delete(struct rest *r, json_t *reply, const char **why) {
  char *end;
  long long id = strtoll(r->part[3], &end, 10);
  (void)why;
  if (*end || end == r->part[3])
    return ERR_BAD_ARG;
  json_t *params = json_pack("{s:I}", "id", (json_int_t)id);
  enum err e = act(r, "invite_revoke", params, reply);
  json_decref(params);
  return e;
}

/* ---- attendance and metering ---- */

/* 1: CSV, 0: JSON, -1: neither. */
static int wants_csv(const struct rest *r) {
  const char *format = form_get(&r->query, "format");
  return strcmp(format, "csv") == 0 ? 1 : !*format || strcmp(format, "json") == 0 ? 0 : -1;
}

static enum err attendance_get(struct rest *r, json_t *reply, const char **why) {
  char *csv = NULL;
  int as_csv = wants_csv(r);
  if (as_csv < 0) {
    *why = "format is json or csv";
    return ERR_BAD_ARG;
  }
  if (!limit_take(r->c, &r->h->reports, LIMIT_REPORTS))
    return ERR_RATE;
  audit_note(r->c->access,
             &(struct audit_entry){.action = "room.attendance", .app = r->h->app, .room = r->h->room.name});
  enum err e = as_csv ? attendance_csv(r->c, r->h, &csv) : ERR_OK;
  if (e == ERR_OK && as_csv)
    json_object_set_new(reply, "csv", json_string(csv));
  free(csv);
  return as_csv ? e : attendance_json(r->c, r->h, reply);
}

static void csv_cell(FILE *f, const char *text) {
  bool quote = strpbrk(text, ",\"\r\n") != NULL;
  fputs(quote ? "\"" : "", f);
  for (; *text; text++)
    fprintf(f, *text == '"' ? "\"\"" : "%c", *text);
  fputs(quote ? "\"" : "", f);
}

static char *metering_csv(const json_t *rows) {
  char *text = NULL;
  size_t n = 0, i;
  const json_t *row;
  FILE *f = open_memstream(&text, &n);
  if (!f)
    abort();
  fputs("app,room,visits,participant_seconds\r\n", f);
  json_array_foreach(rows, i, row) {
    csv_cell(f, json_str(row, "app", ""));
    fputc(',', f);
    csv_cell(f, json_str(row, "room", ""));
    fprintf(f, ",%lld,%lld\r\n", (long long)json_int(row, "visits", 0),
            (long long)json_int(row, "seconds", 0));
  }
  fclose(f);
  return text;
}

static enum err metering_get(struct rest *r, json_t *reply, const char **why) {
  int as_csv = wants_csv(r);
  bool all = !r->app[0] && (r->everything || (r->g.scopes & SCOPE_METER));
  json_t *params = all ? json_object() : json_pack("{s:s}", "app", r->app), *got = json_object();
  enum err e =
      as_csv < 0 ? ERR_BAD_ARG : access_call(r->c->access, r->actor, "metering.list", params, got, why);
  const json_t *rows = json_object_get(got, "metering");
  if (as_csv < 0)
    *why = "format is json or csv";
  else if (e == ERR_OK && as_csv) {
    char *csv = metering_csv(rows);
    json_object_set_new(reply, "csv", json_string(csv));
    free(csv);
  } else if (e == ERR_OK) {
    json_t *list = json_array(), *row;
    size_t i;
    json_array_foreach((json_t *)(uintptr_t)rows, i, row) json_array_append_new(
        list, json_pack("{s:O,s:O,s:O,s:O}", "app", json_object_get(row, "app"), "room",
                        json_object_get(row, "room"), "visits", json_object_get(row, "visits"),
                        "participant_seconds", json_object_get(row, "seconds")));
    json_object_set_new(reply, "metering", list);
  }
  json_decref(params);
  json_decref(got);
  return e;
}

/* ---- tokens ---- */

static bool token_asked(const json_t *body, struct token_claims *t) {
  char scopes[SCOPE_TEXT_MAX];
  const json_t *life = json_object_get(body, "expires_in");
  bool fine = json_only_keys(body, "user", "room", "name", "scopes", "expires_in", NULL) &&
              text_of(body, "user", t->subject, sizeof t->subject) && t->subject[0] &&
              text_of(body, "room", t->room, sizeof t->room) &&
              text_of(body, "name", t->name, sizeof t->name) &&
              text_of(body, "scopes", scopes, sizeof scopes) && (!life || json_is_integer(life));
  if (!fine)
    return false;
  t->exp_s = life ? json_integer_value(life) : TOKEN_LIFE_S;
  bool said = json_object_get(body, "scopes") != NULL;
  return t->exp_s > 0 &&
         scope_parse(said ? scopes : "room:join room:speak room:chat", true, &t->scopes) == ERR_OK;
}

static enum err tokens_post(struct rest *r, json_t *reply, const char **why) {
  struct token_claims t = {0};
  if (!token_asked(r->body, &t)) {
    *why = "wanted: user, room, name, scopes, expires_in (seconds)";
    return ERR_BAD_ARG;
  }
  if (!r->app[0]) {
    *why = "app is missing: a token is an application's";
    return ERR_NO_APP;
  }
  return access_mint(r->c->access, r->app, &t, reply, why);
}

static enum err token_delete(struct rest *r, json_t *reply, const char **why) {
  json_t *params = json_pack("{s:s,s:s,s:s}", "app", r->app, "kid", r->part[1], "jti", r->part[2]);
  enum err e = rights_access_call(r->c, r->actor, "token.revoke", params, reply, why);
  json_decref(params);
  seats_recheck(r->c);
  return e;
}

/* ---- which ---- */

static const struct call {
  const char *method, *path; /* of parts; * stands for any one */
  int status;
  unsigned scope; /* besides those who manage the application */
  bool room;      /* the second part is one that is there */
  rest_run *run;
} CALLS[] = {
    {"GET", "rooms", 200, 0, false, rooms_get},
    {"POST", "rooms", 201, 0, false, rooms_post},
    {"GET", "rooms/*", 200, 0, true, room_get},
    {"DELETE", "rooms/*", 200, 0, true, room_delete},
    {"GET", "rooms/*/people", 200, 0, true, people_get},
    {"GET", "rooms/*/people/*", 200, 0, true, person_get},
    {"POST", "rooms/*/acts/*", 200, 0, true, act_post},
    {"GET", "rooms/*/invites", 200, 0, true, invites_get},
    {"POST", "rooms/*/invites", 201, 0, true, invites_post},
    {"DELETE", "rooms/*/invites/*", 200, 0, true, invite_delete},
    {"GET", "rooms/*/attendance", 200, SCOPE_METER, true, attendance_get},
    {"GET", "metering", 200, SCOPE_METER, false, metering_get},
    {"POST", "tokens", 201, 0, false, tokens_post},
    {"DELETE", "tokens/*/*", 200, 0, false, token_delete},
};

static bool fits(const struct rest *r, const char *pattern) {
  for (size_t i = 0; i < r->n; i++) {
    size_t n = strcspn(pattern, "/");
    bool any = n == 1 && *pattern == '*';
    if (!any && (strlen(r->part[i]) != n || strncmp(r->part[i], pattern, n) != 0))
      return false;
    if (!pattern[n])
      return i + 1 == r->n;
    pattern += n + 1;
  }
  return false;
}

/* NULL: *others has what methods the path has. */
static const struct call *call_of(const struct rest *r, const char *method, unsigned *others) {
  *others = 0;
  for (size_t i = 0; i < sizeof CALLS / sizeof CALLS[0]; i++)
    if (fits(r, CALLS[i].path)) {
      *others |= web_method(CALLS[i].method);
      if (strcmp(CALLS[i].method, method) == 0)
        return &CALLS[i];
    }
  return NULL;
}

/* ---- who ---- */

/* No names: what a person did is his only as long as he is known. An operator is one here as well, so that
 * what he did without a ticket is reported. */
static void name_actor(struct rest *r) {
  bool session = r->g.session[0];
  snprintf(r->actor, sizeof r->actor, "%s%s",
           r->everything ? "operator:"
           : session     ? ""
                         : "rest:",
           session ? r->g.pid : r->g.kid);
}

/* False: the refusal has been sent. */
static bool who(struct rest *r, const struct web_request *q) {
  char token[WEB_BEARER_MAX];
  int blocked_ms = q->addr ? limit_blocked(r->c, q->addr) : 0;
  if (blocked_ms > 0) {
    web_refuse(r->c, r->request, ERR_RATE, "too many forged tokens came from there", blocked_ms);
    return false;
  }
  if (!web_bearer_text(r->c, r->request, q, token))
    return false;
  enum err e = access_token(r->c->access, token, "", q->addr, &r->g);
  explicit_bzero(token, sizeof token);
  if (r->g.forged && q->addr)
    limit_strike(r->c, q->addr);
  if (e != ERR_OK)
    web_bearer_refuse(r->c, r->request, 401, "invalid_token", NULL);
  r->everything = r->g.session[0] && (r->g.scopes & SCOPE_OPERATE);
  name_actor(r);
  return e == ERR_OK;
}

/* A token for one room does nothing beyond that room. */
static bool within_room(const struct rest *r, const struct call *k) {
  char slug[64];
  return !r->g.room[0] || (k->room && access_room(r->part[1], slug) && strcmp(slug, r->g.room) == 0);
}

/* Whose rooms it is about, and whether he may. */
static enum err may(struct rest *r, const struct call *k) {
  const char *asked = form_get(&r->query, "app");
  bool manages = r->g.kid[0] && (r->g.scopes & SCOPE_MANAGE);
  bool reads = (k->scope & r->g.scopes) != 0;
  if (!r->everything && !manages && !reads) /* first: others do not learn which applications there are */
    return ERR_SCOPE;
  if ((r->g.kid[0] && *asked && strcmp(asked, r->g.app) != 0) || !within_room(r, k))
    return ERR_SCOPE;
  if (strlen(asked) > ACCESS_APP_MAX)
    return ERR_NO_APP;
  snprintf(r->app, sizeof r->app, "%s", r->g.kid[0] ? r->g.app : asked);
  return !r->app[0] || access_app(r->c->access, r->app).exists ? ERR_OK : ERR_NO_APP;
}

/* ---- one request ---- */

static bool split(struct rest *r, const char *path) {
  if (strlen(path) >= sizeof r->path)
    return false;
  memcpy(r->path, path, strlen(path) + 1);
  for (char *p = r->path; p && r->n < PARTS_MAX; r->n++) {
    r->part[r->n] = p;
    p = strchr(p, '/');
    if (p)
      *p++ = '\0';
  }
  return true;
}

static enum err room_of(struct rest *r) {
  char name[HOSTED_NAME_MAX + 1];
  full_name(r, r->part[1], name);
  r->h = hosted_find(r->c, name);
  return r->h ? ERR_OK : ERR_NO_ROOM;
}

static enum err run(struct rest *r, const struct call *k, const struct web_request *q, json_t *reply,
                    const char **why) {
  enum err e = may(r, k);
  if (e == ERR_SCOPE)
    audit_note(r->c->access, &(struct audit_entry){
                                 .action = "rest.refused", .app = r->g.app, .outcome = e, .addr = q->addr});
  if (e == ERR_OK && strcmp(q->method, "POST") == 0) {
    e = json_parse_strict(q->body, q->n, &r->body, why);
    if (e == ERR_OK && !json_is_object(r->body))
      e = ERR_BAD_JSON;
  }
  if (e == ERR_OK && k->room)
    e = room_of(r);
  return e == ERR_OK ? k->run(r, reply, why) : e;
}

static void refuse(struct rest *r, enum err e, const char *why) {
  int retry_ms = e == ERR_RATE || e == ERR_AGAIN || e == ERR_DRAINING ? r->c->retry_ms : 0;
  r->c->retry_ms = 0;
  if (e == ERR_SCOPE)
    web_bearer_refuse(r->c, r->request, 403, "insufficient_scope", "rooms:manage");
  else
    web_refuse(r->c, r->request, e, why, retry_ms);
}

void openapi_get(struct control *c, uint32_t request, const struct web_request *q) {
  (void)q;
  for (const struct web_file *f = WEB_FILES; f->name; f++)
    if (strcmp(f->name, "openapi.json") == 0)
      web_answer(c, request,
                 &(struct web_reply){.status = 200, .type = "application/json", .body = strdup(f->text)});
}

/* Who he is, and what he wants; in his name all of it. */
static void serve(struct rest *r, const struct web_request *q) {
  unsigned others;
  const char *why = NULL;
  const struct call *k = call_of(r, q->method, &others);
  json_t *reply = json_object();
  if (!k && others) {
    web_refuse_method(r->c, r->request, others);
  } else {
    enum err e = !form_only(&r->query, "app", "format", "ticket", NULL) ? ERR_BAD_REQUEST
                 : k                                                    ? run(r, k, q, reply, &why)
                                                                        : ERR_BAD_METHOD;
    if (e == ERR_OK)
      answer(r, k->status, reply);
    else
      refuse(r, e, why);
  }
  json_decref(reply);
}

void rest_ask(struct control *c, uint32_t request, const struct web_request *q) {
  struct rest r = {.c = c, .request = request};
  if (!split(&r, q->path + strlen("/v1/")) || form_parse(q->query, strlen(q->query), &r.query) != ERR_OK)
    web_refuse(c, request, ERR_BAD_REQUEST, NULL, 0);
  else if (who(&r, q)) {
    audit_serve(c->access, r.actor, form_get(&r.query, "ticket"));
    serve(&r, q);
    audit_serve(c->access, NULL, NULL);
  }
  json_decref(r.body);
  form_free(&r.query);
  explicit_bzero(&r.g, sizeof r.g);
}
