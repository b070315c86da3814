/* web_kit.h: the HTTP half of a control plane without a network: requests in, replies out, a worker that
 * answers when the test says so, one account. */
#ifndef GAVEL_TESTS_WEB_KIT_H
#define GAVEL_TESTS_WEB_KIT_H

#include "core/auth/password.h"
#include "core/server/shell_kdf.h"
#include "core/server/web.h"
#include "core/wire/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WALL INT64_C(1700000000000)
#define FORM "application/x-www-form-urlencoded"
#define PASSWORD "a quite long password"

struct web_kit {
  struct rng rng;
  struct store *store;
  struct control *c;
  us_t now;
  uint8_t addr[16];
  uint32_t request; /* the last */
  bool answered;    /* its reply is here */
  uint32_t answered_to;
  struct web_reply reply;
  struct kdf_job job; /* the last */
  unsigned jobs;
  bool busy;                  /* the worker's queue is full */
  const char *scope;          /* of the next device, in a form; NULL: it does not say */
  struct media_cmd media[16]; /* what media was told since n_media was set to 0 */
  size_t n_media;
};

static inline void kit_media(void *ctx, unsigned thread, const struct media_cmd *cmd) {
  struct web_kit *k = ctx;
  (void)thread;
  if (k->n_media < sizeof k->media / sizeof k->media[0])
    k->media[k->n_media++] = *cmd;
}
static inline void kit_want_write(void *ctx, uint32_t conn) {
  (void)ctx, (void)conn;
}
static inline void kit_reply(void *ctx, uint32_t request, struct web_reply *r) {
  struct web_kit *k = ctx;
  assert_false(k->answered); /* one answer a request */
  free(k->reply.body);
  k->reply = *r;
  k->answered_to = request;
  k->answered = true;
}
static inline enum err kit_kdf(void *ctx, const struct kdf_job *job) {
  struct web_kit *k = ctx;
  if (k->busy)
    return ERR_BUSY;
  k->job = *job;
  k->jobs++;
  return ERR_OK;
}

static inline void kit_tick(struct web_kit *k, us_t us) {
  k->now += us;
  control_tick(k->c, k->now, WALL + k->now / US_PER_MS);
}

/* As the operator; the result, which has to be one. */
static inline json_t *kit_operate(struct web_kit *k, const char *method, json_t *params) {
  uint32_t conn = control_open(k->c, true, NULL);
  char *text = rpc_request(1, method, params);
  control_message(k->c, conn, text, strlen(text));
  free(text);
  assert_int_equal(control_commit(k->c), ERR_OK);
  size_t n;
  const char *got = control_next_message(k->c, conn, &n);
  assert_non_null(got);
  json_t *o = json_loadb(got, n, 0, NULL), *result = json_object_get(o, "result");
  if (!result)
    fail_msg("%.*s", (int)n, got);
  json_incref(result);
  json_decref(o);
  control_closed(k->c, conn);
  return result;
}

static inline struct web_kit *web_kit_make(const char *contact) {
  static const uint8_t KEY[32] = {7};
  struct web_kit *k = calloc(1, sizeof *k);
  char why[256] = "", phc[PASSWORD_PHC_MAX];
  assert_non_null(k);
  rng_seed(&k->rng, 42);
  k->now = 1000 * US_PER_S;
  k->addr[10] = k->addr[11] = 0xff;
  k->addr[12] = 192, k->addr[13] = 0, k->addr[14] = 2, k->addr[15] = 7;
  assert_int_equal(store_open(":memory:", KEY, &k->rng, &k->store, why), ERR_OK);
  struct control_config c = {.store = k->store,
                             .rng = &k->rng,
                             .media_threads = 1,
                             .media = kit_media,
                             .want_write = kit_want_write,
                             .http_reply = kit_reply,
                             .kdf = kit_kdf,
                             .access = {.audience = "test", .contact = contact, .audit_days = 180},
                             .ctx = k};
  snprintf(c.link.host, sizeof c.link.host, "test.example");
  c.link.port = 8443;
  assert_int_equal(control_create(&c, k->now, WALL + k->now / US_PER_MS, &k->c, why), ERR_OK);
  assert_int_equal(password_hash(PASSWORD, &k->rng, phc), ERR_OK);
  json_decref(kit_operate(k, "account.create", json_pack("{s:s,s:s}", "name", "ann", "phc", phc)));
  return k;
}

