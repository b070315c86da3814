/* The audit log: what an entry holds, refusals that repeat, checkpoints, pruning by an injected clock. */
#include "core/access/access_private.h"
#include "core/access/audit_verify.h"
#include "core/base/bytes.h"
#include "core/base/log.h"
#include "core/wire/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define T0 INT64_C(1767225600000) /* 2026-01-01 */
#define DAY INT64_C(86400000)
#define HOUR INT64_C(3600000)

struct kit {
  struct rng rng;
  struct store *store;
  struct access *a;
  json_t *seen; /* the entries, see entries() */
  char anchors[64];
};

static void kit_access(struct kit *k, int64_t wall_ms) {
  struct access_config c = {
      .store = k->store, .rng = &k->rng, .audience = "test", .audit_days = 180, .anchor_file = k->anchors};
  char why[256] = "";
  assert_int_equal(access_open(&c, wall_ms, &k->a, why), ERR_OK);
  assert_int_equal(store_commit(k->store), ERR_OK);
}

static int setup(void **state) {
  static const uint8_t KEY[32] = {9};
  struct kit *k = calloc(1, sizeof *k);
  char why[256] = "";
  rng_seed(&k->rng, 7);
  snprintf(k->anchors, sizeof k->anchors, "/tmp/gavel-anchor-XXXXXX");
  int fd = mkstemp(k->anchors);
  assert_true(fd >= 0);
  close(fd);
  assert_int_equal(store_open(":memory:", KEY, &k->rng, &k->store, why), ERR_OK);
  kit_access(k, T0);
  *state = k;
  return 0;
}

static int teardown(void **state) {
  struct kit *k = *state;
  access_close(k->a);
  store_close(k->store);
  json_decref(k->seen);
  unlink(k->anchors);
  free(k);
  return 0;
}

static enum err take(void *ctx, const struct store_record *r) {
  json_t *o = audit_object(r);
  assert_non_null(o);
  json_array_append_new(ctx, o);
  return ERR_OK;
}

/* All entries, as they would be exported. */
static json_t *entries(struct kit *k) {
  assert_int_equal(access_error(k->a), ERR_OK);
  assert_int_equal(store_commit(k->store), ERR_OK);
  json_decref(k->seen);
  k->seen = json_array();
  assert_int_equal(store_replay(k->store, "audit", 0, take, k->seen), ERR_OK);
  return k->seen;
}

static const char *word(const json_t *list, size_t i, const char *key) {
  return json_str(json_array_get(list, i), key, "");
}

static const json_t *meta(const json_t *list, size_t i) {
  return json_object_get(json_array_get(list, i), "meta");
}

static void verified(struct kit *k) {
  char why[256] = "";
  if (store_verify_stream(k->store, "audit", NULL, 0, why) != ERR_OK)
    fail_msg("%s", why);
}

static void refuse(struct kit *k, uint8_t net, const char *why) {
  uint8_t addr[16] = {[10] = 0xff, [11] = 0xff, 203, 0, net, 77};
  audit_refusal(k->a, "token.refused", "shop", "den", "kid-1", why, addr, ERR_BAD_TOKEN);
}

/* ---- entries ---- */

static void test_entry(void **state) {
  struct kit *k = *state;
  uint8_t v6[16] = {0x20, 0x01, 0x0d, 0xb8, 0xaa, 0xbb, 0xcc, 0xdd, [15] = 1};
  json_t *more = json_pack("{s:i}", "seq", 12);
  audit_note(k->a, &(struct audit_entry){.actor = "p-0123456789abcdef",
                                         .action = "room.kick",
                                         .target = "p-fedcba9876543210",
                                         .app = "shop",
                                         .room = "den",
                                         .addr = v6,
                                         .ticket = "CHG-1",
                                         .meta = more});
  json_decref(more);
  json_t *all = entries(k);
  char *text = json_dumps(json_array_get(all, 0), JSON_COMPACT | JSON_SORT_KEYS);
  assert_string_equal(
      text,
      "{\"action\":\"room.kick\",\"actor\":\"p-0123456789abcdef\",\"app\":\"shop\",\"meta\":{\"seq\":12},"
      "\"net\":\"2001:db8:aabb::/48\",\"outcome\":\"ok\",\"room\":\"den\",\"seq\":1,"
      "\"target\":\"p-fedcba9876543210\",\"ticket\":\"CHG-1\",\"ts\":\"2026-01-01T00:00:00.000Z\"}");
  free(text);
  verified(k);
}

