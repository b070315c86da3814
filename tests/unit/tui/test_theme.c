/* Theme files: all that come along load, and bad ones say where and what was meant. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tui/theme.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* load_text: a theme from memory, by way of a file. */
static enum err load_text(const char *text, struct theme *t, char why[256]) {
  char path[] = "/tmp/gavel-theme-XXXXXX";
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, text, strlen(text)), strlen(text));
  close(fd);
  enum err err = theme_load(path, t, why);
  unlink(path);
  return err;
}

static void every_shipped_theme_loads(void **state) {
  (void)state;
  size_t n = 0;
  for (const char *name; (name = theme_shipped(n)) != NULL; n++) {
    char path[512], why[256];
    struct theme t;
    snprintf(path, sizeof path, GAVEL_SRCDIR "/themes/%s.theme", name);
    enum err err = theme_load(path, &t, why);
    if (err)
      fail_msg("%s", why);
    assert_string_equal(t.name, name);
  }
  assert_int_equal(n, 7);
}

static void default_file_is_the_built_in(void **state) {
  (void)state;
  struct theme built_in, file;
  char why[256];
  theme_default(&built_in);
  assert_int_equal(theme_load(GAVEL_SRCDIR "/themes/default.theme", &file, why), ERR_OK);
  for (int i = 0; i < STYLE__COUNT; i++) {
    const struct theme_style *a = &built_in.style[i], *b = &file.style[i];
    assert_int_equal(a->fg16, b->fg16);
    assert_int_equal(a->fg256, b->fg256);
    assert_int_equal(a->attr, b->attr);
    assert_int_equal(a->mono_attr, b->mono_attr);
    assert_true(b->fg256 < 16); /* the terminal's own colours on its own background */
    assert_int_equal(b->bg16, -1);
    assert_int_equal(b->bg256, -1);
  }
}

static void shipped(const char *name, struct theme *t) {
  char path[512], why[256];
  snprintf(path, sizeof path, GAVEL_SRCDIR "/themes/%s.theme", name);
  assert_int_equal(theme_load(path, t, why), ERR_OK);
}

static void colour_blind_themes_do_not_rest_on_red_and_green(void **state) {
  (void)state;
  struct theme t;
  shipped("deuteranopia", &t);
  for (int i = 0; i < STYLE__COUNT; i++) {
    int hue = t.style[i].fg16 & 7, bg = t.style[i].bg16 & 7;
    assert_false(t.style[i].fg16 >= 0 && (hue == 1 || hue == 2));
    assert_false(t.style[i].bg16 >= 0 && (bg == 1 || bg == 2));
  }
  shipped("tritanopia", &t);
  for (int i = 0; i < STYLE__COUNT; i++) {
    int hue = t.style[i].fg16 & 7;
    assert_false(t.style[i].fg16 >= 0 && (hue == 2 || hue == 3 || hue == 4));
  }
  shipped("mono", &t);
  for (int i = 0; i < STYLE__COUNT; i++)
    assert_true(t.style[i].fg16 == -1 && t.style[i].fg256 == -1 && t.style[i].bg16 == -1);
}

/* Statuses that stand side by side differ without colour, too, or by their marks alone; these three must be
 * seen. */
static void what_matters_is_seen_without_colour(void **state) {
  (void)state;
  for (size_t n = 0; theme_shipped(n); n++) {
    struct theme t;
    shipped(theme_shipped(n), &t);
    assert_int_not_equal(t.style[STYLE_TALKING].mono_attr, 0);
    assert_int_not_equal(t.style[STYLE_ON_AIR].mono_attr & ATTR_REVERSE, 0);
    assert_int_not_equal(t.style[STYLE_FOCUS].mono_attr, 0);
  }
}

static void colours_are_derived_both_ways(void **state) {
  (void)state;
  struct theme t;
  char why[256];
  assert_int_equal(
      load_text("talking.fg = 114\nhost.fg = #d70000\nhand.fg.256 = 208\nhand.fg = cyan\n"
                "self.fg = cyan\nself.fg.256 = 250\nok.bg = Bright-Blue ; comment\ndim.fg = 240\n",
                &t, why),
      ERR_OK);
  assert_int_equal(t.style[STYLE_TALKING].fg256, 114);
  assert_int_equal(t.style[STYLE_TALKING].fg16, 10); /* #87d787: bright green, not grey */
  assert_int_equal(t.style[STYLE_HOST].fg256, 160);
  assert_int_equal(t.style[STYLE_HOST].fg16, 9);
  assert_int_equal(t.style[STYLE_HAND].fg256, 208); /* in whichever order they are written */
  assert_int_equal(t.style[STYLE_HAND].fg16, 6);
  assert_int_equal(t.style[STYLE_SELF].fg256, 250);
  assert_int_equal(t.style[STYLE_SELF].fg16, 6);
  assert_int_equal(t.style[STYLE_OK].bg16, 12);
  assert_int_equal(t.style[STYLE_OK].bg256, 12);
  assert_int_equal(t.style[STYLE_DIM].fg16, 8);
}

