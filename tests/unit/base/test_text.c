/* text: UTF-8 strictness, hostile names and chat, widths, and properties over random input. */
#include "core/base/rng.h"
#include "core/base/text.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <wchar.h>

#include <cmocka.h>

static void test_utf8_valid(void **state) {
  (void)state;
  static const char *const good[] = {"",
                                     "a",
                                     "\x7f",
                                     "\xc2\x80",
                                     "\xdf\xbf",
                                     "\xe0\xa0\x80",
                                     "\xed\x9f\xbf",
                                     "\xee\x80\x80",
                                     "\xef\xbf\xbf",
                                     "\xf0\x90\x80\x80",
                                     "\xf4\x8f\xbf\xbf"};
  static const char *const bad[] = {"\x80",
                                    "\xbf",
                                    "\xc0\x80",
                                    "\xc1\xbf",
                                    "\xc2",
                                    "\xc2\x41",
                                    "\xe0\x9f\xbf",
                                    "\xed\xa0\x80",
                                    "\xed\xbf\xbf",
                                    "\xe2\x82",
                                    "\xf0\x8f\xbf\xbf",
                                    "\xf4\x90\x80\x80",
                                    "\xf5\x80\x80\x80",
                                    "\xf8\x88\x80\x80\x80",
                                    "\xff",
                                    "ok\xfe"};
  for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
    if (!text_utf8_valid(good[i], strlen(good[i])))
      fail_msg("good %zu refused", i);
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    if (text_utf8_valid(bad[i], strlen(bad[i])))
      fail_msg("bad %zu accepted", i);
  assert_false(text_utf8_valid("a\0b", 3));
  assert_true(text_utf8_valid(NULL, 0));
}

static void test_utf8_every_code_point(void **state) {
  (void)state;
  for (uint32_t cp = 1; cp <= 0x10ffff; cp++) {
    if (cp == 0xd800)
      cp = 0xe000;
    char b[4];
    size_t n = text_utf8_put(cp, b);
    const char *s = b;
    assert_true(text_utf8_valid(b, n));
    assert_int_equal(text_utf8_next(&s, b + n), cp);
    assert_ptr_equal(s, b + n);
    s = b;
    if (n > 1) /* cut short: every byte is an error of its own */
      assert_int_equal(text_utf8_next(&s, b + n - 1), 0xfffd);
  }
}

/* fill: `unit` n times at the end of the string in buf, which has room. */
static void fill(char *buf, const char *unit, size_t n) {
  size_t at = strlen(buf), k = strlen(unit);
  for (; n > 0; n--, at += k)
    memcpy(buf + at, unit, k + 1);
}

/* name: cleaned, in a static buffer; NULL when refused. */
static const char *name(const char *in) {
  static char out[TEXT_NAME_MAX + 1];
  return text_clean_name(in, strlen(in), out) == ERR_OK ? out : NULL;
}

static const char *chat(const char *in) {
  static char out[TEXT_CHAT_MAX + 1];
  return text_clean_chat(in, strlen(in), out) == ERR_OK ? out : NULL;
}

