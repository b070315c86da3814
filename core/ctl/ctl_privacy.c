/* ctl_privacy.c: gavelctl privacy export and schema, and gavelctl metering. */
#include "core/ctl/ctl_privacy.h"
#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/utc.h"
#include "core/ctl/ctl.h"
#include "core/wire/json.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const struct copy_file COPY_FILES[] = {
    {"profile.json", 'o', "who he is here",
     "pid, user, app, name, since, seen, account, account_since, scopes, second_factor, "
     "restricted, restricted_since"},
    {"consents.json", 'a', "what he agreed to, and what he withdrew",
     "purpose, text_version, text_sha256, method, at, withdrawn_at"},
    {"sessions.json", 'a', "his sign-ins that are kept",
     "id, client, mfa, scopes, made, seen, token_until, network"},
    {"participations.json", 'a', "when he came and went", "at, room, what, name, client, user"},
    {"chat_sent.jsonl", 'l', "messages he wrote", "at, room, what, to, text"},
    {"hands_polls.json", 'a', "hands he raised, polls he opened or voted in",
     "at, room, what, on, answer, text"},
    {"moderation_received.json", 'a', "what others did to him", "at, room, what, by, reason"},
    {"moderation_performed.json", 'a', "what he did in rooms", "at, room, what, to, text"},
    {"qoe.csv", 'c', "his stays and the quality of his line",
     "app, room, from, to, seconds, loss_permille, jitter_ms, rtt_ms, burst_ms, concealed_permille, "
     "frozen_permille, mos_tenths, kbps, join_ms"},
    {"audit_subject.jsonl", 'l', "lines of the audit log about him",
     "at, actor, action, target, outcome, room"},
    {"bans.json", 'a', "bans against him", "at, room, what, by, name, reason"},
    {"tokens.json", 'a', "tokens he came with: ids only", "kid, jti"},
    {NULL, 0, NULL, NULL}};

void copy_add(struct copy *c, const char *file, json_t *record) {
  json_t *list = json_object_get(c->files, file);
  if (!list) {
    list = json_array();
    json_object_set_new(c->files, file, list);
  }
  json_array_append_new(list, record);
}

json_t *copy_time(int64_t ms) {
  char text[UTC_MAX];
  utc_text(ms, text);
  return ms > 0 ? json_string(text) : json_null();
}

/* ---- documents ---- */

/* Which field of which class goes where under what name; a field that is not here stays in the database. */
static const struct field {
  const char *class, *key, *file, *name;
  bool time; /* in ms; those of the list end so */
} FIELDS[] = {
    {"user", "user", "profile.json", "user", false},
    {"user", "app", "profile.json", "app", false},
    {"user", "since", "profile.json", "since", true},
    {"user", "seen", "profile.json", "seen", true},
    {"user", "kid", "tokens.json", "kid", false},
    {"user", "jti", "tokens.json", "jti", false},
    {"profile", "name", "profile.json", "name", false},
    {"restriction", "reason", "profile.json", "restricted", false},
    {"restriction", "since_ms", "profile.json", "restricted_since", true},
    {"account", "name", "profile.json", "account", false},
    {"account", "made", "profile.json", "account_since", true},
    {"account", "scopes", "profile.json", "scopes", false},
    {"account", "totp", "profile.json", "second_factor", false},
    {"session", "", "sessions.json", "id", false}, /* of the document itself */
    {"session", "client", "sessions.json", "client", false},
    {"session", "mfa", "sessions.json", "mfa", false},
    {"session", "scopes", "sessions.json", "scopes", false},
    {"session", "made", "sessions.json", "made", true},
    {"session", "used", "sessions.json", "seen", true},
    {"session", "until", "sessions.json", "token_until", true},
    {"session", "network", "sessions.json", "network", false},
    {"consent", "purpose", "consents.json", "purpose", false},
    {"consent", "text_version", "consents.json", "text_version", false},
    {"consent", "text_sha256", "consents.json", "text_sha256", false},
    {"consent", "method", "consents.json", "method", false},
    {"consent", "at_ms", "consents.json", "at", true},
    {"consent", "withdrawn_ms", "consents.json", "withdrawn_at", true},
    {"visit", "app", "qoe.csv", "app", false},
    {"visit", "room", "qoe.csv", "room", false},
    {"visit", "from_ms", "qoe.csv", "from", true},
    {"visit", "to_ms", "qoe.csv", "to", true},
    {"visit", "seconds", "qoe.csv", "seconds", false},
    {"visit", "loss_permille", "qoe.csv", "loss_permille", false},
    {"visit", "jitter_ms", "qoe.csv", "jitter_ms", false},
    {"visit", "rtt_ms", "qoe.csv", "rtt_ms", false},
    {"visit", "burst_ms", "qoe.csv", "burst_ms", false},
    {"visit", "concealed_permille", "qoe.csv", "concealed_permille", false},
    {"visit", "frozen_permille", "qoe.csv", "frozen_permille", false},
    {"visit", "mos_tenths", "qoe.csv", "mos_tenths", false},
    {"visit", "kbps", "qoe.csv", "kbps", false},
    {"visit", "join_ms", "qoe.csv", "join_ms", false},
};

