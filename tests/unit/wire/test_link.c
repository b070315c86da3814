/* link: good links in every form, strictness against everything else, and that formatting is the inverse of
 * parsing. */
#include "core/base/rng.h"
#include "core/wire/link.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define S43 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" /* bytes 0..31 */
#define P43 "__________________________________________8" /* 32 times 0xff */
#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static struct link parse_ok(const char *s) {
  struct link l;
  const char *why;
  if (link_parse(s, &l, &why) != ERR_OK)
    fail_msg("%s: %s", s, why);
  assert_null(why);
  return l;
}

static void test_full_link(void **state) {
  (void)state;
  struct link l = parse_ok("https://meet.example.org:8443/j/town-hall#i=" S43 "&p=" P43);
  assert_string_equal(l.host, "meet.example.org");
  assert_int_equal(l.port, 8443);
  assert_string_equal(l.room, "town-hall");
  assert_string_equal(l.app, "");
  struct link of_app = parse_ok("https://h/j/blue/town-hall#i=" S43);
  assert_string_equal(of_app.app, "blue");
  assert_string_equal(of_app.room, "town-hall");
  assert_true(l.has_secret && l.has_pin);
  for (unsigned i = 0; i < 32; i++) {
    assert_int_equal(l.secret[i], i);
    assert_int_equal(l.pin[i], 0xff);
  }
}

static void test_forms(void **state) {
  (void)state;
  static const struct {
    const char *in, *host, *out;
    unsigned port;
  } v[] = {
      {"gavel://h/j/r", "h", "https://h/j/r", 443},
      {"HTTPS://Meet.EXAMPLE.org/j/r#i=" S43, "meet.example.org", "https://meet.example.org/j/r#i=" S43, 443},
      {"GaVeL://h/j/r#p=" P43, "h", "https://h/j/r#p=" P43, 443},
      {"https://h:443/j/r#p=" P43 "&i=" S43, "h", "https://h/j/r#i=" S43 "&p=" P43, 443},
      {"https://192.168.7.1:1/j/r", "192.168.7.1", "https://192.168.7.1:1/j/r", 1},
      {"https://[::1]:65535/j/a.b_c-d", "::1", "https://[::1]:65535/j/a.b_c-d", 65535},
      {"https://[2001:DB8:0:0::0:1]/j/r", "2001:db8::1", "https://[2001:db8::1]/j/r", 443},
      {"https://xn--mnchen-3ya.de/j/0", "xn--mnchen-3ya.de", "https://xn--mnchen-3ya.de/j/0", 443},
      {"https://h/j/blue-9/r#i=" S43, "h", "https://h/j/blue-9/r#i=" S43, 443},
      {"https://4you.example/j/r", "4you.example", "https://4you.example/j/r", 443},
  };
  for (size_t i = 0; i < COUNT(v); i++) {
    struct link l = parse_ok(v[i].in);
    char out[LINK_MAX];
    assert_string_equal(l.host, v[i].host);
    assert_int_equal(l.port, v[i].port);
    link_format(&l, out);
    assert_string_equal(out, v[i].out);
  }
}

