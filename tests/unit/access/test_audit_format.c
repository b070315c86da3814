/* The audit log as it leaves the database: the published vectors of its lines, and signed checkpoints. */
#include "core/access/audit_format.h"
#include "core/base/bytes.h"
#include "core/base/ed25519.h"
#include "core/wire/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static const char ZEROS[] = "0000000000000000000000000000000000000000000000000000000000000000";
static const char H1[] = "4e23574e0d47655ff7adb31845fde949f764a922addaaaacf9326aecda11681d";
static const char H2[] = "d46e6503d63f3e1c7c36e95fc37d2c1a6b679112543fa28769c2a73fc543aa15";
#define SECOND_MS INT64_C(1767225601000)

static json_t *vector(int n) {
  struct store_record r = {"audit",
                           (uint64_t)n,
                           SECOND_MS - 2000 + 1000 * n,
                           "s:7f3a",
                           n == 1 ? "lobby.admit" : "mute",
                           "s:91bc",
                           "{\"outcome\":\"ok\",\"room\":\"r:2b\"}",
                           NULL,
                           NULL};
  json_t *o = audit_object(&r);
  assert_non_null(o);
  return o;
}

static void test_vectors(void **state) {
  char chain[AUDIT_HEX];
  json_t *one = vector(1), *two = vector(2);
  (void)state;
  memcpy(chain, ZEROS, sizeof chain);
  char *text = json_dumps(one, JSON_COMPACT | JSON_SORT_KEYS);
  assert_string_equal(
      text,
      "{\"action\":\"lobby.admit\",\"actor\":\"s:7f3a\",\"meta\":{},\"outcome\":\"ok\",\"room\":\"r:2b\","
      "\"seq\":1,\"target\":\"s:91bc\",\"ts\":\"2026-01-01T00:00:00.000Z\"}");
  free(text);
  char *first = audit_line(one, chain);
  assert_string_equal(chain, H1);
  char *second = audit_line(two, chain);
  assert_string_equal(chain, H2);
  json_t *a = json_loads(first, 0, NULL), *b = json_loads(second, 0, NULL);
  memcpy(chain, ZEROS, sizeof chain);
  assert_true(audit_line_fits(a, chain));
  assert_true(audit_line_fits(b, chain));
  assert_string_equal(chain, H2);
  memcpy(chain, ZEROS, sizeof chain);
  assert_false(audit_line_fits(b, chain)); /* out of its place */
  json_object_set_new(a, "actor", json_string("s:0000"));
  memcpy(chain, ZEROS, sizeof chain);
  assert_false(audit_line_fits(a, chain));
  free(first);
  free(second);
  json_decref(a);
  json_decref(b);
  json_decref(one);
  json_decref(two);
}

static void test_bad_data(void **state) {
  static const char *const BAD[] = {"", "[]", "7", "{", "{\"a\":1}x"};
  (void)state;
  for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
    struct store_record r = {"audit", 1, 0, "a", "b", "", BAD[i], NULL, NULL};
    assert_null(audit_object(&r));
  }
}

static struct checkpoint some(const uint8_t secret[32]) {
  struct checkpoint c = {.size = 1234, .hash = {1, 2, 3}, .time = "2026-01-01T00:00:00.000Z"};
  audit_origin("a server+of\nmine", c.origin);
  checkpoint_sign(&c, secret);
  return c;
}

/* RFC 8032 section 7.1, test 1: the key pair. */
static void test_key(void **state) {
  uint8_t secret[32], public[32], want[32], again[32];
  char text[AUDIT_KEY_MAX];
  (void)state;
  assert_true(hex_decode("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", 64, secret));
  assert_true(hex_decode("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", 64, want));
  ed25519_public(secret, public);
  assert_memory_equal(public, want, 32);
  audit_key_text("gavel-audit/x", public, text);
  assert_true(audit_key_read(text, again));
  assert_memory_equal(again, public, 32);
  text[strlen("gavel-audit/")] = 'y'; /* the id is of origin and key */
  assert_false(audit_key_read(text, again));
  assert_false(audit_key_read("", again));
  assert_false(audit_key_read("a+b", again));
  assert_false(audit_key_read("a+01234567+AAAA", again));
}

static void test_checkpoint(void **state) {
  uint8_t secret[32] = {5}, public[32], other[32];
  char line[AUDIT_CHECKPOINT_MAX], note[AUDIT_CHECKPOINT_MAX];
  struct checkpoint c = some(secret), back;
  (void)state;
  ed25519_public(secret, public);
  secret[0] = 6;
  ed25519_public(secret, other);
  assert_string_equal(c.origin, "gavel-audit/a-server-of-mine");
  checkpoint_line(&c, line);
  checkpoint_note(&c, note);
  assert_null(strchr(line, '\n'));
  assert_true(checkpoint_read_line(line, &back) && checkpoint_fits(&back, public));
  assert_memory_equal(&back, &c, sizeof c);
  assert_true(checkpoint_read_note(note, &back) && checkpoint_fits(&back, public));
  assert_false(checkpoint_fits(&c, other));
  static const char BEGIN[] = "gavel-audit/a-server-of-mine\n1234\nAQID"; /* RFC 4648 of 1, 2, 3 */
  assert_memory_equal(note, BEGIN, sizeof BEGIN - 1);
}

/* The longest name a server can have is not cut in the note, where it stands twice. */
static void test_checkpoint_long(void **state) {
  uint8_t secret[32] = {5}, public[32];
  char text[AUDIT_CHECKPOINT_MAX];
  struct checkpoint c = some(secret), back;
  (void)state;
  memset(c.origin, 'o', sizeof c.origin - 1);
  c.size = UINT64_MAX;
  checkpoint_sign(&c, secret);
  ed25519_public(secret, public);
  checkpoint_note(&c, text);
  assert_true(checkpoint_read_note(text, &back) && checkpoint_fits(&back, public));
  checkpoint_line(&c, text);
  assert_true(checkpoint_read_line(text, &back) && checkpoint_fits(&back, public));
}

/* No byte of a checkpoint can be another one. */
static void test_checkpoint_forged(void **state) {
  uint8_t secret[32] = {5}, public[32];
  char line[AUDIT_CHECKPOINT_MAX];
  struct checkpoint c = some(secret), back;
  (void)state;
  ed25519_public(secret, public);
  checkpoint_line(&c, line);
  for (size_t i = 0; line[i]; i++) {
    char kept = line[i];
    line[i] = kept == 'A' ? 'B' : 'A';
    assert_false(checkpoint_read_line(line, &back) && checkpoint_fits(&back, public));
    line[i] = 0;
    assert_false(checkpoint_read_line(line, &back) && checkpoint_fits(&back, public));
    line[i] = kept;
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_vectors),
      cmocka_unit_test(test_bad_data),
      cmocka_unit_test(test_key),
      cmocka_unit_test(test_checkpoint),
      cmocka_unit_test(test_checkpoint_forged),
      cmocka_unit_test(test_checkpoint_long),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
