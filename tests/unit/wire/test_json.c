/* json: the grammar of RFC 8259 in the classes of JSONTestSuite (y_ accepted, n_ refused), our limits, and
 * JSON-RPC. */
#include "core/wire/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct bytes {
  const char *p;
  size_t n;
};
#define B(s)                                                                                                 \
  { s, sizeof(s) - 1 }
#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static void expect(const struct bytes *list, size_t count, enum err expected) {
  for (size_t i = 0; i < count; i++) {
    json_t *v = NULL;
    const char *why = "unset";
    /* a copy of the exact size: reading one byte too many is seen by the sanitizer */
    char *copy = malloc(list[i].n + (list[i].n == 0));
    assert_non_null(copy);
    memcpy(copy, list[i].p, list[i].n);
    enum err e = json_parse_strict(copy, list[i].n, &v, &why);
    if (e != expected)
      fail_msg("%s: %s", expected ? "accepted" : why, list[i].p);
    assert_true((v == NULL) == (e != ERR_OK) && (why != NULL) == (e != ERR_OK));
    json_decref(v);
    free(copy);
  }
}

static void test_y_accepted(void **state) {
  (void)state;
  static const struct bytes y[] = {
      /* structure and white space */
      B("[]"), B("{}"), B(" [ ] "), B("\t\r\n{ }\n"), B("[[]]"), B("[[],[[]]]"), B("{\"a\":{}}"), B("[null]"),
      B("[true,false,null]"), B("[1,null,null,2]"), B("{\"a\":\"b\",\"c\":\"d\"}"), B("{\"\":0}"),
      B("[\"a\"]\n"),
      /* scalars alone */
      B("null"), B("true"), B("false"), B("42"), B("-1"), B("\"\""), B("\"a\""), B(" 2 "),
      /* numbers */
      B("[0]"), B("[-123]"), B("[9007199254740991]"), B("[-9007199254740991]"),
      /* strings */
      B("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]"), B("[\"\\u0060\\u012a\\u12AB\"]"), B("[\"\\uD801\\udc37\"]"),
      B("[\"\\ud83d\\ude39\\ud83d\\udc8d\"]"), B("[\"\\u0001\"]"), B("[\"\\\\n\"]"), B("[\"\\\\u0000\"]"),
      B("[\"a/*b*/c\"]"), B("[\"\x7f\"]"), B("[\"\xc3\xa9\"]"), B("[\"\xe2\x80\xa8\xe2\x80\xa9\"]"),
      B("[\"\xf4\x8f\xbf\xbf\"]"), B("[\"\xef\xbf\xbf\"]"), B("[\"\\uFFFE\"]"), B("{\"a\":\"[[[[[[[[[[{{\"}"),
      B("[\"]}-0\"]"), B("[\"\\\"[[[[[[[[[[\"]"), B("{\"__proto__\":1}")};
  expect(y, COUNT(y), ERR_OK);
}

static void test_n_structure(void **state) {
  (void)state;
  static const struct bytes n[] = {B(""),
                                   B(" "),
                                   B("["),
                                   B("]"),
                                   B("{"),
                                   B("}"),
                                   B("[1"),
                                   B("[1,"),
                                   B("[1,]"),
                                   B("[,1]"),
                                   B("[1,,2]"),
                                   B("[,]"),
                                   B("[1 2]"),
                                   B("[3[4]]"),
                                   B("[1]x"),
                                   B("[1]]"),
                                   B("{}}"),
                                   B("[][]"),
                                   B("{} {}"),
                                   B("1 2"),
                                   B("[\"a\""),
                                   B("[\"\": 1]"),
                                   B("[}"),
                                   B("{]"),
                                   B("[1}"),
                                   B("{\"a\":1]"),
                                   B("{\"a\"}"),
                                   B("{\"a\":}"),
                                   B("{\"a\" 1}"),
                                   B("{\"a\":1,}"),
                                   B("{,\"a\":1}"),
                                   B("{\"a\":1,,\"b\":2}"),
                                   B("{a:1}"),
                                   B("{'a':1}"),
                                   B("{1:1}"),
                                   B("{null:1}"),
                                   B("{\"a\":1 \"b\":2}"),
                                   B("{\"a\"::1}"),
                                   B("{\"a\",1}"),
                                   B("{\"a\":1}#"),
                                   B("{\"a\":1}//x"),
                                   B("[1/*c*/]"),
                                   B("[nul]"),
                                   B("[tru]"),
                                   B("[True]"),
                                   B("[NaN]"),
                                   B("[Infinity]"),
                                   B("[-Infinity]"),
                                   B("[undefined]"),
                                   B("nulll"),
                                   B("[\x0c]"),
                                   B("[\xc2\xa0]"),
                                   B("\xe2\x81\xa0[]"),
                                   B("\xef\xbb\xbf{}"),
                                   B("[]\0"),
                                   B("\0[]"),
                                   B("[1,\0]"),
                                   B("*"),
                                   B("<null>"),
                                   B("a"),
                                   B("\xff"),
                                   B("[\xff]"),
                                   B("[a\xe5]"),
                                   B("{\"a\":\"b\"}}")};
  expect(n, COUNT(n), ERR_BAD_JSON);
}

