/* privacy_kit.h: a store in a folder that goes away, and who may enter on top of it, on a clock of its own.
 */
#ifndef GAVEL_TESTS_PRIVACY_KIT_H
#define GAVEL_TESTS_PRIVACY_KIT_H

#include "core/access/privacy_private.h"
#include "core/wire/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW_MS INT64_C(1800000000000)
#define ANN "p-00000000000000aa"
#define BOB "p-00000000000000bb"

struct kit {
  char folder[64], path[96], why[256];
  struct store *s;
  struct access_config cfg;
  struct access *a;
  int64_t now_ms;
  const char *said; /* the sentence of the last refusal */
};

static inline void kit_open(struct kit *k) {
  if (store_open(k->path, NULL, rng_system(), &k->s, k->why) != ERR_OK)
    fail_msg("%s", k->why);
  k->cfg.store = k->s;
  k->cfg.rng = rng_system();
  if (access_open(&k->cfg, k->now_ms, &k->a, k->why) != ERR_OK)
    fail_msg("%s", k->why);
}

static inline void kit_close(struct kit *k) {
  access_close(k->a);
  store_close(k->s);
  k->a = NULL;
  k->s = NULL;
}

static inline int kit_setup(void **state) {
  struct kit *k = calloc(1, sizeof *k);
  assert_non_null(k);
  snprintf(k->folder, sizeof k->folder, "/tmp/gavel-privacy-XXXXXX");
  assert_non_null(mkdtemp(k->folder));
  snprintf(k->path, sizeof k->path, "%s/a.db", k->folder);
  k->now_ms = NOW_MS;
  k->cfg = (struct access_config){.audience = "test",
                                  .controller = "The Operator",
                                  .contact = "privacy@example.org",
                                  .quality_days = 30,
                                  .audit_days = 180};
  kit_open(k);
  *state = k;
  return 0;
}

static inline int kit_teardown(void **state) {
  struct kit *k = *state;
  char command[128];
  kit_close(k);
  snprintf(command, sizeof command, "rm -rf '%s'", k->folder);
  assert_int_equal(system(command), 0);
  free(k);
  return 0;
}

static inline void kit_commit(struct kit *k) {
  assert_int_equal(access_error(k->a), ERR_OK);
  assert_int_equal(store_commit(k->s), ERR_OK);
}

/* A method of gavelctl; `params` as JSON. The reply is a new reference. */
static inline enum err kit_call(struct kit *k, const char *method, const char *params, json_t **reply) {
  json_t *p = json_loads(params, 0, NULL), *r = json_object();
  assert_non_null(p);
  k->said = NULL;
  enum err e = access_call(k->a, "operator", method, p, r, &k->said);
  json_decref(p);
  if (reply)
    *reply = r;
  else
    json_decref(r);
  if (e == ERR_OK)
    kit_commit(k);
  return e;
}

static inline void kit_pass(struct kit *k, int64_t ms) {
  for (int64_t end_ms = k->now_ms + ms;
       k->now_ms < end_ms;) { /* a longer step would be a clock that jumped */
    k->now_ms = k->now_ms + DAY_MS < end_ms ? k->now_ms + DAY_MS : end_ms;
    access_tick(k->a, k->now_ms);
    kit_commit(k);
  }
  for (int64_t end_ms = k->now_ms; privacy_next_ms(k->a) < end_ms + 60000;) { /* a sweep takes some ticks */
    access_tick(k->a, privacy_next_ms(k->a));
    kit_commit(k);
  }
}

/* A stay of so many seconds that ends now. */
static inline void kit_visit(struct kit *k, const char *pid, const char *room, int seconds) {
  struct access_visit v = {.pid = pid,
                           .app = "shop",
                           .room = room,
                           .from_ms = k->now_ms - seconds * 1000,
                           .to_ms = k->now_ms,
                           .loss_permille = 12,
                           .jitter_ms = 7,
                           .rtt_ms = 31};
  access_visit(k->a, &v);
  kit_commit(k);
}

static inline size_t kit_docs(struct kit *k, const char *class, const char *pid) {
  json_t *docs = privacy_docs(k->a, class, pid);
  size_t n = json_array_size(docs);
  json_decref(docs);
  return n;
}

/* An event of a room with sealed content. */
static inline void kit_event(struct kit *k, const char *stream, uint64_t seq, const char *kind,
                             const char *pid, const char *text) {
  char payload[200];
  snprintf(payload, sizeof payload, "{\"text\":\"%s\"}", text);
  struct store_record r = {.stream = stream,
                           .seq = seq,
                           .ts_ms = k->now_ms,
                           .actor = "m:1",
                           .kind = kind,
                           .target = "",
                           .data = "{}",
                           .payload = *text ? payload : NULL,
                           .subject = pid};
  assert_int_equal(store_append(k->s, &r), ERR_OK);
  kit_commit(k);
}

/* How many events of a stream are there, and how many still have their content. */
struct kit_left {
  unsigned events, payloads;
};
static inline enum err kit_count(void *ctx, const struct store_record *r) {
  struct kit_left *l = ctx;
  l->events++;
  l->payloads += r->payload != NULL;
  return ERR_OK;
}
static inline struct kit_left kit_left(struct kit *k, const char *stream) {
  struct kit_left l = {0, 0};
  assert_int_equal(store_replay(k->s, stream, 0, kit_count, &l), ERR_OK);
  return l;
}

/* Whether these bytes stand in any file of the folder. */
static inline bool kit_grep(struct kit *k, const char *bytes) {
  char command[256];
  snprintf(command, sizeof command, "grep -rqaF '%s' '%s'", bytes, k->folder);
  return system(command) == 0;
}

#endif