static void test_names(void **state) {
  (void)state;
  static const struct {
    const char *in, *out;
  } v[] = {
      {"Ada", "Ada"},
      {"  Ada \t Lovelace \n", "Ada Lovelace"},
      {"bob\nlevel=error", "bob level=error"}, /* a newline is white space, never a new line */
      {"bob\r\nowner", "bob owner"},
      {"a\rb", "a b"},
      {"\x1b]52;c;YQ==\x07x", "]52;c;YQ==x"}, /* OSC 52: harmless without ESC and BEL */
      {"\xc2\x9b"
       "31mred",
       "31mred"},                                   /* C1 CSI */
      {"\xe2\x80\xaelive\xe2\x80\xac", "live"},     /* U+202E, U+202C */
      {"ad\xe2\x80\x8bmin\xe2\x80\x8d", "admin"},   /* zero width space, joiner */
      {"\xd8\x9cx\xe2\x81\xa6y\xe2\x81\xa9", "xy"}, /* U+061C, isolates */
      {"\xef\xbb\xbf"
       "bom",
       "bom"},
      {"tag\xf3\xa0\x81\x81ged", "tagged"},               /* U+E0041 */
      {"nonchar\xef\xb7\x90\xf0\x9f\xbf\xbf", "nonchar"}, /* U+FDD0, U+1FFFF */
      {"soft\xc2\xadhyphen", "softhyphen"},
      {"e\xcc\x81", "e\xcc\x81"}, /* not normalised, but kept */
      {"\xcc\x81"
       "e",
       "e"}, /* a mark without a base */
      {"\xe5\xb1\xb1\xe7\x94\xb0", "\xe5\xb1\xb1\xe7\x94\xb0"},
      {"\xe3\x80\x80wide\xe3\x80\x80space", "wide space"},
      {"%s%n", "%s%n"},
      {"\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x9a\x80", "\xf0\x9f\x91\xa9\xf0\x9f\x9a\x80"}, /* ZWJ emoji */
  };
  for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
    const char *out = name(v[i].in);
    assert_non_null(out);
    assert_string_equal(out, v[i].out);
  }
}