static void test_n_numbers(void **state) {
  (void)state;
  static const struct bytes n[] = {
      B("[+1]"), B("[01]"), B("[-01]"), B("[-]"), B("[--1]"), B("[- 1]"), B("[1-]"), B("[0x1]"), B("[1_0]"),
      B("[.5]"), B("[2.]"), B("[1e]"), B("[1eE2]"), B("[1+2]"), B("[1 000]"), B("[\xef\xbc\x91]"), B("[1a]"),
      B("[-a]"),
      /* JSON, but not for us: no reals, no -0, nothing a double cannot hold */
      B("[1.0]"), B("[0.5]"), B("[1e2]"), B("[1E-2]"), B("[1e400]"), B("[-1e400]"), B("[-0]"), B("-0"),
      B("[-0.0]"), B("{\"a\":-0}"), B("[9007199254740992]"), B("[9007199254740993]"),
      B("[-9007199254740992]"), B("[9223372036854775808]"), B("[100000000000000000000]"),
      B("[-9223372036854775808]"), B("-9223372036854775809")};
  expect(n, COUNT(n), ERR_BAD_JSON);
}

static void test_n_strings(void **state) {
  (void)state;
  static const struct bytes n[] = {
      B("[\"a]"), B("[a\"]"), B("\""), B("\"\\"), B("[\"\\\"]"), B("['a']"), B("[\"\\x00\"]"), B("[\"\\a\"]"),
      B("[\"\\u\"]"), B("[\"\\u00A\"]"), B("[\"\\u00GA\"]"), B("[\"\\U0041\"]"), B("[\"\\\t\"]"),
      B("[\"\\\\\\\"]"), B("[\"\t\"]"), B("[\"\n\"]"), B("[\"\x1f\"]"), B("[\"\0\"]"), B("[\"a\0a\"]"),
      B("[\"\\u0000\"]"), B("{\"a\\u0000b\":1}"), B("\"x\"y"),
      /* surrogates that are no pair */
      B("[\"\\ud800\"]"), B("[\"\\udc00\"]"), B("[\"\\uD800\\n\"]"), B("[\"\\uD800\\uD800\"]"),
      B("[\"\\uDD1E\\uD834\"]"), B("[\"\\ud800abc\"]"), B("[\"\\uD800\\u\"]"), B("[\"\\uD834\\uDd\"]"),
      B("{\"\\uD800\":1}"),
      /* bytes that are not UTF-8 */
      B("[\"\xff\"]"), B("[\"\x80\"]"), B("[\"\xc0\xaf\"]"), B("[\"\xe0\x80\xaf\"]"), B("[\"\xed\xa0\x80\"]"),
      B("[\"\xed\xb0\x80\"]"), B("[\"\xf4\x90\x80\x80\"]"), B("[\"\xf8\x88\x80\x80\x80\"]"), B("[\"\xe5\"]"),
      B("[\"\xc3\"]"), B("{\"\xb9\":\"0\"}")};
  expect(n, COUNT(n), ERR_BAD_JSON);
}

