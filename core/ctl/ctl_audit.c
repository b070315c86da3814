/* ctl_audit.c: the audit log read and checked. */
#include "core/ctl/ctl_audit.h"
#include "core/access/audit_verify.h"
#include "core/base/clock.h"
#include "core/base/ed25519.h"
#include "core/base/text.h"
#include "core/wire/json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CELL 96

struct store *audit_db(struct ctl *c, int *rc) {
  char *path = ctl_database(c, rc);
  struct store *s = path ? ctl_store(c, path, rc) : NULL;
  free(path);
  return s;
}

struct walk {
  bool (*each)(void *ctx, const json_t *entry, int64_t ts_ms);
  void *ctx;
};

static enum err walk_one(void *ctx, const struct store_record *r) {
  struct walk *w = ctx;
  json_t *o = audit_object(r);
  bool more = o && w->each(w->ctx, o, r->ts_ms);
  enum err e = !o ? ERR_DB_CORRUPT : more ? ERR_OK : ERR_EXISTS;
  json_decref(o);
  return e;
}

bool audit_each(struct store *s, bool (*each)(void *ctx, const json_t *entry, int64_t ts_ms), void *ctx) {
  struct walk w = {each, ctx};
  enum err e = store_replay(s, AUDIT_STREAM, 0, walk_one, &w);
  if (e != ERR_OK && e != ERR_EXISTS) /* ERR_EXISTS: it has seen enough */
    ctl_fail(EXIT_CONNECT, "the audit log cannot be read to its end: see gavelctl audit verify");
  return e == ERR_OK || e == ERR_EXISTS;
}

bool audit_when(const char *text, int64_t *ms) {
  static const char UNITS[] = "smhd";
  static const int64_t LENGTHS[] = {1, 60, 3600, 86400};
  char *end;
  long long n = strtoll(text, &end, 10);
  const char *unit = *end ? strchr(UNITS, *end) : NULL;
  if (end != text && unit && end[1] == 0 && n >= 0 && n < 100000000) {
    *ms = clock_wall_ms() - n * LENGTHS[unit - UNITS] * 1000;
    return true;
  }
  return utc_read(text, ms) ||
         ctl_fail(EXIT_USAGE, "a time is 90s, 5m, 2h, 7d ago, 2026-01-31 or 2026-01-31T12:00:00Z") == EXIT_OK;
}

/* ---- names of pseudonyms ---- */

struct names {
  json_t *of;       /* pid -> name */
  const char *find; /* a name to look for */
  char pid[STORE_PID_MAX + 1];
};

static enum err take_name(void *ctx, const char *id, const char *pid, const char *text) {
  struct names *n = ctx;
  json_t *doc = json_loads(text, 0, NULL);
  const char *name = json_str(doc, "user", json_str(doc, "name", NULL)), *app = json_str(doc, "app", NULL);
  char full[256];
  (void)id;
  if (name && *pid) {
    snprintf(full, sizeof full, "%.180s%s%.60s", name, app && !strchr(name, '@') ? "@" : "",
             app && !strchr(name, '@') ? app : "");
    json_object_set_new(n->of, pid, json_string(full));
    if (n->find && (strcmp(full, n->find) == 0 || strcmp(name, n->find) == 0))
      snprintf(n->pid, sizeof n->pid, "%s", pid);
  }
  json_decref(doc);
  return ERR_OK;
}

static bool names_read(struct store *s, struct names *n) {
  static const char *const CLASSES[] = {"account", "user"};
  n->of = json_object();
  for (size_t i = 0; i < sizeof CLASSES / sizeof CLASSES[0]; i++)
    if (store_each_doc(s, CLASSES[i], NULL, take_name, n) != ERR_OK)
      return ctl_fail(EXIT_CONNECT, "the names cannot be read") == EXIT_OK;
  return true;
}

/* ---- query ---- */