static void test_on_whose_behalf(void **state) {
  struct kit *k = *state;
  audit_serve(k->a, "operator:ann", "CHG-2");
  audit_note(k->a, &(struct audit_entry){.action = "app.create", .app = "shop"});
  assert_true(audit_serving(k->a));
  audit_serve(k->a, NULL, NULL);
  assert_false(audit_serving(k->a));
  audit_note(k->a, &(struct audit_entry){.action = "room.ended"});
  json_t *all = entries(k);
  assert_string_equal(word(all, 0, "actor"), "operator:ann");
  assert_string_equal(word(all, 0, "ticket"), "CHG-2");
  assert_string_equal(word(all, 1, "actor"), "system");
  assert_string_equal(word(all, 1, "ticket"), "");
}

/* Words from outside make no second line, no escape sequence, and no long one. */
static void test_injection(void **state) {
  struct kit *k = *state;
  char longest[500];
  memset(longest, 'x', sizeof longest - 1);
  longest[sizeof longest - 1] = 0;
  audit_serve(k->a, "operator:eve\n2 system\x1b]52;c;AAAA\x07", longest);
  audit_note(k->a, &(struct audit_entry){.action = "room.lock", .target = "a\r\nb", .room = "no\nroom"});
  json_t *all = entries(k);
  assert_int_equal(json_array_size(all), 1);
  for (const char *p = word(all, 0, "actor"); *p; p++)
    assert_true((unsigned char)*p >= 0x20);
  assert_null(strpbrk(word(all, 0, "target"), "\r\n"));
  assert_string_equal(word(all, 0, "room"), "");
  assert_true(strlen(word(all, 0, "ticket")) < 64);
}

/* ---- repeats ---- */

static void test_repeats_become_one_line(void **state) {
  struct kit *k = *state;
  for (int i = 0; i < 1000; i++)
    refuse(k, 113, "expired");
  refuse(k, 114, "expired");   /* another network */
  refuse(k, 113, "signature"); /* another reason */
  json_t *all = entries(k);
  assert_int_equal(json_array_size(all), 3);
  assert_string_equal(word(all, 0, "net"), "203.0.113.0/24");
  assert_string_equal(word(all, 0, "actor"), "stranger");
  access_tick(k->a, T0 + 59999);
  assert_int_equal(json_array_size(entries(k)), 3);
  assert_true(access_next_ms(k->a) <= T0 + 60000);
  access_tick(k->a, T0 + 60000);
  all = entries(k);
  assert_int_equal(json_array_size(all), 4);
  assert_int_equal(json_int(meta(all, 3), "repeated", 0), 999);
  assert_string_equal(json_str(meta(all, 3), "why", ""), "expired");
  assert_string_equal(word(all, 3, "net"), "203.0.113.0/24");
  refuse(k, 113, "expired"); /* a new minute, a new line */
  assert_int_equal(json_array_size(entries(k)), 5);
}

static void test_flood_is_bounded(void **state) {
  struct kit *k = *state;
  char why[32];
  for (int i = 0; i < 50000; i++) {
    snprintf(why, sizeof why, "reason %d", i);
    refuse(k, 113, why);
  }
  assert_int_equal(json_array_size(entries(k)), 128);
  refuse(k, 114, "expired"); /* and hides no other */
  refuse(k, 114, "replayed");
  assert_int_equal(json_array_size(entries(k)), 130);
  access_tick(k->a, T0 + 60000);
  json_t *all = entries(k);
  assert_int_equal(json_array_size(all), 130 + 1); /* the count of the others */
  bool counted = false;
  for (size_t i = 0; i < json_array_size(all); i++)
    if (strcmp(word(all, i, "action"), "refused.others") == 0)
      counted = json_int(meta(all, i), "repeated", 0) == 50000 - 128 &&
                strcmp(word(all, i, "net"), "203.0.113.0/24") == 0;
  assert_true(counted);
}

static void test_operators_are_never_only_counted(void **state) {
  struct kit *k = *state;
  audit_serve(k->a, "operator:ann", NULL);
  for (int i = 0; i < 3; i++)
    audit_note(k->a, &(struct audit_entry){.action = "room.kick", .outcome = ERR_NO_ROOM});
  assert_int_equal(json_array_size(entries(k)), 3);
}