static void test_n_duplicate_keys(void **state) {
  (void)state;
  static const struct bytes n[] = {B("{\"a\":1,\"a\":1}"), B("{\"a\":1,\"b\":2,\"a\":3}"),
                                   B("{\"type\":1,\"\\u0074ype\":2}"), B("[{\"x\":{\"\":1,\"\":2}}]")};
  expect(n, COUNT(n), ERR_BAD_JSON);
  static const struct bytes y[] = {B("{\"a\":{\"a\":1}}"), B("[{\"a\":1},{\"a\":1}]"),
                                   B("{\"a\":1,\"A\":2}")};
  expect(y, COUNT(y), ERR_OK);
}

/* repeat: `n` times `unit` between two ends, malloc'd. */
static char *repeat(const char *head, const char *unit, size_t n, const char *tail) {
  size_t k = strlen(unit), at = strlen(head);
  char *s = malloc(at + n * k + strlen(tail) + 1);
  assert_non_null(s);
  memcpy(s, head, at);
  for (size_t i = 0; i < n; i++, at += k)
    memcpy(s + at, unit, k);
  memcpy(s + at, tail, strlen(tail) + 1);
  return s;
}

static enum err parse_repeat(const char *head, const char *unit, size_t n, const char *tail, bool server) {
  char *s = repeat(head, unit, n, tail);
  json_t *v = NULL;
  enum err e = server ? json_parse_server(s, strlen(s), &v) : json_parse_strict(s, strlen(s), &v, NULL);
  json_decref(v);
  free(s);
  return e;
}

static void test_depth(void **state) {
  (void)state;
  static const struct bytes y[] = {B("[[[[[[[[1]]]]]]]]"), B("{\"a\":[{\"a\":[{\"a\":[{\"a\":{}}]}]}]}"),
                                   B("[[[[[[[[]]]]]]],[[[[[[[]]]]]]]]")};
  static const struct bytes n[] = {B("[[[[[[[[[1]]]]]]]]]"), B("[[[[[[[[{}]]]]]]]]"),
                                   B("[1,[[[[[[[[]]]]]]]]]")};
  expect(y, COUNT(y), ERR_OK);
  expect(n, COUNT(n), ERR_BAD_JSON);
  assert_int_equal(parse_repeat("", "[", 60000, "", false), ERR_BAD_JSON);
  assert_int_equal(parse_repeat("", "[", 100000, "", true), ERR_BAD_JSON);
  assert_int_equal(parse_repeat("", "{\"a\":", 10000, "", false), ERR_BAD_JSON);
}

static void test_sizes(void **state) {
  (void)state;
  assert_int_equal(parse_repeat("[0", ",1", 255, "]", false), ERR_OK);
  assert_int_equal(parse_repeat("[0", ",1", 256, "]", false), ERR_BAD_JSON);
  assert_int_equal(parse_repeat("[0", ",1", 99999, "]", true), ERR_OK);
  assert_int_equal(parse_repeat("[0", ",1", 100000, "]", true), ERR_BAD_JSON);
  assert_int_equal(parse_repeat("[\"", "x", 16384, "\"]", false), ERR_OK);
  assert_int_equal(parse_repeat("[\"", "x", 16385, "\"]", false), ERR_BAD_JSON);
  assert_int_equal(parse_repeat("[\"", "\\u20ac", 5461, "\"]", false),
                   ERR_OK); /* 3 bytes each when decoded */
  assert_int_equal(parse_repeat("[\"", "\\u20ac", 5462, "\"]", false), ERR_BAD_JSON);
  assert_int_equal(parse_repeat("{\"", "k", 16385, "\":1}", false), ERR_BAD_JSON);
  assert_int_equal(parse_repeat("[[", " ", JSON_MESSAGE_MAX - 4, "]]", false), ERR_OK);
  assert_int_equal(parse_repeat("[[", " ", JSON_MESSAGE_MAX - 3, "]]", false), ERR_BAD_JSON);
  assert_int_equal(parse_repeat("[[", " ", (8 << 20) - 4, "]]", true), ERR_OK);
  assert_int_equal(parse_repeat("[[", " ", (8 << 20) - 3, "]]", true), ERR_BAD_JSON);
}

