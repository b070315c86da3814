/* ctl_audit_file.c: the audit log as a file that anybody can check, and the daily report. */
#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/ctl/ctl_audit.h"
#include "core/wire/json.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char NOTHING_BEFORE[] = "0000000000000000000000000000000000000000000000000000000000000000";

/* ---- export ---- */

struct export {
  FILE *f;
  char chain[AUDIT_HEX];
  json_int_t n;
};

static bool export_one(void *ctx, const json_t *e, int64_t ts_ms) {
  struct export *x = ctx;
  char *line = audit_line(e, x->chain);
  (void)ts_ms;
  bool ok = fprintf(x->f, "%s\n", line) > 0;
  x->n += ok;
  free(line);
  return ok;
}

/* The last line: the checkpoint, when a gaveld is there that signs it. A database alone is exported without.
 */
static int export_sign(struct ctl *c, struct export *x) {
  int rc = EXIT_OK;
  json_t *reply = NULL;
  if (x->n == 0 || c->database)
    return EXIT_OK;
  reply = ctl_ask(c, "audit.export", json_pack("{s:I,s:s}", "n", x->n, "hash", x->chain), &rc);
  json_t *last = reply ? json_pack("{s:s}", "checkpoint", json_str(reply, "checkpoint", "")) : NULL;
  char *line = last ? json_dumps(last, JSON_COMPACT) : NULL;
  if (line)
    fprintf(x->f, "%s\n", line);
  free(line);
  json_decref(last);
  json_decref(reply);
  return rc;
}

static int export_to(struct ctl *c, struct store *s, struct export *x) {
  int rc = audit_each(s, export_one, x) ? export_sign(c, x) : EXIT_REFUSED;
  bool written = fflush(x->f) == 0 && fsync(fileno(x->f)) == 0 && !ferror(x->f);
  if (rc == EXIT_OK && !written)
    rc = ctl_fail(EXIT_REFUSED, "the file could not be written");
  if (rc == EXIT_OK)
    printf("%" PRId64 " entries, the last hash is %s\n", (int64_t)x->n, x->chain);
  return rc;
}