/* ---- checkpoints ---- */

static size_t count(json_t *all, const char *action) {
  size_t n = 0;
  for (size_t i = 0; i < json_array_size(all); i++)
    n += strcmp(word(all, i, "action"), action) == 0;
  return n;
}

static void fill(struct kit *k, int n) {
  for (int i = 0; i < n; i++)
    audit_note(k->a, &(struct audit_entry){.action = "room.lock", .room = "den"});
}

static void test_checkpoint_by_number_and_time(void **state) {
  struct kit *k = *state;
  access_tick(k->a, T0 + 1);
  fill(k, 999);
  assert_int_equal(count(entries(k), "audit.checkpoint"), 0);
  access_tick(k->a, T0 + 2);
  assert_int_equal(count(entries(k), "audit.checkpoint"), 0);
  fill(k, 1);
  entries(k);
  access_tick(k->a, T0 + 3);
  assert_int_equal(count(entries(k), "audit.checkpoint"), 1);
  access_tick(k->a, T0 + 3 + 2 * HOUR); /* nothing new but itself */
  assert_int_equal(count(entries(k), "audit.checkpoint"), 1);
  fill(k, 1);
  entries(k);
  access_tick(k->a, T0 + 4 + 2 * HOUR);
  assert_int_equal(count(entries(k), "audit.checkpoint"), 2);
  audit_stop(k->a);
  assert_int_equal(count(entries(k), "audit.checkpoint"), 2);
}

static void test_checkpoint_is_signed_and_in_the_chain(void **state) {
  struct kit *k = *state;
  struct checkpoint c;
  uint8_t public[32], hash[32];
  uint64_t seq;
  char line[AUDIT_CHECKPOINT_MAX + 2] = "", why[256] = "";
  const char *no_why = NULL;
  fill(k, 5);
  entries(k);
  access_tick(k->a, T0 + 1);
  assert_int_equal(store_head(k->store, "audit", &seq, hash), ERR_OK);
  json_t *reply = json_object();
  assert_int_equal(access_call(k->a, "operator", "audit.key", NULL, reply, &no_why), ERR_OK);
  assert_true(audit_key_read(json_str(reply, "key", ""), public));
  assert_int_equal(access_call(k->a, "operator", "audit.checkpoint", NULL, reply, &no_why), ERR_OK);
  assert_true(checkpoint_read_line(json_str(reply, "checkpoint", ""), &c));
  assert_true(checkpoint_fits(&c, public));
  assert_int_equal(c.size, 5);
  assert_memory_equal(c.hash, hash, 32);
  assert_string_equal(c.origin, "gavel-audit/test");
  FILE *f = fopen(k->anchors, "r");
  assert_non_null(fgets(line, sizeof line, f));
  fclose(f);
  line[strcspn(line, "\n")] = 0;
  assert_string_equal(line, json_str(reply, "checkpoint", "?"));
  struct store_anchor anchor = {.seq = c.size};
  memcpy(anchor.hash, c.hash, 32);
  entries(k);
  assert_int_equal(store_verify_stream(k->store, "audit", &anchor, 1, why), ERR_OK);
  anchor.hash[0] ^= 1;
  assert_int_equal(store_verify_stream(k->store, "audit", &anchor, 1, why), ERR_AUDIT_RECHAINED);
  json_decref(reply);
}

/* The key stays the same when the server starts again. */
static void test_key_is_kept(void **state) {
  struct kit *k = *state;
  const char *why = NULL;
  json_t *one = json_object(), *two = json_object();
  assert_int_equal(access_call(k->a, "operator", "audit.key", NULL, one, &why), ERR_OK);
  access_close(k->a);
  kit_access(k, T0 + DAY);
  assert_int_equal(access_call(k->a, "operator", "audit.key", NULL, two, &why), ERR_OK);
  assert_string_equal(json_str(one, "key", "1"), json_str(two, "key", "2"));
  json_decref(one);
  json_decref(two);
}

/* ---- pruning ---- */