static void normal_lies_under_every_style(void **state) {
  (void)state;
  struct theme t;
  char why[256];
  assert_int_equal(
      load_text("normal.bg = 230\nnormal.fg = 24\nok.bg = red\nok.attr = bold, underline\n", &t, why),
      ERR_OK);
  assert_int_equal(t.style[STYLE_TALKING].bg256, 230);
  assert_int_equal(t.style[STYLE_TALKING].fg256, 2);
  assert_int_equal(t.style[STYLE_DIM].fg256, 24);
  assert_int_equal(t.style[STYLE_OK].bg256, 1);
  assert_int_equal(t.style[STYLE_OK].attr, ATTR_BOLD | ATTR_UNDERLINE);
}

static void bad_files_say_line_and_nearest_name(void **state) {
  (void)state;
  static const struct {
    const char *text, *line, *hint;
  } bad[] = {
      {"# first\n\ntalkign.fg = green\n", ":3:", "did you mean talking.fg?"},
      {"ok.fg = green\nok.fgg = green\n", ":2:", "did you mean ok.fg?"},
      {"ok.fg = gren\n", ":1:", "did you mean green?"},
      {"ok.fg = 256\n", ":1:", "no colour"},
      {"ok.fg = #12345\n", ":1:", "no colour"},
      {"ok.fg =\n", ":1:", "no colour"},
      {"ok.attr = bold blod\n", ":1:", "did you mean bold?"},
      {"\n\n[colours]\nok.fg = red\n", ":4:", "no sections"},
      {"ok.fg = red\nnonsense\n", ":2:", "name = value"},
      {"ok.fg = red\n  muted.fg = red\n frobnicate = 1\n", ":3:", "frobnicate"},
  };
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    struct theme t;
    char why[256];
    assert_int_equal(load_text(bad[i].text, &t, why), ERR_BAD_THEME);
    if (!strstr(why, bad[i].line) || !strstr(why, bad[i].hint))
      fail_msg("case %zu: %s", i, why);
  }
}

static void odd_files_are_refused(void **state) {
  (void)state;
  struct theme t;
  char why[256], *big = malloc(70001);
  assert_int_equal(theme_load("/nonexistent/x.theme", &t, why), ERR_IO);
  assert_non_null(strstr(why, "/nonexistent/x.theme"));
  memset(big, '#', 70000);
  big[70000] = '\0';
  assert_int_equal(load_text(big, &t, why), ERR_BAD_THEME);
  big[300] = '\0';
  assert_int_equal(load_text(big, &t, why), ERR_BAD_THEME);
  assert_non_null(strstr(why, ":1: the line is too long"));
  free(big);
}

static void themes_are_found_by_name(void **state) {
  (void)state;
  struct theme t;
  char why[256];
  setenv("GAVEL_THEMES", GAVEL_SRCDIR "/themes", 1);
  setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
  assert_int_equal(theme_find("solarized-dark", &t, why), ERR_OK);
  assert_string_equal(t.name, "solarized-dark");
  assert_int_equal(theme_find("solarised-dark", &t, why), ERR_BAD_THEME);
  assert_non_null(strstr(why, "did you mean solarized-dark?"));
  assert_int_equal(theme_find("../themes/mono", &t, why), ERR_BAD_THEME); /* a name, no path */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_shipped_theme_loads),
      cmocka_unit_test(default_file_is_the_built_in),
      cmocka_unit_test(colour_blind_themes_do_not_rest_on_red_and_green),
      cmocka_unit_test(what_matters_is_seen_without_colour),
      cmocka_unit_test(colours_are_derived_both_ways),
      cmocka_unit_test(normal_lies_under_every_style),
      cmocka_unit_test(bad_files_say_line_and_nearest_name),
      cmocka_unit_test(odd_files_are_refused),
      cmocka_unit_test(themes_are_found_by_name),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
