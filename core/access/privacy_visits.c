/* privacy_visits.c: who was where how long with what quality: identified for a while, then a number of
 * nobody.
 *
 * The id of a visit begins with the hour of its end, so that those whose time is over come first. */
#include "core/access/privacy_private.h"
#include "core/wire/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void hour_id(int64_t ms, char out[12]) {
  snprintf(out, 12, "%010u", (unsigned)(ms > 0 ? ms / HOUR_MS : 0));
}

static void visit_id(struct access *a, int64_t to_ms, char out[32]) {
  char hour[12], chance[17];
  hour_id(to_ms, hour);
  id_new(a, chance);
  snprintf(out, 32, "%s-%s", hour, chance);
}

/* Who knows when somebody came and went must not find his row by it: hours and minutes. */
static void blur(json_t *doc) {
  static const char *const KEYS[] = {"from_ms", "to_ms", "seconds"};
  for (size_t i = 0; i < 3; i++) {
    json_int_t v = json_int(doc, KEYS[i], 0);
    json_object_set_new(doc, KEYS[i], json_integer(i < 2 ? v / HOUR_MS * HOUR_MS : (v + 30) / 60 * 60));
  }
}

/* Takes the reference. */
static size_t to_nobody(struct access *a, json_t *docs) {
  char id[32];
  json_t *d;
  size_t i, n = json_array_size(docs);
  json_array_foreach(docs, i, d) {
    json_t *doc = json_object_get(d, "doc");
    visit_id(a, json_int(doc, "to_ms", 0), id); /* a new one: nothing leads back */
    blur(doc);
    doc_del(a, "visit", json_str(d, "id", ""));
    doc_put(a, "usage", id, "", json_incref(doc));
  }
  json_decref(docs);
  return n;
}

void access_visit(struct access *a, const struct access_visit *v) {
  char id[32];
  if (v->to_ms < v->from_ms)
    return;
  visit_id(a, v->to_ms, id);
  json_t *doc =
      json_pack("{s:s,s:s,s:I,s:I,s:I}", "app", v->app, "room", v->room, "from_ms", (json_int_t)v->from_ms,
                "to_ms", (json_int_t)v->to_ms, "seconds", (json_int_t)((v->to_ms - v->from_ms + 500) / 1000));
  const struct {
    const char *key;
    uint32_t n;
  } LINE[] = {{"loss_permille", v->loss_permille},
              {"jitter_ms", v->jitter_ms},
              {"rtt_ms", v->rtt_ms},
              {"burst_ms", v->burst_ms},
              {"concealed_permille", v->concealed_permille},
              {"frozen_permille", v->frozen_permille},
              {"mos_tenths", v->mos_tenths},
              {"kbps", v->kbps},
              {"join_ms", v->join_ms}};
  for (size_t i = 0; i < sizeof LINE / sizeof LINE[0]; i++)
    json_object_set_new(doc, LINE[i].key, json_integer(LINE[i].n));
  bool known = v->pid && *v->pid; /* without: a number of nobody from the beginning */
  if (!known)
    blur(doc);
  doc_put(a, known ? "visit" : "usage", id, known ? v->pid : "", doc);
}

size_t visits_anonymise(struct access *a, const char *pid) {
  return to_nobody(a, privacy_docs(a, "visit", pid));
}

size_t visits_age(struct access *a, int64_t before_ms) {
  char before[12];
  hour_id(before_ms, before);
  return to_nobody(a, privacy_docs_some(a, "visit", before, SWEEP_MOST));
}

size_t visits_drop(struct access *a) {
  char before[12];
  hour_id(a->wall_ms - USAGE_MS, before);
  json_t *docs = privacy_docs_some(a, "usage", before, SWEEP_MOST), *d;
  size_t i, n = json_array_size(docs);
  json_array_foreach(docs, i, d) doc_del(a, "usage", json_str(d, "id", ""));
  json_decref(docs);
  return n;
}

struct row {
  int64_t to_ms;
  json_t *doc;
};
static int by_end(const void *a, const void *b) {
  int64_t x = ((const struct row *)a)->to_ms, y = ((const struct row *)b)->to_ms;
  return (x > y) - (x < y);
}

/* Of nobody's stay only the hour is known: it may have ended late in it. */
static bool is_of(const json_t *d, const char *app, const char *room, int64_t since_ms) {
  const json_t *doc = json_object_get(d, "doc");
  int64_t from_ms = *json_str(d, "pid", "") ? since_ms : since_ms / HOUR_MS * HOUR_MS;
  return strcmp(json_str(doc, "app", ""), app) == 0 && strcmp(json_str(doc, "room", ""), room) == 0 &&
         json_int(doc, "to_ms", 0) >= from_ms;
}

json_t *access_visits(struct access *a, const char *app, const char *room, int64_t since_ms) {
  json_t *docs = privacy_docs(a, "usage", NULL), *visits = privacy_docs(a, "visit", NULL), *d,
         *list = json_array();
  json_array_extend(docs, visits);
  json_decref(visits);
  size_t i, n = 0;
  struct row *rows = malloc((json_array_size(docs) + 1) * sizeof *rows);
  if (!rows)
    abort();
  json_array_foreach(docs, i, d) if (is_of(d, app, room, since_ms)) {
    json_t *doc = json_object_get(d, "doc");
    rows[n++] = (struct row){json_int(doc, "to_ms", 0), doc};
  }
  qsort(rows, n, sizeof *rows, by_end);
  for (i = n > ACCESS_VISITS_MAX ? n - ACCESS_VISITS_MAX : 0; i < n; i++)
    json_array_append(list, rows[i].doc);
  free(rows);
  json_decref(docs);
  return list;
}

static void count(json_t *by_room, const json_t *doc) {
  char key[300];
  snprintf(key, sizeof key, "%s\n%s", json_str(doc, "app", ""), json_str(doc, "room", ""));
  json_t *row = json_object_get(by_room, key);
  if (!row) {
    row = json_pack("{s:O,s:O,s:i,s:i}", "app", json_object_get(doc, "app"), "room",
                    json_object_get(doc, "room"), "visits", 0, "seconds", 0);
    json_object_set_new(by_room, key, row);
  }
  json_object_set_new(row, "visits", json_integer(json_int(row, "visits", 0) + 1));
  json_object_set_new(row, "seconds",
                      json_integer(json_int(row, "seconds", 0) + json_int(doc, "seconds", 0)));
}

json_t *visits_metering(struct access *a, const char *app) {
  static const char *const CLASSES[] = {"visit", "usage"};
  json_t *by_room = json_object(), *rows = json_array(), *d;
  size_t i;
  for (size_t c = 0; c < 2; c++) {
    json_t *docs = privacy_docs(a, CLASSES[c], NULL);
    json_array_foreach(docs, i, d) {
      const json_t *doc = json_object_get(d, "doc");
      if (!app || strcmp(json_str(doc, "app", ""), app) == 0)
        count(by_room, doc);
    }
    json_decref(docs);
  }
  const char *key;
  json_object_foreach(by_room, key, d) json_array_append(rows, d);
  json_decref(by_room);
  return rows;
}