int ctl_audit_export(struct ctl *c, json_t *params) {
  int rc = EXIT_OK;
  struct store *s = audit_db(c, &rc);
  int fd = s ? open(json_str(params, "file", ""), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
  struct export x = {.f = fd >= 0 ? fdopen(fd, "w") : NULL};
  memcpy(x.chain, NOTHING_BEFORE, sizeof x.chain);
  if (x.f)
    rc = export_to(c, s, &x);
  else if (s)
    rc = ctl_fail(EXIT_USAGE, "the file cannot be made, or is there already");
  if (x.f)
    fclose(x.f);
  store_close(s);
  return rc;
}

/* ---- an exported file checked ---- */

static int file_fault(int rc, const char *what, json_int_t line) {
  fprintf(stderr, "gavelctl: line %" PRId64 " of the file: %s\n", (int64_t)line, what);
  return rc;
}

static bool comes_later(FILE *f, json_int_t seq) {
  char *line = NULL;
  size_t cap = 0;
  bool found = false;
  while (!found && getline(&line, &cap, f) > 0) {
    json_t *o = json_loads(line, 0, NULL);
    found = json_int(o, "seq", 0) == seq;
    json_decref(o);
  }
  free(line);
  return found;
}

/* A line that does not follow the one before: its own words, and what comes later, tell why. */
static int file_misfit(FILE *f, const json_t *o, json_int_t line, json_int_t last_seq) {
  char own[AUDIT_HEX];
  const char *prev = json_str(o, "prev", "");
  json_int_t seq = json_int(o, "seq", 0);
  memcpy(own, strlen(prev) == AUDIT_HEX - 1 ? prev : NOTHING_BEFORE, sizeof own);
  if (!audit_line_fits(o, own) || seq == last_seq + 1)
    return file_fault(EXIT_EDITED, "it or the one before it was changed", line);
  if (seq <= last_seq)
    return file_fault(EXIT_INSERTED, "it or the one before it was added", line);
  return comes_later(f, last_seq + 1) ? file_fault(EXIT_SWAPPED, "it stands in another's place", line)
                                      : file_fault(EXIT_DELETED, "one before it is missing", line);
}

static int file_end(const char *note, const char *chain, json_int_t n, const uint8_t *key) {
  struct checkpoint c;
  char hex[AUDIT_HEX];
  if (!note && key)
    return ctl_fail(EXIT_TRUNCATED, "the end of the file, with the checkpoint, is missing");
  if (!note) {
    printf("%" PRId64 " entries follow each other; nothing signs their end\n", (int64_t)n);
    return EXIT_OK;
  }
  if (!checkpoint_read_note(note, &c) || (key && !checkpoint_fits(&c, key)))
    return ctl_fail(EXIT_SIGNATURE, "the signature of the checkpoint is not this key's");
  hex_encode(c.hash, sizeof c.hash, hex);
  if ((uint64_t)n < c.size)
    return ctl_fail(EXIT_TRUNCATED, "the end of the file is missing");
  if (strcmp(hex, chain) != 0 || (uint64_t)n != c.size)
    return ctl_fail(EXIT_RECHAINED, "the chain is not the one that was signed");
  printf("%" PRId64 " entries follow each other%s\n", (int64_t)n,
         key ? " and the checkpoint is signed" : "; say --key to check the signature of the checkpoint");
  return EXIT_OK;
}

int audit_file_verify(const char *path, const uint8_t *key) {
  FILE *f = fopen(path, "re");
  char chain[AUDIT_HEX], *line = NULL;
  size_t cap = 0;
  json_int_t n = 0, at = 0, last_seq = 0;
  json_t *end = NULL;
  int rc = f ? EXIT_OK : ctl_fail(EXIT_USAGE, "the file cannot be read");
  memcpy(chain, NOTHING_BEFORE, sizeof chain);
  while (f && rc == EXIT_OK && getline(&line, &cap, f) > 0) {
    json_t *o = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
    json_int_t seq = json_int(o, "seq", 0);
    at++;
    if (end)
      rc = file_fault(EXIT_INSERTED, "it stands behind the checkpoint", at);
    else if (json_object_get(o, "checkpoint"))
      end = json_incref(o);
    else if (!json_is_object(o))
      rc = file_fault(EXIT_EDITED, "it is no entry", at);
    else if (!audit_line_fits(o, chain) || (last_seq && seq != last_seq + 1))
      rc = file_misfit(f, o, at, last_seq);
    else
      n++, last_seq = seq;
    json_decref(o);
  }
  if (rc == EXIT_OK)
    rc = file_end(json_str(end, "checkpoint", NULL), chain, n, key);
  json_decref(end);
  free(line);
  if (f)
    fclose(f);
  return rc;
}

/* ---- the daily report ---- */

struct ticket {
  char id[64], actor[64];
  int64_t from_ms, to_ms;
};
struct report {
  struct ticket *tickets;
  size_t n_tickets;
  int64_t from_ms, to_ms;
  uint64_t matched, unmatched;
};

static bool ticket_read(char *line, struct report *r) {
  char *cells[4] = {NULL}, *rest = line;
  line[strcspn(line, "\r\n")] = 0;
  for (size_t i = 0; i < 4; i++)
    cells[i] = strsep(&rest, ",");
  if (!*line || (cells[0] && strcmp(cells[0], "ticket") == 0)) /* the heading */
    return true;
  if (!cells[3] || rest || strlen(cells[0]) >= sizeof r->tickets->id ||
      strlen(cells[1]) >= sizeof r->tickets->actor)
    return ctl_fail(EXIT_USAGE, "a line of the tickets is: ticket,actor,from,to") == EXIT_OK;
  r->tickets = realloc(r->tickets, (r->n_tickets + 1) * sizeof *r->tickets);
  if (!r->tickets)
    abort();
  struct ticket *t = &r->tickets[r->n_tickets++];
  *t = (struct ticket){0};
  memcpy(t->id, cells[0], strlen(cells[0]));
  memcpy(t->actor, cells[1], strlen(cells[1]));
  return audit_when(cells[2], &t->from_ms) && audit_when(cells[3], &t->to_ms);
}

static bool tickets_read(const char *path, struct report *r) {
  FILE *f = path ? fopen(path, "re") : NULL;
  char *line = NULL;
  size_t cap = 0;
  if (!path) /* then nothing has one */
    return true;
  bool ok = f || ctl_fail(EXIT_USAGE, "--tickets names a file that can be read") == EXIT_OK;
  while (ok && getline(&line, &cap, f) > 0)
    ok = ticket_read(line, r);
  free(line);
  if (f)
    fclose(f);
  return ok;
}

/* Whoever acts by right of the machine: operators, and who changes the configuration file. */
static bool privileged(const json_t *e) {
  return strncmp(json_str(e, "actor", ""), "operator", 8) == 0 ||
         strcmp(json_str(e, "action", ""), "config.change") == 0;
}

static bool has_ticket(const struct report *r, const json_t *e, int64_t ts_ms) {
  const char *actor = json_str(e, "actor", ""), *ticket = json_str(e, "ticket", ""),
             *colon = strchr(actor, ':');
  for (size_t i = 0; i < r->n_tickets; i++) {
    const struct ticket *t = &r->tickets[i];
    bool who = strcmp(t->actor, actor) == 0 || (colon && strcmp(t->actor, colon + 1) == 0);
    bool which = strcmp(t->id, ticket) == 0 || strcmp(actor, "system") == 0; /* a signal has no ticket */
    if (who && which && ts_ms >= t->from_ms && ts_ms <= t->to_ms)
      return true;
  }
  return false;
}

static void report_line(const json_t *e) {
  static const char *const KEYS[] = {"ts", "actor", "action", "room", "target", "outcome", "ticket"};
  for (size_t i = 0; i < sizeof KEYS / sizeof KEYS[0]; i++) {
    char shown[96];
    text_show(json_str(e, KEYS[i], ""), false, shown, sizeof shown);
    printf("  %s", *shown ? shown : "-");
  }
  puts("");
}

static bool report_one(void *ctx, const json_t *e, int64_t ts_ms) {
  struct report *r = ctx;
  if (ts_ms < r->from_ms || ts_ms >= r->to_ms || !privileged(e))
    return true;
  if (has_ticket(r, e, ts_ms)) {
    r->matched++;
    return true;
  }
  if (r->unmatched++ == 0)
    puts("UNMATCHED");
  report_line(e);
  return true;
}

int ctl_audit_report(struct ctl *c, json_t *params) {
  int rc = EXIT_OK;
  struct report r = {0};
  char today[UTC_MAX];
  utc_text(clock_wall_ms(), today);
  today[UTC_DAY] = 0;
  const char *day = json_str(params, "day", today);
  bool good = audit_when(day, &r.from_ms) && tickets_read(json_str(params, "tickets", NULL), &r);
  r.to_ms = r.from_ms + INT64_C(86400000);
  struct store *s = good ? audit_db(c, &rc) : NULL;
  if (s && audit_each(s, report_one, &r))
    printf("%s: %" PRIu64 " privileged acts with a ticket, %" PRIu64 " without\n", day, r.matched,
           r.unmatched);
  else
    rc = rc ? rc : EXIT_USAGE;
  store_close(s);
  free(r.tickets);
  return rc || !r.unmatched ? rc : ctl_fail(EXIT_REFUSED, err_text(ERR_AUDIT_UNMATCHED));
}