static void test_names_refused(void **state) {
  (void)state;
  static const char *const bad[] = {"",
                                    " \t\n",
                                    "\xe2\x80\x8b\xe2\x80\x8d",
                                    "\x1b\x07",
                                    "\xcc\x81\xcc\x82",
                                    "\xe2\xa0\x80",
                                    "\xe3\x85\xa4", /* empty braille cell, Hangul filler */
                                    "\xef\xb8\x8f",
                                    "a\xff",
                                    "\xed\xa0\x80",
                                    "\xc0\xaf"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    if (name(bad[i]))
      fail_msg("accepted %zu as '%s'", i, name(bad[i]));
  char out[TEXT_NAME_MAX + 1];
  assert_int_equal(text_clean_name("a\0b", 3, out), ERR_BAD_NAME);
  assert_string_equal(out, "");
}

static void test_name_is_cut_on_a_border(void **state) {
  (void)state;
  char in[512] = "";
  fill(in, "x", 100);
  assert_int_equal(strlen(name(in)), TEXT_NAME_COLS);
  in[0] = 0;
  fill(in, "\xe5\xb1\xb1", 40); /* 3 bytes, 2 columns: 64 columns would be 96 bytes */
  assert_int_equal(strlen(name(in)), 96);
  assert_int_equal(text_width(name(in)), 64);
  memmove(in + 1, in, strlen(in) + 1);
  in[0] = 'x'; /* now neither limit falls on a border */
  assert_int_equal(strlen(name(in)), 94);
  assert_int_equal(text_width(name(in)), 63);
  memset(in, 'x', 63);
  memcpy(in + 63, " yz", 4); /* the cut leaves no white space at the end */
  assert_int_equal(strlen(name(in)), 63);
}

static void test_many_combining_marks(void **state) {
  (void)state;
  char in[8002] = "a";
  fill(in, "\xcc\x81", 4000);
  assert_string_equal(name(in), "a\xcc\x81\xcc\x81\xcc\x81\xcc\x81");
  assert_string_equal(chat(in), "a\xcc\x81\xcc\x81\xcc\x81\xcc\x81");
}

static void test_chat(void **state) {
  (void)state;
  assert_string_equal(chat("one\r\ntwo\n\n  three  four\t.\n\n"), "one\ntwo\n\n  three  four .");
  assert_string_equal(chat("100 %\rgotcha\x1b[2J\x08\x08"), "100 %gotcha[2J");
  assert_string_equal(chat("a\xe2\x80\xa8\x62"), "a b"); /* U+2028 */
  assert_string_equal(chat("x\n\xcc\x81y"), "x\ny");     /* no mark may climb onto the frame around it */
  assert_null(chat(""));
  assert_null(chat("\n \n"));
  assert_null(chat("bad \xc3"));
}

static void test_chat_limits(void **state) {
  (void)state;
  char in[TEXT_CHAT_MAX + 40];
  memset(in, 'x', sizeof in);
  in[TEXT_CHAT_MAX] = 0;
  assert_int_equal(strlen(chat(in)), TEXT_CHAT_MAX);
  in[TEXT_CHAT_MAX] = 'x';
  in[TEXT_CHAT_MAX + 1] = 0;
  assert_null(chat(in));
  memset(in + TEXT_CHAT_MAX, ' ', 30); /* only what is trimmed is too much */
  in[TEXT_CHAT_MAX + 30] = 0;
  assert_int_equal(strlen(chat(in)), TEXT_CHAT_MAX);
  in[TEXT_CHAT_MAX + 29] = 'x';
  assert_null(chat(in));
  char lines[64] = "a";
  fill(lines, "\na", 19);
  assert_non_null(chat(lines)); /* 20 lines */
  fill(lines, "\n", 1);
  assert_non_null(chat(lines));
  fill(lines, "a", 1);
  assert_null(chat(lines));
}

static void test_line(void **state) {
  (void)state;
  char in[TEXT_LINE_MAX + 2], out[TEXT_LINE_MAX + 1];
  assert_int_equal(text_clean_line(" \n", 2, out), ERR_OK);
  assert_string_equal(out, "");
  assert_int_equal(text_clean_line("a\n\nb", 4, out), ERR_OK);
  assert_string_equal(out, "a b");
  memset(in, 'x', sizeof in);
  assert_int_equal(text_clean_line(in, TEXT_LINE_MAX, out), ERR_OK);
  assert_int_equal(text_clean_line(in, TEXT_LINE_MAX + 1, out), ERR_BAD_TEXT);
  assert_string_equal(out, "");
}

static void test_slug(void **state) {
  (void)state;
  static const char *const good[] = {
      "a",       "0",   "town-hall",
      "a.b_c-d", "a--", "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0"};
  static const char *const bad[] = {
      "",    "-a",       ".a",   "_a",
      "A",   "a b",      "a/b",  "..",
      "a\n", "\xc3\xa4", "a%20", "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz01"};
  for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
    assert_true(text_slug_valid(good[i]));
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    assert_false(text_slug_valid(bad[i]));
}

static void test_width(void **state) {
  (void)state;
  assert_int_equal(text_width("abc"), 3);
  assert_int_equal(text_width("e\xcc\x81"), 1);
  assert_int_equal(text_width("\xed\x95\x9c\xea\xb8\x80"), 4);             /* Hangul syllables */
  assert_int_equal(text_width("\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab"), 2); /* the same from jamo */
  assert_int_equal(text_width("\xef\xbc\xa1\xf0\x9f\x9a\x80"), 4);         /* fullwidth A, rocket */
  assert_int_equal(text_width("\xc2\xb1\xe2\x80\xa6"), 2);                 /* ambiguous: one column */
  assert_int_equal(text_fit("a\xe5\xb1\xb1z", 2), 1); /* half of a wide one does not fit */
  assert_int_equal(text_fit("a\xe5\xb1\xb1z", 3), 4);
  assert_int_equal(text_fit("e\xcc\x81z", 1), 3); /* marks come with their base */
  assert_int_equal(text_fit("abc", 0), 0);
  assert_int_equal(text_fit("abc", 99), 3);
}

/* The C library's table is somebody else's work from the same standard, perhaps of another year: near is
 * enough. */
static void test_width_against_libc(void **state) {
  (void)state;
  if (!setlocale(LC_CTYPE, "C.UTF-8"))
    skip();
  unsigned differ = 0, known = 0;
  for (uint32_t cp = ' '; cp <= 0x10ffff; cp++) {
    int theirs = wcwidth((wchar_t)cp);
    known += theirs >= 0;
    differ += theirs >= 0 && theirs != text_cp_width(cp);
  }
  assert_true(known > 100000);
  assert_true(differ < 300);
}

typedef enum err clean_fn(const char *in, size_t n, char *out);

static void check_cleaned(clean_fn *clean, const char *in, size_t n, bool newline_ok) {
  char out[TEXT_CHAT_MAX + 1], again[TEXT_CHAT_MAX + 1];
  if (clean(in, n, out) != ERR_OK)
    return;
  size_t len = strlen(out);
  assert_true(text_utf8_valid(out, len));
  for (const char *s = out; s != out + len;) {
    uint32_t cp = text_utf8_next(&s, out + len);
    assert_true(text_cp_safe(cp) || (newline_ok && cp == '\n'));
  }
  assert_int_equal(clean(out, len, again), ERR_OK);
  assert_string_equal(out, again);
}

/* Random code points from where the trouble lives, and now and then a raw byte. */
static size_t random_text(struct rng *r, char *out, size_t max) {
  static const uint32_t from[] = {0x01,   0x20,   0x61,   0x80,   0xa0,    0x300,   0x1100,  0x1680,  0x2000,
                                  0x2020, 0x3000, 0xfe00, 0xfff0, 0x1f300, 0x1fff0, 0xe0000, 0x10fff0};
  size_t n = 0;
  while (n + 4 <= max && rng_below(r, 100) > 0) {
    if (rng_below(r, 400) == 0)
      out[n++] = (char)rng_below(r, 256);
    else
      n += text_utf8_put(from[rng_below(r, sizeof from / sizeof from[0])] + (uint32_t)rng_below(r, 16),
                         out + n);
  }
  return n;
}

static void test_cleaned_text_is_safe_and_stable(void **state) {
  (void)state;
  struct rng r;
  rng_seed(&r, 20240611);
  for (int round = 0; round < 20000; round++) {
    char in[600];
    size_t n = random_text(&r, in, sizeof in);
    check_cleaned(text_clean_name, in, n, false);
    check_cleaned(text_clean_chat, in, n, true);
    check_cleaned(text_clean_line, in, n, false);
  }
}

static void test_append(void **state) {
  (void)state;
  char s[8] = "";
  assert_true(text_append(s, sizeof s, "abc"));
  assert_true(text_append(s, sizeof s, ""));
  assert_false(text_append(s, sizeof s, "defgh")); /* no room for the NUL */
  assert_string_equal(s, "abc");
  assert_true(text_append(s, sizeof s, "defg"));
  assert_string_equal(s, "abcdefg");
  assert_false(text_append(s, sizeof s, "h"));
  assert_true(text_append(s, sizeof s, ""));
}

static void test_show(void **state) {
  (void)state;
  char out[64], tight[9];
  text_show("a\033]52;c;AA\007b\tc\nd\xc2\x9b"
            "e\xe2\x80\xae"
            "f\xff",
            false, out, sizeof out);
  assert_string_equal(out, "a]52;c;AAb c def\xef\xbf\xbd");
  text_show("one\r\ntwo\n", true, out, sizeof out);
  assert_string_equal(out, "one\ntwo\n");
  text_show("12345\xe6\x81\xb5", false, tight, sizeof tight); /* never half a character, and always ended */
  assert_true(strlen(tight) < sizeof tight && text_utf8_valid(tight, strlen(tight)));
  char whole[7]; /* what fits is shown to its last letter */
  text_show("abc).\n", true, whole, sizeof whole);
  assert_string_equal(whole, "abc).\n");
  text_show("abcd\xc3\xa9", false, whole, sizeof whole);
  assert_string_equal(whole, "abcd\xc3\xa9");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_utf8_valid),
      cmocka_unit_test(test_utf8_every_code_point),
      cmocka_unit_test(test_names),
      cmocka_unit_test(test_names_refused),
      cmocka_unit_test(test_name_is_cut_on_a_border),
      cmocka_unit_test(test_many_combining_marks),
      cmocka_unit_test(test_chat),
      cmocka_unit_test(test_chat_limits),
      cmocka_unit_test(test_line),
      cmocka_unit_test(test_slug),
      cmocka_unit_test(test_width),
      cmocka_unit_test(test_width_against_libc),
      cmocka_unit_test(test_cleaned_text_is_safe_and_stable),
      cmocka_unit_test(test_append),
      cmocka_unit_test(test_show),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