struct query {
  const json_t *params;
  struct names names;
  int64_t since_ms, until_ms;
  bool json, named;
};

static bool is_of(const struct query *q, const json_t *e, const char *key) {
  const char *want = json_str(q->params, key, NULL), *is = json_str(e, key, "");
  size_t n = want ? strlen(want) : 0;
  if (want && n > 0 && want[n - 1] == '*')
    return strncmp(want, is, n - 1) == 0;
  return !want || strcmp(want, is) == 0;
}

static bool tells_of(const json_t *e, const char *pid) {
  size_t i;
  json_t *who;
  json_array_foreach(json_object_get(json_object_get(e, "meta"), "who"), i,
                     who) if (strcmp(json_string_value(who) ? json_string_value(who) : "", pid) ==
                              0) return true;
  return strcmp(json_str(e, "actor", ""), pid) == 0 || strcmp(json_str(e, "target", ""), pid) == 0;
}

/* In a column that most words fit; others push the rest of their line. */
static void print_word(const struct query *q, const char *text, int width) {
  char shown[CELL];
  const char *name = q->named ? json_str(q->names.of, text, NULL) : NULL;
  text_show(name ? name : text, false, shown, sizeof shown);
  int pad = width - (int)text_width(*shown ? shown : "-");
  printf(" %s%*s", *shown ? shown : "-", pad > 0 ? pad : 0, "");
}

static void print_entry(const struct query *q, const json_t *e) {
  static const char *const MORE[] = {"app", "net", "ticket"};
  printf("%5" PRId64 " %s", (int64_t)json_int(e, "seq", 0), json_str(e, "ts", ""));
  print_word(q, json_str(e, "actor", ""), 18);
  print_word(q, json_str(e, "action", ""), 16);
  print_word(q, json_str(e, "target", ""), 18);
  print_word(q, json_str(e, "room", ""), 8);
  print_word(q, json_str(e, "outcome", ""), 0);
  for (size_t i = 0; i < sizeof MORE / sizeof MORE[0]; i++) {
    char shown[CELL];
    text_show(json_str(e, MORE[i], ""), false, shown, sizeof shown);
    if (*shown)
      printf(" %s=%s", MORE[i], shown);
  }
  const json_t *meta = json_object_get(e, "meta");
  char *text =
      json_object_size(meta) ? json_dumps(meta, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII) : NULL;
  printf("%s%s\n", text ? " " : "", text ? text : "");
  free(text);
}