struct docs {
  struct copy *c;
  const char *class;
};
static enum err take_doc(void *ctx, const char *id, const char *pid, const char *text) {
  struct docs *d = ctx;
  json_t *doc = json_loads(text, 0, NULL), *records = json_object(), *record;
  (void)pid;
  json_object_set_new(doc, "", json_string(id));
  for (size_t i = 0; i < sizeof FIELDS / sizeof FIELDS[0]; i++) {
    const struct field *f = &FIELDS[i];
    json_t *value = strcmp(f->class, d->class) == 0 ? json_object_get(doc, f->key) : NULL;
    if (!value || (json_is_string(value) && json_string_length(value) == 0))
      continue;
    if (!json_object_get(records, f->file))
      json_object_set_new(records, f->file, json_object());
    json_t *shown = strcmp(f->name, "second_factor") == 0 ? json_true()
                    : f->time                             ? copy_time(json_integer_value(value))
                                                          : json_incref(value);
    json_object_set_new(json_object_get(records, f->file), f->name, shown);
  }
  const char *file;
  json_object_foreach(records, file, record) copy_add(d->c, file, json_incref(record));
  json_decref(records);
  json_decref(doc);
  return ERR_OK;
}

static enum err copy_docs(struct copy *c) {
  enum err e = ERR_OK;
  copy_add(c, "profile.json", json_pack("{s:s}", "pid", c->pid));
  for (size_t i = 0; e == ERR_OK && i < sizeof FIELDS / sizeof FIELDS[0]; i++) {
    struct docs d = {c, FIELDS[i].class};
    if (i == 0 || strcmp(FIELDS[i].class, FIELDS[i - 1].class) != 0)
      e = store_each_doc(c->store, d.class, c->pid, take_doc, &d);
  }
  return e;
}

/* ---- files ---- */