static void test_many_keys(void **state) {
  (void)state;
  for (size_t n = 256; n <= 257; n++) {
    char text[8192] = "{\"x\":0";
    size_t len = strlen(text);
    for (size_t i = 1; i < n; i++)
      len += (size_t)snprintf(text + len, sizeof text - len, ",\"k%zu\":%zu", i, i);
    text[len++] = '}';
    json_t *v;
    assert_int_equal(json_parse_strict(text, len, &v, NULL), n == 256 ? ERR_OK : ERR_BAD_JSON);
    json_decref(v);
  }
}

static void test_members(void **state) {
  (void)state;
  json_t *o;
  const char *text = "{\"s\":\"x\",\"i\":-5,\"t\":true,\"f\":false,\"n\":null}";
  assert_int_equal(json_parse_strict(text, strlen(text), &o, NULL), ERR_OK);
  assert_string_equal(json_str(o, "s", "?"), "x");
  assert_string_equal(json_str(o, "i", "?"), "?");
  assert_null(json_str(o, "none", NULL));
  assert_int_equal(json_int(o, "i", 9), -5);
  assert_int_equal(json_int(o, "s", 9), 9);
  assert_true(json_flag(o, "t", false));
  assert_false(json_flag(o, "f", true));
  assert_true(json_flag(o, "n", true));
  assert_true(json_only_keys(o, "n", "f", "t", "i", "s", "more", NULL));
  assert_false(json_only_keys(o, "n", "f", "t", "i", NULL));
  json_decref(o);
  o = json_array();
  assert_false(json_only_keys(o, "a", NULL));
  assert_int_equal(json_int(o, "a", 3), 3);
  json_decref(o);
  assert_false(json_only_keys(NULL, "a", NULL));
  assert_true(json_flag(NULL, "a", true));
}

/* --- JSON-RPC --- */