static void test_day_179_stays_day_181_goes(void **state) {
  struct kit *k = *state;
  audit_note(k->a, &(struct audit_entry){.action = "old.entry"});
  entries(k);
  for (int day = 1; day <= 179; day++)
    access_tick(k->a, T0 + day * DAY), entries(k);
  audit_note(k->a, &(struct audit_entry){.action = "young.entry"});
  json_t *all = entries(k);
  assert_int_equal(count(all, "old.entry"), 1);
  assert_int_equal(count(all, "audit.prune"), 0);
  for (int day = 180; day <= 181; day++)
    access_tick(k->a, T0 + day * DAY), entries(k);
  all = k->seen;
  assert_int_equal(count(all, "old.entry"), 0);
  assert_int_equal(count(all, "young.entry"), 1);
  assert_true(count(all, "audit.prune") >= 1);
  size_t i = 0;
  while (strcmp(word(all, i, "action"), "audit.prune") != 0)
    i++;
  assert_int_equal(json_int(meta(all, i), "from", 0), 1);
  assert_true(json_int(meta(all, i), "to", 0) >= 1);
  struct checkpoint c;
  assert_true(checkpoint_read_line(json_str(meta(all, i), "checkpoint", ""), &c));
  verified(k);
}

/* Of a clock that jumps nothing is believed for a day; nor of one that is far ahead of the log at the start.
 */
static void test_jump_of_the_clock(void **state) {
  struct kit *k = *state;
  const char *why = NULL;
  json_t *reply = json_object();
  audit_note(k->a, &(struct audit_entry){.action = "old.entry"});
  entries(k);
  access_tick(k->a, T0 + 60000);
  access_tick(k->a, T0 + 400 * DAY);
  access_tick(k->a, T0 + 400 * DAY + HOUR);
  assert_int_equal(count(entries(k), "old.entry"), 1);
  assert_int_equal(access_call(k->a, "operator", "audit.prune", NULL, reply, &why), ERR_AGAIN);
  access_tick(k->a, T0 + 120000); /* someone set it right */
  assert_false(access_may_age(k->a));
  access_tick(k->a, T0 + 120000 + DAY);
  assert_true(access_may_age(k->a));
  assert_int_equal(count(entries(k), "old.entry"), 1);
  access_close(k->a);
  kit_access(k, T0 + 500 * DAY);
  access_tick(k->a, T0 + 500 * DAY + HOUR);
  access_tick(k->a, T0 + 500 * DAY + DAY - 1);
  assert_int_equal(count(entries(k), "old.entry"), 1);
  access_tick(k->a, T0 + 501 * DAY);
  access_tick(k->a, T0 + 502 * DAY); /* and it stays so: then it is so */
  assert_int_equal(count(entries(k), "old.entry"), 0);
  json_decref(reply);
}

/* ---- the anchor file ---- */

/* A full disk tore its last line: the next one begins anew, and the torn one is no forgery. */
static void test_torn_anchor(void **state) {
  struct kit *k = *state;
  uint8_t public[32];
  char why[256] = "";
  const char *no_why = NULL;
  json_t *reply = json_object();
  assert_int_equal(access_call(k->a, "operator", "audit.key", NULL, reply, &no_why), ERR_OK);
  assert_string_equal(json_str(reply, "anchor", ""), k->anchors);
  assert_true(audit_key_read(json_str(reply, "key", ""), public));
  FILE *f = fopen(k->anchors, "w");
  fputs("gavel-audit/test 12 to", f);
  fclose(f);
  fill(k, 3);
  entries(k);
  access_tick(k->a, T0 + 1);
  audit_checkpoint(k->a);
  entries(k);
  struct audit_anchors known = {.key = public};
  assert_true(audit_anchor_file(&known, k->anchors));
  assert_int_equal(known.n, 1);
  assert_int_equal(known.torn, 1);
  assert_int_equal(known.bad, 0);
  assert_int_equal(audit_verify(k->store, &known, why), ERR_OK);
  assert_int_equal(known.n, 2); /* and the one in the log */
  free(known.v);
  json_decref(reply);
}

static size_t start_again(struct kit *k) {
  access_close(k->a);
  kit_access(k, T0 + HOUR);
  return count(entries(k), "audit.verify");
}

/* The log was cut, with its head: the anchor file knows more, and the server says so when it starts. */
static void test_start_knows_the_anchors(void **state) {
  struct kit *k = *state;
  fill(k, 3);
  entries(k);
  audit_stop(k->a);
  access_tick(k->a, T0 + 1);
  audit_stop(k->a);
  assert_int_equal(start_again(k), 0);
  store_close(k->store);
  static const uint8_t KEY[32] = {9};
  char why[256] = "";
  assert_int_equal(store_open(":memory:", KEY, &k->rng, &k->store, why), ERR_OK);
  assert_int_equal(store_put_secret(k->store, "audit.key", KEY, sizeof KEY), ERR_OK);
  assert_int_equal(store_commit(k->store), ERR_OK);
  assert_int_equal(start_again(k), 1); /* its key is there, nothing else */
  assert_string_equal(word(k->seen, 0, "outcome"), "audit_truncated");
}