static void csv_field(FILE *f, const json_t *v) {
  const char *text = json_string_value(v);
  if (json_is_integer(v))
    fprintf(f, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
  else if (text && strpbrk(text, ",\"\r\n")) {
    fputc('"', f);
    for (; *text; text++)
      fprintf(f, *text == '"' ? "\"\"" : "%c", *text);
    fputc('"', f);
  } else
    fputs(text ? text : "", f);
}

/* RFC 4180, the columns as the list of fields says. */
static void csv(FILE *f, const json_t *list, const char *fields) {
  const json_t *row;
  char columns[256], *rest = NULL;
  size_t i;
  for (const char *p = fields; *p; p++)
    if (*p != ' ')
      fputc(*p, f);
  fputs("\r\n", f);
  json_array_foreach((json_t *)(uintptr_t)list, i, row) {
    snprintf(columns, sizeof columns, "%s", fields);
    for (char *k = strtok_r(columns, ", ", &rest), *first = k; k; k = strtok_r(NULL, ", ", &rest)) {
      fputs(k == first ? "" : ",", f);
      csv_field(f, json_object_get(row, k));
    }
    fputs("\r\n", f);
  }
}

static char *file_text(const struct copy_file *cf, json_t *list) {
  char *text = NULL;
  size_t n = 0, i;
  FILE *f = open_memstream(&text, &n);
  json_t *row, *one = cf->kind == 'o' ? json_object() : NULL;
  if (!f)
    abort();
  json_array_foreach(list, i, row) {
    if (cf->kind == 'l')
      json_dumpf(row, f, JSON_COMPACT), fputc('\n', f);
    if (one)
      json_object_update(one, row);
  }
  if (cf->kind == 'c')
    csv(f, list, cf->fields);
  else if (cf->kind != 'l')
    json_dumpf(one ? one : list, f, JSON_INDENT(2)), fputc('\n', f);
  json_decref(one);
  fclose(f);
  return text;
}

static bool write_file(int dir, const char *name, const char *text) {
  int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  bool ok = fd >= 0 && ctl_write_all(fd, text, strlen(text)) && fsync(fd) == 0;
  if (fd >= 0)
    close(fd);
  return ok;
}

static json_t *withheld(void) {
  return json_pack("[{s:s,s:s},{s:s,s:s},{s:s,s:s},{s:s,s:s}]", "what",
                   "names, texts and pseudonyms of other people: they are participant-1, -2, ...", "why",
                   "rights of others, Art. 15(4) GDPR", "what", "private messages he received", "why",
                   "they are the data of who wrote them, Art. 15(4) GDPR", "what",
                   "password hashes, authenticator secrets, recovery codes, token secrets", "why",
                   "security of processing, Art. 32 GDPR", "what",
                   "notes of hosts, and reasons of acts on others or on several people", "why",
                   "rights of others, Art. 15(4) GDPR; the reason of an act on him alone is included");
}

static json_t *retention_of(const json_t *records) {
  json_t *out = json_object(), *r;
  size_t i;
  json_array_foreach((json_t *)(uintptr_t)records, i, r)
      json_object_set(out, json_str(r, "name", "?"), json_object_get(r, "retention"));
  return out;
}

/* Every file, then the manifest that describes them. */
static bool write_all(struct copy *c, int dir, const json_t *about, const json_t *records) {
  json_t *files = json_array();
  bool ok = true;
  for (const struct copy_file *cf = COPY_FILES; ok && cf->name; cf++) {
    uint8_t hash[32];
    char hex[65];
    json_t *list = json_object_get(c->files, cf->name), *none = json_array();
    char *text = file_text(cf, list ? list : none);
    sha256(text, strlen(text), hash);
    hex_encode(hash, sizeof hash, hex);
    json_array_append_new(files, json_pack("{s:s,s:s,s:I,s:s}", "path", cf->name, "sha256", hex, "records",
                                           (json_int_t)json_array_size(list), "description", cf->holds));
    ok = write_file(dir, cf->name, text);
    explicit_bzero(text, strlen(text));
    free(text);
    json_decref(none);
  }
  json_t *m =
      json_pack("{s:s,s:s,s:o,s:s,s:{s:s,s:s},s:s,s:o,s:o,s:o,s:[s]}", "format", "gavel-export",
                "formatVersion", "1.0", "exportedAt", copy_time(clock_wall_ms()), "subject", c->pid,
                "controller", "name", json_str(about, "controller", ""), "contact",
                json_str(about, "contact", ""), "generator", "gavelctl " GAVEL_VERSION, "files", files,
                "retention", retention_of(records), "withheld", withheld(), "recipients",
                "the people who were in the same rooms, while they were there; the operator of this server");
  char *text = json_dumps(m, JSON_INDENT(2));
  ok = ok && text && write_file(dir, "manifest.json", text);
  free(text);
  json_decref(m);
  return ok;
}

/* ---- who ---- */

struct wanted {
  const char *user;
  char *pid;
};
static enum err match_user(void *ctx, const char *id, const char *pid, const char *text) {
  struct wanted *w = ctx;
  json_t *doc = json_loads(text, 0, NULL);
  (void)id;
  if (strcmp(json_str(doc, "user", json_str(doc, "name", "")), w->user) == 0)
    snprintf(w->pid, ACCESS_PID_MAX + 1, "%s", pid);
  json_decref(doc);
  return ERR_OK;
}

static bool find_pid(struct copy *c, const char *user) {
  struct wanted w = {user, c->pid};
  bool has = false;
  if (strncmp(user, "p-", 2) == 0 && strlen(user) == ACCESS_PID_MAX &&
      store_has_subject(c->store, user, &has) == ERR_OK && has)
    snprintf(c->pid, sizeof c->pid, "%s", user);
  return c->pid[0] ||
         (store_each_doc(c->store, "user", NULL, match_user, &w) == ERR_OK &&
          (c->pid[0] || store_each_doc(c->store, "account", NULL, match_user, &w) == ERR_OK) && c->pid[0]);
}

/* ---- the verbs ---- */

static int export_to(struct ctl *c, struct copy *copy, const char *folder, const json_t *about,
                     const json_t *records) {
  enum err e = copy_docs(copy);
  if (e == ERR_OK)
    e = copy_logs(copy);
  if (e != ERR_OK)
    return ctl_fail(EXIT_REFUSED, err_text(e));
  int dir = mkdir(folder, 0700) == 0 ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
  bool ok = dir >= 0 && write_all(copy, dir, about, records);
  if (!ok)
    fprintf(stderr, "gavelctl: %s: %s\n", folder, strerror(errno));
  if (dir >= 0)
    close(dir);
  if (ok && !c->json)
    printf("exported %s to %s\n", copy->pid, folder);
  else if (ok)
    printf("{\"subject\": \"%s\", \"folder\": \"%s\"}\n", copy->pid, folder);
  return ok ? EXIT_OK : EXIT_REFUSED;
}

static int export_user(struct ctl *c, const char *path, const char *user, const char *folder) {
  int rc = EXIT_OK;
  struct copy copy = {
      .files = json_object(), .aliases = json_object(), .people = json_object(), .mine = json_object()};
  /* The running gaveld audits it before anything is written; of a file alone nobody can. */
  json_t *about =
      c->database ? json_object() : ctl_ask(c, "privacy.exported", json_pack("{s:s}", "user", user), &rc);
  json_t *reply = about && !c->database ? ctl_ask(c, "privacy.records", NULL, &rc) : NULL;
  copy.store = rc == EXIT_OK ? ctl_store(c, path, &rc) : NULL;
  if (rc == EXIT_OK && !find_pid(&copy, json_str(about, "pid", user)))
    rc = ctl_fail(EXIT_REFUSED, err_text(ERR_NO_USER));
  if (rc == EXIT_OK)
    rc = export_to(c, &copy, folder, about, json_object_get(reply, "records"));
  if (rc == EXIT_OK && c->database)
    fputs("gavelctl: no gaveld was asked: note this export in your records yourself\n", stderr);
  store_close(copy.store);
  json_decref(copy.files);
  json_decref(copy.aliases);
  json_decref(copy.people);
  json_decref(copy.mine);
  json_decref(about);
  json_decref(reply);
  return rc;
}

int ctl_privacy_export(struct ctl *c, json_t *params) {
  int rc = EXIT_USAGE;
  const char *folder = json_str(params, "to", NULL);
  char *path = folder ? ctl_database(c, &rc) : NULL;
  if (!folder)
    rc = ctl_fail(EXIT_USAGE, "privacy export USER --to=FOLDER: a folder that does not exist yet");
  if (path)
    rc = export_user(c, path, json_str(params, "user", ""), folder);
  free(path);
  return rc;
}

int ctl_privacy_schema(struct ctl *c, json_t *params) {
  (void)params;
  json_t *all = json_object();
  for (const struct copy_file *cf = COPY_FILES; cf->name; cf++) {
    if (!c->json)
      printf("%-26s %s\n%-26s %s\n", cf->name, cf->holds, "", cf->fields);
    json_object_set_new(all, cf->name,
                        json_pack("{s:s,s:s}", "description", cf->holds, "fields", cf->fields));
  }
  if (c->json)
    ctl_print_json(all);
  else
    puts("manifest.json              format, formatVersion, exportedAt, subject, controller, generator,\n"
         "                           files (path, sha256, records, description), retention, recipients, "
         "withheld\n"
         "Times are RFC 3339 in UTC, spans whole seconds; others are participant-N, the same N all through.");
  json_decref(all);
  return EXIT_OK;
}

int ctl_metering(struct ctl *c, json_t *params) {
  int rc = EXIT_OK;
  bool as_csv = json_flag(params, "csv", false);
  json_object_del(params, "csv");
  json_t *reply = ctl_ask(c, "metering.list", json_incref(params), &rc);
  if (!reply)
    return rc;
  if (as_csv)
    csv(stdout, json_object_get(reply, "metering"), "app, room, visits, seconds");
  else
    ctl_print(c, reply);
  json_decref(reply);
  return EXIT_OK;
}