static inline void web_kit_free(struct web_kit *k) {
  control_destroy(k->c);
  store_close(k->store);
  free(k->reply.body);
  free(k);
}

/* One request, and the end of its turn. */
static inline void kit_ask_as(struct web_kit *k, const char *method, const char *path, const char *query,
                              const char *body, const char *authorization) {
  struct web_request r = {.face = WEB_PUBLIC,
                          .if_match = "",
                          .method = method,
                          .path = path,
                          .query = query,
                          .type = strcmp(method, "POST") == 0 ? FORM : "",
                          .body = body,
                          .n = strlen(body),
                          .authorization = authorization,
                          .addr = k->addr};
  k->answered = false;
  kit_tick(k, 1);
  control_http(k->c, ++k->request, &r);
  assert_false(k->answered); /* nothing leaves before the commit */
  assert_int_equal(control_commit(k->c), ERR_OK);
  if (k->answered)
    assert_int_equal(k->answered_to, k->request);
}
static inline int kit_get(struct web_kit *k, const char *path, const char *query) {
  kit_ask_as(k, "GET", path, query, "", NULL);
  assert_true(k->answered);
  return k->reply.status;
}
static inline int kit_post(struct web_kit *k, const char *path, const char *body) {
  kit_ask_as(k, "POST", path, "", body, NULL);
  return k->answered ? k->reply.status : 0;
}
static inline bool kit_says(const struct web_kit *k, const char *text) {
  return strstr(k->reply.body, text) != NULL;
}
/* A member of the answer's JSON. */
static inline void kit_json(const struct web_kit *k, const char *key, char out[256]) {
  json_t *o = json_loads(k->reply.body, 0, NULL);
  assert_non_null(o);
  snprintf(out, 256, "%s", json_str(o, key, ""));
  json_decref(o);
}

/* The worker answers. */
static inline int kit_checked(struct web_kit *k, bool right) {
  k->answered = false;
  kit_tick(k, 1);
  control_kdf_done(k->c, k->job.id, right, NULL);
  assert_int_equal(control_commit(k->c), ERR_OK);
  return k->answered ? k->reply.status : 0;
}

/* A device that waits: its codes. */
static inline void kit_device(struct web_kit *k, char device_code[256], char user_code[256]) {
  char body[256];
  snprintf(body, sizeof body, "client_id=gavel&scope=%s", k->scope ? k->scope : "");
  assert_int_equal(kit_post(k, "/oauth/device_authorization", body), 200);
  kit_json(k, "device_code", device_code);
  kit_json(k, "user_code", user_code);
}
static inline int kit_poll(struct web_kit *k, const char *device_code) {
  char body[512];
  snprintf(body, sizeof body,
           "grant_type=urn%%3Aietf%%3Aparams%%3Aoauth%%3Agrant-type%%3Adevice_code&device_code=%s",
           device_code);
  kit_tick(k, 20 * US_PER_S);
  return kit_post(k, "/oauth/token", body);
}
static inline int kit_decide(struct web_kit *k, const char *user_code, const char *code,
                             const char *decision) {
  char body[512];
  snprintf(body, sizeof body,
           "user_code=%s&account=ann&password=a+quite+long%%20password&code=%s&decision=%s", user_code, code,
           decision);
  return kit_post(k, "/device", body);
}
static inline void kit_sign_in(struct web_kit *k, char access[256], char refresh[256]) {
  char device_code[256], user_code[256];
  kit_device(k, device_code, user_code);
  assert_int_equal(kit_decide(k, user_code, "", "approve"), 0);
  assert_int_equal(kit_checked(k, true), 200);
  assert_int_equal(kit_poll(k, device_code), 200);
  kit_json(k, "access_token", access);
  kit_json(k, "refresh_token", refresh);
}

#endif
