/* ctl_audit.c: the audit log read and checked. */
#include "core/ctl/ctl_audit.h"
#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/wire/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CELL 96

struct store *audit_db(struct ctl *c, int *rc) {
  char why[256] = "", *path = ctl_database(c, rc);
  struct store *s = NULL;
  if (path && store_open_read(path, &s, why) != ERR_OK) {
    *rc = ctl_fail(EXIT_CONNECT, why);
    s = NULL;
  }
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
  static const char *const FORMS[] = {"%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%MZ", "%Y-%m-%d"};
  static const char UNITS[] = "smhd";
  static const int64_t LENGTHS[] = {1, 60, 3600, 86400};
  char *end;
  long long n = strtoll(text, &end, 10);
  const char *unit = *end ? strchr(UNITS, *end) : NULL;
  if (end != text && unit && end[1] == 0 && n >= 0 && n < 100000000) {
    *ms = clock_wall_ms() - n * LENGTHS[unit - UNITS] * 1000;
    return true;
  }
  for (size_t i = 0; i < sizeof FORMS / sizeof FORMS[0]; i++) {
    struct tm tm = {0};
    const char *rest = strptime(text, FORMS[i], &tm);
    if (rest && *rest == 0) {
      *ms = (int64_t)timegm(&tm) * 1000;
      return true;
    }
  }
  ctl_fail(EXIT_USAGE, "a time is 90, 5m, 2h, 7d ago, 2026-01-31 or 2026-01-31T12:00:00Z");
  return false;
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

static void print_word(const struct query *q, const char *text) {
  char shown[CELL];
  const char *name = q->named ? json_str(q->names.of, text, NULL) : NULL;
  text_show(name ? name : text, false, shown, sizeof shown);
  printf(" %s", *shown ? shown : "-");
}

static void print_entry(const struct query *q, const json_t *e) {
  static const char *const MORE[] = {"app", "net", "ticket"};
  printf("%" PRId64 " %s", (int64_t)json_int(e, "seq", 0), json_str(e, "ts", ""));
  print_word(q, json_str(e, "actor", ""));
  print_word(q, json_str(e, "action", ""));
  print_word(q, json_str(e, "target", ""));
  print_word(q, json_str(e, "room", ""));
  print_word(q, json_str(e, "outcome", ""));
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

static bool query_read(struct store *s, struct query *q) {
  const char *since = json_str(q->params, "since", NULL), *until = json_str(q->params, "until", NULL);
  if ((since && !audit_when(since, &q->since_ms)) || (until && !audit_when(until, &q->until_ms)))
    return false;
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
  if (s && (!query_read(s, &q) || !audit_each(s, query_one, &q)))
    rc = EXIT_REFUSED;
  store_close(s);
  json_decref(q.names.of);
  return rc;
}

/* ---- verify ---- */

struct anchors {
  struct store_anchor *v;
  size_t n, bad;
  const uint8_t *key;
  uint64_t first_bad;
};

static void anchor_add(struct anchors *a, const char *line) {
  struct checkpoint c;
  if (!checkpoint_read_line(line, &c) || !checkpoint_fits(&c, a->key)) {
    a->first_bad = a->bad++ ? a->first_bad : c.size;
    return;
  }
  a->v = realloc(a->v, (a->n + 1) * sizeof *a->v);
  if (!a->v)
    abort();
  a->v[a->n] = (struct store_anchor){.seq = c.size};
  memcpy(a->v[a->n++].hash, c.hash, sizeof c.hash);
}

static enum err anchor_entry(void *ctx, const struct store_record *r) {
  if (strcmp(r->kind, "audit.checkpoint") == 0) {
    json_t *data = json_loads(r->data, 0, NULL);
    anchor_add(ctx, json_str(json_object_get(data, "meta"), "checkpoint", ""));
    json_decref(data);
  }
  return ERR_OK;
}

static bool anchor_file(struct anchors *a, const char *path) {
  FILE *f = fopen(path, "re");
  char *line = NULL;
  size_t cap = 0;
  if (!f)
    return ctl_fail(EXIT_USAGE, "the anchor file cannot be read") == EXIT_OK;
  while (getline(&line, &cap, f) > 0)
    anchor_add(a, line);
  free(line);
  fclose(f);
  return true;
}

static int by_seq(const void *a, const void *b) {
  uint64_t x = ((const struct store_anchor *)a)->seq, y = ((const struct store_anchor *)b)->seq;
  return x < y ? -1 : x > y;
}

/* The key of the signatures: as it was said, else the database's own. */
static bool key_find(struct store *s, const char *text, uint8_t key[32]) {
  uint8_t secret[32];
  size_t n = sizeof secret;
  if (text)
    return audit_key_read(text, key) ||
           ctl_fail(EXIT_USAGE, "that is not a key as gavelctl audit key prints it") == EXIT_OK;
  if (store_get_secret(s, "audit.key", secret, &n) != ERR_OK || n != sizeof secret)
    return ctl_fail(EXIT_CONNECT, "there is no key of the audit log in this database: say --key") == EXIT_OK;
  audit_public(secret, key);
  explicit_bzero(secret, sizeof secret);
  return true;
}

static int verdict(enum err e, const struct anchors *a, uint64_t size, const char *why) {
  if (e == ERR_OK && a->bad) {
    fprintf(stderr, "gavelctl: the signature of a checkpoint (of entry %" PRIu64 ") is not this key's\n",
            a->first_bad);
    return EXIT_SIGNATURE;
  }
  if (e == ERR_OK) {
    printf("the audit log is whole: its last entry is %" PRIu64 ", %zu checkpoints fit\n", size, a->n);
    return EXIT_OK;
  }
  fprintf(stderr, "gavelctl: %s: %s (%s)\n", err_text(e), why, err_code(e));
  return e >= ERR_AUDIT_EDITED && e <= ERR_AUDIT_RECHAINED ? EXIT_EDITED + (int)(e - ERR_AUDIT_EDITED)
                                                           : EXIT_CONNECT;
}

static int verify_db(struct store *s, const json_t *params, const uint8_t key[32]) {
  struct anchors a = {.key = key};
  uint8_t hash[32];
  uint64_t size = 0;
  char why[256] = "";
  const char *path = json_str(params, "anchor", NULL);
  bool readable = !path || anchor_file(&a, path);
  /* A log that was tampered with is read as far as it goes: what is wrong with it is said below. */
  enum err e = store_replay(s, AUDIT_STREAM, 0, anchor_entry, &a);
  if (a.n)
    qsort(a.v, a.n, sizeof *a.v, by_seq);
  e = store_verify_stream(s, AUDIT_STREAM, a.v, a.n, why);
  if (e == ERR_OK)
    e = store_head(s, AUDIT_STREAM, &size, hash);
  int rc = readable ? verdict(e, &a, size, why) : EXIT_USAGE;
  free(a.v);
  return rc;
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
      rc = key_find(s, text, key) ? verify_db(s, params, key) : EXIT_USAGE;
    store_close(s);
  }
  return rc;
}