static void test_refused(void **state) {
  (void)state;
  static const char *const bad[] = {
      "", "https", "https:/h/j/r", "http://h/j/r", "wss://h/j/r", "javascript://h/j/r", " https://h/j/r",
      "h/j/r",
      /* host */
      "https:///j/r", "https://:443/j/r", "https://-h/j/r", "https://h-/j/r", "https://h./j/r",
      "https://.h/j/r", "https://a..b/j/r", "https://a_b/j/r", "https://m\xc3\xbcnchen.de/j/r",
      "https://a b/j/r", "https://a*b/j/r",
      "https://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.de/j/r",
      /* numbers that other parsers read as addresses */
      "https://2130706433/j/r", "https://127.1/j/r", "https://0x7f.1/j/r", "https://1.2.3.0x4/j/r",
      "https://127.0.0.01/j/r", "https://256.1.1.1/j/r", "https://1.2.3.4.5/j/r", "https://[::1/j/r",
      "https://::1/j/r", "https://[]/j/r", "https://[1.2.3.4]/j/r", "https://[::g]/j/r",
      "https://[fe80::1%25eth0]/j/r", "https://[::1]x/j/r", "https://[[::1]]/j/r", "https://[::1]]/j/r",
      /* user info, escapes, query */
      "https://u@h/j/r", "https://u:p@h/j/r", "https://h\\@e/j/r", "https://h/j/r?x=1", "https://h/j/%72",
      "https://h%2fj/j/r", "https://h/j/r#i=%41", "https://h?x/j/r",
      /* port */
      "https://h:/j/r", "https://h:0/j/r", "https://h:080/j/r", "https://h:65536/j/r", "https://h:99999/j/r",
      "https://h:+1/j/r", "https://h:1a/j/r", "https://h:123456/j/r", "https://h:1:2/j/r", "https://h:-1/j/r",
      /* path and room */
      "https://h", "https://h/", "https://h/j", "https://h/j/", "https://h/J/r", "https://h//j/r",
      "https://h/x/r", "https://h/j/r/", "https://h/j/r/x/y", "https://h/j/../r", "https://h/j/A/x",
      "https://h/j/a.b/x", "https://h/j/a_b/x", "https://h/j//x", "https://h/j/-a/x", "https://h/j/a/",
      "https://h/j/a/X", "https://h/j/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/x", "https://h/j/Room",
      "https://h/j/-r", "https://h/j/#i=" S43,
      "https://h/j/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "https://h/j/r\n",
      "https://h/j/r ",
      /* fragment */
      "https://h/j/r#", "https://h/j/r#i", "https://h/j/r#i=", "https://h/j/r#k=" S43, "https://h/j/r#I=" S43,
      "https://h/j/r#i=" S43 "A", "https://h/j/r#i=" S43 "=", "https://h/j/r#i=AA",
      "https://h/j/r#i=" S43 "&", "https://h/j/r#&i=" S43, "https://h/j/r#i=" S43 "&&p=" P43,
      "https://h/j/r#i=" S43 "&i=" S43, "https://h/j/r#p=" P43 "&p=" P43, "https://h/j/r#i=" S43 "#p=" P43,
      "https://h/j/r#i=" S43 ";p=" P43, "https://h/j/r#i=" S43 "&x=1", "https://h/j/r#i =" S43,
      "https://h/j/r#i=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9", /* left-over bits are not zero */
      "https://h/j/r#i=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh/", /* the other base64 alphabet */
  };
  for (size_t i = 0; i < COUNT(bad); i++) {
    struct link l, zero;
    const char *why = NULL;
    memset(&zero, 0, sizeof zero);
    if (link_parse(bad[i], &l, &why) != ERR_BAD_LINK)
      fail_msg("accepted: %s", bad[i]);
    assert_non_null(why);
    assert_memory_equal(&l, &zero, sizeof l); /* no half-read secret stays behind */
  }
}

static void test_lengths(void **state) {
  (void)state;
  static const char scheme[] = "https://",
                    room[] = "abcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstuvwxyz-abcdefghi";
  char host[LINK_HOST_MAX + 1], s[LINK_MAX + 300], out[LINK_MAX];
  for (size_t i = 0; i < LINK_HOST_MAX; i++)
    host[i] = i % 64 == 63 ? '.' : 'a';
  host[LINK_HOST_MAX] = 0;
  snprintf(s, sizeof s, "%s%s:10000/j/%s#i=" S43 "&p=" P43, scheme, host, room);
  struct link l = parse_ok(s); /* the longest link there is */
  assert_string_equal(l.host, host);
  link_format(&l, out);
  assert_string_equal(out, s);
  const char *why;
  snprintf(s, sizeof s, "%sa%s/j/r", scheme, host);
  assert_int_equal(link_parse(s, &l, &why), ERR_BAD_LINK);
  memset(s, 'a', sizeof s);
  s[sizeof s - 1] = 0;
  assert_int_equal(link_parse(s, &l, &why), ERR_BAD_LINK);
  assert_string_equal(why, "the link is too long");
}

/* One wrong character anywhere: refused, or another link that formats to itself. Never a crash, never a third
 * thing. */
static void test_mutations(void **state) {
  (void)state;
  static const char good[] = "https://[2001:db8::17]:8443/j/town-hall#i=" S43 "&p=" P43;
  struct rng r;
  rng_seed(&r, 99);
  unsigned accepted = 0;
  for (int round = 0; round < 20000; round++) {
    char s[sizeof good], out[LINK_MAX], again[LINK_MAX];
    memcpy(s, good, sizeof s);
    s[rng_below(&r, sizeof good - 1)] = (char)rng_below(&r, 256);
    struct link l, back;
    const char *why;
    if (link_parse(s, &l, &why) != ERR_OK)
      continue;
    accepted++;
    link_format(&l, out);
    assert_int_equal(link_parse(out, &back, &why), ERR_OK);
    assert_memory_equal(&l, &back, sizeof l);
    link_format(&back, again);
    assert_string_equal(out, again);
  }
  assert_in_range(accepted, 1000, 12000);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_full_link), cmocka_unit_test(test_forms),     cmocka_unit_test(test_refused),
      cmocka_unit_test(test_lengths),   cmocka_unit_test(test_mutations),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