static void test_never_below_180(void **state) {
  struct kit *k = *state;
  const char *why = NULL;
  json_t *params = json_pack("{s:i}", "days", 30), *reply = json_object();
  fill(k, 3);
  entries(k);
  assert_int_equal(access_call(k->a, "operator", "audit.prune", params, reply, &why), ERR_BAD_ARG);
  assert_non_null(why);
  access_configure(k->a, &(struct access_config){.audit_days = 1});
  access_tick(k->a, T0 + 170 * DAY);
  entries(k);
  assert_int_equal(count(k->seen, "room.lock"), 3);
  assert_string_equal(word(k->seen, 3, "outcome"), "bad_argument"); /* the try is written down */
  json_decref(params);
  json_decref(reply);
}

/* Other settings at run time; who agreed to the old text is asked for the new one. */
static void test_configure(void **state) {
  struct kit *k = *state;
  struct access_config c = {
      .audit_days = 200, .consent_text = "one", .consent_version = "1", .anchor_file = NULL};
  uint64_t before = access_revision(k->a);
  assert_int_equal(access_consent(k->a, "p-0123456789abcdef", NULL, "test"), ERR_OK);
  access_configure(k->a, &c);
  assert_true(access_revision(k->a) > before);
  assert_int_equal(access_consent(k->a, "p-0123456789abcdef", NULL, "test"), ERR_NEED_CONSENT);
  assert_int_equal(access_consent(k->a, "p-0123456789abcdef", "1", "test"), ERR_OK);
  entries(k);
  assert_int_equal(access_consent(k->a, "p-0123456789abcdef", NULL, "test"), ERR_OK);
  c.consent_text = "two";
  access_configure(k->a, &c);
  assert_int_equal(access_consent(k->a, "p-0123456789abcdef", NULL, "test"), ERR_NEED_CONSENT);
}

static void test_lost_group_is_forgotten(void **state) {
  struct kit *k = *state;
  fill(k, 2);
  entries(k);
  fill(k, 7);
  store_rollback(k->store);
  access_reload(k->a);
  fill(k, 1);
  json_t *all = entries(k);
  assert_int_equal(json_array_size(all), 3);
  assert_int_equal(json_int(json_array_get(all, 2), "seq", 0), 3);
  verified(k);
}

static void test_sign_off(void **state) {
  struct kit *k = *state;
  static const char *const BAD[] = {"", "yesterday", "2026-13-01", "2026-01-32", "2026-01-01x", "26-1-1"};
  const char *why = NULL;
  json_t *reply = json_object();
  for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
    json_t *params = json_pack("{s:s}", "day", BAD[i]);
    assert_int_equal(access_call(k->a, "operator:ann", "audit.sign_off", params, reply, &why), ERR_BAD_ARG);
    json_decref(params);
  }
  audit_serve(k->a, "operator:ann", NULL);
  json_t *params = json_pack("{s:s}", "day", "2026-01-01");
  assert_int_equal(access_call(k->a, "operator:ann", "audit.sign_off", params, reply, &why), ERR_OK);
  json_t *all = entries(k);
  assert_int_equal(json_array_size(all), 1);
  assert_string_equal(word(all, 0, "actor"), "operator:ann");
  assert_string_equal(word(all, 0, "target"), "2026-01-01");
  json_decref(params);
  json_decref(reply);
}

int main(void) {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      T(test_entry),
      T(test_on_whose_behalf),
      T(test_injection),
      T(test_repeats_become_one_line),
      T(test_flood_is_bounded),
      T(test_operators_are_never_only_counted),
      T(test_checkpoint_by_number_and_time),
      T(test_checkpoint_is_signed_and_in_the_chain),
      T(test_key_is_kept),
      T(test_day_179_stays_day_181_goes),
      T(test_jump_of_the_clock),
      T(test_torn_anchor),
      T(test_start_knows_the_anchors),
      T(test_never_below_180),
      T(test_configure),
      T(test_lost_group_is_forgotten),
      T(test_sign_off),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