static void test_rpc_accepts(void **state) {
  (void)state;
  struct rpc_in in;
#define PARSE(s) rpc_parse(s, sizeof(s) - 1, false, &in)
  assert_int_equal(PARSE("{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"room.mute\",\"params\":{\"who\":3}}"),
                   ERR_OK);
  assert_int_equal(in.kind, RPC_REQUEST);
  assert_int_equal(in.id, 7);
  assert_string_equal(in.method, "room.mute");
  assert_int_equal(json_int(in.params, "who", 0), 3);
  json_decref(in.root);
  assert_int_equal(PARSE("{\"method\":\"event\",\"jsonrpc\":\"2.0\"}"), ERR_OK);
  assert_int_equal(in.kind, RPC_NOTIFY);
  assert_int_equal(in.id, 0);
  assert_true(json_is_object(in.params) && json_object_size(in.params) == 0);
  json_decref(in.root);
  assert_int_equal(PARSE("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":null}"), ERR_OK);
  assert_int_equal(in.kind, RPC_RESULT);
  assert_true(json_is_null(in.result));
  json_decref(in.root);
  assert_int_equal(PARSE("{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32000,\"message\":\"no\","
                         "\"data\":{\"code\":\"room_locked\",\"retry_ms\":5}}}"),
                   ERR_OK);
  assert_int_equal(in.kind, RPC_ERROR);
  assert_int_equal(in.error, ERR_ROOM_LOCKED);
  assert_string_equal(in.message, "no");
  json_decref(in.root);
  assert_int_equal(PARSE("{\"jsonrpc\":\"2.0\",\"id\":4,\"error\":{\"code\":1,\"message\":\"m\",\"data\":{"
                         "\"code\":\"ok\"}}}"),
                   ERR_OK);
  assert_int_equal(in.error, ERR_INTERNAL); /* a peer's error is never read as success */
  json_decref(in.root);
}

static void test_rpc_refuses(void **state) {
  (void)state;
  static const struct {
    const char *text;
    json_int_t id;
  } bad[] = {
      {"[]", 0},
      {"1", 0},
      {"{}", 0},
      {"[{\"jsonrpc\":\"2.0\",\"method\":\"a\"}]", 0},
      {"{\"id\":5,\"method\":\"a\"}", 5},
      {"{\"jsonrpc\":\"1.0\",\"id\":5,\"method\":\"a\"}", 5},
      {"{\"jsonrpc\":2,\"id\":5,\"method\":\"a\"}", 5},
      {"{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":\"a\"}", 0},
      {"{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"a\"}", 0},
      {"{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"a\"}", 0},
      {"{\"jsonrpc\":\"2.0\",\"id\":-3,\"method\":\"a\"}", 0},
      {"{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"\"}", 5},
      {"{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":7}", 5},
      {"{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"a\",\"params\":[1]}", 5},
      {"{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"a\",\"params\":null}", 5},
      {"{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"a\",\"from\":1}", 5},
      {"{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"a\",\"result\":1}", 5},
      {"{\"jsonrpc\":\"2.0\",\"id\":5}", 5},
      {"{\"jsonrpc\":\"2.0\",\"result\":1}", 0},
      {"{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":1}", 0},
      {"{\"jsonrpc\":\"2.0\",\"id\":5,\"result\":1,\"error\":{\"code\":1,\"message\":\"m\"}}", 5},
      {"{\"jsonrpc\":\"2.0\",\"id\":5,\"error\":\"m\"}", 5},
      {"{\"jsonrpc\":\"2.0\",\"id\":5,\"error\":{\"code\":\"1\",\"message\":\"m\"}}", 5},
      {"{\"jsonrpc\":\"2.0\",\"id\":5,\"error\":{\"code\":1}}", 5},
      {"{\"jsonrpc\":\"2.0\",\"error\":{\"code\":1,\"message\":\"m\"}}", 0},
  };
  for (size_t i = 0; i < COUNT(bad); i++) {
    struct rpc_in in;
    if (rpc_parse(bad[i].text, strlen(bad[i].text), i % 2 == 0, &in) != ERR_BAD_REQUEST)
      fail_msg("accepted: %s", bad[i].text);
    assert_int_equal(in.id, bad[i].id);
    assert_null(in.root);
    assert_null(in.method);
  }
  struct rpc_in in;
  assert_int_equal(rpc_parse("{\"jsonrpc\"", 10, false, &in), ERR_BAD_JSON);
  assert_null(in.root);
}

static void check_text(char *text, const char *expected) {
  assert_string_equal(text, expected);
  free(text);
}

static void test_rpc_builds(void **state) {
  (void)state;
  check_text(rpc_request(3, "room.hand", json_pack("{sb}", "on", 1)),
             "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"room.hand\",\"params\":{\"on\":true}}");
  check_text(rpc_notify("ping", NULL), "{\"jsonrpc\":\"2.0\",\"method\":\"ping\"}");
  check_text(rpc_result(3, NULL), "{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{}}");
  check_text(rpc_error(0, ERR_BAD_JSON, NULL, 0),
             "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700,\"message\":"
             "\"that is not valid JSON within the limits\",\"data\":{\"code\":\"bad_json\"}}}");
  check_text(rpc_error(9, ERR_RATE, "wait \"a\" bit", 1500),
             "{\"jsonrpc\":\"2.0\",\"id\":9,\"error\":{\"code\":-32000,\"message\":\"wait \\\"a\\\" bit\","
             "\"data\":{\"code\":\"rate_limited\",\"retry_ms\":1500}}}");
}

/* Every error we can build is read back as itself; a detail that is not UTF-8 does not lose the answer. */
static void test_rpc_errors_round_trip(void **state) {
  (void)state;
  for (unsigned e = 1; e < ERR__COUNT; e++) {
    char *text = rpc_error(e % 2 ? 8 : 0, (enum err)e, "bad \xff detail", 0);
    struct rpc_in in;
    assert_int_equal(rpc_parse(text, strlen(text), true, &in), ERR_OK);
    assert_int_equal(in.error, e);
    assert_string_equal(in.message, err_text((enum err)e));
    json_decref(in.root);
    free(text);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_y_accepted),
      cmocka_unit_test(test_n_structure),
      cmocka_unit_test(test_n_numbers),
      cmocka_unit_test(test_n_strings),
      cmocka_unit_test(test_n_duplicate_keys),
      cmocka_unit_test(test_depth),
      cmocka_unit_test(test_sizes),
      cmocka_unit_test(test_many_keys),
      cmocka_unit_test(test_members),
      cmocka_unit_test(test_rpc_accepts),
      cmocka_unit_test(test_rpc_refuses),
      cmocka_unit_test(test_rpc_builds),
      cmocka_unit_test(test_rpc_errors_round_trip),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
