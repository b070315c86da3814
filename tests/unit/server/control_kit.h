/* control_kit.h: a control plane without a network: connections that write their own JSON, an operator, and
 * what the media thread was told. */
#ifndef GAVEL_TESTS_CONTROL_KIT_H
#define GAVEL_TESTS_CONTROL_KIT_H

#include "core/base/bytes.h"
#include "core/server/control.h"
#include "core/wire/json.h"
#include "core/wire/sdp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START (1000 * US_PER_S)
#define WALL INT64_C(1700000000000)

struct kit {
  struct rng rng;
  struct store *store;
  struct control *c;
  us_t now;
  struct link host, guest;
  struct media_cmd last,
      cmds[64]; /* what media was told: the last, and the first since n_cmds was set to 0 */
  size_t n_cmds;
  uint8_t addr[16]; /* of the next connection */
  char dir[64], path[96];
};

static inline void on_media(void *ctx, unsigned thread, const struct media_cmd *cmd) {
  struct kit *k = ctx;
  (void)thread;
  k->last = *cmd;
  if (k->n_cmds < sizeof k->cmds / sizeof k->cmds[0])
    k->cmds[k->n_cmds++] = *cmd;
}

static inline void on_want_write(void *ctx, uint32_t conn) {
  (void)ctx;
  (void)conn;
}

static inline void kit_start(struct kit *k) {
  struct control_config c = {.store = k->store,
                             .rng = &k->rng,
                             .media_threads = 1,
                             .media = on_media,
                             .want_write = on_want_write,
                             .limits.waiting_per_address = LIMIT_VALUE_WAITING_ADDRESS,
                             .ctx = k};
  snprintf(c.link.host, sizeof c.link.host, "test.example");
  c.link.port = 443;
  char why[256] = "";
  assert_int_equal(control_create(&c, k->now, WALL + k->now / US_PER_MS, &k->c, why), ERR_OK);
}

static inline struct kit *kit_make(const char *path) {
  static const uint8_t KEY[32] = {7};
  struct kit *k = calloc(1, sizeof *k);
  assert_non_null(k);
  char why[256] = "";
  k->now = START;
  rng_seed(&k->rng, 42);
  snprintf(k->dir, sizeof k->dir, "/tmp/gavel-test-XXXXXX");
  if (path) {
    assert_non_null(mkdtemp(k->dir));
    snprintf(k->path, sizeof k->path, "%s/%s", k->dir, path);
  }
  assert_int_equal(store_open(path ? k->path : ":memory:", KEY, &k->rng, &k->store, why), ERR_OK);
  kit_start(k);
  assert_int_equal(control_room_create(k->c, "den", false, &k->host, &k->guest), ERR_OK);
  control_commit(k->c);
  return k;
}

static inline void kit_free(struct kit *k) {
  control_destroy(k->c);
  store_close(k->store);
  free(k);
}

static inline void tick(struct kit *k, us_t us) {
  k->now += us;
  control_tick(k->c, k->now, WALL + k->now / US_PER_MS);
}

static inline uint32_t open_conn(struct kit *k, bool admin) {
  tick(k, 0);
  return control_open(k->c, admin, admin ? NULL : k->addr);
}

static inline void say(struct kit *k, uint32_t conn, const char *text) {
  tick(k, 0);
  control_message(k->c, conn, text, strlen(text));
  control_commit(k->c);
}

/* The next message as JSON, NULL when none. */
static inline json_t *next(struct kit *k, uint32_t conn) {
  size_t n;
  const char *text = control_next_message(k->c, conn, &n);
  json_t *o = text ? json_loadb(text, n, 0, NULL) : NULL;
  assert_true(!text || o);
  return o;
}

static inline unsigned drain(struct kit *k, uint32_t conn) {
  unsigned n = 0;
  for (json_t *o; (o = next(k, conn)); n++)
    json_decref(o);
  return n;
}

/* The answer to request `id` (0: one without an id) among what waits; the rest is dropped. */
static inline json_t *answer(struct kit *k, uint32_t conn, json_int_t id) {
  json_t *found = NULL, *o;
  while ((o = next(k, conn))) {
    bool is = !json_object_get(o, "method") && json_integer_value(json_object_get(o, "id")) == id;
    if (is && !found)
      found = o;
    else
      json_decref(o);
  }
  return found;
}

/* The code of a refusal, "ok" for a result, "" for no answer. */
static inline const char *code_of(json_t *o, char out[48]) {
  json_t *data = json_object_get(json_object_get(o, "error"), "data");
  const char *code = json_string_value(json_object_get(data, "code"));
  snprintf(out, 48, "%s", code ? code : json_object_get(o, "result") ? "ok" : "");
  json_decref(o);
  return out;
}

static inline void expect(struct kit *k, uint32_t conn, json_int_t id, const char *text, const char *code) {
  char got[48];
  say(k, conn, text);
  assert_string_equal(code_of(answer(k, conn, id), got), code);
}

static inline void join_text(const struct link *l, const char *name, char out[512]) {
  char secret[48];
  b64url_encode(l->secret, sizeof l->secret, secret);
  snprintf(
      out, 512,
      "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"room.join\",\"params\":{\"room\":\"den\",\"name\":\"%s\","
      "\"invite\":\"%s\"}}",
      name, secret);
}

static inline uint32_t join(struct kit *k, const struct link *l, const char *name) {
  uint32_t conn = open_conn(k, false);
  char text[512];
  join_text(l, name, text);
  expect(k, conn, 1, text, "ok");
  return conn;
}

/* A room.join by the guests' link, with an offer of sound; malloc'd. */
static inline char *sound_text(const struct kit *k, const char *room, const char *name) {
  static const uint8_t FINGERPRINT[32] = {1};
  struct sdp_candidate cand = {
      .line = "candidate:1 1 udp 1 10.0.0.1 9 typ host", .address = "10.0.0.1", .port = 9};
  struct sdp_local me = {"abcd", "passwordof24letters00000", FINGERPRINT, 5, &cand, 1, false, 0};
  char secret[48], *offer = sdp_write_offer(&me);
  b64url_encode(k->guest.secret, sizeof k->guest.secret, secret);
  char *text =
      rpc_request(1, "room.join",
                  json_pack("{s:s,s:s,s:s,s:s}", "room", room, "name", name, "invite", secret, "sdp", offer));
  free(offer);
  return text;
}

static inline uint32_t join_with_sound(struct kit *k, const char *name) {
  char *text = sound_text(k, "den", name);
  uint32_t conn = open_conn(k, false);
  expect(k, conn, 1, text, "ok");
  free(text);
  return conn;
}

#define RPC(id, method, params)                                                                              \
  "{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"method\":\"" method "\",\"params\":" params "}"

#endif