static bool query_one(void *ctx, const json_t *e, int64_t ts_ms) {
  const struct query *q = ctx;
  if (ts_ms < q->since_ms || ts_ms > q->until_ms || !is_of(q, e, "actor") || !is_of(q, e, "action") ||
      !is_of(q, e, "room") || !is_of(q, e, "app") || !is_of(q, e, "outcome") ||
      (q->names.pid[0] && !tells_of(e, q->names.pid)))
    return true;
  if (!q->json) {
    print_entry(q, e);
    return true;
  }
  char *line = json_dumps(e, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
  puts(line ? line : "");
  free(line);
  return true;
}

static bool query_read(struct store *s, struct query *q, int *rc) {
  const char *since = json_str(q->params, "since", NULL), *until = json_str(q->params, "until", NULL);
  *rc = EXIT_USAGE;
  if ((since && !audit_when(since, &q->since_ms)) || (until && !audit_when(until, &q->until_ms)))
    return false;
  *rc = EXIT_REFUSED;
  q->names.find = json_str(q->params, "user", NULL);
  if ((q->named || q->names.find) && !names_read(s, &q->names))
    return false;
  if (q->names.find && !q->names.pid[0] && strncmp(q->names.find, "p-", 2) == 0)
    snprintf(q->names.pid, sizeof q->names.pid, "%s", q->names.find);
  if (q->names.find && !q->names.pid[0])
    return ctl_fail(EXIT_REFUSED, "there is no such user") == EXIT_OK;
  return true;
}

int ctl_audit_query(struct ctl *c, json_t *params) {
  int rc = EXIT_OK;
  struct store *s = audit_db(c, &rc);
  struct query q = {
      .params = params, .until_ms = INT64_MAX, .json = c->json, .named = json_flag(params, "names", false)};
  bool good = s && query_read(s, &q, &rc);
  if (good && !c->json)
    puts("  seq ts                       actor              action           target             room     "
         "outcome");
  if (good)
    rc = audit_each(s, query_one, &q) ? EXIT_OK : EXIT_REFUSED;
  store_close(s);
  json_decref(q.names.of);
  return rc;
}

/* ---- verify ---- */

/* The key of the signatures: as it was said, else the database's own. */
static bool key_find(struct store *s, const char *text, uint8_t key[32]) {
  uint8_t secret[32];
  size_t n = sizeof secret;
  if (text)
    return audit_key_read(text, key) ||
           ctl_fail(EXIT_USAGE, "that is not a key as gavelctl audit key prints it") == EXIT_OK;
  if (store_get_secret(s, "audit.key", secret, &n) != ERR_OK || n != sizeof secret)
    return ctl_fail(EXIT_CONNECT, "there is no key of the audit log in this database: say --key") == EXIT_OK;
  ed25519_public(secret, key);
  explicit_bzero(secret, sizeof secret);
  return true;
}

static int verdict(enum err e, const char *why) {
  fprintf(stderr, "gavelctl: %s: %s (%s)\n", err_text(e), why, err_code(e));
  return e >= ERR_AUDIT_EDITED && e <= ERR_AUDIT_SIGNATURE ? EXIT_EDITED + (int)(e - ERR_AUDIT_EDITED)
                                                           : EXIT_CONNECT;
}

/* --anchor, else the anchor file of the gaveld that answers, which may not have begun one yet. */
static bool anchors_read(struct ctl *c, const json_t *params, struct audit_anchors *a) {
  int rc;
  const char *path = json_str(params, "anchor", NULL);
  json_t *reply = path || c->database ? NULL : ctl_ask(c, "audit.key", NULL, &rc);
  const char *file = path ? path : json_str(reply, "anchor", NULL);
  bool read = !file || audit_anchor_file(a, file);
  if (!read)
    fprintf(stderr, "gavelctl: the anchor file %s cannot be read: %s\n", file, strerror(errno));
  if (a->torn > 0)
    fprintf(stderr, "gavelctl: warning: %zu lines of the anchor file are no checkpoints\n", a->torn);
  json_decref(reply);
  return read || !path;
}

static int verify_db(struct ctl *c, struct store *s, const json_t *params, const uint8_t key[32]) {
  struct audit_anchors a = {.key = key};
  uint8_t hash[32];
  uint64_t size = 0;
  char why[256] = "";
  bool readable = anchors_read(c, params, &a);
  enum err e = audit_verify(s, &a, why);
  if (e == ERR_OK)
    e = store_head(s, AUDIT_STREAM, &size, hash);
  if (e == ERR_OK && readable)
    printf("the audit log is whole: its last entry is %" PRIu64 ", %zu checkpoints fit\n", size, a.n);
  free(a.v);
  return e != ERR_OK ? verdict(e, why) : readable ? EXIT_OK : EXIT_USAGE;
}

int ctl_audit_verify(struct ctl *c, json_t *params) {
  int rc = EXIT_OK;
  uint8_t key[32];
  const char *file = json_str(params, "file", NULL), *text = json_str(params, "key", NULL);
  if (file) {
    rc = !text || key_find(NULL, text, key) ? audit_file_verify(file, text ? key : NULL) : EXIT_USAGE;
  } else {
    struct store *s = audit_db(c, &rc);
    if (s)
      rc = key_find(s, text, key) ? verify_db(c, s, params, key) : EXIT_USAGE;
    store_close(s);
  }
  return rc;
}
